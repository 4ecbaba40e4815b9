package s3

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/spf13/afero"

	"github.com/ftpgate/ftpgate/backends/s3/internal/fake"
	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// restart opens a ModeRestart upload at off.
func (r *rig) restart(name string, off int64) afero.File {
	r.Helper()
	f := r.create(name, vfs.ModeRestart)
	if _, err := f.Seek(off, io.SeekStart); err != nil {
		r.Fatalf("seek to %d: %v", off, err)
	}
	return f
}

// An object is continued, whatever the length of what stays and of what comes.
func TestContinue(t *testing.T) {
	eachStore(t, func(t *testing.T, st *store) {
		r := newRig(t, st, func(o *Options) { o.CopyPart = 6 << 20 })
		old := noise(3*testPart + 11)
		for _, c := range []struct {
			keep, more int
			copies     int // by the store
		}{
			{0, 10, 0},
			{1, 0, 0},
			{testPart - 1, 1, 0},
			{testPart - 1, 2, 0},
			{testPart - 1, 2 * testPart, 0},
			{testPart, 1, 1},
			{testPart, 0, 1},
			{2*testPart + 1, 3, 2},
			{3*testPart - 1, testPart + 1, 2},
			{len(old), 100, 3},
			{len(old), 2*testPart + 1, 3},
		} {
			r.put(t, "f", string(old))
			more := noise(c.more + 1)[1:]
			f := r.restart("/f", int64(c.keep))
			if c.keep == len(old) {
				_ = vfs.Abort(f)
				f = r.create("/f", vfs.ModeAppend)
			}
			r.wire.Forget()
			if err := write(f, more); err != nil {
				t.Fatal(err)
			}
			if err := f.Close(); err != nil {
				t.Errorf("%d bytes and %d more: %v", c.keep, c.more, err)
			}
			r.stores("f", slices.Concat(old[:c.keep], more))
			if n := r.wire.Count("UploadPartCopy"); n != c.copies {
				t.Errorf("%d bytes and %d more: %d copies, want %d", c.keep, c.more, n, c.copies)
			}
			if n := r.wire.Count("GetObject"); (n == 1) != (c.keep > 0 && c.keep < testPart) || n > 1 {
				t.Errorf("%d bytes and %d more: asked %q", c.keep, c.more, r.wire.Ops())
			}
			r.ended()
		}
	})
}

// Opening and seeking do nothing but look.
func TestContinueBeginsLate(t *testing.T) {
	r := newRig(t, newFake(t, fake.Options{}))
	r.put(t, "f", string(noise(2*testPart)))
	for _, open := range []func() afero.File{
		func() afero.File { return r.create("/f", vfs.ModeAppend) },
		func() afero.File { return r.restart("/f", testPart) },
	} {
		f := open()
		r.asked("HeadObject")
		if err := vfs.Abort(f); err != nil {
			t.Error(err)
		}
		r.asked()
	}
}

// An object of any size: the store's limits are 5 GiB for one copy and 10,000 parts.
func TestContinueHuge(t *testing.T) {
	const size = 3 << 40
	r := newRig(t, newFake(t, fake.Options{Discard: true}), func(o *Options) { o.Put.Checksum = "" })
	r.fake.PutZeros(r.bucket, r.prefix+"f", size)
	f := r.create("/f", vfs.ModeAppend)
	if err := write(f, noise(testPart+1)); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if o, _ := r.fake.Object(r.bucket, r.prefix+"f"); o.Size != size+testPart+1 {
		t.Errorf("the object has %d bytes", o.Size)
	}
	if n := r.wire.Count("UploadPartCopy"); n > maxCopies {
		t.Errorf("%d copies", n)
	}
}

// A change by somebody else in between ends in vfs.ErrTransient with nothing published,
// also in a store that does not know conditions, and whenever the change is seen.
func TestContinueChanged(t *testing.T) {
	for _, o := range []fake.Options{{}, {NoConditions: true}} {
		for _, keep := range []int{100, testPart + 1} {
			for _, when := range []string{"before the first byte", "before the end", "while it is published"} {
				for _, removed := range []bool{false, true} {
					name := fmt.Sprintf("%+v, %d bytes, %s, removed %v", o.NoConditions, keep, when, removed)
					r := newRig(t, newFake(t, o))
					r.put(t, "f", strings.Repeat("o", 2*testPart))
					change := func() {
						if removed {
							r.fake.Delete(r.bucket, r.prefix+"f")
						} else {
							r.fake.Put(r.bucket, r.prefix+"f", []byte("theirs"))
						}
					}
					f := r.restart("/f", int64(keep))
					if when == "before the first byte" {
						change()
					}
					_ = write(f, noise(10))
					switch when {
					case "before the end":
						change()
					case "while it is published":
						if o.NoConditions {
							_ = vfs.Abort(f)
							continue // nobody can know
						}
						publishing := func(c fake.Call) bool { return c.Op == "PutObject" || c.Op == "CompleteMultipartUpload" }
						r.wire.Inject(fake.Fault{When: publishing, Effect: fake.Before(change)})
					}
					if err := f.Close(); !errors.Is(err, vfs.ErrTransient) {
						t.Errorf("%s: %v", name, err)
					}
					r.wire.Heal()
					if removed {
						r.empty()
					} else {
						r.stores("f", []byte("theirs"))
						r.ended()
					}
				}
			}
		}
	}
}

