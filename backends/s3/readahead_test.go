package s3

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ftpgate/ftpgate/backends/s3/internal/fake"
	"github.com/ftpgate/ftpgate/protocol/vfs"
)

const slowRate = 10 << 20 // of one connection, in bytes a second

// slowly reads f at so many bytes a second (0: at once), and returns how long it took.
func slowly(f io.Reader, rate int64) ([]byte, time.Duration, error) {
	start := time.Now()
	var all bytes.Buffer
	b := make([]byte, 256<<10)
	for {
		n, err := f.Read(b)
		all.Write(b[:n])
		if rate > 0 {
			time.Sleep(time.Duration(n) * time.Second / time.Duration(rate))
		}
		if err != nil {
			if errors.Is(err, io.EOF) {
				err = nil
			}
			return all.Bytes(), time.Since(start), err
		}
	}
}

// Ranges are read at the same time where one connection is slower than the client, and
// only there.
func TestReadAhead(t *testing.T) {
	const size = 64 << 20
	data := noise(size)
	for _, c := range []struct {
		name     string
		store    int64 // bytes a second of one connection
		client   int64
		budget   int64
		parallel bool
		atMost   time.Duration
	}{
		{"slow store", slowRate, 0, 64 << 20, true, size / slowRate * time.Second / 3},
		{"slow store, no memory", slowRate, 0, 1 << 20, false, size/slowRate*time.Second + 2*time.Second},
		{"slow client", slowRate, slowRate / 2, 64 << 20, false, 3*size/slowRate*time.Second + 2*time.Second},
		{"fast store", 1 << 30, 0, 64 << 20, false, time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, newBubble(t, fake.Options{}), func(o *Options) { o.Budget = NewBudget(c.budget) })
				r.fake.Put(r.bucket, r.prefix+"f", data)
				r.wire.Inject(fake.Fault{Op: "GetObject", Effect: throttle(c.store)})
				f := r.open("/f")
				got, took, err := slowly(f, c.client)
				if err != nil || !bytes.Equal(got, data) {
					t.Errorf("%d bytes, %v", len(got), err)
				}
				if err := f.Close(); err != nil {
					t.Error(err)
				}
				if took > c.atMost {
					t.Errorf("it took %v", took)
				}
				if n := r.wire.Count("GetObject"); (n > 1) != c.parallel {
					t.Errorf("%d requests", n)
				}
			})
		})
	}
}

// What is read ahead stays within the configured size, and goes when the file is closed.
func TestReadAheadIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, newBubble(t, fake.Options{}), func(o *Options) { o.ReadAhead = 8 << 20 })
		r.fake.PutZeros(r.bucket, r.prefix+"f", 1<<30)
		r.wire.Inject(fake.Fault{Op: "GetObject", Effect: throttle(slowRate)})
		f := r.open("/f")
		if _, err := io.CopyN(io.Discard, f, 20<<20); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute) // the client does nothing
		synctest.Wait()
		if n := r.budget.Used(); n > 8<<20 || n < 4<<20 {
			t.Errorf("%d bytes are read ahead", n)
		}
		if n := r.wire.Count("GetObject"); n > 20 {
			t.Errorf("%d requests", n)
		}
		if err := f.Close(); err != nil {
			t.Error(err)
		}
		if n := r.budget.Used(); n != 0 {
			t.Errorf("%d bytes are still in use", n)
		}
	})
}

// Ranges that break are taken up; an object that changes is an error there, too.
func TestReadAheadFaults(t *testing.T) {
	data := noise(64 << 20)
	for _, changes := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, newBubble(t, fake.Options{}))
			r.fake.Put(r.bucket, r.prefix+"f", data)
			r.wire.Inject(fake.Fault{Op: "GetObject", Skip: 3, Times: 2, Effect: fake.CutDownload(1_000_000)})
			r.wire.Inject(fake.Fault{Op: "GetObject", Effect: throttle(slowRate)})
			f := r.open("/f")
			head := make([]byte, 16<<20)
			if _, err := io.ReadFull(f, head); err != nil {
				t.Fatal(err)
			}
			if changes {
				r.fake.Put(r.bucket, r.prefix+"f", noise(64<<20 + 1)[1:])
			}
			rest, err := io.ReadAll(f)
			got := append(head, rest...)
			if !bytes.Equal(got, data[:len(got)]) {
				t.Error("the bytes are mixed")
			}
			switch {
			case changes && !errors.Is(err, vfs.ErrTransient):
				t.Errorf("a changed object: %v", err)
			case !changes && (err != nil || len(got) != len(data)):
				t.Errorf("%d bytes, %v", len(got), err)
			}
			if err := f.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}
