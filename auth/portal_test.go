package auth

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"testing"
)

// stubChecker answers as it is told.
type stubChecker struct {
	id    Identity
	err   error
	asked int
}

func (s *stubChecker) Check(context.Context, Credentials) (Identity, error) {
	s.asked++
	return s.id, s.err
}

func TestPortalAsksInOrder(t *testing.T) {
	failure := errors.New("the directory is down")
	bob := Identity{User: "bob"}
	for _, x := range []struct {
		name     string
		checkers []*stubChecker
		want     Identity
		err      error
		asked    int // how many checkers were asked
	}{
		{"first knows", []*stubChecker{{id: bob}, {id: Identity{User: "other"}}}, bob, nil, 1},
		{"second knows", []*stubChecker{{err: ErrUnknownUser}, {id: bob}}, bob, nil, 2},
		{"denied is final", []*stubChecker{{err: ErrDenied}, {id: bob}}, Identity{}, ErrDenied, 1},
		{"busy is final", []*stubChecker{{err: ErrBusy}, {id: bob}}, Identity{}, ErrBusy, 1},
		{"failure is not a denial", []*stubChecker{{err: failure}, {id: bob}}, Identity{}, failure, 1},
		{"nobody knows", []*stubChecker{{err: ErrUnknownUser}, {err: ErrUnknownUser}}, Identity{}, ErrDenied, 2},
		{"nobody asked", nil, Identity{}, ErrDenied, 0},
	} {
		t.Run(x.name, func(t *testing.T) {
			p := &Portal{}
			for _, k := range x.checkers {
				p.Checkers = append(p.Checkers, k)
			}
			got, err := p.Login(t.Context(), Credentials{User: "bob", Password: "x"})
			if got != x.want || !errors.Is(err, x.err) {
				t.Errorf("Login = %v, %v, want %v, %v", got, err, x.want, x.err)
			}
			asked := 0
			for _, k := range x.checkers {
				asked += k.asked
			}
			if asked != x.asked {
				t.Errorf("%d checkers were asked, want %d", asked, x.asked)
			}
		})
	}
}

func TestPortalRefusesIdentityWithoutUser(t *testing.T) {
	p := &Portal{Checkers: []Checker{&stubChecker{}}}
	if id, err := p.Login(t.Context(), Credentials{User: "bob"}); err == nil || errors.Is(err, ErrDenied) {
		t.Errorf("Login = %v, %v, want a failure of the checker", id, err)
	}
}

// SEED A18, THREATS 19.
func TestPortalDeniesUnsafeNames(t *testing.T) {
	k := &stubChecker{id: Identity{User: "x"}}
	p := &Portal{Checkers: []Checker{k}}
	for _, name := range []string{"", ".", "..", "../x", "a/b", `a\b`, "a\x00b", "a..b", "a\rb", "a\nb", "a\x1bb", "a\x7fb", strings.Repeat("x", 256)} {
		if id, err := p.Login(t.Context(), Credentials{User: name, Password: "x"}); err != ErrDenied {
			t.Errorf("Login(%q) = %v, %v, want ErrDenied", name, id, err)
		}
	}
	if k.asked != 0 {
		t.Errorf("the checker was asked %d times", k.asked)
	}
	for _, name := range []string{"a", "a.b", "${user.name}", "a b", "a'b", `a"b`, "%s", "*)(uid=*", "ünï", "\xff", strings.Repeat("x", 255)} {
		if _, err := p.Login(t.Context(), Credentials{User: name}); err != nil {
			t.Errorf("Login(%q): %v", name, err)
		}
	}
}

func TestAnonymous(t *testing.T) {
	for _, x := range []struct {
		checker Anonymous
		user    string
		want    bool
	}{
		{Anonymous{}, "anonymous", true},
		{Anonymous{}, "ANONYMOUS", true},
		{Anonymous{}, "Ftp", true},
		{Anonymous{}, "anonymouſ", false},
		{Anonymous{}, "anonymous ", false},
		{Anonymous{}, "guest", false},
		{Anonymous{Names: []string{"guest"}}, "Guest", true},
		{Anonymous{Names: []string{"guest"}}, "anonymous", false},
	} {
		for _, password := range []string{"", "me@example.org"} {
			id, err := x.checker.Check(t.Context(), Credentials{User: x.user, Password: password})
			want := Identity{User: "anonymous", Anonymous: true, Checker: "anonymous"}
			if x.want && (err != nil || id != want) || !x.want && err != ErrUnknownUser {
				t.Errorf("%v: Check(%q) = %v, %v", x.checker, x.user, id, err)
			}
		}
	}
}

func TestUsers(t *testing.T) {
	h, err := ParseHash(benchHash)
	if err != nil {
		t.Fatal(err)
	}
	lan := []netip.Prefix{netip.MustParsePrefix("192.168.0.0/16"), netip.MustParsePrefix("fe80::/10")}
	c := NewComparer(0, 0)
	p := &Portal{Comparer: c, Checkers: []Checker{NewUsers(c,
		User{Name: "alice", Hash: h},
		User{Name: "lan", Hash: h, AllowFrom: lan},
		User{Name: "nohash"},
		User{Name: "empty", Hash: everything{}},
	)}}
	for _, x := range []struct {
		user, password, remote string
		ok                     bool
	}{
		{"alice", "bench", "203.0.113.9", true},
		{"alice", "wrong", "203.0.113.9", false},
		{"alice", "", "203.0.113.9", false},
		{"Alice", "bench", "203.0.113.9", false},
		{"bob", "bench", "203.0.113.9", false},
		{"lan", "bench", "192.168.3.4", true},
		{"lan", "bench", "::ffff:192.168.3.4", true},
		{"lan", "bench", "fe80::1%eth0", true},
		{"lan", "bench", "203.0.113.9", false},
		{"lan", "wrong", "192.168.3.4", false},
		{"nohash", "bench", "203.0.113.9", false},
		{"nohash", "", "203.0.113.9", false},
		{"empty", "x", "203.0.113.9", true},
		{"empty", "", "203.0.113.9", false},
	} {
		id, err := p.Login(t.Context(), Credentials{User: x.user, Password: x.password, Remote: netip.MustParseAddr(x.remote)})
		if x.ok && (err != nil || id != Identity{User: x.user, Checker: "config"}) || !x.ok && err != ErrDenied {
			t.Errorf("%v: %v, %v", x, id, err)
		}
	}
}

// everything matches any password.
type everything struct{}

func (everything) Match(string) bool { return true }
func (everything) Params() Params    { return Params{Algorithm: "everything"} }
