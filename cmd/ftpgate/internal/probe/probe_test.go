package probe_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/ftpgate/ftpgate/backends/memory"
	"github.com/ftpgate/ftpgate/cmd/ftpgate/internal/probe"
	"github.com/ftpgate/ftpgate/cmd/ftpgate/internal/remote"
	"github.com/ftpgate/ftpgate/protocol/ftpclient"
	"github.com/ftpgate/ftpgate/protocol/ftptest"
	"github.com/ftpgate/ftpgate/protocol/pi"
)

// run probes a server of this project and returns its findings as "state check: text".
func run(t *testing.T, server func(o *ftptest.Options), change func(o *probe.Options)) (problems int, all string) {
	t.Helper()
	a := ftptest.NewAuthority(t)
	so := ftptest.Options{FS: memory.New(memory.Options{}).Open("", 0), Endpoint: pi.Endpoint{TLS: a.TLS(nil)}}
	if server != nil {
		server(&so)
	}
	s := ftptest.Start(t, so)
	t.Cleanup(func() {
		for range 3 {
			runtime.GC() // it closes the pipes that splice has used
		}
	})
	return probed(t, s.Addr, a, change)
}

func probed(t *testing.T, addr netip.AddrPort, a *ftptest.Authority, change func(o *probe.Options)) (problems int, all string) {
	t.Helper()
	return probedIn(t.Context(), t, addr, a, change)
}

func probedIn(ctx context.Context, t *testing.T, addr netip.AddrPort, a *ftptest.Authority, change func(o *probe.Options)) (problems int, all string) {
	t.Helper()
	u, err := remote.ParseURL("ftp://rw@" + addr.String() + "/")
	if err != nil {
		t.Fatal(err)
	}
	user, err := remote.Sources{Getenv: func(name string) string {
		return map[string]string{remote.EnvPassword: "rw"}[name]
	}}.Find(u)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	o := probe.Options{
		URL: u, User: user, Write: true, Client: ftpclient.Options{TLS: &tls.Config{RootCAs: a.Pool}},
		Tell: func(f probe.Finding) {
			b.WriteString(string(f.State) + " " + f.Check + ": " + f.Text + "\n")
			if (f.State == probe.Problem || f.State == probe.Warning) && (f.Means == "" || f.Mend == "") {
				t.Errorf("%v does not say what it means and how to mend it", f)
			}
			if strings.Contains(f.Text, "ftpclient: ") || strings.Contains(f.Text, "\n") {
				t.Errorf("%v is not for people", f)
			}
		},
	}
	if change != nil {
		change(&o)
	}
	problems = probe.Run(ctx, o)
	return problems, b.String()
}

func wants(t *testing.T, problems, want int, all string, lines ...string) {
	t.Helper()
	if problems != want {
		t.Errorf("%d problems, want %d", problems, want)
	}
	for _, l := range lines {
		if !strings.Contains("\n"+all, "\n"+l) {
			t.Errorf("no %q", l)
		}
	}
	if t.Failed() {
		t.Log("\n" + all)
	}
}

func TestHealthy(t *testing.T) {
	n, all := run(t, nil, func(o *probe.Options) { o.Slow = time.Hour }) // a busy machine is slow
	wants(t, n, 0, all, "ok greeting", "ok tls: takes TLS 1.2, 1.3", "ok certificate", "ok login: as rw", "ok features", "ok latency",
		"ok passive: EPSV", "ok session reuse", "ok pasv: announces 127.0.0.1", "ok active", "ok clock", "ok resume", "ok round trip")
}

func TestWithoutTLS(t *testing.T) {
	n, all := run(t, func(o *ftptest.Options) { o.Endpoint.TLS = nil }, nil)
	wants(t, n, 0, all, "warning tls: not offered", "warning login", "ok passive", "ok round trip")
}

