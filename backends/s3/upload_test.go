package s3

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/spf13/afero"

	"github.com/ftpgate/ftpgate/backends/s3/internal/fake"
	"github.com/ftpgate/ftpgate/protocol/ftptest"
	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// rig is a store, a backend of it with a budget, and the tree as a command sees it.
type rig struct {
	*testing.T
	*store
	budget *Budget
	b      *Backend
	fs     *fsys
}

const testPart = minPartSize

func newRig(t *testing.T, st *store, change ...func(*Options)) *rig {
	t.Helper()
	r := &rig{T: t, store: st}
	r.b = st.backend(t, append([]func(*Options){func(o *Options) {
		o.Budget, o.PartSize, o.Put.Checksum = NewBudget(64<<20), testPart, "CRC32"
	}}, change...)...)
	r.budget = r.b.o.Budget
	r.fs = r.as(t.Context())
	t.Cleanup(func() {
		if n := r.budget.Used(); n != 0 {
			t.Errorf("%d bytes of the budget are still in use", n)
		}
		if n := st.wire.Running(); n != 0 {
			t.Errorf("%d requests are still on their way", n)
		}
	})
	return r
}

func (r *rig) as(ctx context.Context) *fsys { return &fsys{Backend: r.b, ctx: ctx} }

// retrying makes requests of the backend be tried three times, at once.
func retrying(o *Options) {
	o.Client = sdk.New(o.Client.Options(), func(o *sdk.Options) {
		o.Retryer = retry.NewStandard(func(s *retry.StandardOptions) {
			s.Backoff = retry.BackoffDelayerFunc(func(int, error) (time.Duration, error) { return 0, nil })
		})
	})
}

func (r *rig) create(name string, flag int) afero.File {
	r.Helper()
	f, err := r.fs.openUpload(name, flag)
	if err != nil {
		r.Fatalf("open %q: %v", name, err)
	}
	return f
}

// write writes in pieces of the size that transfers have.
func write(f afero.File, data []byte) error {
	for p := range slices.Chunk(data, 256<<10) {
		if _, err := f.Write(p); err != nil {
			return err
		}
	}
	return nil
}

func (r *rig) upload(name string, flag int, data []byte) error {
	r.Helper()
	f := r.create(name, flag)
	_ = write(f, data) // Close says so, too
	return f.Close()
}

// stores checks the object under a key.
func (r *rig) stores(key string, want []byte) {
	r.Helper()
	got, ok := r.get(r, key)
	switch {
	case !ok:
		r.Errorf("%q is not there", key)
	case sha256.Sum256([]byte(got)) != sha256.Sum256(want):
		r.Errorf("%q has %d bytes that are not the %d expected", key, len(got), len(want))
	}
}

// empty checks that nothing is stored below the prefix, and no multipart upload goes on.
func (r *rig) empty() {
	r.Helper()
	if keys := r.keys(r); len(keys) != 0 {
		r.Errorf("there is %q", keys)
	}
	r.ended()
}

func (r *rig) ended() {
	r.Helper()
	if keys := r.uploads(r); len(keys) != 0 {
		r.Errorf("multipart uploads go on: %q", keys)
	}
}

// asked checks the requests since the last Forget.
func (r *rig) asked(want ...string) {
	r.Helper()
	if got := r.wire.Ops(); !slices.Equal(got, want) {
		r.Errorf("asked %q, want %q", got, want)
	}
	r.wire.Forget()
}

// noise returns n bytes that have no pattern, the same for the same n.
func noise(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte(fmt.Appendf(nil, "%032d", n))).Read(b) // it never fails
	return b
}

