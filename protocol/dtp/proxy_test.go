package dtp

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/pires/go-proxyproto"
)

var (
	client4  = netip.MustParseAddrPort("203.0.113.5:40000")
	reached4 = netip.MustParseAddrPort("198.51.100.1:21")
	client6  = netip.MustParseAddrPort("[2001:db8::5]:40000")
	reached6 = netip.MustParseAddrPort("[2001:db8::1]:21")
)

// header makes a header with the library, which is how others make them.
func header(t testing.TB, version byte, from, to netip.AddrPort, tlvs ...proxyproto.TLV) string {
	t.Helper()
	h := proxyproto.HeaderProxyFromAddrs(version, net.TCPAddrFromAddrPort(from), net.TCPAddrFromAddrPort(to))
	if err := h.SetTLVs(tlvs); err != nil {
		t.Fatal(err)
	}
	b, err := h.Format()
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

const (
	signature2 = "\r\n\r\n\x00\r\nQUIT\n"
	local2x    = signature2 + "\x20\x00\x00\x00" // LOCAL, of no family
)

// The header is read whole, however it arrives, and what follows stays.
func TestHeaderIsReadExactly(t *testing.T) {
	four, six := Origin{Peer: client4, Reached: reached4}, Origin{Peer: client6, Reached: reached6}
	own := Origin{Own: true}
	for name, x := range map[string]struct {
		header string
		want   Origin
	}{
		"1, IPv4":                 {header(t, 1, client4, reached4), four},
		"1, IPv6":                 {header(t, 1, client6, reached6), six},
		"1, shortest":             {"PROXY TCP4 1.1.1.1 2.2.2.2 1 2\r\n", Origin{Peer: netip.MustParseAddrPort("1.1.1.1:1"), Reached: netip.MustParseAddrPort("2.2.2.2:2")}},
		"1, unknown":              {"PROXY UNKNOWN\r\n", own},
		"1, unknown, long":        {"PROXY UNKNOWN " + strings.Repeat("f", 91) + "\r\n", own},
		"2, IPv4":                 {header(t, 2, client4, reached4), four},
		"2, IPv6":                 {header(t, 2, client6, reached6), six},
		"2, mapped":               {header(t, 2, netip.MustParseAddrPort("[::ffff:203.0.113.5]:40000"), netip.MustParseAddrPort("[::ffff:198.51.100.1]:21")), four},
		"2, TLVs":                 {header(t, 2, client4, reached4, proxyproto.TLV{Type: proxyproto.PP2_TYPE_UNIQUE_ID, Value: bytes.Repeat([]byte("\r\n"), 60)}), four},
		"2, as long as can":       {header(t, 2, client4, reached4, proxyproto.TLV{Type: proxyproto.PP2_TYPE_NOOP, Value: make([]byte, blockHeader-12-3)}), four},
		"2, local":                {local2x, own},
		"2, local with addresses": {strings.Replace(header(t, 2, client4, reached4), "\x21\x11", "\x20\x11", 1), own},
	} {
		for _, payload := range []string{"", "USER x\r\n", strings.Repeat("PROXY\r\n", 1000)} {
			for way, reader := range map[string]func(io.Reader) io.Reader{"at once": func(r io.Reader) io.Reader { return r }, "bytewise": iotest.OneByteReader} {
				r := reader(strings.NewReader(x.header + payload))
				raw, err := readHeader(r)
				if err != nil {
					t.Errorf("%s, %s: %v", name, way, err)
					continue
				}
				if got, err := parseHeader(raw); err != nil || got != x.want {
					t.Errorf("%s, %s: %+v %v", name, way, got, err)
				}
				if rest, _ := io.ReadAll(r); string(rest) != payload {
					t.Errorf("%s, %s: %.20q is left of %.20q", name, way, rest, payload)
				}
			}
		}
	}
}

func TestHeaderIsRefused(t *testing.T) {
	udp := proxyproto.HeaderProxyFromAddrs(2, net.UDPAddrFromAddrPort(client4), net.UDPAddrFromAddrPort(reached4))
	udpHeader, _ := udp.Format()
	for name, x := range map[string]struct {
		sent string
		want error
	}{
		"FTP":                  {"USER anonymous\r\nPASS x\r\n", errHeaderMissing},
		"TLS":                  {"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\x00\x00\x00\x00\x00", errHeaderMissing},
		"almost 1":             {"PROXYTCP4 1.1.1.1 2.2.2.2 1 2\r\n", nil},
		"1, names":             {"PROXY TCP4 localhost example.org 1 2\r\n", nil},
		"1, LF":                {"PROXY TCP4 1.1.1.1 2.2.2.2 1 2\n", nil},
		"1, wrong family":      {"PROXY TCP4 ::1 ::1 1 2\r\n", nil},
		"1, port":              {"PROXY TCP4 1.1.1.1 2.2.2.2 1 65536\r\n", nil},
		"1, two in one":        {"PROXY \r\nUSER x\r\n", nil},
		"1, early end":         {"PROXY UNK\r\nUSER", nil},
		"1, too long":          {"PROXY UNKNOWN " + strings.Repeat("f", 92) + "\r\n", errHeaderLong},
		"1, never ends":        {"PROXY TCP4 " + strings.Repeat("1", 1<<20), errHeaderLong},
		"1, cut":               {"PROXY TCP4 1.1.1.1 2.2", io.EOF},
		"cut":                  {"PROXY TCP4", io.ErrUnexpectedEOF},
		"2, too long":          {signature2 + "\x21\x11\x10\x01" + strings.Repeat("x", 5000), errHeaderLong},
		"2, longest":           {signature2 + "\x21\x11\xff\xff" + strings.Repeat("x", 70000), errHeaderLong},
		"2, too short":         {signature2 + "\x21\x11\x00\x0bxxxxxxxxxxxxxxx", nil},
		"2, cut":               {signature2 + "\x21\x11\x00\x0cxxxxxxxxxxx", io.ErrUnexpectedEOF},
		"2, no family":         {signature2 + "\x21\x00\x00\x00", nil},
		"2, version 3":         {signature2 + "\x31\x11\x00\x0cxxxxxxxxxxxx", nil},
		"2, command 2":         {signature2 + "\x22\x11\x00\x0cxxxxxxxxxxxx", nil},
		"2, undefined":         {signature2 + "\x21\x13\x00\x0cxxxxxxxxxxxx", nil},
		"2, UDP":               {string(udpHeader), errHeaderFamily},
		"2, a socket":          {signature2 + "\x21\x31\x00\xd8" + strings.Repeat("x", 216), errHeaderFamily},
		"2, signature cut off": {"\r\n\r\n\x00\r\nQUITUSER", errHeaderMissing},
	} {
		raw, err := readHeader(strings.NewReader(x.sent))
		if err == nil {
			_, err = parseHeader(raw)
		}
		if err == nil || x.want != nil && !errors.Is(err, x.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// FuzzHeader: nothing panics, nothing is read behind a header, and what is taken for
// addresses can be used as such.
func FuzzHeader(f *testing.F) {
	for _, s := range []string{header(f, 1, client4, reached4), header(f, 2, client6, reached6), local2x, "PROXY UNKNOWN\r\n", "USER x\r\n"} {
		f.Add([]byte(s), []byte("more"))
	}
	f.Fuzz(func(t *testing.T, sent, more []byte) {
		r := bytes.NewReader(append(append([]byte{}, sent...), more...))
		raw, err := readHeader(r)
		if err != nil {
			return
		}
		o, err := parseHeader(raw)
		if err != nil {
			return
		}
		if !o.Own && (!o.Peer.IsValid() || !o.Reached.IsValid() || o.Peer.Addr().Is4In6()) {
			t.Errorf("%+v", o)
		}
		again, err := readHeader(bytes.NewReader(raw))
		if err != nil || !bytes.Equal(again, raw) {
			t.Errorf("%q alone is read as %q, %v", raw, again, err)
		}
	})
}

// ends makes a connection from local2, which is a proxy's address here.
func ends(t *testing.T) (server, client *net.TCPConn) {
	t.Helper()
	l, err := net.ListenTCP("tcp4", net.TCPAddrFromAddrPort(netip.AddrPortFrom(local1, 0)))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	client = connect(t, local2, AddrPort(l.Addr()))
	server, err = l.AcceptTCP()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	return server, client
}

func TestOrigin(t *testing.T) {
	for name, x := range map[string]struct {
		do   func(client *net.TCPConn)
		want error
	}{
		"silent":        {func(c *net.TCPConn) { c.Close() }, ErrNoHeader},
		"silent, reset": {func(c *net.TCPConn) { c.SetLinger(0); c.Close() }, ErrNoHeader},
		"cut":           {func(c *net.TCPConn) { io.WriteString(c, "PROXY "); c.Close() }, io.ErrUnexpectedEOF},
		"nothing comes": {func(*net.TCPConn) {}, errHeaderTimeout},
		"half comes":    {func(c *net.TCPConn) { io.WriteString(c, "PROXY TCP4 1.1.1.1 2.2") }, errHeaderTimeout},
		"no header":     {func(c *net.TCPConn) { io.WriteString(c, "USER anonymous\r\n") }, errHeaderMissing},
	} {
		t.Run(name, func(t *testing.T) {
			leavesNothing(t)
			server, client := ends(t)
			timeout := time.Hour
			if x.want == errHeaderTimeout { //nolint:errorlint // of the table
				timeout = 50 * time.Millisecond
			}
			p := NewProxies([]netip.Prefix{netip.MustParsePrefix("127.0.0.2/32")}, timeout)
			x.do(client)
			_, err := p.Origin(server)
			if !errors.Is(err, x.want) || (x.want != ErrNoHeader) != errors.Is(err, ErrHeader) {
				t.Errorf("got %v", err)
			}
		})
	}
}

// The deadline of the header does not outlive it.
func TestOriginLeavesNoDeadline(t *testing.T) {
	server, client := ends(t)
	p := NewProxies([]netip.Prefix{netip.MustParsePrefix("127.0.0.2/32")}, 50*time.Millisecond)
	io.WriteString(client, header(t, 2, client4, reached4)+"a")
	if o, err := p.Origin(server); err != nil || o != (Origin{Peer: client4, Reached: reached4}) {
		t.Fatal(o, err)
	}
	b := make([]byte, 2)
	server.Read(b[:1])
	silent, _ := ends(t)
	if _, err := p.Origin(silent); !errors.Is(err, errHeaderTimeout) { // so the first one's time is over, too
		t.Fatal(err)
	}
	io.WriteString(client, "b")
	if n, err := server.Read(b[1:]); n != 1 || string(b) != "ab" {
		t.Errorf("%q %v", b, err)
	}
}

// However many connections say nothing, so many are waited for and no more; Close
// ends them all.
func TestHeadersAreBounded(t *testing.T) {
	leavesNothing(t)
	p := NewProxies([]netip.Prefix{netip.MustParsePrefix("127.0.0.2/32")}, time.Hour)
	p.most = 2
	ended := make(chan error)
	for range p.most {
		server, _ := ends(t)
		go func() {
			_, err := p.Origin(server)
			ended <- err
		}()
	}
	eventually(t, "both are awaited", func() bool {
		p.mu.Lock()
		defer p.mu.Unlock()
		return len(p.asked) == p.most
	})
	server, client := ends(t)
	io.WriteString(client, header(t, 1, client4, reached4))
	if _, err := p.Origin(server); !errors.Is(err, errHeaderFlood) || !errors.Is(err, ErrHeader) {
		t.Errorf("one more: %v", err)
	}
	p.Close()
	for range p.most {
		if err := <-ended; !errors.Is(err, net.ErrClosed) {
			t.Errorf("after Close: %v", err)
		}
	}
	if _, err := p.Origin(server); !errors.Is(err, net.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}

func TestTrusts(t *testing.T) {
	p := NewProxies([]netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fe80::/64")}, 0)
	for addr, want := range map[string]bool{
		"10.1.2.3": true, "::ffff:10.1.2.3": true, "11.0.0.1": false, "fe80::1%lo": true, "::1": false,
	} {
		if got := p.Trusts(netip.MustParseAddr(addr)); got != want {
			t.Errorf("%s: %v", addr, got)
		}
	}
	if NewProxies(nil, 0).Trusts(netip.MustParseAddr("10.1.2.3")) {
		t.Error("nobody is trusted without being named")
	}
}