func TestCertificates(t *testing.T) {
	other := func(o *probe.Options) { o.Client.TLS = &tls.Config{} }
	n, all := run(t, nil, other)
	wants(t, n, 1, all, "problem certificate", "note login: not tried")

	n, all = run(t, nil, func(o *probe.Options) { o.Client.TLS.InsecureSkipVerify = true; o.Client.TLS.RootCAs = nil })
	wants(t, n, 1, all, "problem certificate", "ok login")

	n, all = run(t, nil, func(o *probe.Options) { o.Client.TLS.ServerName = "ftp.example.org" })
	wants(t, n, 1, all, "problem certificate: the server's certificate is for localhost, 127.0.0.1, ::1, not for ftp.example.org")

	n, all = run(t, nil, func(o *probe.Options) { o.Now = func() time.Time { return time.Unix(1<<32+1, 0) } })
	wants(t, n, 1, all, "problem certificate: has ended on 2106-02-07")

	n, all = run(t, nil, func(o *probe.Options) { o.Now = func() time.Time { return time.Unix(1<<32-3600, 0) } })
	wants(t, n, 0, all, "warning certificate: ends on 2106-02-07", "warning clock")
}

func TestOldTLS(t *testing.T) {
	a := ftptest.NewAuthority(t)
	s := ftptest.Start(t, ftptest.Options{FS: memory.New(memory.Options{}).Open("", 0), Endpoint: pi.Endpoint{
		TLS: a.TLS(func(c *tls.Config) { c.MinVersion, c.MaxVersion = tls.VersionTLS11, tls.VersionTLS12 }),
	}})
	n, all := probed(t, s.Addr, a, func(o *probe.Options) { o.Write = false })
	wants(t, n, 0, all, "warning tls: takes TLS 1.1, 1.2", "note round trip")
}

func TestNoSessionReuse(t *testing.T) {
	a := ftptest.NewAuthority(t)
	s := ftptest.Start(t, ftptest.Options{FS: memory.New(memory.Options{}).Open("", 0), Endpoint: pi.Endpoint{
		TLS: a.TLS(func(c *tls.Config) { c.SessionTicketsDisabled = true }),
	}})
	n, all := probed(t, s.Addr, a, nil)
	wants(t, n, 0, all, "warning session reuse")
}

func TestReadOnlyUser(t *testing.T) {
	n, all := run(t, func(o *ftptest.Options) { o.Change = func(_ string, a *pi.Account) { a.Access = pi.ReadOnly } }, nil)
	wants(t, n, 0, all, "note round trip")
}

func TestWrongPassword(t *testing.T) {
	n, all := run(t, nil, func(o *probe.Options) { o.User = remote.Credentials{User: "rw"} })
	wants(t, n, 1, all, "problem login")
}

func TestNoServer(t *testing.T) {
	refuse := dialer(func() (net.Conn, error) { return nil, errors.New("unreachable") })
	n, all := run(t, nil, func(o *probe.Options) { o.Client.Dialer = refuse })
	wants(t, n, 1, all, "problem greeting: unreachable")

	n, all = run(t, nil, func(o *probe.Options) {
		o.URL.Host = "none.example"
		o.Lookup = func(context.Context, string) ([]net.IPAddr, error) { return nil, nil }
	})
	wants(t, n, 1, all, "problem name: none.example has no address")
}

func TestIPv6(t *testing.T) {
	l, err := net.Listen("tcp", "[::1]:0")
	if err != nil {
		t.Skip("this machine has no ::1")
	}
	l.Close()
	n, all := run(t, func(o *ftptest.Options) { o.Address = "::1" }, nil)
	wants(t, n, 0, all, "ok certificate: for ::1", "ok passive: EPSV", "ok active", "ok ipv6: login and listing at ::1", "ok round trip")
	if strings.Contains(all, "pasv") {
		t.Errorf("PASV is for IPv4:\n%s", all)
	}

	// The name has an IPv6 address, and nothing that greets is there.
	n, all = run(t, nil, func(o *probe.Options) {
		o.Client.TLS.InsecureSkipVerify = true
		host, port := o.URL.Host, o.URL.Port
		o.URL.Host = "ftp.example"
		o.Lookup = func(context.Context, string) ([]net.IPAddr, error) {
			return []net.IPAddr{{IP: net.IPv4(127, 0, 0, 1)}, {IP: net.ParseIP("2001:db8::1")}}, nil
		}
		o.Client.Dialer = redirect{"ftp.example:" + port, host + ":" + port}
	})
	wants(t, n, 2, all, "ok name: ftp.example is 127.0.0.1, 2001:db8::1", "problem ipv6: 2001:db8::1: ", "note pasv: not tried", "note active: not tried")
}

// redirect dials one address for another, and no other than that.
type redirect struct{ name, address string }

