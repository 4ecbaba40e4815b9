package ftp

import (
	"net/netip"
	"regexp"
	"strings"
	"testing"
)

func TestParseHostPort(t *testing.T) {
	for _, test := range []struct{ arg, want string }{
		{"127,0,0,1,38,148", "127.0.0.1:9876"},
		{"10,0,0,255,0,0", "10.0.0.255:0"},
		{"255,255,255,255,255,255", "255.255.255.255:65535"},
		{"127,000,000,001,004,001", "127.0.0.1:1025"},
		// SEED D17, D18, K14, and what else is no host-port.
		{"", ""}, {"1,2,3", ""}, {"a,b,c,d,e,f", ""}, {"1,2,3,4,5,x", ""},
		{"127,0,0,1,300,1", ""}, {"256,0,0,1,4,1", ""}, {"127,0,0,1,4,256", ""},
		{"1,2,3,4,5,6,7", ""}, {"1,2,3,4,5,6,", ""}, {",1,2,3,4,5,6", ""}, {"1,,3,4,5,6", ""}, {"1,2,3,4,5,", ""},
		{"-1,2,3,4,5,6", ""}, {"+1,2,3,4,5,6", ""}, {"1,2,3,4,5,-6", ""},
		{" 1,2,3,4,5,6", ""}, {"1,2,3,4,5,6 ", ""}, {"1, 2,3,4,5,6", ""},
		{"0001,2,3,4,5,6", ""}, {"1,2,3,4,5,99999999999999999999", ""}, {"0x1,2,3,4,5,6", ""},
		{"1.2.3.4,5,6", ""}, {"1,2,3,4,5,6\x00", ""}, {"1,2,3,4,5,\u0666", ""}, {"(1,2,3,4,5,6)", ""},
	} {
		a, err := ParseHostPort(test.arg)
		if test.want == "" {
			if err != ErrSyntax || a.IsValid() {
				t.Errorf("%q: got %v, %v", test.arg, a, err)
			}
		} else if err != nil || a.String() != test.want {
			t.Errorf("%q: got %v, %v, want %s", test.arg, a, err, test.want)
		}
	}
}

func TestFormatHostPort(t *testing.T) {
	for in, want := range map[string]string{
		"127.0.0.1:9876":          "127,0,0,1,38,148", // SEED K15
		"255.255.255.255:65535":   "255,255,255,255,255,255",
		"[::ffff:10.0.0.1]:1":     "10,0,0,1,0,1", // SEED D3
		"[::1]:9876":              "",             // SEED K15
		"[fe80::1%eth0]:9876":     "",
		"[::ffff:1.2.3.4%x]:9876": "1,2,3,4,38,148",
	} {
		if got := FormatHostPort(netip.MustParseAddrPort(in)); got != want {
			t.Errorf("%s: got %q, want %q", in, got, want)
		}
	}
	if got := FormatHostPort(netip.AddrPort{}); got != "" {
		t.Errorf("the invalid address: %q", got)
	}
}

func TestPassiveReply(t *testing.T) {
	got := string(PassiveReply(netip.MustParseAddrPort("127.0.0.1:9876")).Append(nil))
	if want := "227 Entering Passive Mode (127,0,0,1,38,148).\r\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if !regexp.MustCompile(`^227 Entering Passive Mode \((?:\d+,){5}\d+\)\.\r\n$`).MatchString(got) { // SEED D1
		t.Errorf("%q", got)
	}
	if r := PassiveReply(netip.MustParseAddrPort("[2001:db8::1]:9876")); r.Code != 502 { // SEED D2
		t.Errorf("IPv6: %v", r)
	}
}

func TestParsePassiveReply(t *testing.T) {
	for _, test := range []struct{ text, want string }{
		{"Entering Passive Mode (127,0,0,1,38,148).", "127.0.0.1:9876"},
		{"Entering Passive Mode 127,0,0,1,38,148", "127.0.0.1:9876"},
		{"=1,2,3,4,5,6", "1.2.3.4:1286"}, // SEED K14
		{"Passive (1,2,3,4,5,6) on port 9", "1.2.3.4:1286"},
		{"Passive 1,2,3,4,5,6 on port 9", "1.2.3.4:1286"},
		{"Passive 1,2,3,4,5,6, port 9", "1.2.3.4:1286"},
		{"Mode 7 (ok) (1,2,3,4,5,6)", "1.2.3.4:1286"},
		{"1,2,3,4,5", ""}, {"(1,2,3,4,5,256)", ""}, {"", ""}, {"no address", ""},
		{"(-1,2,3,4,5,6)", ""}, {"1,2,3,4,5,6,7", ""},
	} {
		a, err := ParsePassiveReply(Replyf(227, "%s", test.text))
		if test.want == "" {
			if err != ErrSyntax {
				t.Errorf("%q: got %v, %v", test.text, a, err)
			}
		} else if err != nil || a.String() != test.want {
			t.Errorf("%q: got %v, %v, want %s", test.text, a, err, test.want)
		}
	}
	if _, err := ParsePassiveReply(Replyf(200, "(1,2,3,4,5,6)")); err != ErrSyntax {
		t.Errorf("200: %v", err)
	}
}

func FuzzHostPort(f *testing.F) {
	f.Add("127,0,0,1,38,148")
	f.Add("1,2,3,4,5,6,7")
	f.Add("Entering (1,2,3,4,5,6).")
	f.Fuzz(func(t *testing.T, s string) {
		if a, err := ParsePassiveReply(Replyf(227, "%s", s)); err == nil && !a.Addr().Is4() {
			t.Fatalf("%q: reply gives %v", s, a)
		}
		a, err := ParseHostPort(s)
		if err != nil {
			return
		}
		if !a.Addr().Is4() || strings.Trim(s, "0123456789,") != "" || strings.Count(s, ",") != 5 {
			t.Fatalf("%q gives %v", s, a)
		}
		if again, err := ParseHostPort(FormatHostPort(a)); err != nil || again != a {
			t.Fatalf("%q: %v, then %v, %v", s, a, again, err)
		}
		if again, err := ParsePassiveReply(PassiveReply(a)); err != nil || again != a {
			t.Fatalf("%q: %v, by reply %v, %v", s, a, again, err)
		}
	})
}
