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

	DefaultFailures = 10               // three sessions of typing errors; a dictionary has more
	DefaultWindow   = 10 * time.Minute // a device that fails every minute or so is told in the log, not banned over night
	DefaultBan      = time.Hour        // guessing is hopeless, and nobody has to call the administrator to get in today
	DefaultMaxDelay = 5 * time.Second  // RFC 2577 §5; clients give up after 10 s and more

	DefaultFileMode fs.FileMode = 0o644 // whatever consumes a drop-box can read it
	DefaultDirMode  fs.FileMode = 0o755

	DefaultMemorySize = 64 << 20 // small enough for any machine that runs a gateway
	DefaultLogLevel   = "info"

	DefaultTransferMemory = 64 << 20 // five parts of 6 MiB, what is small beside them, and what surrounds them

	DefaultPartSize       = 6 << 20
	DefaultConcurrency    = 4 // parts of one transfer: enough for a store that gives 100 MB/s on one connection
	DefaultReadAhead      = 16 << 20
	DefaultListPage       = 1000 // the most that S3 gives
	DefaultMetadataCache  = 5 * time.Second
	DefaultCopyPart       = 1 << 30
	DefaultRenameLimit    = 50_000 // at 16 copies at once this takes minutes
	DefaultConnectTimeout = 10 * time.Second
	DefaultStoreTimeout   = 60 * time.Second
	DefaultMaxRetries     = 4

	DefaultUpstreamConnections = 8 // old devices take about as many
)

// Bounds of what can be configured: beyond them lies a slip, not a wish.
const (
	maxConnections = 1_000_000
	maxAttempts    = 100
	minCommandLine = 512 // RFC 1123's and every client's longest ordinary line fits
	maxCommandLine = 64 << 10
	minCommandRate = 10 // in a second: with fewer, a login takes longer than clients wait
	maxCommandRate = 1_000_000
	maxTimeout     = 30 * 24 * time.Hour
	maxMemorySize  = 1 << 50
	maxStars       = 16      // in a pattern
	minRate        = 1 << 10 // bytes per second; below, every transfer looks broken
	maxRate        = 1 << 40
	maxDelay       = 30 * time.Second // beyond, clients take the gateway for dead
	maxSocketPath  = 107              // bytes, of sockaddr_un

	minTransferMemory = 1 << 20
	minPart           = 5 << 20 // S3's own bounds
	maxPart           = 5 << 30
	maxConcurrency    = 64
	maxReadAhead      = 1 << 30
	maxRenameLimit    = 10_000_000
	maxRetries        = 20
	maxCacheTime      = time.Hour

	minUpstreamConnections = 2 // APPE reads and writes at once
)