func (r redirect) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	switch host, port, _ := net.SplitHostPort(address); {
	case address == r.name:
		address = r.address
	case host == "ftp.example":
		address = net.JoinHostPort("127.0.0.1", port)
	default:
		return nil, errors.New("no route")
	}
	return new(net.Dialer).DialContext(ctx, network, address)
}

func TestSlow(t *testing.T) {
	n, all := run(t, nil, func(o *probe.Options) { o.Slow = time.Nanosecond })
	wants(t, n, 0, all, "warning latency: ")
}

func TestRequiredSessionReuse(t *testing.T) {
	n, all := run(t, func(o *ftptest.Options) { o.Endpoint.TLS.Reuse = pi.ReuseRequire }, nil)
	wants(t, n, 0, all, "ok passive", "ok session reuse", "ok pasv", "ok active", "ok round trip")
}

// TestInterrupted: what was stored is removed although the probe was interrupted.
func TestInterrupted(t *testing.T) {
	fsys := memory.New(memory.Options{}).Open("", 0)
	ctx, cancel := context.WithCancel(t.Context())
	a := ftptest.NewAuthority(t)
	srv := ftptest.Start(t, ftptest.Options{FS: fsys, Endpoint: pi.Endpoint{TLS: a.TLS(nil)}})
	_, all := probedIn(ctx, t, srv.Addr, a, func(o *probe.Options) {
		tell := o.Tell
		o.Tell = func(f probe.Finding) {
			if f.Check == "clock" { // the file is there
				cancel()
			}
			tell(f)
		}
	})
	d, err := fsys.Open("/")
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if names, err := d.Readdirnames(-1); err != nil || len(names) > 0 || ctx.Err() == nil {
		t.Errorf("left behind: %q, %v\n%s", names, err, all)
	}
}

// TestOldServer: one that knows neither FEAT nor TLS nor EPSV nor how to connect back.
func TestOldServer(t *testing.T) {
	ftptest.CheckLeaks(t)
	n, found := probed(t, netip.MustParseAddrPort(ftptest.Serve(t, old)), ftptest.NewAuthority(t), nil)
	wants(t, n, 0, found, "warning tls: not offered", "warning login", "warning features: the server does not know FEAT", "ok passive: PASV",
		"ok pasv", "note active: the server cannot connect back", "note round trip: ")
}

func old(c net.Conn) {
	defer c.Close()
	data, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return
	}
	defer data.Close()
	port := data.Addr().(*net.TCPAddr).Port
	fmt.Fprint(c, "220 ready\r\n")
	for s := bufio.NewScanner(c); s.Scan(); {
		verb, _, _ := strings.Cut(s.Text(), " ")
		switch verb {
		case "USER":
			fmt.Fprint(c, "331 password\r\n")
		case "PASS":
			fmt.Fprint(c, "230 in\r\n")
		case "TYPE", "NOOP":
			fmt.Fprint(c, "200 fine\r\n")
		case "PASV":
			fmt.Fprintf(c, "227 here (127,0,0,1,%d,%d)\r\n", port>>8, port&255)
		case "LIST":
			fmt.Fprint(c, "150 here\r\n")
			if d, err := data.Accept(); err == nil {
				d.Close()
			}
			fmt.Fprint(c, "226 done\r\n")
		case "STOR":
			if d, err := data.Accept(); err == nil {
				d.Close()
			}
			fmt.Fprint(c, "550 read-only\r\n")
		case "QUIT":
			fmt.Fprint(c, "221 bye\r\n")
			return
		default:
			fmt.Fprint(c, "500 what\r\n")
		}
	}
}

type dialer func() (net.Conn, error)

func (d dialer) DialContext(context.Context, string, string) (net.Conn, error) { return d() }

func TestAnnouncedAddress(t *testing.T) {
	for address, state := range map[string]string{"10.1.2.3": "problem", "203.0.113.7": "warning", "0.0.0.0": "warning"} {
		n, all := run(t, func(o *ftptest.Options) {
			o.Endpoint.PublicHost = func(_, _ netip.Addr) netip.Addr { return netip.MustParseAddr(address) }
		}, nil)
		want := 0
		if state == "problem" {
			want = 1
		}
		wants(t, n, want, all, state+" pasv: announces "+address+", and is 127.0.0.1", "ok passive", "ok round trip")
	}
}
