package auth

import (
	"net/netip"
	"testing"
)

// TestClientName: a certificate is enough without a hash, needed beside one, and nothing where none is named.
func TestClientName(t *testing.T) {
	h, err := ParseHash("$2b$04$abcdefghijklmnopqrstuu04y42tkPF2BFR19Mw0wbfxqImORSUyq")
	if err != nil {
		t.Fatal(err)
	}
	const password = "secret words"
	comparer := NewComparer(0, 0)
	users := NewUsers(comparer,
		User{Name: "alone", ClientName: "Scanner-7.example.org"},
		User{Name: "both", ClientName: "scanner-7.example.org", Hash: h},
		User{Name: "plain", Hash: h},
		User{Name: "locked"},
		User{Name: "inside", ClientName: "scanner-7.example.org", AllowFrom: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}},
	)
	p := &Portal{Checkers: []Checker{users}, Comparer: comparer}
	right, wrong := []string{"x", "scanner-7.EXAMPLE.org"}, []string{"scanner-77.example.org", "*.example.org", ""}
	for _, x := range []struct {
		user, password string
		names          []string
		ok             bool
	}{
		{"alone", "", right, true},
		{"alone", "whatever", right, true},
		{"alone", "", wrong, false},
		{"alone", password, nil, false},
		{"both", password, right, true},
		{"both", "", right, false},
		{"both", "wrong", right, false},
		{"both", password, wrong, false},
		{"both", password, nil, false},
		{"plain", password, nil, true},
		{"plain", password, wrong, true},
		{"plain", "", right, false},
		{"locked", "", right, false},
		{"locked", "", []string{""}, false},
		{"inside", "", right, false},
		{"nobody", "", right, false},
	} {
		id, err := p.Login(t.Context(), Credentials{
			User: x.user, Password: x.password, Remote: netip.MustParseAddr("192.0.2.1"), Certified: x.names,
		})
		if x.ok && (err != nil || id.User != x.user) || !x.ok && err != ErrDenied {
			t.Errorf("%+v: %v, %v", x, id, err)
		}
		if want := (x.user == "alone" || x.user == "inside") && len(x.names) == len(right); users.Certified(x.user, x.names) != want {
			t.Errorf("%+v: certified %v", x, !want)
		}
	}
}