// A small file is one PutObject and nothing else, but for a look if it may replace nothing
// and the store may not heed conditions.
func TestSmallUpload(t *testing.T) {
	eachStore(t, func(t *testing.T, st *store) {
		r := newRig(t, st)
		for _, size := range []int{0, 1, 10_000, smallChunk, smallChunk + 1, largeChunk + smallChunk, 1_000_003, testPart} {
			for _, flag := range []int{vfs.ModeReplace, vfs.ModeCreate} {
				data := noise(size)
				if flag == vfs.ModeCreate {
					if _, err := st.direct.DeleteObject(t.Context(), &sdk.DeleteObjectInput{Bucket: &st.bucket, Key: aws.String(st.prefix + "d/f")}); err != nil {
						t.Fatal(err)
					}
				}
				if err := r.upload("/d/f", flag, data); err != nil {
					t.Fatalf("%d bytes: %v", size, err)
				}
				if flag == vfs.ModeCreate {
					r.asked("HeadObject", "PutObject")
				} else {
					r.asked("PutObject")
				}
				r.stores("d/f", data)
			}
		}
		r.b.heedsConditions = true
		if err := r.upload("/new", vfs.ModeCreate, noise(100)); err != nil {
			t.Fatal(err)
		}
		r.asked("PutObject")
	})
}

