//go:build linux

package gateway

import (
	"crypto/tls"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/ftpgate/ftpgate/gateway/config"
	"github.com/ftpgate/ftpgate/protocol/ftptest"
)

var soakSize = flag.Int("soak", 0, "TestSoak: this many hostile connections of each kind, one kind after the other, and then some of each at once")

const (
	soakTogether = 12               // hostile connections of each kind when all kinds come at once
	soakTimer    = 2 * time.Second  // for a data connection; sessions have half as long again. ...
	soakLonger   = 3 * time.Second  // ... when there are hundreds of each kind: the timers hold for the client that behaves, too
	soakBound    = 20 * time.Second // of everything that the client that behaves does
)

// THREATS 18, 23: beside hostile clients of every kind (attacks), one that behaves is
// served throughout, and they leave nothing behind: no descriptor, no goroutine,
// no place of a session, no passive port. `make soak` does it with 500 of each.
func TestSoak(t *testing.T) {
	if testing.Short() {
		t.Skip("takes some ten seconds")
	}
	together, timer := soakTogether, soakTimer
	if *soakSize > 0 {
		together, timer = max(*soakSize/10, soakTogether), soakLonger
	}
	if raceEnabled {
		timer *= 3 // everything takes longer, also for the client that behaves
	}
	places := max(len(attacks)*together, *soakSize) + 8
	s := newSoak(t, places, timer)
	for _, a := range attacks {
		if *soakSize > 0 {
			s.siege(a.name, []attack{a}, *soakSize)
		}
	}
	s.siege("all at once", attacks, together)
	s.everyPlaceIsFree(places)
	if log := s.log.String(); strings.Contains(log, "panic") {
		t.Errorf("logged\n%s", log)
	}
	// Nothing that they sent in part was published, and what was there is as it was.
	c := s.welcome("mallory", nil)
	d := c.Passive()
	c.Cmd(150, "NLST")
	if got := d.Receive(); got != "big\r\n" {
		t.Errorf("they have left %q", got)
	}
	c.Want(226)
	c.Quit()
	c.Close()
}

// soak is a gateway under siege.
type soak struct {
	*running
	t               *testing.T
	plain, implicit netip.AddrPort
	trust           *tls.Config
	served          int // rounds of the client that behaves
}

// newSoak runs a gateway with short timers and room for so many connections.
func newSoak(t *testing.T, places int, timer time.Duration) *soak {
	ftptest.CheckLeaks(t)
	authority := ftptest.NewAuthority(t)
	dir := t.TempDir()
	files := map[string][]byte{}
	files["cert.pem"], files["key.pem"] = ftptest.PEM(t, authority.Server())
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	protected := func(mode config.TLSMode) *config.TLS {
		return &config.TLS{
			Mode: mode, CertFile: filepath.Join(dir, "cert.pem"), KeyFile: filepath.Join(dir, "key.pem"),
			MinVersion: tls.VersionTLS12, SessionReuse: config.ReuseLog,
		}
	}
	trust, _ := authority.TrustTLS(0)
	trust.ClientSessionCache = nil // enemies share it
	s := &soak{t: t, trust: trust}
	s.running = run(t, zerolog.InfoLevel, func(c *config.Config) {
		c.Listeners[0].TLS, c.Listeners[0].ActiveMode = protected(config.TLSExplicit), true
		c.Listeners = append(c.Listeners, config.Listener{
			Name: "implicit", Address: c.Listeners[0].Address, TLS: protected(config.TLSImplicit),
		})
		theirs := config.Backend{Kind: "memory", Name: "theirs", Memory: &config.Memory{MaxSize: 1 << 30}}
		mallory := c.Users[0]
		mallory.Name, mallory.Filesystem = "mallory", theirs
		c.Users = append(c.Users, mallory)
		c.Anonymous = &config.Anonymous{Names: []string{"anonymous"}, Filesystem: theirs}
		c.Limits = config.Limits{
			MaxConnections: places, MaxConnectionsPerIP: places, LoginAttempts: 100, ShutdownTimeout: time.Second,
			LoginTimeout: timer * 3 / 2, IdleTimeout: timer * 3 / 2, DataTimeout: timer, StallTimeout: timer,
		}
		c.Throttle.MaxDelay = 200 * time.Millisecond
	})
	s.plain = netip.MustParseAddrPort(s.Addrs()[0].String())
	s.implicit = netip.MustParseAddrPort(s.Addrs()[1].String())

	c := ftptest.Dial(t, s.implicit) // what a listener opens with its first connection is there from now on
	c.StartTLS(trust)
	c.Want(220)
	c.Quit()
	c.Close()
	c = s.welcome("mallory", nil)
	c.Cmd(200, "TYPE I")
	d := c.Passive()
	c.Cmd(150, "STOR big")
	d.Send(strings.Repeat("x", soakBig))
	d.Close()
	c.Want(226)
	c.Quit()
	c.Close()
	return s
}

