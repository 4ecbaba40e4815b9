package ftp

import "testing"

func TestHashReply(t *testing.T) {
	for want, size := range map[string]int64{
		"213 SHA-1 0-255 80bc0f a file": 256,
		"213 SHA-1 0-0 80bc0f a file":   1,
	} {
		if got := HashReply("SHA-1", size, []byte{0x80, 0xbc, 0x0f}, "a file").String(); got != want {
			t.Errorf("%d bytes: %q, want %q", size, got, want)
		}
	}
	if got := HashReply("MD5", 0, nil, "f").String(); got != "213 MD5 0-0  f" {
		t.Errorf("no bytes: %q", got)
	}
	if got := HashFeature([]string{"MD5", "SHA-256", "SHA-512"}, "SHA-256"); got != "HASH MD5;SHA-256*;SHA-512" {
		t.Errorf("feature: %q", got)
	}
	if got := Hexadecimal([]byte{0x0a, 0xbc}); got != "0ABC" {
		t.Errorf("hexadecimal: %q", got)
	}
}
