package ftpclient_test

import (
	"bufio"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/ftpgate/ftpgate/protocol/ftpclient"
	"github.com/ftpgate/ftpgate/protocol/ftptest"
)

// secure puts the control connection of a fake under TLS.
func (p *peer) secure(config *tls.Config) {
	conn := tls.Server(p.Conn, config)
	if err := conn.Handshake(); err != nil {
		panic(gone{})
	}
	p.Conn, p.r = conn, bufio.NewReader(conn)
}

// fakeTLS is a fake's configuration, and the client's for it.
func fakeTLS(t *testing.T) (server, client *tls.Config) {
	a := ftptest.NewAuthority(t)
	return &tls.Config{Certificates: []tls.Certificate{a.Server()}}, &tls.Config{RootCAs: a.Pool}
}

// TestNoDowngrade has servers that would rather not have TLS. Nobody's password is sent.
func TestNoDowngrade(t *testing.T) {
	config, client := fakeTLS(t)
	for name, test := range map[string]struct {
		serve func(p *peer)
		want  error
	}{
		"AUTH not known":   {func(p *peer) { p.want("AUTH"); p.say("502 no"); p.rest() }, ftpclient.ErrNoTLS},
		"AUTH refused":     {func(p *peer) { p.want("AUTH"); p.say("534 no"); p.rest() }, ftpclient.ErrNoTLS},
		"AUTH is done":     {func(p *peer) { p.want("AUTH"); p.say("200 yes"); p.rest() }, ftpclient.ErrNoTLS},
		"no handshake":     {func(p *peer) { p.want("AUTH"); p.say("234 go"); p.say("220 hello again"); p.silent() }, nil},
		"silent handshake": {func(p *peer) { p.want("AUTH"); p.say("234 go"); _, _ = io.Copy(io.Discard, p) }, nil},
		"more in the clear": {func(p *peer) {
			p.want("AUTH")
			p.say("234 go", "230 you are logged in")
			p.secure(config)
			p.rest()
		}, ftpclient.ErrProtocol},
		"another certificate": {func(p *peer) {
			p.want("AUTH")
			p.say("234 go")
			other, _ := fakeTLS(t)
			p.secure(other)
			p.rest()
		}, nil},
		"PROT refused": {func(p *peer) {
			p.want("AUTH")
			p.say("234 go")
			p.secure(config)
			p.want("PROT")
			p.say("534 no")
			p.rest()
		}, ftpclient.ErrNoTLS},
	} {
		t.Run(name, func(t *testing.T) {
			f := startFake(t, func(p *peer) { p.say("220 ready"); test.serve(p) })
			o := limits(name == "silent handshake")
			o.Security, o.TLS = ftpclient.Explicit, client
			c, err := f.dial(o)
			if err == nil || test.want != nil && !errors.Is(err, test.want) {
				t.Fatal(err)
			}
			if name == "PROT refused" {
				if c.Usable() {
					t.Error("the connection is still usable, with data in clear")
				}
			} else if heard := f.heard(); heard != "AUTH" && heard != "AUTH QUIT" && !strings.HasPrefix(heard, "AUTH \x16") {
				t.Errorf("it sent %q", heard)
			}
		})
	}
}

// TestTruncation ends data under TLS by FIN alone, between two records and within one.
func TestTruncation(t *testing.T) {
	config, client := fakeTLS(t)
	text := strings.Repeat("x", 50_000)
	for name, test := range map[string]struct {
		end   func(conn *tls.Conn, raw net.Conn)
		allow bool // Options.Truncation
		whole bool
	}{
		"close_notify":             {func(conn *tls.Conn, raw net.Conn) { conn.Close() }, false, true},
		"FIN":                      {func(conn *tls.Conn, raw net.Conn) { raw.Close() }, false, false},
		"FIN, allowed":             {func(conn *tls.Conn, raw net.Conn) { raw.Close() }, true, true},
		"within a record":          {func(conn *tls.Conn, raw net.Conn) { _, _ = raw.Write([]byte("\x17\x03\x03\x01")); raw.Close() }, false, false},
		"within a record, allowed": {func(conn *tls.Conn, raw net.Conn) { _, _ = raw.Write([]byte("\x17\x03\x03\x01")); raw.Close() }, true, false},
	} {
		t.Run(name, func(t *testing.T) {
			f := startFake(t, func(p *peer) {
				p.say("220 ready")
				p.want("AUTH")
				p.say("234 go")
				p.secure(config)
				for {
					p.want("RETR")
					p.say("150 here")
					raw := p.accept()
					conn := tls.Server(raw, config)
					_, _ = io.WriteString(conn, text)
					test.end(conn, raw)
					p.say("226 done")
				}
			})
			o := patient()
			o.Security, o.TLS, o.Truncation = ftpclient.Explicit, client, test.allow
			c := f.login(o)
			for way, read := range map[string]func(d *ftpclient.Download) (int64, error){
				"Read":    func(d *ftpclient.Download) (int64, error) { b, err := io.ReadAll(d); return int64(len(b)), err },
				"WriteTo": func(d *ftpclient.Download) (int64, error) { return d.WriteTo(io.Discard) },
			} {
				d, err := c.Retrieve(t.Context(), "/x", 0)
				if err != nil {
					t.Fatal(err)
				}
				n, err := read(d)
				switch {
				case test.whole && (err != nil || n != int64(len(text))):
					t.Errorf("%s: %d bytes, %v", way, n, err)
				case !test.whole && !errors.Is(err, ftpclient.ErrIncomplete):
					t.Errorf("%s: %d bytes, %v", way, n, err)
				}
			}
		})
	}
}

// TestDataCertificate has the data connection answered by somebody else, which a client that
// checks no names notices too.
func TestDataCertificate(t *testing.T) {
	config, _ := fakeTLS(t)
	other, _ := fakeTLS(t)
	f := startFake(t, func(p *peer) {
		p.say("220 ready")
		p.want("AUTH")
		p.say("234 go")
		p.secure(config)
		p.want("RETR")
		p.say("150 here")
		conn := tls.Server(p.accept(), other)
		_, _ = io.WriteString(conn, "theirs")
		conn.Close()
		p.say("226 done")
		p.rest()
	})
	o := patient()
	o.Security, o.TLS = ftpclient.Explicit, insecure()
	c := f.login(o)
	if d, err := c.Retrieve(t.Context(), "/x", 0); err == nil {
		b, _ := io.ReadAll(d)
		t.Fatalf("%q was believed", b)
	}
}

// TestImplicit has TLS from the first byte.
func TestImplicit(t *testing.T) {
	config, client := fakeTLS(t)
	f := startFake(t, func(p *peer) {
		p.secure(config)
		p.say("220 ready")
		p.want("STOR")
		p.say("150 go")
		raw := p.accept()
		b, err := io.ReadAll(tls.Server(raw, config))
		raw.Close()
		if err != nil || string(b) != "text" {
			p.say("451 no")
		}
		p.say("226 done")
		p.rest()
	})
	o := patient()
	o.Security, o.TLS = ftpclient.Implicit, client
	c := f.login(o)
	if n, err := c.StoreFrom(t.Context(), "/x", strings.NewReader("text")); n != 4 || err != nil {
		t.Fatal(n, err)
	}
	if _, ok := c.TLS(); !ok || !strings.Contains(f.heard(), "PBSZ PROT") {
		t.Errorf("%v %q", ok, f.heard())
	}
}
