package ftpclient_test

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/text/encoding/charmap"

	"github.com/ftpgate/ftpgate/protocol/ftp"
	"github.com/ftpgate/ftpgate/protocol/ftpclient"
	"github.com/ftpgate/ftpgate/protocol/ftptest"
)

// TestLogins are the ways through USER, PASS and ACCT.
func TestLogins(t *testing.T) {
	for name, test := range map[string]struct {
		answers []string
		verbs   string
		ok      bool
	}{
		"password":             {[]string{"331 password", "230 in"}, "USER PASS", true},
		"230 after USER":       {[]string{"230 in"}, "USER", true},
		"232 after USER":       {[]string{"232 by certificate"}, "USER", true},
		"account":              {[]string{"331 password", "332 account", "230 in"}, "USER PASS ACCT", true},
		"account, no password": {[]string{"332 account", "230 in"}, "USER ACCT", true},
		"202 after PASS":       {[]string{"331 password", "202 superfluous"}, "USER PASS", true},
		"refused":              {[]string{"331 password", "530 no"}, "USER PASS", false},
		"refused at USER":      {[]string{"530 no"}, "USER", false},
		"account refused":      {[]string{"331 password", "332 account", "530 no"}, "USER PASS ACCT", false},
		"asks for ever":        {[]string{"331 password", "332 account", "332 account"}, "USER PASS ACCT", false},
	} {
		t.Run(name, func(t *testing.T) {
			f := startFake(t, func(p *peer) {
				p.say("120 in a minute", "220-ready", "220 now")
				for _, a := range test.answers {
					p.hear()
					p.say(a)
				}
				p.rest()
			})
			_, err := f.dial(patient())
			if (err == nil) != test.ok || !test.ok && !errors.Is(err, ftpclient.ErrLogin) {
				t.Fatal(err)
			}
			if err != nil && strings.Contains(err.Error(), "secret") {
				t.Error("the error holds the password")
			}
			heard := f.heard()
			if heard = strings.TrimSuffix(heard, " QUIT"); !strings.HasPrefix(heard, test.verbs) || test.ok != strings.Contains(heard, "FEAT") {
				t.Errorf("it sent %q", heard)
			}
		})
	}
}

// TestOldServer knows neither FEAT nor EPSV.
func TestOldServer(t *testing.T) {
	f := startFake(t, func(p *peer) {
		p.say("220 ready")
		for {
			switch verb, _, _ := strings.Cut(p.hear(), " "); verb {
			case "FEAT", "EPSV", "MLSD":
				p.say("500 what?")
			case "PASV":
				p.say(ftp.PassiveReply(netipAddrPort("10.9.8.7", uint16(p.listen()))).String())
			case "LIST":
				p.say("150 here")
				send(p, "-rw-r--r-- 1 a b 12 Jan 01 2020 old file\r\n")
				p.say("226 done")
			default:
				p.ordinary(verb)
			}
		}
	})
	c := f.login(patient())
	for range 2 {
		if got := list(t, c, "/"); len(got) != 1 || got[0] != "old file" {
			t.Errorf("%q", got)
		}
	}
	if heard := f.heard(); heard != "USER PASS FEAT TYPE EPSV PASV LIST PASV LIST" {
		t.Errorf("it sent %q", heard)
	}
}

// TestActiveTakesOnlyTheServer has somebody else come first.
func TestActiveTakesOnlyTheServer(t *testing.T) {
	f := startFake(t, func(p *peer) {
		p.say("220 ready")
		at, err := ftp.ParseExtendedPort(strings.TrimPrefix(p.want("EPRT"), "EPRT "))
		if err != nil {
			return
		}
		p.say("200 ok")
		p.want("RETR")
		for _, from := range []string{"127.0.0.3", "127.0.0.1"} {
			d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
			conn, err := d.DialContext(p.t.Context(), "tcp", at.String())
			if err != nil {
				panic(gone{})
			}
			_, _ = io.WriteString(conn, "from "+from)
			conn.Close()
		}
		p.say("150 here", "226 done")
		p.rest()
	})
	o := patient()
	o.Active = true
	c := f.login(o)
	if got := retrieve(t, c, "/x", 0); string(got) != "from 127.0.0.1" {
		t.Errorf("%q", got)
	}
}

// TestProxies goes to our server through proxies, data connections included.
func TestProxies(t *testing.T) {
	s := startOwn(t, nil)
	for scheme, handshake := range map[string]func(conn net.Conn) string{"socks5": socksServer, "http": connectServer} {
		t.Run(scheme, func(t *testing.T) {
			var passed atomic.Int32
			addr := startProxy(t, handshake, &passed)
			d, err := ftpclient.Proxy(&url.URL{Scheme: scheme, Host: addr, User: url.UserPassword("me", "pw")}, nil)
			if err != nil {
				t.Fatal(err)
			}
			c := s.dial(t, ftpclient.Options{Dialer: d})
			store(t, c, "/a", random(100_000))
			if got := retrieve(t, c, "/a", 0); len(got) != 100_000 {
				t.Error(len(got))
			}
			if n := passed.Load(); n != 3 {
				t.Errorf("%d connections went through the proxy, not 3", n)
			}
			c.Close()
			d, _ = ftpclient.Proxy(&url.URL{Scheme: scheme, Host: addr, User: url.UserPassword("me", "wrong")}, nil)
			if _, err := ftpclient.Dial(t.Context(), s.Addr.String(), ftpclient.Options{Dialer: d}); err == nil || strings.Contains(err.Error(), "wrong") {
				t.Error(err)
			}
		})
	}
	if _, err := ftpclient.Proxy(&url.URL{Scheme: "gopher", Host: "x"}, nil); err == nil {
		t.Error("a proxy of an unknown kind")
	}
}

