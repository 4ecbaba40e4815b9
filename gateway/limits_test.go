package gateway

import (
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/ftpgate/ftpgate/gateway/config"
)

// TestCommandRate: commands beyond the configured rate are answered, and later.
func TestCommandRate(t *testing.T) {
	r := run(t, zerolog.InfoLevel, func(c *config.Config) { c.Limits.CommandRate = 10 })
	c, _ := r.dial("127.0.0.1")
	start := time.Now()
	for range 12 {
		c.WriteString("NOOP\r\n")
	}
	c.Flush()
	for range 12 {
		if got, _ := c.ReadString('\n'); !strings.HasPrefix(got, "200") {
			t.Fatalf("got %q", got)
		}
	}
	if took := time.Since(start); took < 150*time.Millisecond {
		t.Errorf("it took %s only", took)
	}
}