// A small file takes one small chunk of the budget, not a part.
func TestSmallUploadTakesLittle(t *testing.T) {
	r := newRig(t, newFake(t, fake.Options{}))
	f := r.create("/f", vfs.ModeReplace)
	if err := write(f, noise(10_000)); err != nil {
		t.Fatal(err)
	}
	if n := r.budget.Used(); n != smallChunk {
		t.Errorf("10,000 bytes take %d", n)
	}
	if err := write(f, noise(smallUpload-10_000)); err != nil {
		t.Fatal(err)
	}
	if n := r.budget.Used(); n != smallUpload {
		t.Errorf("%d bytes take %d", smallUpload, n)
	}
	if err := write(f, noise(1)); err != nil {
		t.Fatal(err)
	}
	if n := r.budget.Used(); n != testPart {
		t.Errorf("one more takes %d", n)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

// What is sent needs no second reading: one checksum in a header, no aws-chunked.
func TestUploadHeaders(t *testing.T) {
	for _, algorithm := range []string{"CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256", ""} {
		t.Run(algorithm, func(t *testing.T) {
			r := newRig(t, newFake(t, fake.Options{}), func(o *Options) {
				o.Put.Checksum = algorithm
				o.Client = sdk.New(o.Client.Options(), func(o *sdk.Options) { // which computes one by itself
					o.RequestChecksumCalculation = aws.RequestChecksumCalculationWhenSupported
				})
			})
			for _, size := range []int{100, 2*testPart + 100} {
				if err := r.upload("/f", vfs.ModeReplace, noise(size)); err != nil {
					t.Fatal(err)
				}
				sent := 0
				for _, rec := range r.wire.Log() {
					if rec.Op != "PutObject" && rec.Op != "UploadPart" {
						continue
					}
					sent++
					if got := rec.Header.Get("X-Amz-Checksum-" + algorithm); algorithm != "" && got == "" {
						t.Errorf("%s has no checksum", rec.Op)
					}
					if algorithm == "" && rec.Header.Get("X-Amz-Checksum-Crc32") != "" {
						t.Errorf("%s has a checksum", rec.Op)
					}
					if got := rec.Header.Get("Content-Encoding"); got != "" {
						t.Errorf("%s is %s", rec.Op, got)
					}
				}
				if sent == 0 {
					t.Error("nothing was sent")
				}
				r.wire.Forget()
				r.stores("f", noise(size))
			}
		})
	}
}

// ModeCreate replaces nothing, however it is published.
func TestExclusiveUpload(t *testing.T) {
	eachStore(t, func(t *testing.T, st *store) {
		r := newRig(t, st)
		for _, size := range []int{100, testPart + 1} {
			f := r.create("/f", vfs.ModeCreate)
			if err := write(f, noise(size)); err != nil {
				t.Fatal(err)
			}
			st.put(t, "f", "theirs")
			if err := f.Close(); !errors.Is(err, fs.ErrExist) {
				t.Errorf("%d bytes onto another's: %v", size, err)
			}
			r.stores("f", []byte("theirs"))
			r.ended()
		}
	})
}

// many sizes around the parts; whole as multipart uploads with parts of one size.
func TestMultipart(t *testing.T) {
	eachStore(t, func(t *testing.T, st *store) {
		for _, uniform := range []bool{false, true} {
			r := newRig(t, st.fresh(), func(o *Options) { o.Uniform = uniform })
			for _, size := range []int{testPart + 1, 2 * testPart, 2*testPart + 1, 7*testPart + 12345} {
				if err := r.upload("/f", vfs.ModeReplace, noise(size)); err != nil {
					t.Fatalf("%d bytes: %v", size, err)
				}
				parts := (size + testPart - 1) / testPart
				if n := r.wire.Count("UploadPart"); n != parts {
					t.Errorf("%d bytes in %d parts, want %d", size, n, parts)
				}
				if n := r.wire.Count("CreateMultipartUpload", "CompleteMultipartUpload"); n != 2 || len(r.wire.Ops()) != parts+2 {
					t.Errorf("asked %q", r.wire.Ops())
				}
				r.wire.Forget()
				r.stores("f", noise(size))
				r.ended()
			}
		}
	})
}

// Several parts are on their way at once, as many as configured.
func TestPartsInFlight(t *testing.T) {
	r := newRig(t, newFake(t, fake.Options{}), func(o *Options) { o.Concurrency = 3 })
	release := make(chan struct{})
	r.wire.Inject(fake.Fault{Op: "UploadPart", Effect: fake.Hold(release)})
	f := r.create("/f", vfs.ModeReplace)
	written := make(chan error)
	go func() { written <- write(f, noise(5*testPart)) }()
	ftptest.Eventually(t, "a request", func() bool { return r.wire.Count("UploadPart") == 3 })
	select {
	case err := <-written:
		t.Errorf("writing did not wait: %v", err)
	default:
	}
	if n := r.budget.Used(); n < 3*testPart || n > 5*testPart {
		t.Errorf("%d bytes are in use", n)
	}
	close(release)
	if err := <-written; err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	r.stores("f", noise(5*testPart))
}

// cuts are where uploads end in these tests.
var cuts = []int{0, 1, testPart - 1, testPart, testPart + 1, 3*testPart + 7}

// An upload that is cut leaves the old object, and no multipart upload.
func TestAbort(t *testing.T) {
	eachStore(t, func(t *testing.T, st *store) {
		for _, n := range cuts {
			for name, end := range map[string]func(r *rig, f afero.File, cancel func()) error{
				"abort": func(_ *rig, f afero.File, _ func()) error { return vfs.Abort(f) },
				"cancel": func(_ *rig, f afero.File, cancel func()) error {
					cancel()
					return vfs.Abort(f)
				},
				"cancel and close": func(r *rig, f afero.File, cancel func()) error {
					cancel()
					_, err := f.Write([]byte("x"))
					if !errors.Is(err, context.Canceled) {
						r.Errorf("Write after the end of the context: %v", err)
					}
					if again := f.Close(); !errors.Is(again, context.Canceled) {
						r.Errorf("Close after the end of the context: %v", again)
					}
					return nil
				},
			} {
				r := newRig(t, st.fresh())
				for _, old := range []string{"", "old"} {
					if old != "" {
						st := r.store
						st.put(t, "f", old)
					}
					ctx, cancel := context.WithCancel(t.Context())
					r.fs = r.as(ctx)
					f := r.create("/f", vfs.ModeReplace)
					if err := write(f, noise(n)); err != nil {
						t.Fatal(err)
					}
					if err := end(r, f, cancel); err != nil {
						t.Errorf("%s after %d bytes: %v", name, n, err)
					}
					cancel()
					if old == "" {
						r.empty()
					} else {
						r.stores("f", []byte(old))
						r.ended()
					}
				}
			}
		}
	})
}

// Whatever a request is doing, the end of the context ends it at once, and nothing is
// left: the bubble would wait for it.
func TestAbortEndsRequests(t *testing.T) {
	for op, patience := range map[string]time.Duration{"CreateMultipartUpload": cutPatience, "UploadPart": 0} {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, newBubble(t, fake.Options{}))
			r.wire.Inject(fake.Fault{Op: op, Effect: fake.Hang()})
			ctx, cancel := context.WithCancel(t.Context())
			r.fs = r.as(ctx)
			f := r.create("/f", vfs.ModeReplace)
			if err := write(f, noise(2*testPart+1)); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			if r.wire.Count(op) == 0 {
				t.Fatalf("asked %q", r.wire.Ops())
			}
			start := time.Now()
			cancel()
			if err := vfs.Abort(f); err != nil {
				t.Errorf("abort: %v", err)
			}
			if took := time.Since(start); took != patience {
				t.Errorf("%s: it took %v", op, took)
			}
			r.wire.Heal()
			r.empty()
		})
	}
}

