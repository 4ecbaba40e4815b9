package e2e

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

const (
	memoryUploads = 64
	memorySize    = 64 << 20 // of each
	memoryBudget  = 64 << 20 // transfer_memory, which is left at its default
	memoryParts   = 4        // that are under way when nothing more fits: beginnings may hold a quarter
)

// slowStore is an S3 store that forgets what it is given. It reads nothing of any part until the
// gateway can take no more, and then two at a time.
type slowStore struct {
	waiting  atomic.Int32
	full     chan struct{} // closed when memoryParts parts wait
	once     sync.Once
	turns    chan struct{}
	received atomic.Int64
	complete atomic.Int32
}

func (s *slowStore) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	switch {
	case r.Method == http.MethodPost && q.Has("uploads"):
		fmt.Fprint(w, "<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>")
	case r.Method == http.MethodPut:
		if q.Has("partNumber") {
			if s.waiting.Add(1) == memoryParts {
				s.once.Do(func() { close(s.full) })
			}
			<-s.full
			s.turns <- struct{}{}
			defer func() { <-s.turns }()
			s.waiting.Add(-1)
		}
		n, _ := io.CopyBuffer(io.Discard, struct{ io.Reader }{r.Body}, make([]byte, 32<<10))
		s.received.Add(n)
		w.Header().Set("ETag", `"e"`)
	case r.Method == http.MethodPost:
		_, _ = io.Copy(io.Discard, r.Body)
		s.complete.Add(1)
		fmt.Fprint(w, `<CompleteMultipartUploadResult><ETag>"e"</ETag></CompleteMultipartUploadResult>`)
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}

// TestS3Memory: however many uploads there are and however slow the store is, the gateway takes
// no more memory than it had with the same sessions, and the budget of all transfers.
func TestS3Memory(t *testing.T) {
	if testing.Short() || raceEnabled {
		t.Skip("takes some ten seconds, and the race detector has memory of its own")
	}
	s := &slowStore{full: make(chan struct{}), turns: make(chan struct{}, 2)}
	h := httptest.NewServer(s)
	t.Cleanup(h.Close)
	g := start(t, fmt.Sprintf(`
listener "main" { address = "127.0.0.1:0" }
limits { max_connections_per_ip = 100 }
log { format = "json" }
backend "s3" "slow" {
  endpoint          = %q
  region            = "us-east-1"
  bucket            = "bucket"
  path_style        = true
  access_key_id     = "access"
  secret_access_key = "secret"
}
user "s3" {
  password_hash = %q
  filesystem    = backend.s3.slow
}
`, h.URL, passwordHash))
	clients := make([]*client, memoryUploads)
	for i := range clients {
		clients[i] = login(t, g.address["main"], "s3")
	}
	clients[0].store(content(1000), "STOR warm") // what is done once is done
	base := g.memory(t, "VmHWM")
	block := content(1 << 20)
	begin := time.Now()
	err := each(memoryUploads, memoryUploads, func(i int) error {
		c := clients[i]
		data := c.passive()
		c.do(150, "STOR file%d", i)
		for n := 0; n < memorySize; n += len(block) {
			if _, err := data.Write(block); err != nil {
				return err
			}
		}
		data.Close()
		c.control.SetReadDeadline(time.Now().Add(4 * patience)) // the others may be first
		if code, text, err := c.replies.ReadResponse(0); code != 226 || err != nil {
			return fmt.Errorf("upload %d: %d %s, %w", i, code, text, err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if n := s.complete.Load(); n != memoryUploads || s.received.Load() < memoryUploads*memorySize {
		t.Errorf("%d uploads have arrived, with %d bytes", n, s.received.Load())
	}
	peak := g.memory(t, "VmHWM")
	t.Logf("%d uploads of %d MiB in %v: %d MiB at first, %d MiB at most", memoryUploads, memorySize>>20, time.Since(begin).Round(time.Second), base>>20, peak>>20)
	if peak > base+memoryBudget {
		t.Errorf("the gateway took %d MiB, %d MiB more than at first; the budget is %d MiB", peak>>20, (peak-base)>>20, memoryBudget>>20)
	}
	if peak < base+memoryBudget/2 {
		t.Errorf("the gateway took only %d MiB more: the store was not slow", (peak-base)>>20)
	}
}
