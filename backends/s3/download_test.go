package s3

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/spf13/afero"

	"github.com/ftpgate/ftpgate/backends/s3/internal/fake"
	"github.com/ftpgate/ftpgate/protocol/vfs"
)

func (r *rig) open(name string) afero.File {
	r.Helper()
	f, err := r.fs.openDownload(name)
	if err != nil {
		r.Fatalf("open %q: %v", name, err)
	}
	r.Cleanup(func() { _ = f.Close() })
	return f
}

// reads checks what the rest of f is.
func (r *rig) reads(f io.Reader, want []byte) {
	r.Helper()
	var got bytes.Buffer
	if _, err := io.CopyBuffer(struct{ io.Writer }{&got}, f, make([]byte, 256<<10)); err != nil {
		r.Errorf("read: %v", err)
	}
	if !bytes.Equal(got.Bytes(), want) {
		r.Errorf("read %d bytes that are not the %d expected", got.Len(), len(want))
	}
}

// A download is one GetObject and nothing else, of any size where the store is fast.
func TestDownload(t *testing.T) {
	eachStore(t, func(t *testing.T, st *store) {
		r := newRig(t, st)
		for _, size := range []int{0, 1, 10_000, 3_000_000} {
			st.put(t, "f", string(noise(size)))
			st.wire.Forget()
			f := r.open("/f")
			if info, err := f.Stat(); err != nil || info.Size() != int64(size) || !info.Mode().IsRegular() {
				t.Errorf("stat of the open file: %v, %v", info, err)
			}
			r.reads(f, noise(size))
			if err := f.Close(); err != nil {
				t.Errorf("close: %v", err)
			}
			r.asked("GetObject")
		}
		if _, err := r.fs.openDownload("/none"); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("a missing object: %v", err)
		}
	})
}

// REST after SIZE asks only for what is read.
func TestDownloadFrom(t *testing.T) {
	eachStore(t, func(t *testing.T, st *store) {
		r := newRig(t, st, func(o *Options) { o.MetadataCache = time.Minute })
		data := noise(100_000)
		st.put(t, "f", string(data))
		if _, err := r.fs.Stat("/f"); err != nil {
			t.Fatal(err)
		}
		for _, off := range []int64{0, 1, 99_999, 100_000} {
			st.wire.Forget()
			f := r.open("/f")
			if _, err := f.Seek(off, io.SeekStart); err != nil {
				t.Fatal(err)
			}
			r.asked()
			r.reads(f, data[off:])
			if off < 100_000 {
				if got := st.wire.Log()[0].Header.Get("Range"); off > 0 && got != fmt.Sprintf("bytes=%d-99999", off) {
					t.Errorf("asked for %q", got)
				}
				r.asked("GetObject")
			} else {
				r.asked()
			}
			f.Close()
		}
	})
}

// REST without SIZE costs nothing extra either: the one request asks for what will be read.
func TestDownloadFromUnseen(t *testing.T) {
	eachStore(t, func(t *testing.T, st *store) {
		r := newRig(t, st)
		data := noise(100_000)
		st.put(t, "f", string(data))
		st.put(t, "empty", "")
		from := func(name string, off int64) afero.File {
			t.Helper()
			st.wire.Forget()
			f, err := r.as(vfs.ReadingFrom(t.Context(), off)).Open(name)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = f.Close() })
			return f
		}
		for _, off := range []int64{0, 1, 99_999} {
			f := from("/f", off)
			if i, err := f.Stat(); err != nil || i.Size() != 100_000 {
				t.Errorf("from %d: %v, %v", off, i, err)
			}
			if _, err := f.Seek(off, io.SeekStart); err != nil {
				t.Fatal(err)
			}
			r.reads(f, data[off:])
			if got := st.wire.Log()[0].Header.Get("Range"); off > 0 && got != fmt.Sprintf("bytes=%d-", off) {
				t.Errorf("asked for %q", got)
			}
			r.asked("GetObject")
		}
		// At the end, and beyond it, there is nothing to read, but a size to tell.
		for name, size := range map[string]int64{"/f": 100_000, "/empty": 0} {
			for _, off := range []int64{max(size, 1), size + 5} {
				f := from(name, off)
				if i, err := f.Stat(); err != nil || i.Size() != size {
					t.Errorf("%s from %d: %v, %v", name, off, i, err)
				}
				if _, err := f.Seek(off, io.SeekStart); err != nil {
					t.Fatal(err)
				}
				r.reads(f, nil)
				r.asked("GetObject", "HeadObject")
			}
		}
		// It is a hint: whoever reads elsewhere reads what is there.
		f := from("/f", 50_000)
		r.reads(f, data)
		if _, err := f.Seek(99_990, io.SeekStart); err != nil {
			t.Fatal(err)
		}
		r.reads(f, data[99_990:])
		for name, want := range map[string]error{"/none": fs.ErrNotExist} {
			if _, err := r.as(vfs.ReadingFrom(t.Context(), 5)).Open(name); !errors.Is(err, want) {
				t.Errorf("%s: %v", name, err)
			}
		}
		st.wire.Inject(fake.Fault{Op: "GetObject", Effect: fake.Refuse(403, "AccessDenied")})
		if _, err := r.as(vfs.ReadingFrom(t.Context(), 5)).Open("/f"); !errors.Is(err, fs.ErrPermission) {
			t.Errorf("denied: %v", err)
		}
		st.wire.Heal()
	})
}