// A store that refuses conditions is used without them.
func TestNoConditions(t *testing.T) {
	conditional := func(c fake.Call) bool {
		return c.Op != "GetObject" && (c.Header.Get("If-Match") != "" || c.Header.Get("If-None-Match") != "")
	}
	for _, size := range []int{100, testPart + 1} {
		r := newRig(t, newFake(t, fake.Options{}))
		r.wire.Inject(fake.Fault{When: conditional, Effect: fake.Refuse(501, "NotImplemented")})
		if err := r.upload("/f", vfs.ModeCreate, noise(size)); err != nil {
			t.Errorf("%d bytes, exclusively: %v", size, err)
		}
		r.stores("f", noise(size))
		if err := r.upload("/f", vfs.ModeCreate, noise(10)); !errors.Is(err, fs.ErrExist) {
			t.Errorf("onto what exists: %v", err)
		}
		if err := r.upload("/f", vfs.ModeAppend, []byte("more")); err != nil {
			t.Errorf("append to %d bytes: %v", size, err)
		}
		r.stores("f", append(noise(size), "more"...))
	}
}

// Stores that want equal parts cannot append.
func TestUniformAppendsNothing(t *testing.T) {
	r := newRig(t, newFake(t, fake.Options{Uniform: true}), func(o *Options) { o.Uniform = true })
	if err := r.upload("/f", vfs.ModeAppend, noise(3*testPart+5)); err != nil {
		t.Errorf("append to nothing: %v", err)
	}
	for _, flag := range []int{vfs.ModeAppend, vfs.ModeRestart} {
		if _, err := r.fs.openUpload("/f", flag); !errors.Is(err, vfs.ErrUnsupported) {
			t.Errorf("append: %v", err)
		}
	}
}

// What others said about the object stays, its time does not.
func TestContinueKeepsMetadata(t *testing.T) {
	r := newRig(t, newFake(t, fake.Options{}), func(o *Options) { o.Put.Metadata = map[string]string{"by": "ftpgate"} })
	first := r.create("/f", vfs.ModeReplace).(*upload)
	first.from.base = nil
	r.b.o.Put.Metadata = map[string]string{"color": "red", mtimeKey: "12", "by": "them"}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	r.b.o.Put.Metadata = map[string]string{"by": "ftpgate"}
	if err := r.upload("/f", vfs.ModeAppend, []byte("more")); err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(r.head(t, "f").Metadata); got != "map[by:ftpgate color:red]" {
		t.Errorf("the metadata is %v", got)
	}
}

// An append that is cut leaves the old object, whatever was on its way.
func TestAbortContinued(t *testing.T) {
	eachStore(t, func(t *testing.T, st *store) {
		for _, keep := range []int{100, 2 * testPart} {
			for _, n := range []int{0, 1, 2 * testPart} {
				r := newRig(t, st.fresh())
				r.put(t, "f", string(noise(keep)))
				f := r.create("/f", vfs.ModeAppend)
				if err := write(f, noise(n)); err != nil {
					t.Fatal(err)
				}
				if err := vfs.Abort(f); err != nil {
					t.Errorf("abort: %v", err)
				}
				r.stores("f", noise(keep))
				r.ended()
			}
		}
	})
}

// TestContinuedKeepsAttributes: what is appended to stays what it was.
func TestContinuedKeepsAttributes(t *testing.T) {
	eachStore(t, func(t *testing.T, st *store) {
		for name, size := range map[string]int{"put": 10, "parts": 2 * testPart} {
			expires := time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)
			in := &sdk.PutObjectInput{
				Bucket: &st.bucket, Key: aws.String(st.prefix + name), Body: strings.NewReader(string(noise(100))),
				ContentType: aws.String("text/x-test"), CacheControl: aws.String("no-cache"), ContentDisposition: aws.String("inline"),
				ContentLanguage: aws.String("eo"), ContentEncoding: aws.String("x-none"), Expires: &expires,
				Metadata: map[string]string{"color": "red"}, Tagging: aws.String("a=b&c=d+e"),
			}
			if st.fake != nil {
				in.StorageClass = types.StorageClassStandardIa
			}
			if _, err := st.direct.PutObject(t.Context(), in); err != nil {
				t.Fatal(err)
			}
			r := newRig(t, st, func(o *Options) { o.Put.ContentTypes, o.Put.Tags = true, map[string]string{"new": "file"} })
			if err := r.upload("/"+name, vfs.ModeAppend, noise(size)); err != nil {
				t.Fatal(err)
			}
			h := st.head(t, name)
			if got := aws.ToInt64(h.ContentLength); got != int64(100+size) {
				t.Errorf("%s: %d bytes", name, got)
			}
			for _, c := range []struct{ what, got, want string }{
				{"content type", aws.ToString(h.ContentType), "text/x-test"},
				{"cache control", aws.ToString(h.CacheControl), "no-cache"},
				{"disposition", aws.ToString(h.ContentDisposition), "inline"},
				{"language", aws.ToString(h.ContentLanguage), "eo"},
				{"encoding", aws.ToString(h.ContentEncoding), "x-none"},
				{"expires", aws.ToString(h.ExpiresString), expires.Format(http.TimeFormat)},
				{"metadata", h.Metadata["color"], "red"},
				{"tags", fmt.Sprint(st.tags(t, name)), "[a=b c=d e]"},
				{"storage class", string(h.StorageClass), string(in.StorageClass)},
			} {
				if c.got != c.want && (c.what != "storage class" || st.fake != nil) {
					t.Errorf("%s: %s: %q, want %q", name, c.what, c.got, c.want)
				}
			}
		}
	})
}
