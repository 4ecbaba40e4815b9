package ftp

import (
	"net/netip"
	"testing"
)

func TestParseExtendedPort(t *testing.T) {
	for _, test := range []struct {
		arg, want string
		err       error
	}{
		{"|1|132.235.1.2|6275|", "132.235.1.2:6275", nil}, // RFC 2428 §2
		{"|2|1080::8:800:200C:417A|5282|", "[1080::8:800:200c:417a]:5282", nil},
		{"|2|0:0:0:0:0:0:0:1|2121|", "[::1]:2121", nil}, // CLIENTS 13
		{"|2|::1|2121|", "[::1]:2121", nil},
		{"!1!127.0.0.1!65535!", "127.0.0.1:65535", nil}, // SEED D20: any delimiter
		{"~1~127.0.0.1~0~", "127.0.0.1:0", nil},
		{"|3|whatever", "", ErrNetworkProtocol}, // SEED D21
		{"|3|127.0.0.1|6446|", "", ErrNetworkProtocol},
		{"|0|127.0.0.1|6446|", "", ErrNetworkProtocol},
		{"|65535|x|1|", "", ErrNetworkProtocol},
		{"|65536|x|1|", "", ErrSyntax},
		{"nonsense", "", ErrSyntax},                     // SEED D21
		{"|not-a-protocol|127.0.0.1|1|", "", ErrSyntax}, // SEED D21
		{"", "", ErrSyntax},                             // SEED D22
		{"||127.0.0.1|6446|", "", ErrSyntax},            // SEED D20
		{"|2|127.0.0.1|6446|", "", ErrSyntax},           // SEED D20
		{"|1|::1|6446|", "", ErrSyntax},
		{"|1|localhost|6446|", "", ErrSyntax},        // SEED D20
		{"|2|::ffff:127.0.0.1|6446|", "", ErrSyntax}, // THREATS 1
		{"|1|::ffff:127.0.0.1|6446|", "", ErrSyntax},
		{"|2|fe80::1%eth0|6446|", "", ErrSyntax},
		{"|2|[::1]|6446|", "", ErrSyntax},
		{"|1|127.0.0.1|65536|", "", ErrSyntax},
		{"|1|127.0.0.1|-1|", "", ErrSyntax}, {"|1|127.0.0.1|+1|", "", ErrSyntax}, {"|1|127.0.0.1||", "", ErrSyntax},
		{"|1|127.0.0.1|1", "", ErrSyntax}, {"|1|127.0.0.1|1|x", "", ErrSyntax}, {"|1|127.0.0.1|1||", "", ErrSyntax},
		{"|1|127.0.0.1|1| ", "", ErrSyntax}, {" |1|127.0.0.1|1|", "", ErrSyntax}, {"|1| 127.0.0.1|1|", "", ErrSyntax},
		{"|1|127.0.0.256|1|", "", ErrSyntax}, {"|1|127.1|1|", "", ErrSyntax}, {"|1|0177.0.0.1|1|", "", ErrSyntax},
		{"|1|2130706433|1|", "", ErrSyntax}, {"|1|127.0.0.1|0x50|", "", ErrSyntax},
		{"\x7f1\x7f127.0.0.1\x7f1\x7f", "", ErrSyntax}, {"\xff1\xff127.0.0.1\xff1\xff", "", ErrSyntax},
		{"|", "", ErrSyntax}, {"||||", "", ErrSyntax}, {"|1", "", ErrSyntax}, {"|1|", "", ErrSyntax},
		{":2:::1:21:", "", ErrSyntax}, {"127.0.0.1:21", "", ErrSyntax},
	} {
		a, err := ParseExtendedPort(test.arg)
		if err != test.err || err == nil && a.String() != test.want || err != nil && a.IsValid() {
			t.Errorf("%q: got %v, %v, want %s, %v", test.arg, a, err, test.want, test.err)
		}
	}
}

func TestFormatExtendedPort(t *testing.T) {
	for in, want := range map[string]string{
		"1.2.3.4:21":          "|1|1.2.3.4|21|",
		"[::1]:65535":         "|2|::1|65535|",
		"[::ffff:1.2.3.4]:21": "|1|1.2.3.4|21|",
		"[fe80::1%eth0]:21":   "|2|fe80::1|21|",
	} {
		if got := FormatExtendedPort(netip.MustParseAddrPort(in)); got != want {
			t.Errorf("%s: got %q, want %q", in, got, want)
		}
	}
	if got := FormatExtendedPort(netip.AddrPort{}); got != "" {
		t.Errorf("the invalid address: %q", got)
	}
}