// A store that knows no ranges, or answers with another one, is noticed.
func TestOtherRange(t *testing.T) {
	r := newRig(t, newFake(t, fake.Options{}))
	data := noise(1000)
	r.put(t, "f", string(data))
	r.wire.Inject(fake.Fault{Op: "GetObject", Times: 1, Effect: fake.Strip("Range")})
	f, err := r.as(vfs.ReadingFrom(t.Context(), 400)).Open("/f")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.Seek(400, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	r.reads(f, data[400:])
	for _, header := range []string{"bytes 300-999/1000", "bytes 400-999/*", "bytes 400-998/1000", "bytes 400-999/1001", "x"} {
		r.wire.Inject(fake.Fault{Op: "GetObject", Times: 1, Effect: func(q *http.Request, next http.RoundTripper) (*http.Response, error) {
			resp, err := next.RoundTrip(q)
			if err == nil {
				resp.Header.Set("Content-Range", header)
			}
			return resp, err
		}})
		if _, err := r.as(vfs.ReadingFrom(t.Context(), 400)).Open("/f"); !errors.Is(err, vfs.ErrTransient) {
			t.Errorf("%s: %v", header, err)
		}
	}
}

// Where nothing was seen, the request that opens the file is not the one that is read.
func TestSeekElsewhere(t *testing.T) {
	r := newRig(t, newFake(t, fake.Options{}))
	data := noise(1_000_000)
	r.put(t, "f", string(data))
	f := r.open("/f")
	for _, off := range []int{500_000, 10, 999_999, 0} {
		if _, err := f.Seek(int64(off), io.SeekStart); err != nil {
			t.Fatal(err)
		}
		r.reads(f, data[off:])
	}
	for _, whence := range []int{io.SeekStart, 7} {
		if _, err := f.Seek(-1, whence); !errors.Is(err, fs.ErrInvalid) {
			t.Errorf("seek: %v", err)
		}
	}
}

// An object that has changed is an error where the old one was begun, and never a mixture.
func TestChangedObject(t *testing.T) {
	eachStore(t, func(t *testing.T, st *store) {
		data, other := noise(300_000), strings.Repeat("other", 60_000)
		for name, change := range map[string]func(r *rig){
			"replaced": func(r *rig) { r.put(t, "f", other) },
			"removed": func(r *rig) {
				if _, err := r.direct.DeleteObject(t.Context(), &sdk.DeleteObjectInput{Bucket: &r.bucket, Key: aws.String(r.prefix + "f")}); err != nil {
					t.Fatal(err)
				}
			},
		} {
			r := newRig(t, st.fresh(), func(o *Options) { o.MetadataCache = time.Minute })
			r.put(t, "f", string(data))

			// In mid-stream.
			cut := r.wire.Inject(fake.Fault{Op: "GetObject", Times: 1, Effect: fake.CutDownload(100_000)})
			f := r.open("/f")
			change(r)
			got, err := io.ReadAll(f)
			if !errors.Is(err, vfs.ErrTransient) || !bytes.Equal(got, data[:len(got)]) || cut() != 1 {
				t.Errorf("%s in mid-stream: %d bytes, %v", name, len(got), err)
			}
			f.Close()

			// Before the first byte, at an offset.
			r.put(t, "f", string(data))
			r.b.changed(r.prefix + "f")
			if _, err := r.fs.Stat("/f"); err != nil {
				t.Fatal(err)
			}
			f = r.open("/f")
			if _, err := f.Seek(1000, io.SeekStart); err != nil {
				t.Fatal(err)
			}
			change(r)
			if got, err := io.ReadAll(f); !errors.Is(err, vfs.ErrTransient) || len(got) > 0 {
				t.Errorf("%s before the first byte: %d bytes, %v", name, len(got), err)
			}
			f.Close()
			if name == "replaced" { // and the next attempt knows
				r.reads(r.open("/f"), []byte(other))
			}
		}
	})
}

// What was seen a moment ago and replaced since is read as it is.
func TestSeenThenReplaced(t *testing.T) {
	r := newRig(t, newFake(t, fake.Options{}), func(o *Options) { o.MetadataCache = time.Minute })
	for _, old := range []string{"old", ""} {
		r.put(t, "f", old)
		r.b.changed(r.prefix + "f")
		if _, err := r.fs.Stat("/f"); err != nil {
			t.Fatal(err)
		}
		f := r.open("/f")
		r.put(t, "f", "new and longer")
		r.reads(f, []byte("new and longer"))
	}
}

// A stream that breaks is taken up where it broke.
func TestBrokenStream(t *testing.T) {
	data := noise(2_000_000)
	for name, effect := range map[string]fake.Effect{
		"cut": fake.CutDownload(300_000), "short": fake.ShortDownload(300_000), "at once": fake.CutDownload(0),
	} {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, newBubble(t, fake.Options{}))
			r.put(t, "f", string(data))
			r.wire.Inject(fake.Fault{Op: "GetObject", Times: streamRetries, Effect: effect})
			r.reads(r.open("/f"), data)
			if n := r.wire.Count("GetObject"); n != streamRetries+1 {
				t.Errorf("%s: asked %d times", name, n)
			}
		})
	}
}

