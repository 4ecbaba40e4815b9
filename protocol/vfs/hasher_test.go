package vfs_test

import (
	"encoding/hex"
	"errors"
	"io/fs"
	"slices"
	"testing"

	"github.com/spf13/afero"

	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// The digests of "123456789": the check values of the catalogue of CRCs, and what every
// sha*sum prints.
func TestHashes(t *testing.T) {
	want := []struct {
		hash         vfs.Hashes
		name, digest string
	}{
		{vfs.CRC32, "CRC32", "cbf43926"},
		{vfs.CRC32C, "CRC32C", "e3069283"},
		{vfs.CRC64NVME, "CRC64NVME", "ae8b14860a799888"},
		{vfs.MD5, "MD5", "25f9e794323b453885f5181f1b624d0b"},
		{vfs.SHA1, "SHA-1", "f7c3bc1d808e04732adf679965ccc34ca7ae3441"},
		{vfs.SHA256, "SHA-256", "15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225"},
		{vfs.SHA512, "SHA-512", "d9e6762dd1c8eaf6d61b3c6192fc408d4d6d5f1176d0c29169bc24e71c3f274ad27fcd5811b313d681f7e55ec02d73d499c95455b6b5bb503acf574fba8ffe85"},
	}
	all := slices.Collect(vfs.AllHashes.Each())
	if len(all) != len(want) {
		t.Fatalf("there are %d algorithms", len(all))
	}
	for i, w := range want {
		if all[i] != w.hash || w.hash.String() != w.name {
			t.Errorf("%s is %s", w.name, all[i])
		}
		if h, ok := vfs.ParseHash(w.name); !ok || h != w.hash {
			t.Errorf("%s is read as %s", w.name, h)
		}
		h := w.hash.New()
		h.Write([]byte("123456789"))
		if got := hex.EncodeToString(h.Sum(nil)); got != w.digest {
			t.Errorf("%s: %s, want %s", w.name, got, w.digest)
		}
	}
	if h, ok := vfs.ParseHash("sha-512"); !ok || h != vfs.SHA512 {
		t.Errorf("sha-512 is read as %s", h)
	}
	for _, name := range []string{"", "SHA", "SHA-257", "MD5, SHA-1", "CRC-37"} {
		if h, ok := vfs.ParseHash(name); ok {
			t.Errorf("%q is read as %s", name, h)
		}
	}
	if s := (vfs.SHA1 | vfs.MD5); s.String() != "MD5, SHA-1" || s.Strongest() != vfs.SHA1 || s.New() != nil {
		t.Errorf("a set: %s, strongest %s", s, s.Strongest())
	}
	if vfs.Hashes(0).Strongest() != 0 {
		t.Error("the strongest of none")
	}
}

func TestDigestFallback(t *testing.T) {
	fsys := afero.NewMemMapFs()
	if err := afero.WriteFile(fsys, "/d/f", []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	_, _, err := vfs.Digest(fsys, "/d/f", vfs.MD5)
	if none, ok := errors.AsType[*vfs.NoDigestError](err); !ok || none.Algorithm != vfs.MD5 || none.Stored != 0 {
		t.Errorf("a file: %v", err)
	}
	if _, _, err := vfs.Digest(fsys, "/d", vfs.MD5); !errors.Is(err, vfs.ErrIsDir) {
		t.Errorf("a directory: %v", err)
	}
	if _, _, err := vfs.Digest(fsys, "/none", vfs.MD5); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("nothing: %v", err)
	}
}

func TestNoDigestError(t *testing.T) {
	for want, e := range map[string]vfs.NoDigestError{
		"no MD5 is stored with the file":                      {Algorithm: vfs.MD5},
		"no MD5 is stored with the file, only CRC32, SHA-256": {Algorithm: vfs.MD5, Stored: vfs.SHA256 | vfs.CRC32},
	} {
		if got := e.Error(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
