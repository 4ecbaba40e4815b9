package memory_test

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/spf13/afero"

	"github.com/ftpgate/ftpgate/backends/memory"
	"github.com/ftpgate/ftpgate/protocol/vfs"
)

const chunk = 256 << 10

// begin opens an upload and writes n bytes of it.
func begin(t *testing.T, fsys afero.Fs, name string, flag, n int) afero.File {
	t.Helper()
	f, err := fsys.OpenFile(name, flag, vfs.NewFileMode)
	if err == nil {
		_, err = f.Write(make([]byte, n))
	}
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func put(t *testing.T, fsys afero.Fs, name string, n int) {
	t.Helper()
	check(t, begin(t, fsys, name, vfs.ModeReplace, n).Close())
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestUsed: what counts, step by step. Every step starts from nothing.
func TestUsed(t *testing.T) {
	const entry = memory.EntryCost
	for _, c := range []struct {
		name string
		do   func(t *testing.T, fsys afero.Fs, used func(want int64))
	}{
		{"a file", func(t *testing.T, fsys afero.Fs, used func(int64)) {
			f := begin(t, fsys, "/f", vfs.ModeReplace, 1000)
			used(entry + 1000)
			check(t, f.Close())
			used(entry + 1000)
			put(t, fsys, "/f", 10)
			used(entry + 10)
			check(t, fsys.Remove("/f"))
		}},
		{"a version that is being read", func(t *testing.T, fsys afero.Fs, used func(int64)) {
			put(t, fsys, "/f", 1000)
			r, err := fsys.Open("/f")
			check(t, err)
			put(t, fsys, "/f", 1)
			used(entry + 1001)
			check(t, fsys.Remove("/f"))
			used(1000)
			if b, err := io.ReadAll(r); len(b) != 1000 || err != nil {
				t.Errorf("the reader got %d bytes, %v", len(b), err)
			}
			check(t, r.Close())
		}},
		{"directories", func(t *testing.T, fsys afero.Fs, used func(int64)) {
			check(t, fsys.MkdirAll("/a/b/c", vfs.NewDirMode))
			put(t, fsys, "/a/b/f", 5)
			used(4*entry + 5)
			check(t, fsys.RemoveAll("/a"))
		}},
		{"an append shares what it continues", func(t *testing.T, fsys afero.Fs, used func(int64)) {
			put(t, fsys, "/f", 3*chunk+100)
			f := begin(t, fsys, "/f", vfs.ModeAppend, 50)
			used(2*entry + 3*chunk + 100 + 150) // the last, incomplete chunk is copied
			check(t, f.Close())
			used(entry + 3*chunk + 150)
			check(t, fsys.Remove("/f"))
		}},
		{"a base that is gone counts while an append needs it", func(t *testing.T, fsys afero.Fs, used func(int64)) {
			put(t, fsys, "/f", 3*chunk)
			f := begin(t, fsys, "/f", vfs.ModeAppend, 50)
			check(t, fsys.Remove("/f"))
			used(entry + 3*chunk + 50)
			if err := f.Close(); !errors.Is(err, vfs.ErrTransient) {
				t.Errorf("Close: %v", err)
			}
		}},
		{"an open append holds on to its base before it writes", func(t *testing.T, fsys afero.Fs, used func(int64)) {
			put(t, fsys, "/f", 1000)
			f, err := fsys.OpenFile("/f", vfs.ModeAppend, vfs.NewFileMode)
			check(t, err)
			check(t, fsys.Remove("/f"))
			used(entry + 1000)
			check(t, vfs.Abort(f))
		}},
		{"a restart lets the tail go", func(t *testing.T, fsys afero.Fs, used func(int64)) {
			put(t, fsys, "/f", 3*chunk)
			f, err := fsys.OpenFile("/f", vfs.ModeRestart, vfs.NewFileMode)
			check(t, err)
			_, err = f.Seek(chunk+1, io.SeekStart)
			check(t, err)
			used(2*entry + 3*chunk + 1)
			check(t, f.Close())
			used(entry + chunk + 1)
			check(t, fsys.Remove("/f"))
		}},
		{"a failed upload", func(t *testing.T, fsys afero.Fs, used func(int64)) {
			put(t, fsys, "/f", 1000)
			f := begin(t, fsys, "/g", vfs.ModeCreate, 500)
			used(2*entry + 1500)
			check(t, fsys.Rename("/f", "/g"))
			if err := f.Close(); err == nil {
				t.Error("an exclusive upload replaced a file")
			}
			used(entry + 1000)
			put(t, fsys, "/f", 1)
			check(t, fsys.Rename("/f", "/g"))
			used(entry + 1)
			check(t, fsys.Remove("/g"))
		}},
		{"held", func(t *testing.T, fsys afero.Fs, used func(int64)) {
			check(t, begin(t, fsys, "/f", vfs.ModeReplace, chunk+7).(vfs.Keeper).Keep())
			used(entry + chunk + 7)
			check(t, begin(t, fsys, "/f", vfs.ModeAppend, 3).(vfs.Keeper).Keep())
			used(entry + chunk + 10)
			put(t, fsys, "/f", 1)
			used(entry + 1)
			check(t, fsys.Remove("/f"))
		}},
		{"keeping what cannot be held any more", func(t *testing.T, fsys afero.Fs, used func(int64)) {
			f := begin(t, fsys, "/f", vfs.ModeReplace, 100)
			put(t, fsys, "/f", 1)
			if err := f.(vfs.Keeper).Keep(); !errors.Is(err, vfs.ErrTransient) {
				t.Errorf("Keep: %v", err)
			}
			used(entry + 1)
			check(t, fsys.Remove("/f"))
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := memory.New(memory.Options{})
			used := func(want int64) {
				t.Helper()
				if got := b.Used(); got != want {
					t.Errorf("%d bytes used, want %d", got, want)
				}
			}
			c.do(t, b.Open("alice", time.Hour), used)
			used(0)
		})
	}
}

// TestNeverBeyondLimit does whatever there is to do, at random and at the same
// time, while the limit is watched; in the end everything has been given back.
func TestNeverBeyondLimit(t *testing.T) {
	const limit = 2 << 20
	clock := &clock{at: time.Unix(0, 0)}
	b := memory.New(memory.Options{MaxSize: limit, Now: clock.now})
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			rnd := rand.New(rand.NewPCG(1, uint64(w)))
			fsys := b.Open(fmt.Sprint("owner", w%3), time.Minute)
			name := func() string { return fmt.Sprintf("/f%d", rnd.IntN(4)) }
			for range 400 {
				if used := b.Used(); used > limit || used < 0 {
					t.Errorf("%d bytes used where %d is the limit", used, limit)
					return
				}
				switch rnd.IntN(8) {
				case 0:
					_ = fsys.Rename(name(), name())
				case 1:
					_ = fsys.Remove(name())
				case 2:
					clock.advance(10 * time.Second)
				case 3:
					if r, err := fsys.Open(name()); err == nil {
						_, _ = io.Copy(io.Discard, r)
						_ = r.Close()
					}
				default:
					f, err := fsys.OpenFile(name(), []int{vfs.ModeReplace, vfs.ModeCreate, vfs.ModeAppend, vfs.ModeRestart}[rnd.IntN(4)], 0)
					if err != nil {
						continue
					}
					_, _ = f.Seek(rnd.Int64N(100), io.SeekStart) // right for one mode: others fail from here on
					for range rnd.IntN(4) {
						_, _ = f.Write(make([]byte, rnd.IntN(300_000)))
					}
					switch rnd.IntN(3) {
					case 0:
						_ = f.Close()
					case 1:
						_ = vfs.Abort(f)
					case 2:
						_ = f.(vfs.Keeper).Keep()
					}
				}
			}
		})
	}
	wg.Wait()
	fsys := b.Open("owner0", time.Minute)
	for i := range 4 {
		_ = fsys.Remove(fmt.Sprintf("/f%d", i))
	}
	clock.advance(time.Hour)
	check(t, begin(t, fsys, "/last", vfs.ModeReplace, 0).Close()) // sweeps
	check(t, fsys.Remove("/last"))
	if used := b.Used(); used != 0 {
		t.Errorf("%d bytes used by nothing", used)
	}
}

