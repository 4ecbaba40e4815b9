package s3

import (
	"errors"
	"io/fs"
	"slices"
	"testing"

	"github.com/ftpgate/ftpgate/backends/s3/internal/fake"
	"github.com/ftpgate/ftpgate/protocol/vfs"
)

func TestStatCost(t *testing.T) {
	st := newFake(t, fake.Options{})
	st.put(t, "a.txt", "")
	st.put(t, "d/f", "")
	fsys := st.backend(t).Open("", 0)
	dirs := vfs.Directories(fsys)
	for _, c := range []struct {
		what string
		err  error
		want error
		ops  []string
		do   func() error
	}{
		{"a file", nil, nil, []string{"HeadObject"}, func() error { return second(fsys.Stat("/a.txt")) }},
		{"a directory", nil, nil, []string{"HeadObject", "ListObjectsV2"}, func() error { return second(fsys.Stat("/d")) }},
		{"nothing", nil, fs.ErrNotExist, []string{"HeadObject", "ListObjectsV2"}, func() error { return second(fsys.Stat("/a")) }},
		{"the root", nil, nil, nil, func() error { return second(fsys.Stat("/")) }},
		{"CWD", nil, nil, []string{"ListObjectsV2"}, func() error { return second(dirs.Stat("/d")) }},
		{"CWD to a beginning of a name", nil, fs.ErrNotExist, []string{"ListObjectsV2"}, func() error { return second(dirs.Stat("/a")) }},
		{"CWD to a file", nil, fs.ErrNotExist, []string{"ListObjectsV2"}, func() error { return second(dirs.Stat("/a.txt")) }},
	} {
		st.wire.Forget()
		if err := c.do(); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.what, err, c.want)
		}
		if ops := st.wire.Ops(); !slices.Equal(ops, c.ops) {
			t.Errorf("%s took %q", c.what, ops)
		}
	}
}

// TestBothReachable: an object and a directory of one name.
func TestBothReachable(t *testing.T) {
	st := newFake(t, fake.Options{})
	st.put(t, "x", "object")
	st.put(t, "x/f", "below")
	fsys := st.backend(t, cached5s).Open("", 0)
	dirs := vfs.Directories(fsys)
	if i, err := fsys.Stat("/x"); err != nil || i.IsDir() || i.Size() != 6 {
		t.Errorf("Stat: %v, %v", i, err)
	}
	if i, err := dirs.Stat("/x"); err != nil || !i.IsDir() {
		t.Errorf("Stat among directories: %v, %v", i, err)
	}
	if got := shows(t, dirs, "/x"); !slices.Equal(got, []string{"f"}) {
		t.Errorf("the directory lists %q", got)
	}
	if err := dirs.Remove("/x"); !errors.Is(err, vfs.ErrNotEmpty) {
		t.Errorf("RMD: %v", err)
	}
	if err := fsys.Remove("/x"); err != nil {
		t.Errorf("DELE: %v", err)
	}
	if err := fsys.Remove("/x/f"); err != nil {
		t.Errorf("DELE: %v", err)
	}
	if err := dirs.Remove("/x"); err != nil {
		t.Errorf("RMD: %v", err)
	}
	if keys := st.keys(t); len(keys) != 0 {
		t.Errorf("%q are left", keys)
	}
}

func TestMkdir(t *testing.T) {
	eachStore(t, func(t *testing.T, st *store) {
		fsys := st.backend(t).Open("", 0)
		st.put(t, "prefix/f", "")
		for name, want := range map[string]error{"/d": nil, "/deep/er": nil, "/prefix": fs.ErrExist, "/": fs.ErrExist} {
			if err := fsys.Mkdir(name, 0); !errors.Is(err, want) {
				t.Errorf("mkdir %q: %v", name, err)
			}
			if err := fsys.MkdirAll(name, 0); err != nil {
				t.Errorf("mkdir -p %q: %v", name, err)
			}
		}
		if err := fsys.Mkdir("/d", 0); !errors.Is(err, fs.ErrExist) {
			t.Errorf("mkdir twice: %v", err)
		}
		for _, key := range []string{"d/", "deep/er/"} {
			if !slices.Contains(st.keys(t), key) {
				t.Errorf("there is no marker %q among %q", key, st.keys(t))
			}
		}
	})
}