// Nothing but its own timeout ends the request that publishes.
func TestPublishing(t *testing.T) {
	for size, op := range map[int]string{1000: "PutObject", testPart + 1: "CompleteMultipartUpload"} {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, newBubble(t, fake.Options{}))
			closing := func(f afero.File) <-chan error {
				done := make(chan error)
				go func() { done <- f.Close() }()
				synctest.Wait()
				return done
			}
			release := make(chan struct{})
			r.wire.Inject(fake.Fault{Op: op, Effect: fake.Hold(release)})
			ctx, cancel := context.WithCancel(t.Context())
			r.fs = r.as(ctx)
			f := r.create("/f", vfs.ModeReplace)
			if err := write(f, noise(size)); err != nil {
				t.Fatal(err)
			}
			done := closing(f)
			cancel()
			synctest.Wait()
			close(release)
			if err := <-done; err != nil {
				t.Errorf("Close, cancelled: %v", err)
			}
			r.stores("f", noise(size))
			r.wire.Heal()

			r.fs = r.as(t.Context())
			r.wire.Inject(fake.Fault{Op: op, Effect: fake.Hang()})
			f = r.create("/g", vfs.ModeReplace)
			if err := write(f, noise(size)); err != nil {
				t.Fatal(err)
			}
			start := time.Now()
			if err := <-closing(f); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("Close, for ever: %v", err)
			}
			if took := time.Since(start); took != vfs.PublishTimeout {
				t.Errorf("it took %v", took)
			}
			r.wire.Heal()
			if _, ok := r.get(t, "g"); ok {
				t.Error("it is there")
			}
			r.ended()
		})
	}
}

// A slow line is no dead one: the timeout counts from the last byte.
func TestSlowPublishing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, newBubble(t, fake.Options{}))
		r.wire.Inject(fake.Fault{Op: "PutObject", Effect: throttle(10_000)})
		start := time.Now()
		if err := r.upload("/f", vfs.ModeReplace, noise(1_000_000)); err != nil {
			t.Error(err)
		}
		if took := time.Since(start); took < 3*vfs.PublishTimeout {
			t.Errorf("it took %v", took)
		}
		r.stores("f", noise(1_000_000))
	})
}

// Whoever aborts while CreateMultipartUpload is asked gets its answer, to abort that, too.
func TestAbortDuringCreate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, newBubble(t, fake.Options{}))
		r.wire.Inject(fake.Fault{Op: "CreateMultipartUpload", Effect: fake.Latency(cutPatience / 2)})
		f := r.create("/f", vfs.ModeReplace)
		if err := write(f, noise(testPart+1)); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if err := vfs.Abort(f); err != nil {
			t.Errorf("abort: %v", err)
		}
		if r.wire.Count("AbortMultipartUpload") != 1 {
			t.Errorf("asked %q", r.wire.Ops())
		}
		r.empty()
	})
}

// A part that fails ends the upload with its reason.
func TestPartFails(t *testing.T) {
	r := newRig(t, newFake(t, fake.Options{}))
	r.wire.Inject(fake.Fault{Op: "UploadPart", Skip: 1, Times: 1, Effect: fake.Refuse(403, "AccessDenied")})
	f := r.create("/f", vfs.ModeReplace)
	err := write(f, noise(2*testPart+1))
	for err == nil { // until it is noticed
		_, err = f.Write(noise(testPart))
	}
	if !errors.Is(err, fs.ErrPermission) {
		t.Errorf("Write: %v", err)
	}
	if err := f.Close(); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("Close: %v", err)
	}
	r.empty()
}