type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// TestExactLimit: the last byte fits, one more does not, and nothing of it is stored.
func TestExactLimit(t *testing.T) {
	b := memory.New(memory.Options{MaxSize: memory.EntryCost + 1000})
	fsys := b.Open("alice", 0)
	f := begin(t, fsys, "/f", vfs.ModeReplace, 1000)
	if n, err := f.Write([]byte{1}); n != 0 || !errors.Is(err, vfs.ErrQuota) {
		t.Errorf("Write beyond the limit: %d, %v", n, err)
	}
	if err := f.Close(); !errors.Is(err, vfs.ErrQuota) || b.Used() != 0 {
		t.Errorf("Close: %v, %d bytes used", err, b.Used())
	}
	put(t, fsys, "/f", 1000)
	if err := fsys.Mkdir("/d", vfs.NewDirMode); !errors.Is(err, vfs.ErrQuota) {
		t.Errorf("Mkdir at the limit: %v", err)
	}
	if err := fsys.Mkdir("/f", vfs.NewDirMode); errors.Is(err, vfs.ErrQuota) {
		t.Errorf("Mkdir of what exists, at the limit: %v", err)
	}
}

// TestEntryCost: a name costs no more memory than it counts, but for the name's own length.
func TestEntryCost(t *testing.T) {
	const n = 20_000
	for _, length := range []int{20, 255} {
		b := memory.New(memory.Options{})
		fsys := b.Open("alice", 0)
		before := heap()
		for i := range n {
			name := fmt.Sprintf("/%0*d", length, i)
			if i%2 == 0 {
				check(t, fsys.Mkdir(name, vfs.NewDirMode))
			} else {
				put(t, fsys, name, 1)
			}
		}
		each := (int64(heap()) - int64(before)) / n
		t.Logf("%d bytes for each name of %d bytes", each, length)
		if each > memory.EntryCost+int64(length) {
			t.Errorf("a name of %d bytes takes %d bytes and counts %d", length, each, memory.EntryCost)
		}
		runtime.KeepAlive(b)
	}
}

