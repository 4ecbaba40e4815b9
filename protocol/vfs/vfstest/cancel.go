package vfstest

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// Contract, 5: operations end with their context, but what ends an upload does not.
var cancelling = theme{"cancel", []clause{
	{name: "operations", check: cancelledOperations},
	{name: "reading", check: cancelledReading},
	{name: "upload", check: cancelledUpload},
}}

// cancellable returns the tree bound to a context, and its end. It has ended
// nothing where the filesystem is no vfs.ContextFs: there operations run on.
func (t *tree) cancellable() (bound *tree, cancel func(), works bool) {
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	b := *t
	b.fs = vfs.WithContext(ctx, t.fs)
	_, works = t.fs.(vfs.ContextFs)
	return &b, cancel, works
}

func cancelledOperations(t *tree) {
	t.mkdir("/d")
	t.put("/f", "file")
	before := t.snapshot()
	bound, cancel, works := t.cancellable()
	bound.holds("/f", "file")
	bound.put("/g", "before the end")
	t.ok(t.fs.Remove("/g"), "remove")
	cancel()
	if !works {
		return
	}
	c := bound.fs
	now := time.Now()
	for what, err := range map[string]error{
		"Stat":            second(c.Stat("/f")),
		"Open":            second(c.Open("/f")),
		"Mkdir":           c.Mkdir("/new", vfs.NewDirMode),
		"Remove":          c.Remove("/f"),
		"Rename":          c.Rename("/f", "/h"),
		"Chtimes":         c.Chtimes("/f", now, now),
		"Chmod":           c.Chmod("/f", 0o600),
		"RenameExclusive": vfs.RenameExclusive(c, "/f", "/h"),
	} {
		if (what == "Chtimes" && !t.props.SetTimes) || (what == "Chmod" && !t.props.SetMode) {
			continue
		}
		t.fails(err, what+" after the end of its context", context.Canceled)
	}
	for _, flag := range t.modesFor(true) {
		_, err := c.OpenFile("/f", flag, vfs.NewFileMode)
		t.fails(err, modeName(flag)+" after the end of its context", context.Canceled)
	}
	t.unchanged(before, "operations of an ended context")
	// Other commands of the session go on.
	t.put("/new", "after")
	t.holds("/new", "after")
}

func second[T any](_ T, err error) error { return err }

// cancelledReading: a bare *os.File cannot be cancelled, and need not be.
func cancelledReading(t *tree) {
	t.mkdir("/d")
	t.put("/d/f", pattern("f", 600_000))
	t.put("/d/g", "")
	bound, cancel, works := t.cancellable()
	f, d := bound.open("/d/f", vfs.ModeRead), bound.open("/d", vfs.ModeRead)
	_, err := io.ReadFull(f, make([]byte, 1000))
	t.ok(err, "read")
	_, err = d.Readdir(1)
	t.ok(err, "readdir")
	cancel()
	if works && vfs.OSFile(f) == nil {
		_, err = io.ReadAll(f)
		t.fails(err, "reading after the end of the context", context.Canceled)
	}
	if works && vfs.OSFile(d) == nil {
		_, err = d.Readdir(1)
		t.fails(err, "Readdir after the end of the context", context.Canceled)
	}
	t.ok(f.Close(), "close after the end of the context")
	t.ok(d.Close(), "close after the end of the context")
}

func cancelledUpload(t *tree) {
	ends := []string{"Close", "Abort"}
	if t.props.Resume {
		ends = append(ends, "Keep")
	}
	for _, exists := range []bool{true, false} {
		for _, flag := range t.modesFor(exists) {
			for _, end := range ends {
				name := fmt.Sprintf("/%t %s %s", exists, modeName(flag), end)
				if exists {
					t.put(name, "the old state")
				}
				before := t.snapshot()
				bound, cancel, works := t.cancellable()
				f := bound.begin(name, flag, 13)
				bound.write(f, "first part")
				cancel()
				if works {
					_, err := f.Write([]byte("second part"))
					t.fails(err, "Write after the end of the context", context.Canceled)
				}
				switch end {
				case "Close":
					if works {
						t.fails(f.Close(), "Close after a cancelled Write", context.Canceled)
						t.unchanged(before, "Close after a cancelled Write")
						t.notHeld(name)
					}
				case "Abort":
					t.abort(f)
					t.unchanged(before, "Abort after the end of the context")
				case "Keep":
					t.keep(f)
					t.unchanged(before, "Keep after the end of the context")
					want := len("first part")
					if exists && flag != vfs.ModeReplace {
						want += len("the old state")
					}
					t.isHeld(name, want)
				}
			}
		}
	}
}
