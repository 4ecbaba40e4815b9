//go:build unix

package local

import (
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/spf13/afero"

	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// boots opens a Backend as it would be after a certain boot of the host.
func boots(t *testing.T, root, boot string) *Backend {
	t.Helper()
	b, err := newBackend(Options{Root: root}, func() string { return boot })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	return b
}

func cut(t *testing.T, fsys afero.Fs, name, content string) afero.File {
	t.Helper()
	f, err := fsys.OpenFile(name, vfs.ModeAppend, vfs.NewFileMode)
	if err == nil {
		_, err = io.WriteString(f, content)
	}
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// After a power cut only what Keep brought to the medium can be trusted; what
// the kernel had not written may be garbage or zeros.
func TestAnotherBoot(t *testing.T) {
	root := t.TempDir()
	before := boots(t, root, "first")
	alice := before.Open("alice", time.Hour)
	cut(t, alice, "/cut", "not kept")
	if err := cut(t, alice, "/kept", "kept").(vfs.Keeper).Keep(); err != nil {
		t.Fatal(err)
	}
	if err := cut(t, alice, "/more", "kept").(vfs.Keeper).Keep(); err != nil {
		t.Fatal(err)
	}
	cut(t, alice, "/more", " and then cut")
	before.Close()

	same := boots(t, root, "first")
	for name, size := range map[string]int64{"/cut": 8, "/kept": 4, "/more": 17} {
		if got, err := vfs.Held(same.Open("alice", time.Hour), name); got != size || err != nil {
			t.Errorf("in the same boot %s: %d, %v", name, got, err)
		}
	}
	same.Close()

	unknown := boots(t, root, "")
	if got, err := vfs.Held(unknown.Open("alice", time.Hour), "/more"); got != 4 || err != nil {
		t.Errorf("in an unknown boot: %d, %v", got, err)
	}
	unknown.Close()

	after := boots(t, root, "second")
	alice = after.Open("alice", time.Hour)
	if _, err := vfs.Held(alice, "/cut"); err == nil {
		t.Errorf("what was not kept counts after another boot")
	}
	for _, name := range []string{"/kept", "/more"} {
		if got, err := vfs.Held(alice, name); got != 4 || err != nil {
			t.Errorf("after another boot %s: %d, %v", name, got, err)
		}
		if err := cut(t, alice, name, "!").Close(); err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(filepath.Join(root, name)); string(got) != "kept!" {
			t.Errorf("%s holds %q, %v", name, got, err)
		}
	}
	if entries, _ := os.ReadDir(filepath.Join(root, reservedName)); len(entries) != 1 { // the lock
		t.Errorf("left behind: %v", entries)
	}
}

func TestStagedNamesFitEverywhere(t *testing.T) {
	r := &record{
		owner: ownerKey("o"), path: pathKey("/f"), base: "ffffffffffffffff", boot: bootKey("x"),
		kept: 1<<63 - 1, window: 1<<31*time.Second - 1,
	}
	st := &staging{process: "ffffffffffffffff"}
	st.next.Store(1<<40 - 2)
	name := st.newName(r)
	if len(name) > 143 { // eCryptfs, the tightest in use
		t.Errorf("%d bytes: %s", len(name), name)
	}
	process, back, ok := parseStaged(name)
	r.window = r.window.Truncate(time.Second)
	if !ok || process != st.process || *back != *r {
		t.Errorf("came back as %q, %+v", process, back)
	}
}

func FuzzParseStaged(f *testing.F) {
	f.Add("a-1")
	f.Add("0-1-k-p-b-b-x-e10")
	f.Fuzz(func(t *testing.T, name string) {
		if process, r, ok := parseStaged(name); ok && r != nil {
			_, again, ok := parseStaged(process + "-1-" + r.String())
			if !ok || *again != *r {
				t.Errorf("%q came back as %+v", name, again)
			}
		}
	})
}