func heap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// TestSmallFilesAreSmall: a file takes about the memory it counts.
func TestSmallFilesAreSmall(t *testing.T) {
	for _, size := range []int{1, 1000, 5000, 70_000, chunk + 1} {
		b := memory.New(memory.Options{})
		fsys := b.Open("alice", 0)
		before := heap()
		n := 4 << 20 / size
		n = min(n, 2000)
		for i := range n {
			f, err := fsys.OpenFile(fmt.Sprint("/", i), vfs.ModeReplace, 0)
			check(t, err)
			for rest := size; rest > 0; {
				step := min(rest, 1460) // as it comes from a network
				_, err := f.Write(make([]byte, step))
				check(t, err)
				rest -= step
			}
			check(t, f.Close())
		}
		took := int64(heap()) - int64(before)
		if counted := b.Used(); took > counted*5/4 {
			t.Errorf("%d files of %d bytes take %d bytes and count %d", n, size, took, counted)
		}
		runtime.KeepAlive(b)
	}
}

// TestHeldExpiresUnseen: what nobody asks for again makes room all the same.
func TestHeldExpiresUnseen(t *testing.T) {
	clock := &clock{at: time.Unix(0, 0)}
	b := memory.New(memory.Options{Now: clock.now})
	fsys := b.Open("alice", time.Hour)
	for i := range 10 {
		check(t, begin(t, fsys, fmt.Sprint("/", i), vfs.ModeReplace, 100).(vfs.Keeper).Keep())
	}
	clock.advance(59 * time.Minute)
	check(t, vfs.Abort(begin(t, fsys, "/x", vfs.ModeReplace, 0)))
	if used := b.Used(); used != 10*(memory.EntryCost+100) {
		t.Errorf("%d bytes used before expiry", used)
	}
	clock.advance(2 * time.Minute)
	check(t, vfs.Abort(begin(t, fsys, "/x", vfs.ModeReplace, 0)))
	if used := b.Used(); used != 0 {
		t.Errorf("%d bytes used after expiry", used)
	}
}

// TestNoWindow: with a resume window of 0 nothing is held.
func TestNoWindow(t *testing.T) {
	b := memory.New(memory.Options{})
	fsys := b.Open("alice", 0)
	if vfs.PropertiesOf(fsys, "/").Resume {
		t.Error("it promises to resume")
	}
	if err := begin(t, fsys, "/f", vfs.ModeReplace, 100).(vfs.Keeper).Keep(); !errors.Is(err, vfs.ErrUnsupported) {
		t.Errorf("Keep: %v", err)
	}
	if b.Used() != 0 {
		t.Errorf("%d bytes used", b.Used())
	}
}

// TestChurn: names that come and go leave nothing behind, also while a listing is open.
func TestChurn(t *testing.T) {
	b := memory.New(memory.Options{})
	fsys := b.Open("alice", 0)
	put(t, fsys, "/first", 0)
	d, err := fsys.Open("/")
	check(t, err)
	before := heap()
	for i := range 50_000 {
		name := fmt.Sprintf("/%d%s", i, strings.Repeat("n", 200))
		put(t, fsys, name, 0)
		check(t, fsys.Remove(name))
	}
	if grown := int64(heap()) - int64(before); grown > 1<<20 {
		t.Errorf("an empty directory takes %d bytes", grown)
	}
	if got, err := d.Readdir(-1); len(got) != 1 || err != nil {
		t.Errorf("%d entries, %v", len(got), err)
	}
	runtime.KeepAlive(b)
}
