package ftpclient_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ftpgate/ftpgate/protocol/ftpclient"
	"github.com/ftpgate/ftpgate/protocol/ftptest"
)

// fake is a server that does whatever a test has it do, for one control connection after the other.
type fake struct {
	t    *testing.T
	addr string

	mu   sync.Mutex
	sent []string // commands that the client has sent
}

// peer is one control connection of a fake. A call that fails because the client is gone ends the
// goroutine of the script.
type peer struct {
	*fake
	net.Conn
	r    *bufio.Reader
	data *net.TCPListener
}

// gone is what a script panics with when the client has gone.
type gone struct{}

// startFake has script run for each connection, until the test ends.
func startFake(t *testing.T, script func(p *peer)) *fake {
	t.Helper()
	ftptest.CheckLeaks(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f := &fake{t: t, addr: l.Addr().String()}
	var conns sync.WaitGroup
	over := make(chan struct{})
	go func() {
		defer close(over)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			conns.Go(func() {
				stop := context.AfterFunc(t.Context(), func() { conn.Close() })
				defer stop()
				f.serve(conn, script)
			})
		}
	}()
	t.Cleanup(func() {
		l.Close()
		<-over
		conns.Wait()
	})
	return f
}

func (f *fake) serve(conn net.Conn, script func(p *peer)) {
	p := &peer{fake: f, Conn: conn, r: bufio.NewReader(conn)}
	defer conn.Close()
	defer func() {
		if p.data != nil {
			p.data.Close()
		}
		if v := recover(); v != nil {
			if _, ok := v.(gone); !ok {
				panic(v)
			}
		}
	}()
	script(p)
}

// say sends lines as they are, each with CR LF.
func (p *peer) say(lines ...string) { p.raw(strings.Join(lines, "\r\n") + "\r\n") }

func (p *peer) raw(s string) {
	p.SetWriteDeadline(time.Now().Add(ftptest.Patience))
	if _, err := io.WriteString(p.Conn, s); err != nil {
		panic(gone{})
	}
}

// flood sends b until the client goes. It allocates nothing, as the test counts what is.
func (p *peer) flood(b []byte) {
	p.SetWriteDeadline(time.Now().Add(ftptest.Patience))
	for {
		if _, err := p.Write(b); err != nil {
			panic(gone{})
		}
	}
}

// hear reads one command.
func (p *peer) hear() string {
	p.SetReadDeadline(time.Now().Add(ftptest.Patience))
	line, err := p.r.ReadString('\n')
	if err != nil {
		panic(gone{})
	}
	line = strings.TrimRight(line, "\r\n")
	p.mu.Lock()
	p.sent = append(p.sent, line)
	p.mu.Unlock()
	return line
}

// heard are the verbs that the client has sent.
func (f *fake) heard() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var verbs []string
	for _, line := range f.sent {
		verb, _, _ := strings.Cut(line, " ")
		verbs = append(verbs, verb)
	}
	return strings.Join(verbs, " ")
}

// want answers commands as any server would until one with this verb comes, and returns it.
func (p *peer) want(verb string) string {
	for {
		line := p.hear()
		got, _, _ := strings.Cut(line, " ")
		if got == verb {
			return line
		}
		p.ordinary(got)
	}
}

// ordinary answers a command as a modern server does.
func (p *peer) ordinary(verb string) {
	answers := map[string]string{
		"USER": "331 Password?", "PASS": "230 Welcome.", "FEAT": "211-Features:\r\n EPSV\r\n MLST type*;size*;modify*;\r\n211 End",
		"PBSZ": "200 PBSZ=0", "PROT": "200 Private", "TYPE": "200 Binary", "ABOR": "226 Aborted.", "PWD": `257 "/"`, "QUIT": "221 Goodbye.",
		"NOOP": "200 OK", "CWD": "250 OK", "OPTS": "200 OK", "REST": "350 OK",
	}
	switch verb {
	case "EPSV":
		p.say("229 (|||" + strconv.Itoa(p.listen()) + "|)")
	case "QUIT":
		p.say(answers[verb])
		panic(gone{})
	default:
		if answers[verb] == "" {
			p.say("502 Not here.")
			return
		}
		p.say(answers[verb])
	}
}

// listen opens a data port.
func (p *peer) listen() int {
	if p.data != nil {
		p.data.Close()
	}
	var err error
	if p.data, err = net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)}); err != nil {
		panic(gone{})
	}
	return p.data.Addr().(*net.TCPAddr).Port
}

// accept takes the data connection.
func (p *peer) accept() *net.TCPConn {
	p.data.SetDeadline(time.Now().Add(ftptest.Patience))
	conn, err := p.data.AcceptTCP()
	if err != nil {
		panic(gone{})
	}
	stop := context.AfterFunc(p.t.Context(), func() { conn.Close() })
	p.t.Cleanup(func() { stop() })
	conn.SetDeadline(time.Now().Add(ftptest.Patience))
	return conn
}

// rest answers everything until the client goes.
func (p *peer) rest() { p.want("nothing") }

// silent waits without a word until the client goes.
func (p *peer) silent() {
	for {
		p.hear()
	}
}

// patient are options whose limits no test reaches.
func patient() ftpclient.Options {
	return ftpclient.Options{ConnectTimeout: ftptest.Patience, ReplyTimeout: ftptest.Patience, StallTimeout: ftptest.Patience}
}

// impatient are options for tests in which a limit is reached. They are long enough for everything
// before that on a busy machine.
func impatient() ftpclient.Options {
	return ftpclient.Options{ConnectTimeout: time.Second, ReplyTimeout: time.Second, StallTimeout: time.Second}
}

// limits are impatient for a test that expects a limit to be reached.
func limits(reached bool) ftpclient.Options {
	if reached {
		return impatient()
	}
	return patient()
}

// dial connects and logs in.
func (f *fake) dial(o ftpclient.Options) (*ftpclient.Conn, error) {
	ctx := f.t.Context()
	c, err := ftpclient.Dial(ctx, f.addr, o)
	if err != nil {
		return nil, err
	}
	f.t.Cleanup(func() { c.Close() })
	return c, c.Login(ctx, "user", "secret", "account")
}

func (f *fake) login(o ftpclient.Options) *ftpclient.Conn {
	f.t.Helper()
	c, err := f.dial(o)
	if err != nil {
		f.t.Fatal(err)
	}
	return c
}

// insecure takes any certificate; those that check names are tested elsewhere.
func insecure() *tls.Config { return &tls.Config{InsecureSkipVerify: true} }

func netipAddrPort(addr string, port uint16) netip.AddrPort {
	return netip.AddrPortFrom(netip.MustParseAddr(addr), port)
}
