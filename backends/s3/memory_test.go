package s3

import (
	"context"
	"errors"
	"io"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ftpgate/ftpgate/backends/s3/internal/fake"
	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// 64 uploads at once to a slow store: all end, within the budget, and many parts are on their way.
func TestManyUploadsWithinBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const uploads, size, total, rate = 64, 64 << 20, 64 << 20, 20 << 20
		r := newRig(t, newBubble(t, fake.Options{}), func(o *Options) {
			o.PartSize, o.Put.Checksum, o.Budget = DefaultPartSize, "", NewBudget(total)
		})
		sink(r.wire, rate)
		piece := noise(256 << 10)
		var mu sync.Mutex
		var peak int64
		var heap uint64
		base, began := heapInUse(), time.Now()
		var wg sync.WaitGroup
		for i := range uploads {
			wg.Go(func() {
				f, err := r.fs.openUpload("/f"+string(rune('A'+i)), vfs.ModeReplace)
				if err != nil {
					t.Errorf("open: %v", err)
					return
				}
				for n := 0; n < size; n += len(piece) {
					if _, err := f.Write(piece); err != nil {
						t.Errorf("write: %v", err)
						break
					}
					mu.Lock()
					peak = max(peak, r.budget.Used())
					if n%(32<<20) == 0 {
						heap = max(heap, heapInUse())
					}
					mu.Unlock()
				}
				if err := f.Close(); err != nil {
					t.Errorf("close: %v", err)
				}
			})
		}
		wg.Wait()
		// Six parts at a time, and what waiting costs.
		if took := time.Since(began); took > uploads*size/(6*rate)*time.Second*5/4 {
			t.Errorf("it took %v", took)
		}
		if peak > total || peak < total/2 {
			t.Errorf("the budget's peak is %d", peak)
		}
		if over := int64(heap) - int64(base); over > total+total/2 {
			t.Errorf("the heap grew by %d bytes", over)
		}
	})
}

// sink takes uploads at so many bytes a second for each connection, and keeps nothing.
func sink(w *fake.Wire, rate int64) {
	answers := map[string]string{
		"CreateMultipartUpload":   "<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>",
		"UploadPart":              "",
		"CompleteMultipartUpload": `<CompleteMultipartUploadResult><ETag>"e"</ETag></CompleteMultipartUploadResult>`,
	}
	for op, text := range answers {
		w.Inject(fake.Fault{Op: op, Effect: func(r *http.Request, _ http.RoundTripper) (*http.Response, error) {
			if r.Body != nil {
				defer r.Body.Close()
				if _, err := io.Copy(io.Discard, &slow{r.Body, rate}); err != nil {
					return nil, err
				}
			}
			return &http.Response{
				StatusCode: http.StatusOK, Header: http.Header{"Etag": {`"e"`}}, Request: r,
				Body: io.NopCloser(strings.NewReader(text)), ContentLength: int64(len(text)),
			}, nil
		}})
	}
}

func heapInUse() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapInuse
}

// 64 uploads stop in mid-part, at 4 MiB each, in a budget of 64 MiB: then all go on.
func TestStoppedUploadsGoOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, newBubble(t, fake.Options{}), func(o *Options) {
			o.PartSize, o.Put.Checksum = DefaultPartSize, ""
		})
		sink(r.wire, 20<<20)
		piece := noise(256 << 10)
		goOn := make(chan struct{})
		var wg sync.WaitGroup
		for i := range 64 {
			wg.Go(func() {
				f, err := r.fs.openUpload("/f"+string(rune('A'+i)), vfs.ModeReplace)
				if err != nil {
					t.Errorf("open: %v", err)
					return
				}
				for n := 0; n < 20<<20; n += len(piece) {
					if n == 4<<20 {
						<-goOn
					}
					if _, err := f.Write(piece); err != nil {
						t.Errorf("write: %v", err)
						break
					}
				}
				if err := f.Close(); err != nil {
					t.Errorf("close: %v", err)
				}
			})
		}
		synctest.Wait()
		if n := r.budget.Used(); n < 48<<20 {
			t.Errorf("only %d bytes are in use", n)
		}
		close(goOn)
		wg.Wait()
	})
}

// An upload that waits for memory ends with its context.
func TestCancelWaitForMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, newBubble(t, fake.Options{}), func(o *Options) { o.Budget = NewBudget(1 << 20) })
		holder := holding(t, r.budget, 1<<20)
		ctx, cancel := context.WithCancel(t.Context())
		f, err := r.as(ctx).openUpload("/f", vfs.ModeReplace)
		if err != nil {
			t.Fatal(err)
		}
		done := make(chan error)
		go func() {
			_, err := f.Write([]byte("x"))
			done <- err
		}()
		synctest.Wait()
		start := time.Now()
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("Write: %v", err)
		}
		if err := f.Close(); !errors.Is(err, context.Canceled) {
			t.Errorf("Close: %v", err)
		}
		if took := time.Since(start); took > 0 {
			t.Errorf("it took %v", took)
		}
		holder.Close()
	})
}
