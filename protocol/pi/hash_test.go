package pi_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/spf13/afero"

	"github.com/ftpgate/ftpgate/protocol/ftptest"
	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// storing is storage that is not to be read for a digest. It stores those of files as S3 does:
// CRC32 always, MD5 of what came in one part.
type storing struct {
	afero.Fs
	some bool // else none
}

func (s storing) WithContext(ctx context.Context) afero.Fs {
	return storing{vfs.WithContext(ctx, s.Fs), s.some}
}

func (s storing) Properties(name string) vfs.Properties {
	p := vfs.PropertiesOf(s.Fs, name)
	p.ComputeHashes = false
	if s.some {
		p.Hashes, p.UsualHash = vfs.CRC32|vfs.MD5|vfs.SHA1, vfs.CRC32
	}
	return p
}

func (s storing) Digest(name string, algorithm vfs.Hashes) ([]byte, int64, error) {
	fi, err := s.Stat(name)
	switch {
	case err != nil:
		return nil, 0, err
	case fi.IsDir():
		return nil, 0, vfs.ErrIsDir
	}
	var stored vfs.Hashes
	if s.some {
		stored = vfs.CRC32
		if fi.Size() < 10 {
			stored |= vfs.MD5
		}
	}
	if !stored.Has(algorithm) {
		return nil, 0, &vfs.NoDigestError{Algorithm: algorithm, Stored: stored}
	}
	b, err := afero.ReadFile(s.Fs.(*hookFs).Fs, name)
	h := algorithm.New()
	h.Write(b)
	return h.Sum(nil), fi.Size(), err
}

// endless is a filesystem with files of any length: each is read until its reader is
// told to stop. They count who reads at once.
type endless struct {
	afero.Fs
	stop    *atomic.Bool
	reading *atomic.Int32
	most    *atomic.Int32
	reads   [2]*atomic.Int64 // of /0 and /1
	open    *atomic.Int32
}

func newEndless(t *testing.T) endless {
	return endless{
		tree(t, map[string]string{"/0": "", "/1": ""}), new(atomic.Bool), new(atomic.Int32), new(atomic.Int32),
		[2]*atomic.Int64{new(atomic.Int64), new(atomic.Int64)}, new(atomic.Int32),
	}
}

func (endless) Properties(string) vfs.Properties { return vfs.Properties{ComputeHashes: true} }

func (e endless) OpenFile(name string, flag int, perm fs.FileMode) (afero.File, error) {
	f, err := e.Fs.OpenFile(name, flag, perm)
	if err == nil && name != "/" {
		e.open.Add(1)
		return endlessFile{f, e, e.reads[strings.IndexByte("01", name[1])]}, nil
	}
	return f, err
}

type endlessFile struct {
	afero.File
	e     endless
	reads *atomic.Int64
}

func (f endlessFile) Read(p []byte) (int, error) {
	if n := f.e.reading.Add(1); n > f.e.most.Load() {
		f.e.most.Store(n)
	}
	defer f.e.reading.Add(-1)
	if f.e.stop.Load() {
		return 0, io.EOF
	}
	runtime.Gosched()
	f.reads.Add(1)
	return len(p), nil
}

func (f endlessFile) Close() error {
	f.e.open.Add(-1)
	return f.File.Close()
}

// TestHashTakesTurns: however many sessions have files hashed, few are at it at
// once, and none waits for the end of another's.
func TestHashTakesTurns(t *testing.T) {
	e := newEndless(t)
	s := ftptest.Start(t, ftptest.Options{FS: e})
	var clients []*ftptest.Client
	for i := range 12 {
		c := s.Login("anonymous")
		c.Send(fmt.Sprintf("HASH %d", i%2))
		clients = append(clients, c)
	}
	ftptest.Eventually(t, "all files to be open", func() bool { return e.open.Load() == 12 })
	for i, n := range e.reads {
		from := n.Load()
		ftptest.Eventually(t, fmt.Sprintf("file %d to be read on", i), func() bool { return n.Load() > from+20 })
	}
	e.stop.Store(true)
	for _, c := range clients {
		c.Want(213)
	}
	if most, limit := int(e.most.Load()), max(runtime.GOMAXPROCS(0)/4, 1); most > limit {
		t.Errorf("%d files were read at once, want %d", most, limit)
	}
}

// TestHashIsAborted: by ABOR and by the end of the control connection, while it computes and
// while it waits for its turn, which comes back to the others.
func TestHashIsAborted(t *testing.T) {
	e := newEndless(t)
	s := ftptest.Start(t, ftptest.Options{FS: e})
	first := s.Login("rw")
	first.Send("HASH 0")
	for _, end := range []func(c *ftptest.Client){
		func(c *ftptest.Client) {
			c.Send("ABOR")
			c.Want(426)
			c.Want(226)
			c.Cmd(213, "SIZE 0")
		},
		(*ftptest.Client).Close,
		(*ftptest.Client).Reset,
	} {
		c := s.Login("rw")
		c.Cmd(200, "TYPE I")
		c.Send("HASH 1")
		ftptest.Eventually(t, "two files to be open", func() bool { return e.open.Load() == 2 })
		at := time.Now()
		end(c)
		ftptest.Eventually(t, "one to be closed", func() bool { return e.open.Load() == 1 })
		if took := time.Since(at); took > time.Second {
			t.Errorf("its end took %v", took)
		}
	}
	e.stop.Store(true)
	first.Want(213)
}