// But not for ever.
func TestStreamBreaksForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, newBubble(t, fake.Options{}))
		data := noise(2_000_000)
		r.put(t, "f", string(data))
		r.wire.Inject(fake.Fault{Op: "GetObject", Skip: 1, Effect: fake.CutDownload(0)})
		r.wire.Inject(fake.Fault{Op: "GetObject", Times: 1, Effect: fake.CutDownload(1000)})
		got, err := io.ReadAll(r.open("/f"))
		if !errors.Is(err, vfs.ErrTransient) || !bytes.Equal(got, data[:1000]) {
			t.Errorf("%d bytes, %v", len(got), err)
		}
		if n := r.wire.Count("GetObject"); n != streamRetries+1 {
			t.Errorf("asked %d times", n)
		}
	})
}

// A body that is not what was stored is an error, where there is a checksum.
func TestDamagedDownload(t *testing.T) {
	validating := func(o *Options) {
		o.Client = sdk.New(o.Client.Options(), func(o *sdk.Options) { o.ResponseChecksumValidation = aws.ResponseChecksumValidationWhenSupported })
	}
	r := newRig(t, newFake(t, fake.Options{}), validating)
	if err := r.upload("/f", vfs.ModeReplace, noise(100_000)); err != nil {
		t.Fatal(err)
	}
	r.reads(r.open("/f"), noise(100_000))
	r.wire.Inject(fake.Fault{Op: "GetObject", Effect: func(req *http.Request, next http.RoundTripper) (*http.Response, error) {
		resp, err := next.RoundTrip(req)
		if err == nil {
			resp.Body = &damaged{ReadCloser: resp.Body}
		}
		return resp, err
	}})
	if got, err := io.ReadAll(r.open("/f")); !errors.Is(err, vfs.ErrTransient) || len(got) != 100_000 {
		t.Errorf("a damaged body: %d bytes, %v", len(got), err)
	}
}

type damaged struct {
	io.ReadCloser
	done bool
}

func (d *damaged) Read(p []byte) (int, error) {
	n, err := d.ReadCloser.Read(p)
	if n > 0 && !d.done {
		p[0], d.done = p[0]+1, true
	}
	return n, err
}

// The end of the context ends a read at once, whatever the store does.
func TestCancelDownload(t *testing.T) {
	for name, effect := range map[string]fake.Effect{"stalled": fake.StallDownload(100_000, nil), "hung": fake.Hang()} {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, newBubble(t, fake.Options{}), func(o *Options) { o.MetadataCache = time.Hour })
			r.put(t, "f", string(noise(300_000)))
			if _, err := r.fs.Stat("/f"); err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancel(t.Context())
			r.fs = r.as(ctx)
			r.wire.Inject(fake.Fault{Op: "GetObject", Effect: effect})
			f := r.open("/f")
			done := make(chan error)
			go func() {
				_, err := io.ReadAll(f)
				done <- err
			}()
			synctest.Wait()
			if r.wire.Count("GetObject") != 1 {
				t.Errorf("asked %q", r.wire.Ops())
			}
			start := time.Now()
			cancel()
			if err := <-done; !errors.Is(err, context.Canceled) {
				t.Errorf("%s: %v", name, err)
			}
			if err := f.Close(); err != nil {
				t.Errorf("close: %v", err)
			}
			if took := time.Since(start); took != 0 {
				t.Errorf("%s: it took %v", name, took)
			}
		})
	}
}
