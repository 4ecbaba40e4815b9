// Package peers starts FTP servers that are not ours, for tests of the client side:
//
//	p := peers.Start(t, "vsftpd", peers.Options{})
//	c, err := ftpclient.Dial(ctx, p.Addr, ftpclient.Options{})
//	err = c.Login(ctx, p.User, p.Password, "")
//
// They run on loopback with their files in a folder of the test's own, and need root, since they give
// it up themselves. No account is made on the machine: pure-ftpd, proftpd and
// pyftpdlib have users of their own, and vsftpd an anonymous one who may write.
//
// Binaries are looked for below the folder FTPGATE_TEST_PEERS (Debian packages unpacked with
// `dpkg -x` as vsftpd, pure-ftpd and proftpd-core), then on the PATH. Without that variable, and for a server that is
// missing, the test is skipped; with FTPGATE_TEST_PEERS_REQUIRE=1 it fails. `make test-client` sets the variable.
package peers

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ftpgate/ftpgate/protocol/ftptest"
)

// Options say how to start a server.
type Options struct {
	TLS bool // AUTH TLS offered, with a certificate of Peer.Authority for 127.0.0.1
	// RequireReuse has data connections refused that do not resume the control
	// connection's TLS session, by the servers that can: vsftpd, proftpd.
	RequireReuse bool
}

// Peer is a running server.
type Peer struct {
	Name, Addr     string
	User, Password string
	Root           string // of the machine's files, which the user sees as Dir
	Dir            string // of the server's, where the user may write: "/" but for vsftpd
	Authority      *ftptest.Authority
}

// Names are the servers that Start knows.
func Names() []string { return []string{"pure-ftpd", "proftpd", "vsftpd", "pyftpdlib"} }

// nobody is the user and group that files belong to.
const nobody = 65534

// hash is of the password "bench" (bcrypt, cost 4).
const (
	password = "bench"
	hash     = "$2b$04$CCCCCCCCCCCCCCCCCCCCC.iVvzXzxsec.RyeuALa68EIlYEMpKyIK"
)

type peer struct {
	*Peer
	o    Options
	port string
	work string // its configuration
	cert string // certificate and key in one file
}

// Start starts a server until the test ends.
func Start(t testing.TB, name string, o Options) *Peer {
	t.Helper()
	arguments := map[string]func(t testing.TB, p *peer) []string{
		"pure-ftpd": pureftpd, "proftpd": proftpd, "vsftpd": vsftpd, "pyftpdlib": pyftpdlib,
	}[name]
	if arguments == nil {
		t.Fatalf("peers: no server called %q", name)
	}
	if os.Getenv("FTPGATE_TEST_PEERS") == "" {
		missing(t, name, "FTPGATE_TEST_PEERS does not say where servers are")
	}
	if os.Getuid() != 0 {
		missing(t, name, "it has to be started by root")
	}
	p := &peer{Peer: &Peer{Name: name, User: "bench", Password: password, Dir: "/"}, o: o, port: freePort(t)}
	p.Addr = "127.0.0.1:" + p.port
	// Not below t.TempDir, whose parents belong to root alone.
	base, err := os.MkdirTemp("", "peer-"+name+"-")
	check(t, err)
	t.Cleanup(func() { os.RemoveAll(base) })
	check(t, os.Chmod(base, 0o755))
	p.work, p.Root = filepath.Join(base, "work"), filepath.Join(base, "root")
	check(t, os.Mkdir(p.work, 0o755))
	check(t, os.Mkdir(p.Root, 0o755))
	check(t, os.Chown(p.Root, nobody, nobody))
	if o.TLS {
		p.Authority = ftptest.NewAuthority(t)
		cert, key := ftptest.PEM(t, p.Authority.Server())
		p.cert = p.file(t, "both.pem", string(cert)+string(key))
	}
	p.run(t, arguments(t, p))
	return p.Peer
}

func missing(t testing.TB, name, why string) {
	t.Helper()
	if os.Getenv("FTPGATE_TEST_PEERS_REQUIRE") == "1" {
		t.Fatalf("peers: %s: %s", name, why)
	}
	t.Skipf("%s is left out: %s", name, why)
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("peers: %v", err)
	}
}

func (p *peer) file(t testing.TB, name, text string) string {
	t.Helper()
	path := filepath.Join(p.work, name)
	check(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

// binary finds a program in an unpacked package, or on the PATH.
func binary(t testing.TB, pack, path string) string {
	t.Helper()
	file := filepath.Join(os.Getenv("FTPGATE_TEST_PEERS"), pack, path)
	if _, err := os.Stat(file); err == nil {
		return file
	}
	file, err := exec.LookPath(filepath.Base(path))
	if err != nil {
		missing(t, pack, "it is not installed")
	}
	return file
}

// freePort is a port that nothing listens on. Another process may take it first; the greeting then tells.
func freePort(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	check(t, err)
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	check(t, err)
	return port
}

// run starts the server and waits for its greeting.
func (p *peer) run(t testing.TB, argv []string) {
	t.Helper()
	log, err := os.Create(filepath.Join(p.work, "log"))
	check(t, err)
	defer log.Close()
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = p.work, log, log
	kill := group(cmd)
	check(t, cmd.Start())
	over := make(chan struct{})
	go func() {
		_ = cmd.Wait() // it is killed below
		close(over)
	}()
	t.Cleanup(func() {
		kill()
		<-over
	})
	ftptest.Eventually(t, p.Name+" to greet", func() bool {
		select {
		case <-over:
			text, _ := os.ReadFile(log.Name())
			t.Fatalf("peers: %s ended at once:\n%s", p.Name, text)
		default:
		}
		return greets(p.Addr)
	})
}

func greets(addr string) bool {
	conn, err := net.DialTimeout("tcp", addr, time.Second)
	if err != nil {
		return false
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(ftptest.Patience))
	line, err := bufio.NewReader(conn).ReadString('\n')
	fmt.Fprint(conn, "QUIT\r\n")
	return err == nil && strings.HasPrefix(line, "220")
}
