package pi_test

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"path"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/spf13/afero"

	"github.com/ftpgate/ftpgate/backends/memory"
	"github.com/ftpgate/ftpgate/protocol/dtp"
	"github.com/ftpgate/ftpgate/protocol/ftp"
	"github.com/ftpgate/ftpgate/protocol/ftptest"
	"github.com/ftpgate/ftpgate/protocol/pi"
)

// FuzzSession sends bytes to a session and lets it answer. Whatever they are: nothing panics, every
// command line has exactly one final reply, each reply keeps the framing, no name reaches
// storage that is not absolute and clean, and the session ends.
//
// The input is what the client sends; USER and PASS come before it by themselves unless its first
// byte is odd. Data connections are made whenever the server announces a port: as many bytes as
// the port number's last digit says are uploaded, then the connection ends.
func FuzzSession(f *testing.F) {
	for _, seed := range []string{
		"\x00NOOP\r\nPWD\r\nQUIT\r\n",
		"\x01USER rw\r\nPASS rw\r\nSYST\r\nFEAT\r\nREIN\r\nUSER anonymous\r\nPASS x\r\nSTAT\r\n",
		"\x00EPSV\r\nSTOR a\r\nEPSV\r\nRETR a\r\nPASV\r\nLIST -la\r\nEPSV\r\nNLST *\r\nEPSV\r\nMLSD\r\n",
		"\x00EPSV\r\nAPPE f\r\nREST 1\r\nEPSV\r\nSTOR f\r\nEPSV\r\nSTOU\r\nABOR\r\n",
		"\x00EPSV\r\nRETR f\r\nNOOP\r\nSTAT\r\n\xff\xf4\xff\xf2ABOR\r\nABOR\r\nQUIT\r\n",
		"\x00MKD d\r\nCWD d\r\nCDUP\r\nRNFR d\r\nRNTO ../../e\r\nRMD /e/\r\nDELE f\r\n",
		"\x00MFMT 20200101000000 f\r\nMDTM f\r\nMDTM 20200101000000 f\r\nSITE CHMOD 600 f\r\nSITE UTIME f 20200101000000 20200101000000 20200101000000 UTC\r\nMLST f\r\nSIZE f\r\n",
		"\x00PORT 127,0,0,1,200,1\r\nRETR f\r\nEPRT |1|127.0.0.1|50000|\r\nLIST\r\nEPSV ALL\r\nPASV\r\nEPSV 2\r\n",
		"\x00TYPE A\r\nEPSV\r\nSTOR t\r\nEPSV\r\nRETR t\r\nOPTS MLST type;\r\nHELP\r\nHELP SITE\r\nSTAT /\r\nALLO 5\r\nACCT x\r\nCLNT y\r\n",
		"\x00CWD a\x00b\r\n\r\n\n \r\nCWD \xff\xff\xff\r\n\xff\xfb\x01\xff\xfd\x06NOOP\n" + strings.Repeat("x", 600) + "\r\nPWD\r\n",
		"\x01GET / HTTP/1.1\r\nHost: x\r\n\r\nUSER rw\r\n",
		"\x00RETR ../../etc/passwd\r\nCWD ....//....//\r\nSTAT /./../.\r\nLIST " + strings.Repeat("../", 100) + "\r\n",
	} {
		f.Add([]byte(seed))
	}
	passive := dtp.NewPassive(dtp.PassiveOptions{Rest: time.Nanosecond})
	f.Cleanup(func() { passive.Close() })
	f.Fuzz(func(t *testing.T, input []byte) {
		if len(input) == 0 || len(input) > 64<<10 {
			return
		}
		runSession(t, passive, input[0]%2 == 0, input[1:])
	})
}

const fuzzLine = 512 // bytes of a command line

// atHome is a pipe that says it comes from 127.0.0.1: a thousand sessions a second would soon use up
// the machine's ports.
type atHome struct{ net.Conn }

func (atHome) LocalAddr() net.Addr  { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 21} }
func (atHome) RemoteAddr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 50000} }

