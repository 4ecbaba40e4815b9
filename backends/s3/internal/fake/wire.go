package fake

import (
	"io"
	"net/http"
	"slices"
	"sync"
)

// Wire is the way of requests from a client to a server. It notes every one,
// and treats those that a Fault is for as the fault says.
type Wire struct {
	next http.RoundTripper

	mu     sync.Mutex
	faults []*armed
	log    []*Record
}

// Record is one request, as the client sent it: an attempt, so a retry is another one.
type Record struct {
	Call
	Method  string
	Status  int    // of the answer the client got; 0 for none
	Sent    int64  // bytes of the request's body that were read from the client, encoding included
	Err     error  // of the round trip
	Ended   bool   // the answer's header came, or Err
	Content string // how the payload was hashed: X-Amz-Content-Sha256
}

// NewWire returns a wire to what next reaches.
func NewWire(next http.RoundTripper) *Wire { return &Wire{next: next} }

// Fault is what goes wrong, for which requests.
type Fault struct {
	Op     string          // of the API, "" for every one
	When   func(Call) bool // nil: always
	Skip   int             // this many such requests pass before the fault begins
	Times  int             // and it ends after this many; 0: never
	Effect Effect          // required
}

// Effect handles one request instead of next, which it may call.
type Effect func(r *http.Request, next http.RoundTripper) (*http.Response, error)

type armed struct {
	Fault
	seen int
	hits int
}

// Inject adds a fault behind those that are there: the first one that a request matches
// handles it. The returned function tells how many requests it has handled.
func (w *Wire) Inject(f Fault) (hits func() int) {
	a := &armed{Fault: f}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.faults = append(w.faults, a)
	return func() int {
		w.mu.Lock()
		defer w.mu.Unlock()
		return a.hits
	}
}

// Heal ends every fault.
func (w *Wire) Heal() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.faults = nil
}

// RoundTrip implements http.RoundTripper.
func (w *Wire) RoundTrip(r *http.Request) (*http.Response, error) {
	rec := &Record{Call: CallOf(r), Method: r.Method, Content: r.Header.Get("X-Amz-Content-Sha256")}
	rec.Header = r.Header.Clone()
	effect := w.note(rec)
	if r.Body != nil && r.Body != http.NoBody {
		r = r.Clone(r.Context())
		r.Body = &counted{r.Body, w, rec}
	}
	var resp *http.Response
	var err error
	if effect != nil {
		resp, err = effect(r, w.next)
	} else {
		resp, err = w.next.RoundTrip(r)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	rec.Ended, rec.Err = true, err
	if err == nil {
		rec.Status = resp.StatusCode
	}
	return resp, err
}

// note logs a request and finds its fault.
func (w *Wire) note(rec *Record) Effect {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.log = append(w.log, rec)
	for _, a := range w.faults {
		if a.Op != "" && a.Op != rec.Op || a.When != nil && !a.When(rec.Call) {
			continue
		}
		if a.seen++; a.seen <= a.Skip || a.Times > 0 && a.hits == a.Times {
			continue
		}
		a.hits++
		return a.Effect
	}
	return nil
}

type counted struct {
	io.ReadCloser
	w   *Wire
	rec *Record
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.ReadCloser.Read(p)
	c.w.mu.Lock()
	defer c.w.mu.Unlock()
	c.rec.Sent += int64(n)
	return n, err
}

// Log returns what was sent since the beginning or the last Forget.
func (w *Wire) Log() []Record {
	w.mu.Lock()
	defer w.mu.Unlock()
	all := make([]Record, len(w.log))
	for i, rec := range w.log {
		all[i] = *rec
	}
	return all
}

// Forget empties the log.
func (w *Wire) Forget() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.log = nil
}

// Ops returns the operations in the log, in order of their beginning.
func (w *Wire) Ops() []string {
	var ops []string
	for _, rec := range w.Log() {
		ops = append(ops, rec.Op)
	}
	return ops
}

// Count returns how many requests in the log are one of ops.
func (w *Wire) Count(ops ...string) (n int) {
	for _, op := range w.Ops() {
		if slices.Contains(ops, op) {
			n++
		}
	}
	return n
}

// Running returns how many requests have no answer yet.
func (w *Wire) Running() (n int) {
	for _, rec := range w.Log() {
		if !rec.Ended {
			n++
		}
	}
	return n
}

// CloseIdleConnections lets a client close what the wire keeps open.
func (w *Wire) CloseIdleConnections() {
	if c, ok := w.next.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}