// startProxy connects those whose handshake yields an address with it.
func startProxy(t *testing.T, handshake func(conn net.Conn) string, passed *atomic.Int32) string {
	t.Helper()
	return ftptest.Serve(t, func(conn net.Conn) {
		defer conn.Close()
		conn.SetDeadline(time.Now().Add(ftptest.Patience))
		address := handshake(conn)
		if address == "" {
			return
		}
		to, err := net.Dial("tcp", address)
		if err != nil {
			return
		}
		defer to.Close()
		passed.Add(1)
		var back sync.WaitGroup
		back.Go(func() { _, _ = io.Copy(to, conn); _ = to.(*net.TCPConn).CloseWrite() })
		_, _ = io.Copy(conn, to)
		_ = conn.(*net.TCPConn).CloseWrite()
		back.Wait()
	})
}

func socksServer(conn net.Conn) string {
	b := make([]byte, 300)
	read := func(n int) []byte { _, _ = io.ReadFull(conn, b[:n]); return b[:n] }
	read(int(read(2)[1]))
	_, _ = conn.Write([]byte{5, 2})
	name := string(read(int(read(2)[1])))
	password := string(read(int(read(1)[0])))
	if name != "me" || password != "pw" {
		_, _ = conn.Write([]byte{1, 1})
		return ""
	}
	_, _ = conn.Write([]byte{1, 0})
	if read(4)[3] != 1 {
		_, _ = conn.Write([]byte{5, 8, 0, 1, 0, 0, 0, 0, 0, 0})
		return ""
	}
	ip, _ := netip.AddrFromSlice(read(4))
	at := netip.AddrPortFrom(ip, binary.BigEndian.Uint16(read(2)))
	_, _ = conn.Write(append([]byte{5, 0, 0, 3, 4}, "name\x00\x01"...))
	return at.String()
}

func connectServer(conn net.Conn) string {
	r, err := http.ReadRequest(bufio.NewReader(conn))
	if err != nil {
		return ""
	}
	if r.Header.Get("Proxy-Authorization") != "Basic bWU6cHc=" || r.Method != http.MethodConnect {
		_, _ = io.WriteString(conn, "HTTP/1.1 407 Who are you?\r\n\r\n")
		return ""
	}
	_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nX: y\r\n\r\n")
	return r.Host
}

// TestHostileProxy answers without end.
func TestHostileProxy(t *testing.T) {
	for scheme, answer := range map[string]string{"http": "HTTP/1.1 200 OK\r\nx: ", "socks5": "\x05\x02"} {
		f := startFake(t, func(p *peer) {
			for {
				p.raw(answer + strings.Repeat("x", 1000))
			}
		})
		d, err := ftpclient.Proxy(&url.URL{Scheme: scheme, Host: f.addr}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := ftpclient.Dial(t.Context(), "127.0.0.1:1", ftpclient.Options{Dialer: d}); err == nil || errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: %v", scheme, err)
		}
	}
}

// TestProxyHeader looks at the first line of both connections.
func TestProxyHeader(t *testing.T) {
	first := make(chan string, 2)
	f := startFake(t, func(p *peer) {
		first <- p.hear()
		p.say("220 ready")
		p.want("RETR")
		p.say("150 here")
		conn := p.accept()
		defer conn.Close()
		line, _ := bufio.NewReader(conn).ReadString('\n')
		first <- strings.TrimSpace(line)
		conn.Close()
		p.say("226 done")
		p.rest()
	})
	o := patient()
	o.ProxySource = netip.MustParseAddrPort("192.0.2.7:4321")
	c := f.login(o)
	retrieve(t, c, "/x", 0)
	for range 2 {
		if got := <-first; !strings.HasPrefix(got, "PROXY TCP4 192.0.2.7 127.0.0.1 4321 ") {
			t.Errorf("%q", got)
		}
	}
}

// TestEncoding has names in Latin-1 on the wire.
func TestEncoding(t *testing.T) {
	f := startFake(t, func(p *peer) {
		p.say("220 ready")
		if line := p.want("DELE"); line != "DELE /gr\xfc\xdfe \xff\xff" {
			p.say("550 no such file: " + line)
		} else {
			p.say("250 gone")
		}
		p.want("MLSD")
		p.say("150 here")
		send(p, "type=file;size=1; \xfc\xff\r\n")
		p.say("226 done")
		p.rest()
	})
	o := patient()
	o.Encoding = charmap.ISO8859_1
	c := f.login(o)
	if err := c.Delete(t.Context(), "/grüße ÿ"); err != nil {
		t.Error(err)
	}
	if err := c.Delete(t.Context(), "/€"); !errors.Is(err, ftpclient.ErrBadName) {
		t.Error(err)
	}
	if got := list(t, c, "/"); len(got) != 1 || got[0] != "üÿ" {
		t.Errorf("%q", got)
	}
	if strings.Contains(f.heard(), "OPTS") {
		t.Error("it asked for UTF-8")
	}
}

// TestKeepAlive waits for NOOPs while nothing is done.
func TestKeepAlive(t *testing.T) {
	noops := make(chan bool, 2)
	f := startFake(t, func(p *peer) {
		p.say("220 ready")
		for {
			p.want("NOOP")
			p.say("200 ok")
			select {
			case noops <- true:
			default: // two are enough
			}
		}
	})
	o := patient()
	o.KeepAlive = time.Millisecond
	c := f.login(o)
	<-noops
	<-noops
	if !c.Usable() {
		t.Error("it is not usable")
	}
	c.Close()
	if err := c.Noop(t.Context()); !errors.Is(err, ftpclient.ErrBroken) || !errors.Is(err, net.ErrClosed) {
		t.Error(err)
	}
}
