package auth

import (
	"fmt"
	"strings"
	"testing"
)

// The lab's hash of "bench", the reference hash of "password" that the argon2
// distribution tests itself with, and OpenWall's crypt_blowfish vector.
const (
	benchHash  = "$2b$04$CCCCCCCCCCCCCCCCCCCCC.iVvzXzxsec.RyeuALa68EIlYEMpKyIK"
	argonHash  = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"
	blowfishUU = "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"
)

func TestParseHash(t *testing.T) {
	for _, x := range []struct{ hash, password, params string }{
		{benchHash, "bench", "bcrypt cost 4"},
		{strings.Replace(benchHash, "2b", "2a", 1), "bench", "bcrypt cost 4"},
		{strings.Replace(benchHash, "2b", "2y", 1), "bench", "bcrypt cost 4"},
		{blowfishUU, "U*U", "bcrypt cost 5"},
		{argonHash, "password", "argon2id 65536 KiB, 2 passes"},
	} {
		h, err := ParseHash(x.hash)
		if err != nil {
			t.Errorf("ParseHash(%q): %v", x.hash, err)
			continue
		}
		if got := h.Params().String(); got != x.params {
			t.Errorf("%s: parameters %q, want %q", x.hash, got, x.params)
		}
		if !h.Match(x.password) {
			t.Errorf("%s does not match %q", x.hash, x.password)
		}
		for _, wrong := range []string{"", x.password + "x", strings.ToUpper(x.password) + "!"} {
			if h.Match(wrong) {
				t.Errorf("%s matches %q", x.hash, wrong)
			}
		}
		if s := fmt.Sprintf("%v %+v %s", h, h, h); strings.Contains(s, x.hash[len(x.hash)-10:]) {
			t.Errorf("printing the hash shows it: %s", s)
		}
	}
}

func TestParseHashRefusesBroken(t *testing.T) {
	bcryptWith := func(old, new string) string { return strings.Replace(benchHash, old, new, 1) }
	argonWith := func(old, new string) string { return strings.Replace(argonHash, old, new, 1) }
	for _, x := range []struct{ hash, why string }{
		{"", "empty"},
		{"secret", "not a password hash"},
		{"$1$abc$def", "neither bcrypt"},
		{"$", "neither bcrypt"},
		{"$2", "begins with"},
		{"$2b", "begins with"},
		{"$2b$04$", "60 characters"},
		{bcryptWith("2b", "2x"), "begins with"},
		{bcryptWith("2b", "2"), "begins with"},
		{bcryptWith("$04", "$4"), "begins with"},
		{bcryptWith("$04", "$03"), "number from 4 to 31"},
		{bcryptWith("$04", "$32"), "number from 4 to 31"},
		{bcryptWith("$04", "$-4"), "number from 4 to 31"},
		{bcryptWith("$04", "$ 4"), "number from 4 to 31"},
		{benchHash[:59], "60 characters, this one has 59"},
		{benchHash + "x", "60 characters, this one has 61"},
		{benchHash[:59] + "!", "characters"},
		{benchHash[:59] + "\n", "characters"},
		{bcryptWith("CCC", "C C"), "characters"},
		{argonWith("argon2id", "argon2i"), "only argon2id"},
		{argonWith("argon2id", "argon2d"), "only argon2id"},
		{argonWith("v=19", "v=16"), "form"},
		{argonWith("$v=19", ""), "form"},
		{argonWith("m=65536,t=2", "t=2,m=65536"), "form"},
		{argonWith(",p=1", ""), "form"},
		{argonWith("m=65536", "m=0"), "memory (m)"},
		{argonWith("m=65536", "m=4294967295"), "memory (m)"},
		{argonWith("m=65536", "m=7"), "8 times"},
		{argonWith("t=2", "t=0"), "passes (t)"},
		{argonWith("t=2", "t=-1"), "passes (t)"},
		{argonWith("p=1", "p=0"), "threads (p)"},
		{argonWith("p=1", "p=256"), "threads (p)"},
		{argonWith("c29tZXNhbHQ", "c29tZXNhbHQ="), "base64"},
		{argonWith("c29tZXNhbHQ", ""), "too short"},
		{argonHash[:len(argonHash)-30], "cut off"},
		{argonHash[:len(argonHash)-31], "too short"},
		{argonHash + strings.Repeat("A", 200), "too long"},
	} {
		h, err := ParseHash(x.hash)
		if err == nil {
			t.Errorf("ParseHash(%q) = %v, want an error about %q", x.hash, h, x.why)
			continue
		}
		if !strings.Contains(err.Error(), x.why) {
			t.Errorf("ParseHash(%q): %v, want %q in it", x.hash, err, x.why)
		}
		if len(x.hash) > 8 && strings.Contains(err.Error(), x.hash[len(x.hash)-6:]) {
			t.Errorf("the error quotes the hash: %v", err)
		}
	}
}

func TestNewHash(t *testing.T) {
	for _, algorithm := range append(Algorithms(), "") {
		text, err := NewHash("päss wörd", algorithm)
		if err != nil {
			t.Fatalf("%s: %v", algorithm, err)
		}
		h, err := ParseHash(text)
		if err != nil {
			t.Fatalf("%s: our own hash %s: %v", algorithm, text, err)
		}
		if !h.Match("päss wörd") || h.Match("pass word") {
			t.Errorf("%s: the hash matches wrongly", algorithm)
		}
		if want := algorithm; want != "" && h.Params().Algorithm != want {
			t.Errorf("got %v, want %s", h.Params(), want)
		}
	}
	for _, x := range []struct{ password, algorithm string }{
		{"", Argon2id}, {"", Bcrypt}, {strings.Repeat("x", 73), Bcrypt}, {"a\nb", ""}, {"a\x00b", ""}, {"a", "md5"},
	} {
		if h, err := NewHash(x.password, x.algorithm); err == nil {
			t.Errorf("NewHash(%q, %q) = %s, want an error", x.password, x.algorithm, h)
		}
	}
	if _, err := NewHash(strings.Repeat("x", 73), Argon2id); err != nil {
		t.Errorf("argon2id takes long passwords: %v", err)
	}
}

func FuzzParseHash(f *testing.F) {
	f.Add(benchHash)
	f.Add(argonHash)
	f.Fuzz(func(t *testing.T, s string) {
		h, err := ParseHash(s)
		if (h == nil) == (err == nil) {
			t.Errorf("ParseHash(%q) = %v, %v", s, h, err)
		}
		if err == nil {
			_ = h.Params().nominal()
		}
	})
}

func BenchmarkCompare(b *testing.B) {
	h, err := ParseHash(benchHash)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("hash", func(b *testing.B) {
		for b.Loop() {
			h.Match("bench")
		}
	})
	b.Run("login", func(b *testing.B) {
		c := NewComparer(0, 0)
		p := &Portal{Checkers: []Checker{&Anonymous{}, NewUsers(c, User{Name: "bench", Hash: h})}, Comparer: c}
		for b.Loop() {
			if _, err := p.Login(b.Context(), Credentials{User: "bench", Password: "bench"}); err != nil {
				b.Fatal(err)
			}
		}
	})
}