// A store that asks to slow down gets the same parts again.
func TestUploadRetries(t *testing.T) {
	r := newRig(t, newFake(t, fake.Options{}), retrying)
	for _, op := range []string{"PutObject", "CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload"} {
		for what, effect := range map[string]fake.Effect{
			"busy": fake.Refuse(503, "SlowDown"), "reset": fake.Reset(), "cut": fake.CutUpload(100_000), "failed": fake.Refuse(500, "InternalError"),
		} {
			if what == "cut" && op != "PutObject" && op != "UploadPart" {
				continue // nothing to cut
			}
			size := 3*testPart + 1
			if op == "PutObject" {
				size = 300_000
			}
			hits := r.wire.Inject(fake.Fault{Op: op, Times: 2, Effect: effect})
			if err := r.upload("/f", vfs.ModeReplace, noise(size)); err != nil {
				t.Errorf("%s is %s: %v", op, what, err)
			} else {
				r.stores("f", noise(size))
			}
			if hits() != 2 {
				t.Errorf("%s was %s %d times", op, what, hits())
			}
			r.wire.Heal()
		}
	}
	r.ended()
}

// An answer that is lost is settled by one HEAD.
func TestLostAnswer(t *testing.T) {
	eachStore(t, func(t *testing.T, st *store) {
		for _, size := range []int{0, 1000, 2*testPart + 1} {
			op := "PutObject"
			if size > testPart {
				op = "CompleteMultipartUpload"
			}
			for _, flag := range []int{vfs.ModeReplace, vfs.ModeCreate} {
				for name, change := range map[string]func(*Options){
					"once": func(*Options) {}, "retried": retrying, "no checksum": func(o *Options) { o.Put.Checksum = "" },
				} {
					r := newRig(t, st.fresh(), change)
					r.wire.Inject(fake.Fault{Op: op, Times: 1, Effect: fake.LoseAnswer()})
					if err := r.upload("/f", flag, noise(size)); err != nil {
						t.Errorf("%s, %s of %d bytes: %v", name, op, size, err)
					}
					looks := 1
					if flag == vfs.ModeCreate {
						looks = 2 // one before
					}
					if n := r.wire.Count("HeadObject"); n > looks {
						t.Errorf("asked %q", r.wire.Ops())
					}
					r.stores("f", noise(size))
					r.ended()
					r.wire.Heal()
					r.wire.Forget()
				}
			}
		}
	})
}

// A request that was lost before it did anything is not taken for done.
func TestLostRequest(t *testing.T) {
	for _, size := range []int{1000, 2*testPart + 1} {
		r := newRig(t, newFake(t, fake.Options{}))
		r.wire.Inject(fake.Fault{Op: "PutObject", Effect: fake.Reset()})
		r.wire.Inject(fake.Fault{Op: "CompleteMultipartUpload", Effect: fake.Reset()})
		r.fake.Put(r.bucket, r.prefix+"f", bytes.Repeat([]byte("o"), size)) // of the same size
		if err := r.upload("/f", vfs.ModeReplace, noise(size)); !errors.Is(err, vfs.ErrTransient) {
			t.Errorf("%d bytes: %v", size, err)
		}
		r.wire.Heal()
		r.stores("f", bytes.Repeat([]byte("o"), size))
		r.ended()
	}
}

// Two exclusive uploads of the same bytes are still two: only one can have the name.
func TestExclusiveSameContent(t *testing.T) {
	r := newRig(t, newFake(t, fake.Options{}))
	first, second := r.create("/f", vfs.ModeCreate), r.create("/f", vfs.ModeCreate)
	for _, f := range []afero.File{first, second} {
		if err := write(f, noise(1000)); err != nil {
			t.Fatal(err)
		}
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	if err := second.Close(); !errors.Is(err, fs.ErrExist) {
		t.Errorf("the second: %v", err)
	}
}

// An error that Complete and Copy may hide in a success is one.
func TestErrorInSuccess(t *testing.T) {
	r := newRig(t, newFake(t, fake.Options{}))
	r.wire.Inject(fake.Fault{Op: "CompleteMultipartUpload", Effect: fake.Refuse(200, "InternalError")})
	if err := r.upload("/f", vfs.ModeReplace, noise(testPart+1)); !errors.Is(err, vfs.ErrTransient) {
		t.Errorf("%v", err)
	}
	r.wire.Heal()
	r.empty()
}