func TestParseExtendedPassive(t *testing.T) {
	for _, test := range []struct {
		arg    string
		family Family
		all    bool
		err    error
	}{
		{"", FamilyAny, false, nil},
		{"1", IPv4, false, nil},
		{"2", IPv6, false, nil}, // SEED D12
		{"ALL", FamilyAny, true, nil},
		{"all", FamilyAny, true, nil}, // SEED D13
		{"aLl", FamilyAny, true, nil},
		{"3", FamilyAny, false, ErrNetworkProtocol},     // SEED D14
		{"65535", FamilyAny, false, ErrNetworkProtocol}, // SEED D14
		{"0", FamilyAny, false, ErrNetworkProtocol},
		{"nonsense", FamilyAny, false, ErrSyntax}, // SEED D13
		{"ALL junk", FamilyAny, false, ErrSyntax}, // SEED D13
		{"AL", FamilyAny, false, ErrSyntax}, {" ", FamilyAny, false, ErrSyntax}, {"1 ", FamilyAny, false, ErrSyntax},
		{"-1", FamilyAny, false, ErrSyntax}, {"+1", FamilyAny, false, ErrSyntax}, {"1.0", FamilyAny, false, ErrSyntax},
		{"99999999999999999999", FamilyAny, false, ErrSyntax},
	} {
		family, all, err := ParseExtendedPassive(test.arg)
		if family != test.family || all != test.all || err != test.err {
			t.Errorf("%q: got %v, %v, %v", test.arg, family, all, err)
		}
	}
}

func TestExtendedPassiveReply(t *testing.T) {
	got := string(ExtendedPassiveReply(6446).Append(nil))
	if want := "229 Entering Extended Passive Mode (|||6446|)\r\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestParseExtendedPassiveReply(t *testing.T) {
	for text, want := range map[string]uint16{
		"Entering Extended Passive Mode (|||6446|)":   6446,
		"Entering Extended Passive Mode (|||6446|).":  6446,
		"Extended (really) passive (!!!65535!) thing": 65535,
		"(|||65536|)":               0,
		"(|||-1|)":                  0,
		"(||||)":                    0,
		"(|1|1.2.3.4|6446|)":        0,
		"(|||6446)":                 0,
		"(|||6446|":                 0,
		"|||6446|":                  0,
		"(1,2,3,4,5,6)":             0,
		"(   6446 )":                0,
		"(((((((((((((((((((((((((": 0,
		"":                          0,
	} {
		port, err := ParseExtendedPassiveReply(Replyf(229, "%s", text))
		if port != want || (err == nil) != (want != 0) {
			t.Errorf("%q: got %d, %v, want %d", text, port, err, want)
		}
	}
	if _, err := ParseExtendedPassiveReply(Replyf(227, "(|||6446|)")); err != ErrSyntax {
		t.Errorf("227: %v", err)
	}
}

func FuzzExtendedPort(f *testing.F) {
	f.Add("|1|127.0.0.1|6446|")
	f.Add("|2|0:0:0:0:0:0:0:1|6446|")
	f.Add("!3!x!1!")
	f.Add("(|||6446|)")
	f.Add("ALL")
	f.Fuzz(func(t *testing.T, s string) {
		if port, err := ParseExtendedPassiveReply(Replyf(229, "%s", s)); err == nil {
			if again, err := ParseExtendedPassiveReply(ExtendedPassiveReply(port)); err != nil || again != port {
				t.Fatalf("%q: port %d, then %d, %v", s, port, again, err)
			}
		}
		if _, all, err := ParseExtendedPassive(s); all && (err != nil || len(s) != 3) {
			t.Fatalf("%q is ALL, %v", s, err)
		}
		a, err := ParseExtendedPort(s)
		if err != nil {
			return
		}
		if !a.IsValid() || a.Addr().Zone() != "" || a.Addr().Is4In6() {
			t.Fatalf("%q gives %v", s, a)
		}
		if again, err := ParseExtendedPort(FormatExtendedPort(a)); err != nil || again != a {
			t.Fatalf("%q: %v, then %v, %v", s, a, again, err)
		}
	})
}
