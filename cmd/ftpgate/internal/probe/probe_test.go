package probe_test

import (
	"context"
	"crypto/tls"
	"errors"
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
			if f.State == probe.Problem && f.Means == "" && f.Mend == "" {
				t.Errorf("%v says neither what it means nor how to mend it", f)
			}
		},
	}
	if change != nil {
		change(&o)
	}
	problems = probe.Run(t.Context(), o)
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
	n, all := run(t, nil, nil)
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
	wants(t, n, 1, all, "problem certificate: is not for ftp.example.org")

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