// TestHashPanics: a backend that panics does not keep a turn.
func TestHashPanics(t *testing.T) {
	fsys := hooked(tree(t, map[string]string{"/f": "text", "/bad": "text"}), func(_ context.Context, op, path string) error {
		if op == "read" && path == "/bad" {
			panic("a defect in the backend")
		}
		return nil
	})
	s := ftptest.Start(t, ftptest.Options{FS: fsys, Panics: true})
	c := s.Login("rw")
	for range runtime.GOMAXPROCS(0) + 1 {
		c.Cmd(451, "HASH bad")
		c.Cmd(213, "HASH f")
	}
}

// TestHashOfLargeFile: a file of many turns, and one that ends with a turn.
func TestHashOfLargeFile(t *testing.T) {
	for _, size := range []int{64<<10 - 1, 64 << 10, 64<<10 + 1, 256 << 10, 1<<20 + 7} {
		text := strings.Repeat("0123456789abcde\n", size/16+1)[:size]
		s := ftptest.Start(t, ftptest.Options{FS: tree(t, map[string]string{"/f": text})})
		sum := sha256.Sum256([]byte(text))
		want := fmt.Sprintf("213 SHA-256 0-%d %s f", size-1, hex.EncodeToString(sum[:]))
		if got := s.Login("rw").Cmd(213, "HASH f").String(); got != want {
			t.Errorf("%d bytes: %q, want %q", size, got, want)
		}
	}
}

// TestHashOfSpecialFiles: what is no file is not read, and what may not be read is 551.
func TestHashOfSpecialFiles(t *testing.T) {
	s := ftptest.Start(t, ftptest.Options{FS: hooked(odd(tree(t, map[string]string{"/f": ""})), func(_ context.Context, op, path string) error {
		if op == "open" && path == "/f" {
			return fs.ErrPermission
		}
		return nil
	})})
	c := s.Login("rw")
	for line, code := range map[string]int{
		"HASH pipe": 551, "HASH opened": 551, "HASH dangling": 550, "HASH f": 551,
		"XMD5 pipe": 550, "XMD5 opened": 550, "XMD5 f": 550,
	} {
		c.Send(line)
		if got := c.Reply(); int(got.Code) != code {
			t.Errorf("%s: %s, want %d", line, got, code)
		}
	}
}

// TestHashBecomesAnothers: what a drop-box user is told is of the file that he stored, also
// when another takes its name while it is hashed.
func TestHashBecomesAnothers(t *testing.T) {
	base := tree(t, map[string]string{"/other": "secret"})
	fsys, o := obstruct(t, base, "read", "/scan", true)
	s := ftptest.Start(t, ftptest.Options{FS: fsys})
	c := s.Login("dropbox")
	d := c.Passive()
	c.Cmd(150, "STOR scan")
	d.Send("mine")
	d.Close()
	c.Want(226)
	c.Send("HASH scan")
	o.wait(t)
	if err := base.Rename("/other", "/scan"); err != nil {
		t.Fatal(err)
	}
	o.remove()
	c.Want(552)
}

// TestHashWaitIsAborted: who waits for a turn while storage hangs need not wait for it.
func TestHashWaitIsAborted(t *testing.T) {
	hung, o := obstruct(t, tree(t, map[string]string{"/f": "text", "/g": "text"}), "read", "/f", true)
	opened := make(chan struct{}, 1)
	s := ftptest.Start(t, ftptest.Options{FS: hooked(hung, func(ctx context.Context, op, path string) error {
		switch {
		case path != "/g":
		case op == "open":
			opened <- struct{}{}
		case op == "read": // the holders may have passed their turns on
			<-ctx.Done()
			return ctx.Err()
		}
		return nil
	})})
	var holders []*ftptest.Client
	for range max(runtime.GOMAXPROCS(0)/4, 1) {
		c := s.Login("rw")
		c.Send("HASH f")
		o.wait(t)
		holders = append(holders, c)
	}
	c := s.Login("rw")
	c.Send("HASH g")
	await(t, opened, "the file to be opened")
	c.Send("ABOR")
	c.Want(426)
	c.Want(226)
	o.remove()
	for _, c := range holders {
		c.Want(213)
	}
}

// TestHashOfHungStorage: a disk that hangs keeps nobody from hashing the files of another, and
// afterwards there are as many turns as before.
func TestHashOfHungStorage(t *testing.T) {
	fsys, o := obstruct(t, tree(t, map[string]string{"/f": "text", "/g": "text"}), "read", "/f", true)
	s := ftptest.Start(t, ftptest.Options{FS: fsys})
	turns := max(runtime.GOMAXPROCS(0)/4, 1)
	var holders []*ftptest.Client
	for range turns {
		c := s.Login("rw")
		c.Send("HASH f")
		o.wait(t)
		holders = append(holders, c)
	}
	s.Login("rw").Cmd(213, "HASH g")
	o.remove()
	for _, c := range holders {
		c.Want(213)
	}
	if n := s.Server.HashTurns(); n != turns {
		t.Errorf("there are %d turns, want %d", n, turns)
	}
}
