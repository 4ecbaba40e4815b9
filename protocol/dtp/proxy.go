package dtp

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/pires/go-proxyproto"
)

// DefaultHeaderTimeout is how long a proxy has to send its header. The
// specification (§2) wants at least 3 s, the time of a lost segment. It is not above
// DefaultRest, so that a data connection with a late header finds its pair resting.
const DefaultHeaderTimeout = 5 * time.Second

const (
	// maxHeaders is how many headers are awaited at once. A proxy sends them
	// unasked, so a few are; whoever makes them wait is not one.
	maxHeaders = 256
	// shortHeader is the length of the shortest header, "PROXY UNKNOWN" and CRLF:
	// so many bytes can be read before it is known which kind it is.
	shortHeader = 15
	lineHeader  = 107  // the longest of version 1 (§2.1)
	blockHeader = 4096 // addresses and TLVs of version 2: as much as the parser takes
)

var (
	// ErrNoHeader says that a proxy closed its connection without a byte, as
	// health probes do.
	ErrNoHeader = errors.New("dtp: the connection from a proxy ended before it began")
	// ErrHeader says that a connection from a proxy did not begin with a PROXY
	// header that can be used. The cause is wrapped.
	ErrHeader = errors.New("dtp: no good PROXY header from an address that must send one")

	errHeaderTimeout = errors.New("it did not come in time")
	errHeaderMissing = errors.New("the connection begins with something else")
	errHeaderLong    = errors.New("it is too long")
	errHeaderFamily  = errors.New("it tells of something other than TCP")
	errHeaderFlood   = errors.New("too many are awaited already")
)

// Proxies are the load balancers whose connections begin with a PROXY header of
// version 1 or 2 (haproxy.org, "The PROXY protocol"). One of them that sends none is
// refused: what it does not tell could be anybody's.
type Proxies struct {
	networks []netip.Prefix
	timeout  time.Duration
	most     int // headers awaited at once

	mu     sync.Mutex
	closed bool
	asked  map[*net.TCPConn]struct{}
}

// NewProxies trusts the addresses in networks, none if there are none. timeout is
// how long a header may take; 0 means DefaultHeaderTimeout.
func NewProxies(networks []netip.Prefix, timeout time.Duration) *Proxies {
	if timeout <= 0 {
		timeout = DefaultHeaderTimeout
	}
	return &Proxies{networks: networks, timeout: timeout, most: maxHeaders, asked: make(map[*net.TCPConn]struct{})}
}

// Trusts reports whether addr is a proxy's.
func (p *Proxies) Trusts(addr netip.Addr) bool { return inNetworks(p.networks, addr).IsValid() }

// inNetworks returns the first network that holds addr; invalid if none does.
func inNetworks(networks []netip.Prefix, addr netip.Addr) netip.Prefix {
	addr = addr.Unmap().WithZone("") // Contains refuses an address with a zone
	if i := slices.IndexFunc(networks, func(n netip.Prefix) bool { return n.Contains(addr) }); i >= 0 {
		return networks[i]
	}
	return netip.Prefix{}
}

// Origin says whose connection a proxy forwards.
type Origin struct {
	Peer    netip.AddrPort // the client
	Reached netip.AddrPort // what the client connected to
	Own     bool           // the proxy speaks for itself, to see whether we live; the addresses are the connection's own
}

// Origin reads the header of a connection whose remote address Trusts, and nothing
// behind it. The error is ErrNoHeader, ErrHeader with its cause or, after
// Close, net.ErrClosed; then the caller closes c. It waits for as long as
// a header may take.
func (p *Proxies) Origin(c *net.TCPConn) (Origin, error) {
	if err := p.begin(c); err != nil {
		return Origin{}, err
	}
	raw, err := readHeader(c)
	if over := p.end(c); over {
		return Origin{}, net.ErrClosed
	}
	var o Origin
	if err == nil {
		o, err = parseHeader(raw)
	}
	switch {
	case err == nil && o.Own:
		return Origin{Peer: AddrPort(c.RemoteAddr()), Reached: AddrPort(c.LocalAddr()), Own: true}, nil
	case err == nil:
		return o, nil
	case len(raw) == 0 && (errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET)):
		return Origin{}, ErrNoHeader
	case errors.Is(err, os.ErrDeadlineExceeded):
		err = errHeaderTimeout
	}
	return Origin{}, fmt.Errorf("%w: %w", ErrHeader, err)
}

// begin sets the clock of a header.
func (p *Proxies) begin(c *net.TCPConn) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.closed:
		return net.ErrClosed
	case len(p.asked) >= p.most:
		return fmt.Errorf("%w: %w", ErrHeader, errHeaderFlood)
	}
	p.asked[c] = struct{}{}
	_ = c.SetReadDeadline(time.Now().Add(p.timeout))
	return nil
}

func (p *Proxies) end(c *net.TCPConn) (over bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.asked, c)
	_ = c.SetReadDeadline(time.Time{})
	return p.closed
}

// Close ends every Origin that waits. It does not wait for them.
func (p *Proxies) Close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	for c := range p.asked {
		_ = c.SetReadDeadline(time.Unix(1, 0))
	}
}

// readHeader returns what has come of a header if there is an error.
func readHeader(r io.Reader) ([]byte, error) {
	b := make([]byte, shortHeader, lineHeader)
	if n, err := io.ReadFull(r, b); err != nil {
		return b[:n], err
	}
	more := func(n int) error {
		from := len(b)
		b = append(b, make([]byte, n)...)
		_, err := io.ReadFull(r, b[from:])
		return err
	}
	switch {
	case bytes.HasPrefix(b, proxyproto.SIGV1):
		for b[len(b)-1] != '\n' {
			if len(b) == lineHeader {
				return b, errHeaderLong
			}
			if err := more(1); err != nil {
				return b, err
			}
		}
		return b, nil
	case bytes.HasPrefix(b, proxyproto.SIGV2):
		if err := more(1); err != nil {
			return b, err
		}
		n := int(binary.BigEndian.Uint16(b[len(b)-2:]))
		if n > blockHeader {
			return b, errHeaderLong
		}
		return b, more(n)
	}
	return b, errHeaderMissing
}

// parseHeader takes one whole header.
func parseHeader(raw []byte) (Origin, error) {
	r := bufio.NewReaderSize(bytes.NewReader(raw), len(raw))
	h, err := proxyproto.Read(r)
	switch {
	case err != nil:
		return Origin{}, err
	case r.Buffered() > 0: // a line that ended before the shortest header
		return Origin{}, errHeaderMissing
	case h.Command.IsLocal():
		return Origin{Own: true}, nil
	}
	peer, reached, ok := h.TCPAddrs()
	if !ok {
		return Origin{}, errHeaderFamily
	}
	return Origin{Peer: AddrPort(peer), Reached: AddrPort(reached)}, nil
}
