package s3

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/spf13/afero"

	"github.com/ftpgate/ftpgate/backends/s3/internal/fake"
	"github.com/ftpgate/ftpgate/protocol/vfs"
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

// TestLateListing: what a listing shows that was asked for before a write does not replace what was seen
// after it.
func TestLateListing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := cache{Cache: &Cache{wanted: true}, store: "s", lifetime: time.Minute}
		listed := time.Now()
		time.Sleep(time.Millisecond)
		c.forget("k")
		time.Sleep(time.Millisecond)
		c.put(object{key: "k", etag: "new", asked: time.Now()})
		c.put(object{key: "k", etag: "old", asked: listed})
		if o, ok := c.get("k"); !ok || o.etag != "new" {
			t.Errorf("the cache holds %q, %v", o.etag, ok)
		}
	})
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
		c := cacheFor(5 * time.Second)
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
		c := cacheFor(time.Minute)
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

// TestCopyAndChange: what a copy has made is known for as long as what was seen when it was asked for, and
// not at all if the object was changed, or seen, while it was made: nobody knows what came last.
func TestCopyAndChange(t *testing.T) {
	const lifetime = time.Minute
	for what, c := range map[string]struct {
		meanwhile func(st *store, f afero.Fs) // after the copy, before its answer
		answers   time.Duration               // after that
		heads     int                         // of the two Stats
		size      int64                       // that they see; 0: nothing
	}{
		"nothing":               {func(*store, afero.Fs) {}, time.Second, 0, 1},
		"a deletion of ours":    {func(_ *store, f afero.Fs) { _ = f.RemoveAll("/g") }, time.Second, 2, 0},
		"a look of ours":        {func(_ *store, f afero.Fs) { _, _ = f.Stat("/g") }, time.Second, 1, 1},
		"a change of another":   {func(st *store, _ afero.Fs) { st.fake.Put(st.bucket, st.prefix+"g", []byte("12")) }, lifetime, 1, 2},
		"a deletion of another": {func(st *store, _ afero.Fs) { st.fake.Delete(st.bucket, st.prefix+"g") }, lifetime, 2, 0},
	} {
		synctest.Test(t, func(t *testing.T) {
			st := newBubble(t, fake.Options{})
			st.put(t, "f", "1")
			fsys := st.backend(t, func(o *Options) { o.MetadataCache = lifetime }).Open("", 0)
			st.wire.Inject(fake.Fault{Op: "CopyObject", Effect: func(r *http.Request, next http.RoundTripper) (*http.Response, error) {
				time.Sleep(time.Second)
				resp, err := next.RoundTrip(r)
				c.meanwhile(st, fsys)
				time.Sleep(c.answers)
				return resp, err
			}})
			if err := fsys.Rename("/f", "/g"); err != nil {
				t.Errorf("%s: %v", what, err)
			}
			time.Sleep(time.Nanosecond)
			st.wire.Forget()
			for range 2 {
				i, err := fsys.Stat("/g")
				if c.size == 0 && !errors.Is(err, fs.ErrNotExist) || c.size > 0 && (err != nil || i.Size() != c.size) {
					t.Errorf("%s: %v, %v", what, i, err)
				}
			}
			if n := st.wire.Count("HeadObject"); n != c.heads {
				t.Errorf("%s: %d HEADs", what, n)
			}
		})
	}
}

// TestKnownVersion: a listing does not make the time of a version unknown.
func TestKnownVersion(t *testing.T) {
	c := cacheFor(time.Minute)
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

// cacheFor is a Cache of its own.
func cacheFor(lifetime time.Duration) cache {
	return newCache(Options{Client: new(sdk.Client), Bucket: "b", MetadataCache: lifetime})
}

// TestCacheIsBounded: over all users, in bytes that are there in truth, and what was told is told again when there is room.
func TestCacheIsBounded(t *testing.T) {
	const users, files = 20, 8192
	client := new(sdk.Client)
	base := heapInUse()
	shared := new(Cache)
	var last cache
	var key string
	for u := range users {
		last = newCache(Options{Client: client, Bucket: "b", MetadataCache: time.Minute, Cache: shared})
		for i := range files {
			key = fmt.Sprintf("ftp/user%04d/incoming/2026/11/22/scanner-document-%08d.pdf", u, i)
			o := object{key: key, etag: fmt.Sprintf("\"%032x\"", i), size: 1, storageClass: strings.Clone("STANDARD")}
			if i%4 == 0 {
				o.metadata, o.whole = map[string]string{"mtime": fmt.Sprint(i)}, true
			}
			last.put(o)
			if i%3 == 0 {
				last.forget(key)
			}
		}
	}
	if _, ok := last.get(key); !ok {
		t.Error("a new one is gone")
	}
	if n := len(shared.order) - shared.head; n != len(shared.entries) || len(shared.order) > 3*n {
		t.Errorf("%d entries, and %d in the order from %d", len(shared.entries), len(shared.order), shared.head)
	}
	var sum int64
	for key, e := range shared.entries {
		sum += e.memory(key.key)
	}
	if sum != shared.memory || sum > cacheMemory || sum < cacheMemory/2 {
		t.Errorf("it says %d bytes and means %d", shared.memory, sum)
	}
	grown := int64(heapInUse()) - int64(base)
	if grown > cacheMemory*3/2 {
		t.Errorf("%d bytes of memory for %d bytes of cache", grown, sum)
	}
	runtime.KeepAlive(shared)
}

// TestDroppedChange: an answer from before a change is not believed either when there was no room to remember the change.
func TestDroppedChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := cacheFor(time.Minute)
		asked := time.Now()
		time.Sleep(time.Second)
		c.forget("k")
		for i := range cacheMemory / entryMemory {
			c.put(object{key: fmt.Sprint(i), asked: time.Now().Add(time.Second)})
		}
		c.put(object{key: "k", asked: asked})
		if _, ok := c.get("k"); ok {
			t.Error("an answer from before the change is there")
		}
		time.Sleep(2 * time.Second) // beyond all that had no room
		c.put(object{key: "k", asked: time.Now()})
		if _, ok := c.get("k"); !ok {
			t.Error("an answer from after the change is not there")
		}
	})
}

