package config

import (
	"time"

	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// limits reads the limits block; without one (nil) all defaults hold.
func (l *loader) limits(b *hclsyntax.Block) Limits {
	s := &section{l: l}
	if b != nil {
		s = l.open(b, blocks["limits"], "")
	}
	return Limits{
		MaxConnections:      s.number("max_connections", 1, maxConnections, DefaultMaxConnections),
		MaxConnectionsPerIP: s.number("max_connections_per_ip", 1, maxConnections, DefaultMaxConnectionsPerIP),
		LoginAttempts:       s.number("login_attempts", 1, maxAttempts, DefaultLoginAttempts),
		CommandLine:         int(s.size("command_line", `"8KiB"`, minCommandLine, maxCommandLine, DefaultCommandLine)),
		LoginTimeout:        s.duration("login_timeout", leastTimeout, DefaultLoginTimeout),
		IdleTimeout:         s.duration("idle_timeout", leastTimeout, DefaultIdleTimeout),
		DataTimeout:         s.duration("data_timeout", leastTimeout, DefaultDataTimeout),
		StallTimeout:        s.duration("stall_timeout", leastTimeout, DefaultStallTimeout),
		ShutdownTimeout:     s.duration("shutdown_timeout", 0, DefaultShutdownTimeout),
		Rates:               s.rates(Rates{}),
		ConnectRate:         s.number("connect_rate", 1, maxConnections, 0),
		CommandRate:         s.number("command_rate", minCommandRate, maxCommandRate, 0),
		TransferMemory:      s.size("transfer_memory", `"64MiB"`, minTransferMemory, maxMemorySize, DefaultTransferMemory),
	}
}

// rates reads the four rates of a block. A session's are those of otherwise if the block is silent.
func (s *section) rates(otherwise Rates) Rates {
	rate := func(name string, otherwise int64) int64 { return s.size(name, `"10MiB"`, minRate, maxRate, otherwise) }
	return Rates{
		Download: rate("download_rate", 0), Upload: rate("upload_rate", 0),
		SessionDownload: rate("session_download_rate", otherwise.SessionDownload),
		SessionUpload:   rate("session_upload_rate", otherwise.SessionUpload),
	}
}

// leastTimeout: no timeout at all cannot be had, and less is a wrong unit.
const leastTimeout = 100 * time.Millisecond

func (l *loader) log(b *hclsyntax.Block) Log {
	if b == nil {
		return Log{Level: DefaultLogLevel}
	}
	s := l.open(b, blocks["log"], "")
	return Log{
		Level:  choice(s, "level", DefaultLogLevel, "debug", "info", "warn", "error"),
		Format: choice(s, "format", "", LogConsole, LogJSON),
	}
}
