package config

import (
	"io/fs"
	"net/netip"
	"time"
)

// Config is a whole configuration without errors.
type Config struct {
	StateDir  string // directory for what survives a restart: bans; empty: nothing does
	Listeners []Listener
	Limits    Limits
	Throttle  Throttle
	Admin     *Admin // nil: none
	Log       Log
	Anonymous *Anonymous // nil: no anonymous logins
	Users     []User
}

// Listener is where clients connect.
type Listener struct {
	Name         string
	Address      netip.AddrPort // the unspecified IPv6 address stands for all addresses; port 0: any
	PassivePorts PortRange      // zero: any port that the kernel gives
	PublicHost   Host           // announced by PASV ...
	PublicHosts  []NetworkHost  // ... unless the client is in one of these; longest prefix first
	DefaultType  DefaultType
	ActiveMode   bool           // PORT and EPRT are allowed
	SourcePort   uint16         // that active data connections come from; 0: any
	TLS          *TLS           // nil: none
	Banner       string         // may have several lines; empty: the gateway's own
	AllowFrom    []netip.Prefix // none: everyone may connect
	DenyFrom     []netip.Prefix // even if AllowFrom has it

	ProxyProtocol []netip.Prefix // load balancers, which must send a PROXY header
	DataPeers     []netip.Prefix // networks in which one address may make data connections for another; they do not overlap
}

// PortRange is a range of ports, both ends included.
type PortRange struct{ First, Last uint16 }

// DefaultType says what a session does with file data before it sends TYPE.
type DefaultType string

// The default types.
const (
	DefaultBinary DefaultType = "binary" // data passes unchanged until the client sends TYPE A
	DefaultASCII  DefaultType = "ascii"  // data is converted from the start, as RFC 959 has it
)

// Rates bound what data connections move, in bytes per second. 0 is no limit.
type Rates struct {
	Download, Upload               int64 // of all sessions that it is about together
	SessionDownload, SessionUpload int64 // of each session
}

// Limits bound what clients can take. Every field but the rates is set.
type Limits struct {
	MaxConnections      int
	MaxConnectionsPerIP int
	LoginAttempts       int
	CommandLine         int // bytes

	LoginTimeout    time.Duration
	IdleTimeout     time.Duration
	DataTimeout     time.Duration
	StallTimeout    time.Duration
	ShutdownTimeout time.Duration // 0: running transfers are cut at once

	Rates       Rates // of everybody; those of a session hold unless the user has others
	ConnectRate int   // connections of one address in a minute; 0: any number
	CommandRate int   // commands of one session in a second; 0: any number

	TransferMemory int64 // bytes that the transfers of all object stores take together
}

// PartMemory is how much of a TransferMemory may hold parts of objects. What surrounds
// them takes the rest: buffers, requests, and garbage that is not collected at once.
func PartMemory(transferMemory int64) int64 { return transferMemory / 8 * 5 }

// Throttle says what is done about failed logins.
type Throttle struct {
	Failures int            // of one address within Window, then it is banned; 0: nobody is
	Window   time.Duration  // how long a failure counts
	Ban      time.Duration  // how long a ban lasts
	MaxDelay time.Duration  // the longest that a login is held back; 0: none is
	Allow    []netip.Prefix // networks that are neither held back nor banned
}

// Admin is where the running gateway takes orders. Exactly one field is set.
type Admin struct {
	Address netip.AddrPort // loopback
	Socket  string         // path of a Unix socket
}

// Log is what is logged and how.
type Log struct {
	Level  string    // debug, info, warn or error
	Format LogFormat // empty: console on a terminal, JSON elsewhere
}

// LogFormat is how log lines look.
type LogFormat string

// The log formats.
const (
	LogConsole LogFormat = "console"
	LogJSON    LogFormat = "json"
)

// Backend is where files are, evaluated for one user. Users whose Backend has
// equal Kind and Name share it, unless PerUser.
type Backend struct {
	Kind, Name string
	PerUser    bool    // some value depends on user.name
	Local      *Local  // of kind "local"
	Memory     *Memory // of kind "memory"
	S3         *S3     // of kind "s3"
	FTP        *FTP    // of kind "ftp"
}

// String returns the reference to the backend, "backend.local.mirror".
func (b Backend) String() string { return "backend." + b.Kind + "." + b.Name }

// Local is a directory of the machine.
type Local struct {
	Root     string      // relative to the working directory, unless absolute
	Create   bool        // make Root if it is missing
	FileMode fs.FileMode // permission bits of new files
	DirMode  fs.FileMode // permission bits of new directories
	Sync     bool        // a 226 means that the file is on the disk
}

// Memory is a tree in memory, gone with the process.
type Memory struct {
	MaxSize int64 // bytes of all its files together
}

// Anonymous says what anonymous users see, always read-only.
type Anonymous struct {
	Names      []string // any case
	Filesystem Backend
}

// User is a user of the configuration.
type User struct {
	Name         string
	PasswordHash string // empty: the certificate is enough
	ClientName   string // a name that the client's certificate must have; empty: none is needed
	Filesystem   Backend
	Access       Access
	OnConflict   OnConflict
	Commit       Commit
	ResumeWindow time.Duration  // how long a cut upload is kept for its owner; 0: not at all
	RequireTLS   RequireTLS     // if stricter than the listener's
	AllowFrom    []netip.Prefix // none: from anywhere
	DenyNames    []string       // patterns of names that are not made
	MaxUpload    int64          // bytes; 0: any number
	MaxSessions  int            // at once; 0: any number
	Rates        Rates          // of the user's sessions together, and of each
}

// Access is the name of a set of rights.
type Access string

// The accesses.
const (
	ReadOnly  Access = "read-only"
	ReadWrite Access = "read-write"
	DropBox   Access = "drop-box"
)

// OnConflict says what an upload does when its name is taken.
type OnConflict string

// What to do with a taken name. Without on_conflict a drop-box refuses and
// everyone else overwrites.
const (
	Overwrite OnConflict = "overwrite"
	Refuse    OnConflict = "refuse"
	Rename    OnConflict = "rename"
)

// Commit says whether an upload is published when its client has gone.
type Commit string

// The commits.
const (
	Strict  Commit = "strict"
	Lenient Commit = "lenient"
)
