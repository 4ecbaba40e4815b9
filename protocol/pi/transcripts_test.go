package pi_test

import (
	"context"
	"errors"
	"flag"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/afero"

	"github.com/ftpgate/ftpgate/backends/memory"
	"github.com/ftpgate/ftpgate/protocol/ftptest"
	"github.com/ftpgate/ftpgate/protocol/pi"
	"github.com/ftpgate/ftpgate/protocol/vfs"
)

var update = flag.Bool("update", false, "write what the server says into the transcripts")

func transcripts() ftptest.Transcripts {
	return ftptest.Transcripts{Dir: "testdata/transcripts", Update: *update, Server: stage}
}

func TestTranscripts(t *testing.T) { transcripts().Run(t) }

// TestEveryVerbHasATranscript: whoever adds a verb shows it.
func TestEveryVerbHasATranscript(t *testing.T) {
	sent := transcripts().Verbs(t)
	var missing []string
	for verb := range pi.Verbs() {
		if sent[verb] == 0 {
			missing = append(missing, verb)
		}
	}
	slices.Sort(missing)
	if len(missing) > 0 {
		t.Errorf("no transcript sends %s", strings.Join(missing, ", "))
	}
}

// stage makes the server of one transcript: a tree in memory that all users share,
// each with partials of his own, behind one of the filesystems of "# fs:".
func stage(t testing.TB, s *ftptest.Setup) ftptest.Options {
	o := memory.Options{}
	if s.FS == "small" {
		o.MaxSize = 2 << 10
	}
	b := memory.New(o)
	if err := s.Populate(b.Open("", 0)); err != nil {
		t.Fatal(err)
	}
	var names pi.Names
	return ftptest.Options{
		Panics: s.FS == "panic",
		Account: func(user string) *pi.Account {
			fsys := behind(t, s.FS, b.Open(user, s.ResumeWindow))
			a := ftptest.Accounts(fsys)(user)
			if a != nil {
				a.OnConflict, a.Commit, a.ResumeWindow, a.Names = s.OnConflict, s.Commit, s.ResumeWindow, &names
			}
			return a
		},
	}
}

var errBackend = errors.New("the backend's own words, with a secret")

func behind(t testing.TB, name string, fsys afero.Fs) afero.Fs {
	fail := func(op string, err error) afero.Fs {
		return hooked(fsys, func(_ context.Context, did, path string) error {
			if did == op && strings.HasPrefix(path, "/bad") {
				return err
			}
			return nil
		})
	}
	switch name {
	case "", "small":
		return fsys
	case "odd":
		return odd(fsys)
	case "both":
		return withBoth(t, fsys)
	case "stores digests", "no digests":
		return storing{hooked(fsys, func(_ context.Context, op, path string) error {
			if op == "open" {
				t.Errorf("%s is opened", path)
			}
			return nil
		}), name == "stores digests"}
	case "full disk":
		return fail("write", vfs.ErrNoSpace)
	case "fails to read":
		return fail("read", errBackend)
	case "fails to open":
		return fail("open", errBackend)
	case "fails to write":
		return fail("write", errBackend)
	case "fails to publish":
		return fail("close", errBackend)
	case "is busy":
		return fail("stat", vfs.ErrTransient)
	case "fails to list":
		return fail("readdir", errBackend)
	case "taken at the end", "taken at the end, too large":
		return &takenFs{hooked(fsys, func(_ context.Context, op, path string) error {
			if op == "close" && strings.Contains(path, "scan") { // somebody beside this server is faster
				return afero.WriteFile(fsys, path, []byte("theirs"), vfs.NewFileMode)
			}
			return nil
		}), strings.HasSuffix(name, "large")}
	case "panic":
		return hooked(fsys, func(_ context.Context, op, path string) error {
			if path == "/bad-"+op {
				panic("a defect in the backend")
			}
			return nil
		})
	}
	t.Fatalf("unknown filesystem %q", name)
	return nil
}

// takenFs can be one whose files have no vfs.FreeCloser.
type takenFs struct {
	*hookFs
	large bool
}

func (f *takenFs) WithContext(ctx context.Context) afero.Fs {
	return &takenFs{f.hookFs.WithContext(ctx).(*hookFs), f.large}
}

func (f *takenFs) OpenFile(name string, flag int, perm fs.FileMode) (afero.File, error) {
	file, err := f.hookFs.OpenFile(name, flag, perm)
	if err == nil && f.large && flag != vfs.ModeRead {
		file = struct {
			afero.File
			vfs.Aborter
		}{file, file.(vfs.Aborter)}
	}
	return file, err
}
