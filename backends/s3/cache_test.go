package s3

import (
	"errors"
	"fmt"
	"io/fs"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ftpgate/ftpgate/backends/s3/internal/fake"
)

func cached5s(o *Options) { o.MetadataCache = 5 * time.Second }

// TestStatAfterListing: nothing is asked again for what a listing has shown, and
// what is written through this gateway is seen at once.
func TestStatAfterListing(t *testing.T) {
	st := newFake(t, fake.Options{})
	st.put(t, "f", "12345")
	st.put(t, "g", "1")
	fsys := st.backend(t, cached5s).Open("", 0)
	shows(t, fsys, "/")
	st.wire.Forget()
	for range 3 {
		if i, err := fsys.Stat("/f"); err != nil || i.Size() != 5 {
			t.Errorf("Stat: %v, %v", i, err)
		}
	}
	if ops := st.wire.Ops(); len(ops) != 0 {
		t.Errorf("it took %q", ops)
	}
	if err := fsys.Remove("/f"); err != nil {
		t.Fatal(err)
	}
	if _, err := fsys.Stat("/f"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Stat after Remove: %v", err)
	}
	if err := fsys.Rename("/g", "/f"); err != nil {
		t.Fatal(err)
	}
	if i, err := fsys.Stat("/f"); err != nil || i.Size() != 1 {
		t.Errorf("Stat after Rename: %v, %v", i, err)
	}
	if _, err := fsys.Stat("/g"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Stat of the old name: %v", err)
	}
}

func TestNoCache(t *testing.T) {
	st := newFake(t, fake.Options{})
	st.put(t, "f", "")
	fsys := st.backend(t).Open("", 0)
	shows(t, fsys, "/")
	for range 2 {
		if _, err := fsys.Stat("/f"); err != nil {
			t.Fatal(err)
		}
	}
	if n := st.wire.Count("HeadObject"); n != 2 {
		t.Errorf("%d HEADs", n)
	}
}

func TestCacheLifetime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := cache{lifetime: 5 * time.Second}
		c.put(object{key: "k", size: 1})
		time.Sleep(5*time.Second - 1)
		if o, ok := c.get("k"); !ok || o.size != 1 {
			t.Errorf("just before the end: %+v, %t", o, ok)
		}
		time.Sleep(time.Nanosecond)
		if _, ok := c.get("k"); ok {
			t.Error("it is there for too long")
		}
	})
}

// TestStaleAnswer: what was asked before a change and answered after it is not believed.
func TestStaleAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := cache{lifetime: time.Minute}
		asked := time.Now()
		time.Sleep(time.Second)
		c.forget("k")
		c.put(object{key: "k", asked: asked})
		if _, ok := c.get("k"); ok {
			t.Error("an answer from before the change is there")
		}
		time.Sleep(time.Nanosecond)
		c.put(object{key: "k", asked: time.Now()})
		if _, ok := c.get("k"); !ok {
			t.Error("an answer from after the change is not there")
		}
	})
}

// TestKnownVersion: a listing does not make the time of a version unknown.
func TestKnownVersion(t *testing.T) {
	c := cache{lifetime: time.Minute}
	mtime, modified := time.Unix(1, 0), time.Unix(2, 0)
	c.put(object{key: "k", etag: "1", modified: modified, mtime: mtime, whole: true})
	if o := c.put(object{key: "k", etag: "1", modified: modified}); !o.mtime.Equal(mtime) || !o.whole {
		t.Errorf("the same version: %+v", o)
	}
	if o := c.put(object{key: "k", etag: "2", modified: modified}); !o.mtime.IsZero() || o.whole {
		t.Errorf("another version: %+v", o)
	}
	c.put(object{key: "k", etag: "1", modified: modified, mtime: mtime, whole: true})
	if o := c.put(object{key: "k", etag: "1", modified: modified.Add(time.Second)}); !o.mtime.IsZero() {
		t.Errorf("a version with the same content: %+v", o)
	}
}

func TestCacheIsBounded(t *testing.T) {
	c := cache{lifetime: time.Minute}
	for i := range 2*cacheSize + 10 {
		c.put(object{key: fmt.Sprint(i)})
		if i%3 == 0 {
			c.forget(fmt.Sprint(i))
		}
	}
	if len(c.entries) != cacheSize || len(c.order) != cacheSize {
		t.Errorf("%d entries, %d in the ring", len(c.entries), len(c.order))
	}
	if _, ok := c.get(fmt.Sprint(2*cacheSize + 9)); !ok {
		t.Error("a new one is gone")
	}
}
