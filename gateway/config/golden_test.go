package config

import (
	"bytes"
	"errors"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

var update = flag.Bool("update", false, "write the .want files anew")

// testChecks stand for those of package auth.
var testChecks = Checks{
	Hash: func(h string) error {
		if !strings.HasPrefix(h, "$2b$") {
			return errors.New("this is not a password hash")
		}
		return nil
	},
	User: func(name string) error {
		if strings.ContainsAny(name, "/\\\x00") || name == ".." {
			return errors.New("a user name cannot hold a slash")
		}
		return nil
	},
	// What the files of the tests hold is their own names.
	Pair: func(chain, key []byte) (warning, err error) {
		switch {
		case bytes.HasPrefix(chain, []byte("request")):
			return nil, errors.New("it holds no certificate, but a CERTIFICATE REQUEST")
		case bytes.HasPrefix(key, []byte("other")):
			return nil, errors.New("the key is not that of the certificate")
		case bytes.HasPrefix(chain, []byte("expired")) && key == nil:
			return errors.New("the certificate has expired"), nil
		}
		return nil, nil
	},
	Pool: func(pem []byte) (warning, err error) {
		switch {
		case bytes.HasPrefix(pem, []byte("request")):
			return nil, errors.New("it holds no certificate")
		case bytes.HasPrefix(pem, []byte("expired")):
			return errors.New("an authority has expired"), nil
		}
		return nil, nil
	},
}

// sentinel is in every secret of the tests and may be in no diagnostic.
const sentinel = "hunter2"

var testMachine = machine{
	getenv: func(name string) (string, bool) {
		v, ok := map[string]string{
			"HASH": "$2b$" + sentinel, "SECRET": sentinel, "DIR": "/srv/" + sentinel, "EMPTY": "", "PORTS": "20000-20099",
			"SIZE": "3MiB", "NUMBER": "7", "YES": "true", "NET": "10.0.0.0/8", "NET2": "10.1.0.0/16", "HOST": "192.0.2.7", "PRIVATE": "10.0.0.7", "BYTES": "\xff\xfe",
		}[name]
		return v, ok
	},
	ephemeral: func() (PortRange, bool) { return PortRange{32768, 60999}, true },
	stat: func(name string) (fs.FileInfo, error) {
		if strings.Contains(name, "missing") {
			return nil, fs.ErrNotExist
		}
		mode := fs.FileMode(0o640)
		if strings.Contains(name, "readable") {
			mode = 0o644
		}
		return fstest.MapFS{"x": {Mode: mode}}.Stat("x")
	},
	read: func(name string) ([]byte, error) {
		switch {
		case strings.Contains(name, "missing"):
			return nil, fs.ErrNotExist
		case strings.Contains(name, "root-only"):
			return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrPermission}
		case strings.Contains(name, "directory"):
			return nil, &fs.PathError{Op: "read", Path: name, Err: errors.New("is a directory")}
		}
		return []byte(filepath.Base(name)), nil
	},
}

// TestGolden loads testdata/NAME.hcl, or the directory testdata/NAME, and compares
// what is said with NAME.want.
func TestGolden(t *testing.T) {
	wants, err := filepath.Glob("testdata/*.want")
	if err != nil || len(wants) == 0 {
		t.Fatal("no testdata", err)
	}
	sources, _ := filepath.Glob("testdata/*.hcl")
	for _, s := range sources {
		if w := strings.TrimSuffix(s, ".hcl") + ".want"; !slices.Contains(wants, w) {
			wants = append(wants, w)
		}
	}
	for _, want := range wants {
		base := strings.TrimSuffix(want, ".want")
		t.Run(filepath.Base(base), func(t *testing.T) {
			path := base + ".hcl"
			if info, err := os.Stat(base); err == nil && info.IsDir() {
				path = base
			}
			c, ds := load(path, testChecks, testMachine)
			if (c == nil) != ds.HasErrors() {
				t.Errorf("configuration %v with errors: %v", c, ds.HasErrors())
			}
			var b bytes.Buffer
			if err := ds.Write(&b, false, 80); err != nil {
				t.Fatal(err)
			}
			if strings.Contains(b.String(), sentinel) {
				t.Errorf("a secret is shown:\n%s", b.String())
			}
			if *update {
				if err := os.WriteFile(want, b.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			w, err := os.ReadFile(want)
			if err != nil {
				t.Fatal(err)
			}
			if got := b.String(); got != string(w) {
				t.Errorf("got:\n%s\nwant:\n%s", got, w)
			}
		})
	}
}
