package config

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// units of sizes, largest first.
var units = []struct {
	name  string
	bytes int64
}{
	{"TiB", 1 << 40}, {"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10},
	{"TB", 1e12}, {"GB", 1e9}, {"MB", 1e6}, {"KB", 1e3}, {"B", 1},
}

// parseSize reads a whole number of bytes: "1024", "10MB", "256MiB". Units may be
// in any case and after a space.
func parseSize(s string) (int64, error) {
	digits := strings.TrimRight(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ ")
	unit := strings.TrimLeft(s[len(digits):], " ")
	factor := int64(0)
	if unit == "" {
		factor = 1
	}
	for _, u := range units {
		if strings.EqualFold(unit, u.name) {
			factor = u.bytes
		}
	}
	n, err := strconv.ParseUint(digits, 10, 63)
	switch {
	case strings.HasPrefix(s, "-"):
		return 0, errors.New("a size cannot be negative")
	case errors.Is(err, strconv.ErrRange) || err == nil && factor > 0 && int64(n) > math.MaxInt64/factor:
		return 0, errors.New("the size is larger than any disk")
	case err != nil || factor == 0:
		return 0, errors.New(`a size is a whole number with or without a unit: "4096", "10MB", "256MiB"`)
	}
	return int64(n) * factor, nil
}

// formatSize writes n with the largest binary unit that divides it.
func formatSize(n int64) string {
	for _, u := range units[:4] {
		if n >= u.bytes && n%u.bytes == 0 {
			return fmt.Sprintf("%d%s", n/u.bytes, u.name)
		}
	}
	if n == 1 {
		return "1 byte"
	}
	return fmt.Sprintf("%d bytes", n)
}

// parseDuration reads a time span that is not negative: "90s", "10m", "1h30m".
func parseDuration(s string) (time.Duration, error) {
	d, err := time.ParseDuration(s)
	if _, plain := strconv.ParseFloat(s, 64); plain == nil && d == 0 && s != "0" {
		return 0, errors.New(`a time needs a unit: "90s" are seconds, "10m" minutes`)
	}
	switch {
	case err != nil:
		return 0, errors.New(`a time is a number with a unit, ms, s, m or h: "90s", "10m", "1h30m"`)
	case d < 0:
		return 0, errors.New("a time cannot be negative")
	}
	return d, nil
}

// formatDuration is Duration.String without trailing zero units.
func formatDuration(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}
