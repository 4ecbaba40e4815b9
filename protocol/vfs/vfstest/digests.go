package vfstest

import (
	"bytes"
	"context"
	"errors"
	"io/fs"

	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// Contract, 8: what is told of a file's content without reading it.
var digests = theme{"digests", []clause{
	{name: "right", check: digestsRight},
	{name: "follow-changes", check: digestsFollow},
	{name: "refused", check: digestsRefused},
}}

// digest checks that what is stored with the file is that of content, or nothing.
// It returns the algorithms that are.
func (t *tree) digest(name, content string) (stored vfs.Hashes) {
	t.Helper()
	for h := range vfs.AllHashes.Each() {
		sum, size, err := vfs.Digest(t.fs, name, h)
		if none, ok := errors.AsType[*vfs.NoDigestError](err); ok {
			if none.Algorithm != h || none.Stored.Has(h) {
				t.Errorf("%s of %q: %v", h, name, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s of %q: %v", h, name, err)
			continue
		}
		stored |= h
		want := h.New()
		want.Write([]byte(content))
		if !bytes.Equal(sum, want.Sum(nil)) || size != int64(len(content)) {
			t.Errorf("%s of %q is %x for %d bytes, want %x for %d", h, name, sum, size, want.Sum(nil), len(content))
		}
	}
	if !t.props.Hashes.Has(stored) {
		t.Errorf("%s is stored with %q, Properties.Hashes has %s", stored, name, t.props.Hashes)
	}
	return stored
}

func digestsRight(t *tree) {
	if p := t.props; !p.Hashes.Has(p.UsualHash) || p.UsualHash != p.UsualHash.Strongest() {
		t.Errorf("of %s, %s is usual", p.Hashes, p.UsualHash)
	}
	t.mkdir("/d")
	for name, size := range map[string]int{"/empty": 0, "/d/small": 9, "/d/large": 600_001} {
		content := pattern("f", size)
		t.put(name, content)
		if stored := t.digest(name, content); size < 100 && !stored.Has(t.props.UsualHash) {
			t.Errorf("%s is usual, and %q has %s", t.props.UsualHash, name, stored)
		}
	}
}

// digestsFollow: no digest is left over from what was there before.
func digestsFollow(t *tree) {
	t.mkdir("/d")
	t.put("/f", "old")
	t.digest("/f", "old")
	t.put("/f", "new")
	t.digest("/f", "new")
	content := "new"
	if t.props.Append {
		f := t.open("/f", vfs.ModeAppend)
		t.write(f, " and more")
		t.digest("/f", content)
		t.publish(f)
		content += " and more"
		t.digest("/f", content)
	}
	if t.props.Restart {
		f := t.open("/f", vfs.ModeRestart)
		t.seek(f, 1)
		t.write(f, "ice")
		t.publish(f)
		content = "nice"
		t.digest("/f", content)
	}
	t.put("/g", "another")
	t.rename("/f", "/d/f")
	t.rename("/d/f", "/g")
	t.digest("/g", content)
	t.ok(t.fs.Remove("/g"), "remove")
	t.put("/g", "once more")
	t.digest("/g", "once more")
}

func digestsRefused(t *tree) {
	t.mkdir("/d")
	t.put("/f", "file")
	h := max(t.props.UsualHash, vfs.MD5)
	digest := func(of *tree, name string) error {
		_, _, err := vfs.Digest(of.fs, name, h)
		return err
	}
	t.fails(digest(t, "/d"), "digest of a directory", vfs.ErrIsDir)
	t.fails(digest(t, "/"), "digest of the root", vfs.ErrIsDir)
	t.fails(digest(t, "/none"), "digest of nothing", fs.ErrNotExist)
	if t.props.ImpliedDirs {
		t.fails(digest(t.dirs(), "/f"), "digest of a file where names mean directories", fs.ErrNotExist)
		t.fails(digest(t.dirs(), "/d"), "digest of a directory where names mean them", vfs.ErrIsDir)
	}
	bound, cancel, works := t.cancellable()
	cancel()
	if works {
		t.fails(digest(bound, "/f"), "digest after the end of its context", context.Canceled)
	}
}
