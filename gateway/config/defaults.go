package config

import (
	"io/fs"
	"time"
)

// What holds when the configuration says nothing.
const (
	DefaultMaxConnections      = 1000 // at 9 KiB an idle session, no machine feels it
	DefaultMaxConnectionsPerIP = 20   // browsers of files open up to ten; an office behind NAT needs a few of those
	DefaultLoginAttempts       = 3    // a person's typing errors, not a dictionary
	DefaultCommandLine         = 8 << 10

	DefaultLoginTimeout    = 60 * time.Second // time to type a password
	DefaultIdleTimeout     = 10 * time.Minute // RFC 1123 §4.1.3.2 asks for at least five
	DefaultDataTimeout     = 30 * time.Second // a few retransmitted SYNs
	DefaultStallTimeout    = 60 * time.Second // radio links come back within this
	DefaultShutdownTimeout = 30 * time.Second // below the 90 s after which systemd kills

	DefaultFileMode fs.FileMode = 0o644 // whatever consumes a drop-box can read it
	DefaultDirMode  fs.FileMode = 0o755

	DefaultMemorySize = 64 << 20 // small enough for any machine that runs a gateway
	DefaultLogLevel   = "info"
)

// Bounds of what can be configured: beyond them lies a slip, not a wish.
const (
	maxConnections = 1_000_000
	maxAttempts    = 100
	minCommandLine = 512 // RFC 1123's and every client's longest ordinary line fits
	maxCommandLine = 64 << 10
	maxTimeout     = 30 * 24 * time.Hour
	maxMemorySize  = 1 << 50
)
