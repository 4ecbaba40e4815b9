package transfer

import (
	"bytes"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/ftpgate/ftpgate/cmd/ftpgate/internal/remote"
)

var quick = remote.Backoff{Retries: 2, First: time.Millisecond}

// source is a local directory with one file, "f", of 1 MiB.
func source(t *testing.T) (root *os.Root, content []byte) {
	t.Helper()
	root, err := os.OpenRoot(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { root.Close() })
	content = bytes.Repeat([]byte("0123456789abcdef"), 1<<16)
	if err := root.WriteFile("f", content, 0o600); err != nil {
		t.Fatal(err)
	}
	return root, content
}

// holds checks that the server has the file, whole, and nothing else.
func (f *foreign) holds(t *testing.T, want []byte) {
	t.Helper()
	if all := f.names(); len(all) != 1 || !bytes.Equal(f.files["d/f"], want) {
		t.Errorf("the server has %q, with %d bytes", all, len(f.files["d/f"]))
	}
	if t.Failed() {
		t.Logf("%s", strings.Join(f.heard, "\n"))
	}
}

// TestSendStages: nobody sees half a file under its name, and what was cut goes on from there, in one run and over runs.
func TestSendStages(t *testing.T) {
	root, content := source(t)
	f := &foreign{cuts: []int{300_000, 200_000}}
	f.onCut = func() {
		if _, there := f.files["d/f"]; there {
			t.Error("it has its name before it is whole")
		}
	}
	f.start(t)
	m := Mover{Site: f.site(t, quick), Root: root}
	r, err := m.Send(t.Context(), "f", "d/f", Unknown)
	f.holds(t, content)
	if err != nil || f.count("REST 300000") != 1 || f.count("REST 500000") != 1 {
		t.Errorf("%+v, %v", r, err)
	}

	// Over runs: the second goes on with what the first has left; without Continue it begins again.
	for _, goOn := range []bool{true, false} {
		f := (&foreign{cuts: []int{300_000}}).start(t)
		m := Mover{Site: f.site(t, remote.Backoff{}), Root: root}
		var kept *KeptError
		if _, err := m.Send(t.Context(), "f", "d/f", Unknown); !errors.As(err, &kept) {
			t.Errorf("the cut is told as %v", err)
		}
		m.Continue = goOn
		r, err := m.Send(t.Context(), "f", "d/f", Unknown)
		f.holds(t, content)
		if want := map[bool]int64{true: 300_000}[goOn]; err != nil || r.Offset != want {
			t.Errorf("continue %v: %+v, %v", goOn, r, err)
		}
	}
}

// TestSendChangedSource: what was sent of a file that has changed since is not a part of it.
func TestSendChangedSource(t *testing.T) {
	root, content := source(t)
	changed := bytes.ToUpper(content)
	f := &foreign{cuts: []int{300_000}}
	f.onCut = func() {
		if err := root.WriteFile("f", changed, 0o600); err != nil {
			t.Error(err)
		}
		if err := root.Chtimes("f", time.Time{}, time.Now().Add(time.Minute)); err != nil {
			t.Error(err)
		}
	}
	f.start(t)
	m := Mover{Site: f.site(t, quick), Root: root}
	if _, err := m.Send(t.Context(), "f", "d/f", Unknown); err != nil {
		t.Error(err)
	}
	f.holds(t, changed)

	// Over runs, the part of the older file is left alone.
	f = (&foreign{cuts: []int{300_000}}).start(t)
	m = Mover{Site: f.site(t, remote.Backoff{}), Root: root, Continue: true}
	if _, err := m.Send(t.Context(), "f", "d/f", Unknown); err == nil {
		t.Error("no error")
	}
	if err := root.WriteFile("f", content, 0o600); err != nil {
		t.Fatal(err)
	}
	if r, err := m.Send(t.Context(), "f", "d/f", Unknown); err != nil || r.Offset != 0 || !bytes.Equal(f.files["d/f"], content) {
		t.Errorf("%+v, %v", r, err)
	}
}

// TestSendInPlace: a server that does not rename, or not onto what exists, or takes no such names, gets the file all the same.
func TestSendInPlace(t *testing.T) {
	root, content := source(t)
	for name, f := range map[string]*foreign{
		"no renames":      {noRename: true},
		"no replacing":    {noReplace: true},
		"no such names":   {noDots: true},
		"none is wanted":  {},
		"it was there":    {noRename: true, cuts: []int{300_000}},
		"a part is ours":  {noRename: true, cuts: []int{300_000}},
		"all is possible": {},
	} {
		t.Run(name, func(t *testing.T) {
			f.start(t)
			if name != "a part is ours" {
				f.files["d/f"] = []byte("older")
			}
			m := Mover{Site: f.site(t, quick), Root: root, InPlace: name == "none is wanted"}
			_, err := m.Send(t.Context(), "f", "d/f", Unknown)
			f.holds(t, content)
			if err != nil || m.InPlace && f.count("RN") > 0 || name == "it was there" && f.count("REST") > 0 || name == "a part is ours" && f.count("REST 300000") != 1 {
				t.Error(err)
			}
		})
	}
}

func TestSendStream(t *testing.T) {
	content := bytes.Repeat([]byte("stream"), 1<<16)
	for _, f := range []*foreign{{}, {noRename: true}} {
		f.start(t)
		m := Mover{Site: f.site(t, quick)}
		if _, err := m.SendStream(t.Context(), bytes.NewReader(content), "d/f"); err != nil {
			t.Error(err)
		}
		f.holds(t, content)
	}
	f := (&foreign{}).start(t)
	m := Mover{Site: f.site(t, quick)}
	broken := errors.New("broken pipe")
	if _, err := m.SendStream(t.Context(), &failing{bytes.NewReader(content), broken}, "d/f"); !errors.Is(err, broken) || len(f.names()) > 0 {
		t.Errorf("%v; there is %q", err, f.names())
	}
}

// failing reads r, and then fails.
type failing struct {
	r   *bytes.Reader
	err error
}

func (f *failing) Read(b []byte) (int, error) {
	if f.r.Len() == 0 {
		return 0, f.err
	}
	return f.r.Read(b)
}
