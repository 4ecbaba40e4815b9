package config

import (
	"math"
	"testing"
	"time"
)

func TestParseSize(t *testing.T) {
	for _, x := range []struct {
		s    string
		want int64 // -1: an error
	}{
		{"0", 0}, {"1", 1}, {"1024", 1024}, {"1B", 1}, {"10MB", 10e6}, {"256MiB", 256 << 20}, {"256mib", 256 << 20},
		{"2 GiB", 2 << 30}, {"1TB", 1e12}, {"9223372036854775807", math.MaxInt64}, {"8388607TiB", 8388607 << 40},
		{"", -1}, {" ", -1}, {"MiB", -1}, {"-1", -1}, {"+1", -1}, {"1.5MiB", -1}, {"1M", -1}, {"1 M iB", -1}, {" 1", -1},
		{"1MiB ", -1}, {"1e3", -1}, {"0x10", -1}, {"9223372036854775808", -1}, {"8388608TiB", -1}, {"99999999999999999999", -1},
		{"\u0661", -1},
	} {
		got, err := parseSize(x.s)
		if err != nil {
			got = -1
		}
		if got != x.want {
			t.Errorf("parseSize(%q) = %d, %v, want %d", x.s, got, err, x.want)
		}
	}
}

func TestFormatSize(t *testing.T) {
	for n, want := range map[int64]string{0: "0 bytes", 1: "1 byte", 512: "512 bytes", 1024: "1KiB", 1025: "1025 bytes", 64 << 20: "64MiB", 1 << 50: "1024TiB"} {
		if got := formatSize(n); got != want {
			t.Errorf("formatSize(%d) = %q, want %q", n, got, want)
		}
	}
}

func TestParseDuration(t *testing.T) {
	for _, x := range []struct {
		s    string
		want time.Duration // -1: an error
	}{
		{"0s", 0}, {"0", 0}, {"90s", 90 * time.Second}, {"1h30m", 90 * time.Minute}, {"1.5s", 1500 * time.Millisecond},
		{"", -1}, {"10", -1}, {"10.5", -1}, {"-5s", -1}, {"5 s", -1}, {"7d", -1}, {"99999999999h", -1}, {"ten", -1},
	} {
		got, err := parseDuration(x.s)
		if err != nil {
			got = -1
		}
		if got != x.want {
			t.Errorf("parseDuration(%q) = %v, %v, want %v", x.s, got, err, x.want)
		}
	}
	for d, want := range map[time.Duration]string{0: "0s", time.Minute: "1m", 90 * time.Minute: "1h30m", 24 * time.Hour: "24h", time.Second: "1s"} {
		if got := formatDuration(d); got != want {
			t.Errorf("formatDuration(%v) = %q, want %q", d, got, want)
		}
	}
}

func TestNearest(t *testing.T) {
	names := []string{"address", "passive_ports", "banner", "public_host"}
	for given, want := range map[string]string{
		"adress": "address", "pasiveports": "passive_ports", "publichost": "public_host", "baner": "banner", "xyz": "", "": "",
		"address": "address", "host": "",
	} {
		if got := nearest(given, names); got != want {
			t.Errorf("nearest(%q) = %q, want %q", given, got, want)
		}
	}
	for _, x := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"a", "", 1}, {"", "ab", 2}, {"kitten", "sitting", 3}, {"ab", "ba", 2}} {
		if got := distance(x.a, x.b); got != x.want {
			t.Errorf("distance(%q, %q) = %d, want %d", x.a, x.b, got, x.want)
		}
	}
}
