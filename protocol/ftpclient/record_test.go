package ftpclient_test

import (
	"bytes"
	"context"
	"flag"
	"io"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/ftpgate/ftpgate/protocol/ftpclient"
	"github.com/ftpgate/ftpgate/protocol/ftptest/peers"
)

var record = flag.Bool("record", false, "record the transcripts anew, from the servers that are there")

const transcripts = "testdata/transcripts"

// recorded are the ways to connect that transcripts have. Those under TLS are for live servers.
func recorded() map[string]ftpclient.Options {
	return map[string]ftpclient.Options{"ahead": {}, "sequential": {Sequential: true, NoEPSV: true}}
}

// TestLiveRecord writes the transcripts with -record:
//
//	FTPGATE_TEST_PEERS=/tmp/srv go test -run TestLiveRecord ./protocol/ftpclient -record
func TestLiveRecord(t *testing.T) {
	if !*record {
		t.Skip("transcripts are recorded with -record")
	}
	for _, name := range peers.Names() {
		for way, o := range recorded() {
			t.Run(name+"-"+way, func(t *testing.T) {
				p := peers.Start(t, name, peers.Options{})
				r := &recorder{}
				o.Dialer = r
				c := dialPeer(t, p, o)
				session(t, c, p.Dir, false)
				c.Close()
				text := "# user: " + p.User + "\n# dir: " + p.Dir + "\n" + strings.Join(r.lines, "\n") + "\n"
				if err := os.WriteFile(filepath.Join(transcripts, name+"-"+way+".txt"), []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
			})
		}
	}
}

// recorder is a Dialer that writes down what goes over its connections, in clear, as lines:
//
//	C: a command                S: a line of a reply
//	D< "sent on a data connection to its end"
//	D> "received on a data connection to its end"
type recorder struct {
	mu    sync.Mutex
	lines []string
	conns int
}

func (r *recorder) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	r.conns++
	if r.conns == 1 {
		return &recordedControl{Conn: conn, r: r}, nil
	}
	return &recordedData{TCPConn: conn.(*net.TCPConn), r: r}, nil
}

func (r *recorder) note(kind, text string, quoted bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if quoted || strings.HasPrefix(text, `"`) || !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl) {
		text = strconv.Quote(text)
	}
	r.lines = append(r.lines, kind+" "+text)
}

type recordedControl struct {
	net.Conn
	r       *recorder
	partial []byte
}

var (
	portForm     = regexp.MustCompile(`\(\|\|\|\d+\|\)`)
	hostPortForm = regexp.MustCompile(`\(\d+,\d+,\d+,\d+,\d+,\d+\)`)
)

func (c *recordedControl) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.partial = append(c.partial, b[:n]...)
	for {
		line, rest, ok := bytes.Cut(c.partial, []byte("\r\n"))
		if !ok {
			return n, err
		}
		c.partial = rest
		text := portForm.ReplaceAllString(string(line), "(|||{port}|)")
		c.r.note("S:", hostPortForm.ReplaceAllString(text, "({hostport})"), false)
	}
}

func (c *recordedControl) Write(b []byte) (int, error) {
	for line := range strings.SplitSeq(strings.TrimSuffix(string(b), "\r\n"), "\r\n") {
		c.r.note("C:", hidden(line), false)
	}
	return c.Conn.Write(b)
}

func hidden(line string) string {
	if strings.HasPrefix(line, "PASS ") {
		return "PASS ***"
	}
	return line
}

type recordedData struct {
	*net.TCPConn
	r             *recorder
	received, out []byte
}

func (d *recordedData) Read(b []byte) (int, error) {
	n, err := d.TCPConn.Read(b)
	d.received = append(d.received, b[:n]...)
	if err == io.EOF {
		d.r.note("D>", string(d.received), true)
	}
	return n, err
}

func (d *recordedData) Write(b []byte) (int, error) {
	d.out = append(d.out, b...)
	return d.TCPConn.Write(b)
}

func (d *recordedData) CloseWrite() error {
	d.r.note("D<", string(d.out), true)
	return d.TCPConn.CloseWrite()
}

// WriteTo and ReadFrom, which the embedded connection has, are not for what is recorded.
func (d *recordedData) WriteTo(io.Writer) (int64, error)  { panic("not recorded") }
func (d *recordedData) ReadFrom(io.Reader) (int64, error) { panic("not recorded") }
