package s3

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// quiet starts a server whose log of refused handshakes nobody wants to see.
func quiet(start func(*httptest.Server)) func(http.Handler) *httptest.Server {
	return func(handler http.Handler) *httptest.Server {
		h := httptest.NewUnstartedServer(handler)
		h.Config.ErrorLog = log.New(io.Discard, "", 0)
		h.Listener = politely{h.Listener}
		start(h)
		return h
	}
}

// politely is a listener whose connections hear the client out before they close: the
// reset that unread bytes cause could overtake what the server has said.
type politely struct{ net.Listener }

type politeConn struct{ *net.TCPConn }

func (l politely) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return politeConn{c.(*net.TCPConn)}, nil
}

func (c politeConn) Close() error {
	if c.CloseWrite() == nil {
		_, _ = io.Copy(io.Discard, c.TCPConn)
	}
	return c.TCPConn.Close()
}

// dead is an address that refuses connections, and that nobody else gets meanwhile: a
// socket that is bound and does not listen.
func dead(t *testing.T) string {
	t.Helper()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Close(fd) })
	if err := syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	at, err := syscall.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("127.0.0.1:%d", at.(*syscall.SockaddrInet4).Port)
}

// alerting is a server that answers everything with a TLS alert, as one does that is not written in Go.
func alerting(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	t.Cleanup(func() { l.Close(); wg.Wait() })
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() {
				defer politeConn{c.(*net.TCPConn)}.Close()
				if _, err := http.ReadRequest(bufio.NewReader(c)); err == nil {
					_, _ = c.Write([]byte{21, 3, 1, 0, 2, 2, 70, '\r', '\n'})
				}
			})
		}
	})
	return l.Addr().String()
}

// TestOutOfReach: what nobody but the person who runs the gateway can mend is 451 and
// says how, for a request with a body, one without, and one whose answer has none.
func TestOutOfReach(t *testing.T) {
	noEnvironment(t)
	_, plain := newSeen(t, quiet((*httptest.Server).Start))
	_, secure := newSeen(t, quiet((*httptest.Server).StartTLS))
	refusing := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusProxyAuthRequired)
	}))
	defer refusing.Close()
	busy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusServiceUnavailable)
	}))
	defer busy.Close()
	dead := dead(t)
	swap := func(url string) string {
		if rest, ok := strings.CutPrefix(url, "https"); ok {
			return "http" + rest
		}
		return strings.Replace(url, "http", "https", 1)
	}
	for _, c := range []struct {
		what string
		o    ClientOptions
		kind error
		hint string
	}{
		{"https to an HTTP server", ClientOptions{Endpoint: swap(plain.URL)}, errSetup, hintScheme},
		{"http to a TLS server", ClientOptions{Endpoint: swap(secure.URL)}, errSetup, hintUnexplained},
		{"http to one that says nothing but TLS", ClientOptions{Endpoint: "http://" + alerting(t)}, errSetup, hintScheme},
		{"a foreign certificate", ClientOptions{Endpoint: secure.URL}, errSetup, hintCertificate},
		{"a certificate of another name", ClientOptions{Endpoint: strings.Replace(secure.URL, "127.0.0.1", "localhost", 1), CAFile: caFile(t, secure)}, errSetup, hintCertificate},
		{"a dead proxy", ClientOptions{Endpoint: "http://s3.example", Proxy: "http://" + dead}, errSetup, hintProxy},
		{"a dead proxy before TLS", ClientOptions{Endpoint: "https://s3.example", Proxy: "http://" + dead}, errSetup, hintProxy},
		{"a proxy that wants a password", ClientOptions{Endpoint: "http://s3.example", Proxy: refusing.URL}, errSetup, hintProxy},
		{"a proxy that wants a password before TLS", ClientOptions{Endpoint: "https://s3.example", Proxy: refusing.URL}, errSetup, hintProxy},
		{"a proxy that does not get there", ClientOptions{Endpoint: "https://s3.example", Proxy: busy.URL}, vfs.ErrTransient, ""},
		{"a store that is down", ClientOptions{Endpoint: "http://" + dead}, vfs.ErrTransient, ""},
	} {
		c.o.PathStyle, c.o.AccessKeyID, c.o.SecretAccessKey, c.o.MaxRetries = true, "a", "s", -1
		client, err := NewClient(c.o)
		if err != nil {
			t.Fatal(err)
		}
		b, err := New(Options{Client: client, Bucket: "bucket"})
		if err != nil {
			t.Fatal(err)
		}
		fsys := b.Open("", 0)
		_, statErr := fsys.Stat("/f")
		_, listErr := fsys.Open("/")
		for op, err := range map[string]error{"PUT": storeWith(t, c.o), "HEAD": statErr, "GET": listErr} {
			if !errors.Is(err, c.kind) || !strings.Contains(err.Error(), c.hint) {
				t.Errorf("%s, %s: %v", c.what, op, err)
			}
		}
	}
}
