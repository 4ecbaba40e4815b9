package s3

import (
	"context"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ftpgate/ftpgate/backends/s3/internal/fake"
	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// A store that has got a whole part, or is told to copy one, stores it whatever its client
// does then. The abort waits for that, or comes again, and the end of the command within a second.
func TestAbortAfterLateParts(t *testing.T) {
	for op, flag := range map[string]int{"UploadPart": vfs.ModeReplace, "UploadPartCopy": vfs.ModeAppend} {
		for _, c := range []struct {
			works  time.Duration // the store, on a part that it has
			ends   time.Duration // the command
			aborts int
		}{
			{0, 0, 1},
			{200 * time.Millisecond, 200 * time.Millisecond, 1},
			{cutPatience + latePause/2, cutPatience + lateAborts*latePause, 1 + lateAborts},
			{cutPatience + 3*latePause/2, cutPatience + lateAborts*latePause, 1 + lateAborts},
		} {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, newBubble(t, fake.Options{LateParts: true}))
				old := noise(testPart)
				r.put(t, "f", string(old))
				r.wire.Inject(fake.Fault{Op: op, Effect: fake.Late(c.works)})
				ctx, cancel := context.WithCancel(t.Context())
				r.fs = r.as(ctx)
				f := r.create("/f", flag)
				if err := write(f, noise(2*testPart+1)); err != nil {
					t.Fatal(err)
				}
				synctest.Wait()
				start := time.Now()
				cancel()
				if err := vfs.Abort(f); err != nil {
					t.Errorf("abort: %v", err)
				}
				if took := time.Since(start); took != c.ends {
					t.Errorf("%s of %v: it took %v", op, c.works, took)
				}
				time.Sleep(c.works) // whatever the store is still at
				synctest.Wait()
				if n := r.wire.Count("AbortMultipartUpload"); n != c.aborts {
					t.Errorf("%s of %v: %d aborts", op, c.works, n)
				}
				r.stores("f", old)
				r.ended()
			})
		}
	}
}

// What the store has not wholly got when the upload is cut, it never gets.
func TestCutBody(t *testing.T) {
	c := &content{claim: (*Budget)(nil).Claim(nil), limit: testPart}
	if err := c.append(t.Context(), noise(1000)); err != nil {
		t.Fatal(err)
	}
	defer c.release()
	b := &partBody{body: &body{c: c}}
	p := make([]byte, 600)
	if n, err := b.Read(p); n != 600 || err != nil {
		t.Fatalf("read %d, %v", n, err)
	}
	if b.end() {
		t.Error("it was sent")
	}
	if n, err := b.Read(p); n != 0 || err != errCut {
		t.Errorf("read %d, %v", n, err)
	}

	b = &partBody{body: &body{c: c}}
	if n, err := io.Copy(io.Discard, struct{ io.Reader }{b}); n != 1000 || err != nil {
		t.Fatalf("read %d, %v", n, err)
	}
	if !b.end() {
		t.Error("it was not sent")
	}
	if n, err := b.Read(p); n != 0 || err != io.EOF {
		t.Errorf("read %d, %v", n, err)
	}
}