func runSession(t *testing.T, passive *dtp.Passive, login bool, input []byte) {
	l := &pipes{conns: make(chan net.Conn), closed: make(chan struct{})}
	base := memory.New(memory.Options{MaxSize: 1 << 20}).Open("rw", time.Hour)
	setup := ftptest.Setup{}
	setup.File("/f", "some text\n")
	setup.File("/dir/g", "more")
	if err := setup.Populate(base); err != nil {
		t.Fatal(err)
	}
	fsys := watched(t, base)
	s := ftptest.NewServer(t, ftptest.Options{
		FS: fsys, Change: resumable,
		Limits: pi.Limits{CommandLine: fuzzLine, DataTimeout: 20 * time.Millisecond, StallTimeout: time.Second, LoginAttempts: 1000},
	})
	served := make(chan error, 1)
	go func() { served <- s.Serve(l, pi.Endpoint{Passive: passive}) }()

	conn, end := net.Pipe()
	l.conns <- atHome{end}
	conn.SetDeadline(time.Now().Add(ftptest.Patience))
	if login {
		input = append([]byte("USER rw\r\nPASS rw\r\n"), input...)
	}
	// A line of its own at the end, so that the reply to the last one is seen; ABOR ends a transfer
	// that waits for bytes.
	input = append(input[:len(input):len(input)], "\xff\xf0\nNOOP\r\nQUIT\r\n"...)
	var writing sync.WaitGroup
	writing.Go(func() { conn.Write(input) })
	replies, goodbye := readReplies(t, conn)
	conn.Close()
	writing.Wait()
	s.Close()
	if err := <-served; err != pi.ErrServerClosed {
		t.Errorf("Serve: %v", err)
	}
	if want := countLines(input) + 1; goodbye == 221 && replies != want && !quits(input) {
		t.Errorf("%d final replies to %d lines and a connection", replies, want-1)
	}
	if want := countLines(input) + 1; replies > want {
		t.Errorf("%d final replies to %d lines and a connection", replies, want-1)
	}
	if goodbye != 221 && goodbye != 421 {
		t.Errorf("the session ended without a goodbye, after %d replies", replies)
	}
}

// readReplies counts final replies to the end, and makes the data connections that are announced.
func readReplies(t *testing.T, conn net.Conn) (n int, last ftp.Code) {
	lines := ftp.NewLineReader(conn, 1<<20)
	var data sync.WaitGroup
	defer data.Wait()
	for {
		r, err := ftp.ReadReply(lines, 1<<20)
		if err != nil {
			if e, ok := err.(net.Error); ok && e.Timeout() {
				stacks := make([]byte, 1<<20)
				t.Fatalf("no reply, after %d\n%s", n, stacks[:runtime.Stack(stacks, true)])
			}
			if err == ftp.ErrSyntax || err == ftp.ErrReplyTooLong {
				t.Fatalf("a reply that breaks the framing: %v", err)
			}
			return n, last
		}
		if r.Code < 100 || r.Code > 599 {
			t.Errorf("a reply %q", r)
		}
		var port uint16
		switch r.Code {
		case 229:
			port, err = ftp.ParseExtendedPassiveReply(r)
		case 227:
			var at, e = ftp.ParsePassiveReply(r)
			port, err = at.Port(), e
		}
		if err != nil {
			t.Errorf("%q: %v", r, err)
		}
		if port != 0 {
			data.Go(func() { exchange(port) })
		}
		if r.Code >= 200 {
			n++
		}
		last = r.Code
	}
}

// exchange uploads a few bytes and reads whatever comes.
func exchange(port uint16) {
	conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		return
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(ftptest.Patience))
	fmt.Fprintf(conn, "%.*s", port%10, "1\r\n2\n3\r456")
	conn.(*net.TCPConn).CloseWrite()
	b := make([]byte, 4096)
	for {
		if _, err := conn.Read(b); err != nil {
			return
		}
	}
}

// countLines is how many command lines the bytes make. The tests of LineReader answer for it.
func countLines(input []byte) int {
	lines := ftp.NewLineReader(bytes.NewReader(input), fuzzLine)
	for n := 0; ; n++ {
		if _, err := lines.ReadLine(); err != nil && err != ftp.ErrLineTooLong {
			return n
		}
	}
}

// quits reports whether the bytes hold a goodbye before the one at their end.
func quits(input []byte) bool {
	lines := ftp.NewLineReader(bytes.NewReader(input), fuzzLine)
	n := 0
	for {
		line, err := lines.ReadLine()
		if err != nil && err != ftp.ErrLineTooLong {
			return n > 1
		}
		if bytes.EqualFold(line, []byte("QUIT")) {
			n++
		}
	}
}

// watched fails the test when a name reaches storage that the contract does not allow.
func watched(t *testing.T, fsys afero.Fs) afero.Fs {
	return hooked(fsys, func(_ context.Context, op, name string) error {
		switch {
		case name == "" || name[0] != '/' || path.Clean(name) != name:
			t.Errorf("%s of a name that is not clean: %q", op, name)
		case strings.ContainsAny(name, "\x00\r\n"):
			t.Errorf("%s of a name with NUL, CR or LF: %q", op, name)
		}
		return nil
	})
}