// TestCacheOfTwoBackends: what is written through one backend is seen through another of the
// same bucket, also where the writer remembers nothing or asks with other keys.
func TestCacheOfTwoBackends(t *testing.T) {
	for what, other := range map[string]func(*Options){
		"a backend of its subdirectory": func(o *Options) { o.MetadataCache = time.Minute },
		"without a cache":               func(o *Options) { o.MetadataCache = 0 },
		"with other keys":               func(o *Options) { o.Client = sdk.New(o.Client.Options()) },
	} {
		st, shared := newFake(t, fake.Options{}), new(Cache)
		st.put(t, "alice/f", "1")
		all := st.backend(t, func(o *Options) { o.Cache, o.MetadataCache = shared, time.Minute }).Open("", 0)
		alice := st.backend(t, other, func(o *Options) { o.Cache, o.Prefix = shared, o.Prefix+"alice/" }).Open("", 0)
		size := func(want int64) {
			t.Helper()
			if i, err := all.Stat("/alice/f"); err != nil || i.Size() != want {
				t.Errorf("%s: %v, %v", what, i, err)
			}
		}
		size(1)
		if err := storing("/f", vfs.ModeReplace, 0, "twelve bytes")(alice); err != nil {
			t.Fatal(err)
		}
		size(12)
		if err := alice.Remove("/f"); err != nil {
			t.Fatal(err)
		}
		if _, err := all.Stat("/alice/f"); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: after Remove: %v", what, err)
		}
	}
}

// TestCacheAndOtherKeys: what one pair of keys may see is not told to those who ask with another, or
// with other headers, nor in another bucket.
func TestCacheAndOtherKeys(t *testing.T) {
	shared, client := new(Cache), new(sdk.Client)
	view := func(c *sdk.Client, bucket string, put PutOptions) cache {
		return newCache(Options{Client: c, Bucket: bucket, MetadataCache: time.Minute, Cache: shared, Put: put})
	}
	encrypted := func(b byte) PutOptions {
		return PutOptions{Encryption: Encryption{CustomerKey: bytes.Repeat([]byte{b}, customerKeySize)}}
	}
	for what, c := range map[string]struct {
		writer, reader cache
		want           bool
	}{
		"the same":              {view(client, "b", PutOptions{}), view(client, "b", PutOptions{}), true},
		"the same customer key": {view(client, "b", encrypted(1)), view(client, "b", encrypted(1)), true},
		"other options":         {view(client, "b", PutOptions{ACL: "private"}), view(client, "b", PutOptions{}), true},
		"other keys":            {view(client, "b", PutOptions{}), view(new(sdk.Client), "b", PutOptions{}), false},
		"another bucket":        {view(client, "b", PutOptions{}), view(client, "c", PutOptions{}), false},
		"no customer key":       {view(client, "b", encrypted(1)), view(client, "b", PutOptions{}), false},
		"another customer key":  {view(client, "b", encrypted(1)), view(client, "b", encrypted(2)), false},
		"who does not pay":      {view(client, "b", PutOptions{RequesterPays: true}), view(client, "b", PutOptions{}), false},
	} {
		mine := object{key: what, etag: "1", metadata: map[string]string{"a": "b"}, whole: true}
		c.writer.put(mine)
		if _, ok := c.reader.get(what); ok != c.want {
			t.Errorf("%s: it is told %t", what, ok)
		}
		if o := c.reader.put(object{key: what, etag: "1"}); o.whole != c.want {
			t.Errorf("%s: it learns %+v", what, o)
		}
	}
}