// siege has n enemies of each kind attack, and serves the client that behaves until the
// last of them has been got rid of.
func (s *soak) siege(name string, kinds []attack, n int) {
	s.t.Helper()
	s.round() // whatever is opened once and kept is open now
	before := s.usage()
	for range 20 { // the end of that session may not be quite over
		time.Sleep(time.Millisecond)
		if u := s.usage(); u.within(before) {
			before = u
		}
	}
	start, enemies := time.Now(), sync.WaitGroup{}
	errs := make(chan error, len(kinds)*n)
	for k, a := range kinds {
		for i := range n {
			e := newEnemy(s, k, i)
			enemies.Go(func() {
				defer e.leave()
				if err := a.does(e); err != nil {
					errs <- fmt.Errorf("%s, number %d: %w", a.name, i, err)
				}
			})
		}
	}
	over := make(chan struct{})
	go func() {
		enemies.Wait()
		close(over)
	}()
	rounds, longest := 0, time.Duration(0)
	for done := false; !done || rounds < 2; rounds++ {
		select {
		case <-over:
			done = true
		default:
		}
		longest = max(longest, s.round())
	}
	<-over
	close(errs)
	shown := 0
	for err := range errs {
		if shown++; shown <= 5 {
			s.t.Error(err)
		}
	}
	if shown > 5 {
		s.t.Errorf("and %d more", shown-5)
	}
	if longest > soakBound {
		s.t.Errorf("%s: a round of the client that behaves took %v", name, longest)
	}
	ok := false
	for limit := time.Now().Add(patience); !ok && time.Now().Before(limit); time.Sleep(time.Millisecond) {
		ok = s.usage().within(before)
	}
	if !ok {
		s.t.Errorf("%s: left behind %+v, where there were %+v", name, s.usage(), before)
	}
	s.t.Logf("%-24s %d of each, %v; %d rounds of the client that behaves, the longest %v",
		name, n, time.Since(start).Round(time.Millisecond), rounds, longest.Round(time.Millisecond))
}

// usage is what clients could leave behind. Open passive listeners are shared and kept
// for a while, each with one descriptor and one goroutine: they do not count.
type usage struct{ Descriptors, Goroutines, Reservations int }

func (s *soak) usage() usage {
	u := usage{}
	for _, l := range s.listeners {
		p := l.endpoint.Passive.Stats()
		u.Descriptors -= p.Listeners
		u.Goroutines -= p.Listeners
		u.Reservations += p.Reservations
	}
	u.Descriptors += ftptest.Descriptors()
	u.Goroutines += runtime.NumGoroutine()
	return u
}

func (u usage) within(o usage) bool {
	return u.Descriptors <= o.Descriptors && u.Goroutines <= o.Goroutines && u.Reservations <= o.Reservations
}

// round is what the client that behaves does again and again, every other time under TLS. It
// says how long it took.
func (s *soak) round() time.Duration {
	s.t.Helper()
	start := time.Now()
	var secure *tls.Config
	if s.served++; s.served%2 == 0 {
		secure = s.trust.Clone()
		secure.ClientSessionCache = tls.NewLRUClientSessionCache(1)
	}
	c := s.welcome("alice", secure)
	defer c.Close()
	transfer := func(format string, args ...any) *ftptest.Data {
		s.t.Helper()
		d := c.Passive()
		c.Cmd(150, format, args...)
		if secure != nil {
			d.StartTLS(secure)
		}
		return d
	}
	c.Cmd(200, "TYPE I")
	text := make([]byte, 100_000)
	random := rand.NewChaCha8([32]byte{byte(s.served), byte(s.served >> 8)})
	random.Read(text)
	name := fmt.Sprintf("file%d", s.served)
	d := transfer("STOR %s", name)
	d.Send(string(text))
	d.Close()
	c.Want(226)
	if got := transfer("RETR %s", name).Receive(); got != string(text) {
		s.t.Fatalf("%s came back with %d bytes of %d, or others", name, len(got), len(text))
	}
	c.Want(226)
	if got := transfer("NLST").Receive(); got != name+"\r\n" {
		s.t.Fatalf("the listing is %q", got)
	}
	c.Want(226)
	c.Cmd(250, "DELE %s", name)
	c.Quit()
	return time.Since(start)
}

// welcome logs in. While strangers fill the queue of those whose passwords are to be compared, the answer may
// be 421, to try again in a moment.
func (s *soak) welcome(user string, secure *tls.Config) *ftptest.Client {
	s.t.Helper()
	for limit := time.Now().Add(soakBound); ; {
		c := ftptest.Dial(s.t, s.plain)
		c.Want(220)
		if secure != nil {
			c.AuthTLS(secure)
		}
		c.Cmd(331, "USER %s", user)
		c.Send("PASS secret words")
		r := c.Reply()
		switch {
		case r.Code == 230:
			if secure != nil {
				c.Private()
			}
			return c
		case r.Code != 421 || !strings.Contains(r.String(), "Too many logins at once") || time.Now().After(limit):
			s.t.Fatalf("login of %s: %s", user, r)
		}
		c.Close()
	}
}

// everyPlaceIsFree takes all of them, and there is none more.
func (s *soak) everyPlaceIsFree(places int) {
	s.t.Helper()
	all := make([]*ftptest.Client, places+1)
	for i := range all {
		all[i] = ftptest.Dial(s.t, s.plain)
		want := 220
		if i == places {
			want = 421
		}
		if r := all[i].Reply(); int(r.Code) != want {
			s.t.Fatalf("connection %d of %d: %s", i+1, places, r)
		}
	}
	for _, c := range all {
		c.Close()
	}
	eventually(s.t, "the places to be free again", func() bool {
		c := ftptest.Dial(s.t, s.plain)
		defer c.Close()
		return c.Reply().Code == 220
	})
}
