package ftpclient

import (
	"context"
	"crypto/tls"
	"net"
	"net/netip"
	"time"

	"golang.org/x/text/encoding"

	"github.com/ftpgate/ftpgate/protocol/ftp"
)

// Security is how connections are protected (RFC 4217).
type Security int

const (
	Plain    Security = iota // no TLS
	Explicit                 // AUTH TLS on the connection; a server without it is an error, never a clear-text login
	Implicit                 // TLS from the first byte (port 990)
)

// Dialer makes control and data connections. net.Dialer, the dialers of
// golang.org/x/net/proxy and those of Proxy are some.
type Dialer interface {
	DialContext(ctx context.Context, network, address string) (net.Conn, error)
}

// Options say how to connect. The zero value is a plain passive connection.
type Options struct {
	Security Security
	// TLS is the configuration of control and data connections alike. Session caches in
	// it are replaced by one of the connection's own; ServerName is the host of
	// the address if empty. nil: the system's roots.
	TLS *tls.Config
	// Truncation takes a data stream that ends without close_notify for whole, for old
	// servers that do not send one. Whoever can cut a connection can then cut a file.
	Truncation bool

	// Dialer is used instead of net.Dialer. Data connections then go to the host
	// of the address given to Dial, since only the dialer knows who is behind it.
	Dialer Dialer
	// ProxySource, if valid, is sent as the client's address in a PROXY header
	// (version 1) at the start of every connection.
	ProxySource netip.AddrPort

	Active     bool       // EPRT and PORT instead of EPSV and PASV
	ActiveHost netip.Addr // what these announce; the local address of the control connection if invalid
	// TrustPASV connects to the address of a 227 reply and not to the peer of the
	// control connection. It lets the server aim this client at other machines.
	TrustPASV  bool
	NoEPSV     bool // PASV at once, for IPv4
	Sequential bool // never send a command before the reply to the one before it

	KeepAlive time.Duration // NOOP after being idle this long; 0: none

	// Encoding of names on the wire, if not the bytes they have here.
	Encoding encoding.Encoding
	// TimeZone of times in LIST; nil: UTC. Those of MLSD, MLST, MDTM and MFMT are UTC (RFC 3659 §2.3).
	TimeZone *time.Location
	// LocalTimes says that those are in TimeZone, too: old devices, and vsftpd with use_localtime.
	LocalTimes bool

	ConnectTimeout time.Duration // to connect, greeting and TLS included, and for each data connection; 0: 30 s
	ReplyTimeout   time.Duration // for each reply, from its command to its last line; 0: 60 s
	StallTimeout   time.Duration // without any byte on a data connection; 0: 60 s

	MaxReply   int // bytes of one reply; 0: 64 KiB
	MaxLine    int // bytes of one line of a reply or a listing; 0: 16 KiB
	MaxEntries int // lines of one listing; 0: 4,000,000

	Trace *Trace
}

// Trace are functions that are told what happens, each of which may be nil. They are called
// by the goroutine that does it and must not call the Conn.
type Trace struct {
	Sent     func(line string) // a command line; passwords and accounts are "***"
	Received func(ftp.Reply)
	TLS      func(tls.ConnectionState) // of the control connection, after its handshake
	Data     func(DataInfo)            // a data connection stands, TLS included
	Skipped  func(line string)         // a line of a listing is no entry, or one with a name that none can have, and is left out
}

// DataInfo describes a data connection that stands.
type DataInfo struct {
	Verb      string         // of the transfer
	Mode      string         // EPSV, PASV, EPRT or PORT
	Announced netip.AddrPort // what the server (passive) or we (active) said; the address is invalid for EPSV
	Local     net.Addr
	Remote    net.Addr
	TLS       *tls.ConnectionState // nil in clear
	Took      time.Duration        // from the start of connecting until now
}

const (
	defaultConnectTimeout = 30 * time.Second
	defaultReplyTimeout   = 60 * time.Second
	defaultStallTimeout   = 60 * time.Second
	defaultMaxReply       = 64 << 10
	defaultMaxLine        = 16 << 10
	defaultMaxEntries     = 4_000_000

	// abortLimit is how long a transfer may take to be aborted in good order. The caller has
	// given up by then, so it is short; a connection that needs longer is closed.
	abortLimit = 5 * time.Second
	// quitLimit is how long Close waits for the answer to QUIT.
	quitLimit = time.Second
)

func (o *Options) setDefaults() {
	if o.ConnectTimeout <= 0 {
		o.ConnectTimeout = defaultConnectTimeout
	}
	if o.ReplyTimeout <= 0 {
		o.ReplyTimeout = defaultReplyTimeout
	}
	if o.StallTimeout <= 0 {
		o.StallTimeout = defaultStallTimeout
	}
	if o.MaxReply <= 0 {
		o.MaxReply = defaultMaxReply
	}
	if o.MaxLine <= 0 {
		o.MaxLine = defaultMaxLine
	}
	if o.MaxEntries <= 0 {
		o.MaxEntries = defaultMaxEntries
	}
	if o.Trace == nil {
		o.Trace = &Trace{}
	}
}