// TestMkdirAtOnce: of two clients that make one directory, one is told that it is there.
func TestMkdirAtOnce(t *testing.T) {
	st := newFake(t, fake.Options{})
	fsys := st.backend(t).Open("", 0)
	st.wire.Inject(fake.Fault{Op: "PutObject", Effect: fake.Before(func() { st.put(t, "d/", "") })})
	if err := fsys.Mkdir("/d", 0); !errors.Is(err, fs.ErrExist) {
		t.Errorf("mkdir: %v", err)
	}
}

// TestMkdirWithoutConditions: a store that refuses If-None-Match can still make directories.
func TestMkdirWithoutConditions(t *testing.T) {
	st := newFake(t, fake.Options{})
	fsys := st.backend(t).Open("", 0)
	st.wire.Inject(fake.Fault{Op: "PutObject", When: conditional, Effect: fake.Refuse(501, "NotImplemented")})
	if err := fsys.Mkdir("/d", 0); err != nil {
		t.Errorf("mkdir: %v", err)
	}
}

func conditional(c fake.Call) bool {
	return c.Header.Get("If-None-Match") != "" || c.Header.Get("If-Match") != ""
}

// TestDirectoryStays: removing the last file leaves the directory, which can be removed.
func TestDirectoryStays(t *testing.T) {
	eachStore(t, func(t *testing.T, st *store) {
		fsys := st.backend(t, cached5s).Open("", 0)
		st.put(t, "d/sub/f", "")
		st.put(t, "d/sub/g", "")
		for _, name := range []string{"/d/sub/f", "/d/sub/g"} {
			if err := fsys.Remove(name); err != nil {
				t.Fatal(err)
			}
			if i, err := fsys.Stat("/d/sub"); err != nil || !i.IsDir() {
				t.Errorf("the directory after the removal of %q: %v", name, err)
			}
		}
		if err := fsys.Remove("/d/sub"); err != nil {
			t.Errorf("rmdir: %v", err)
		}
		if _, err := fsys.Stat("/d/sub"); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("it is there: %v", err)
		}
		if got := shows(t, fsys, "/"); !slices.Equal(got, []string{"d/"}) {
			t.Errorf("the root lists %q", got)
		}
	})
}

func TestRemoveCost(t *testing.T) {
	st := newFake(t, fake.Options{})
	fsys := st.backend(t, cached5s).Open("", 0)
	st.put(t, "d/f", "")
	st.put(t, "d/g", "")
	if _, err := fsys.Stat("/d/f"); err != nil { // as DELE does
		t.Fatal(err)
	}
	st.wire.Forget()
	if err := fsys.Remove("/d/f"); err != nil {
		t.Fatal(err)
	}
	if ops := st.wire.Ops(); !slices.Equal(ops, []string{"DeleteObject", "ListObjectsV2"}) {
		t.Errorf("it took %q", ops)
	}
}

func TestRemoveAll(t *testing.T) {
	eachStore(t, func(t *testing.T, st *store) {
		fsys := st.backend(t).Open("", 0)
		for _, key := range []string{"d/a/f", "d/a/g/h", "d/ab", "other"} {
			st.put(t, key, "")
		}
		if err := fsys.RemoveAll("/d/a"); err != nil {
			t.Error(err)
		}
		if err := fsys.RemoveAll("/none"); err != nil {
			t.Errorf("of nothing: %v", err)
		}
		for _, key := range st.keys(t) {
			if key != "d/ab" && key != "other" && key != "d/" {
				t.Errorf("%q is left", key)
			}
		}
		if err := fsys.RemoveAll("/"); err == nil {
			t.Error("the root can be removed")
		}
	})
}
