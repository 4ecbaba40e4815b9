package s3

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/retry"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/spf13/afero"

	"github.com/ftpgate/ftpgate/backends/s3/internal/fake"
	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// TestEveryFault does what each verb does, with each fault at each of its requests: the
// verb either succeeds, or says the right thing and nothing partial is visible; and
// no multipart upload lingers.
func TestEveryFault(t *testing.T) {
	eachStore(t, func(t *testing.T, st *store) {
		for _, v := range faultyVerbs {
			st := st
			if v.parts {
				if st.fake == nil {
					continue // its parts would be of 5 MiB, a hundred times
				}
				st = newFake(t, fake.Options{MinPartSize: leastPart})
			}
			t.Run(v.name, func(t *testing.T) { v.everyFault(t, st) })
		}
	})
}

// The server's parts, and files of one, two and several.
const (
	cutAt      = 200 // bytes of an upload, then the connection ends
	leastPart  = 1 << 10
	faultPart  = 2 << 10
	smallFile  = 1 << 10
	mediumFile = 3 << 10
	largeFile  = 4*faultPart + 100
)

// a verb is what one command does to the files of a directory.
type verb struct {
	name   string
	parts  bool              // with parts that only the fake takes
	before map[string]string // by key
	do     func(f afero.Fs) error
	after  map[string]string
	// between are further states that an error may leave: such as both names of a
	// rename that could not delete the old one.
	between func(left map[string]string) bool
	options func(o *Options)
}

// A fault and what it may do to a verb.
type faultKind struct {
	name    string
	effect  func() fake.Effect
	times   int // 0: for ever
	applies func(r fake.Record) bool
	want    []error // nil: the verb must succeed
	either  bool    // what was to be done may be done in spite of the error
}

// sending: a body that ended before the cut would be whole, and could be carried out at
// any time after the client has given up.
func sending(r fake.Record) bool { return r.Sent > cutAt }
func reading(r fake.Record) bool { return r.Op == "GetObject" || r.Op == "ListObjectsV2" }
func hiding(r fake.Record) bool {
	return slices.Contains([]string{"CompleteMultipartUpload", "CopyObject", "UploadPartCopy"}, r.Op)
}

var (
	slowDown    = func() fake.Effect { return fake.Refuse(503, "SlowDown") }
	broken      = func() fake.Effect { return fake.Refuse(500, "InternalError") }
	hidden      = func() fake.Effect { return fake.Refuse(200, "InternalError") }
	hiddenLate  = func() fake.Effect { return fake.RefuseLate(200, "InternalError") }
	transient   = []error{vfs.ErrTransient}
	setup       = []error{errSetup}
	everyEffect = []faultKind{
		{name: "latency", effect: func() fake.Effect { return fake.Latency(2 * time.Millisecond) }},
		{name: "SlowDown burst", effect: slowDown, times: 2},
		{name: "SlowDown", effect: slowDown, want: transient},
		{name: "500 once", effect: broken, times: 1},
		{name: "500", effect: broken, want: transient},
		{name: "500 too late", effect: func() fake.Effect { return fake.RefuseLate(500, "InternalError") }, times: 1},
		{name: "reset once", effect: fake.Reset, times: 1},
		{name: "reset", effect: fake.Reset, want: transient},
		{name: "answer lost once", effect: fake.LoseAnswer, times: 1},
		{name: "answer lost", effect: fake.LoseAnswer, want: transient, either: true},
		{name: "upload cut once", effect: func() fake.Effect { return fake.CutUpload(cutAt) }, times: 1, applies: sending},
		{name: "upload cut", effect: func() fake.Effect { return fake.CutUpload(cutAt) }, applies: sending, want: transient},
		{name: "download cut once", effect: func() fake.Effect { return fake.CutDownload(300) }, times: 1, applies: reading},
		{name: "download short once", effect: func() fake.Effect { return fake.ShortDownload(300) }, times: 1, applies: reading},
		{name: "download cut at once", effect: func() fake.Effect { return fake.CutDownload(0) }, applies: reading, want: transient},
		{name: "dribble", effect: func() fake.Effect { return fake.Dribble(7) }},
		{name: "error in a success once", effect: hidden, times: 1, applies: hiding},
		{name: "error in a success", effect: hidden, applies: hiding, want: transient},
		{name: "error in a success, done", effect: hiddenLate, times: 1, applies: hiding},
		{name: "access denied", effect: func() fake.Effect { return fake.Refuse(403, "AccessDenied") }, want: []error{fs.ErrPermission}},
		{name: "expired credentials", effect: func() fake.Effect { return fake.Refuse(400, "ExpiredToken") }, want: setup},
		{name: "clock skew", effect: func() fake.Effect { return fake.SkewClock(20 * time.Minute) }, want: setup},
	}
)

// optional are requests whose failure a verb need not tell: what they are for is
// convenience, or has been told otherwise.
var optional = []string{"AbortMultipartUpload"}

// everyFault runs v without faults, and then with every fault at every kind of request.
func (v verb) everyFault(t *testing.T, st *store) {
	plain := v.run(t, st, nil)
	if plain.err != nil || !maps.Equal(plain.left, v.after) {
		t.Fatalf("without faults: %v, left %s", plain.err, names(plain.left))
	}
	seen := make(map[string]int) // requests of each operation
	for _, rec := range plain.log {
		seen[rec.Op]++
		skip := seen[rec.Op] - 1
		if skip > 0 && st.fake == nil {
			continue // a real server is slow
		}
		for _, k := range everyEffect {
			if k.applies != nil && !k.applies(rec) {
				continue
			}
			t.Run(fmt.Sprintf("%s %d %s", rec.Op, skip, k.name), func(t *testing.T) {
				got := v.run(t, st, &fake.Fault{Op: rec.Op, Skip: skip, Times: k.times, Effect: k.effect()})
				v.judge(t, k, rec.Op, got)
			})
		}
	}
}

// result is what came of one run.
type result struct {
	err  error
	left map[string]string
	log  []fake.Record
}

func (v verb) run(t *testing.T, st *store, fault *fake.Fault) result {
	t.Helper()
	st = st.fresh()
	for _, key := range slices.Sorted(maps.Keys(v.before)) {
		st.put(t, key, v.before[key])
	}
	b := st.backend(t, v.configure(st))
	st.wire.Forget()
	if fault != nil {
		st.wire.Inject(*fault)
	}
	defer st.wire.Heal()
	got := result{err: v.do(b.Open("alice", 0)), log: st.wire.Log()}
	st.wire.Heal()
	if n := st.wire.Running(); n != 0 {
		t.Errorf("%d requests go on after the end", n)
	}
	got.left = make(map[string]string)
	for _, key := range st.keys(t) {
		if content, ok := st.get(t, key); ok { // a request that was cancelled may still be carried out
			got.left[key] = content
		}
	}
	lost := fault != nil && (fault.Op == "CreateMultipartUpload" || fault.Op == "AbortMultipartUpload")
	if left := st.uploads(t); len(left) > 0 && !lost {
		t.Errorf("multipart uploads linger: %q", left)
	}
	return got
}

func (v verb) configure(st *store) func(*Options) {
	return func(o *Options) {
		o.Client = st.stubborn()
		if v.parts {
			o.minPart, o.PartSize, o.CopyPart = leastPart, faultPart, faultPart
		}
		if v.options != nil {
			v.options(o)
		}
	}
}

// stubborn is the client of a gateway, which retries, but does not wait.
func (st *store) stubborn() *sdk.Client {
	o := st.client.Options()
	o.Retryer = eager{ClientOptions{}.retryer().(*retry.Standard)}
	o.HTTPClient = &http.Client{Transport: st.wire}
	return sdk.New(o)
}

// eager waits for nothing.
type eager struct{ *retry.Standard }

func (eager) RetryDelay(int, error) (time.Duration, error) { return 0, nil }

// judge holds a run with a fault against what may come of it.
func (v verb) judge(t *testing.T, k faultKind, op string, got result) {
	t.Helper()
	if got.err == nil {
		if !maps.Equal(got.left, v.after) {
			t.Errorf("succeeded and left %s", names(got.left))
		}
		return
	}
	if slices.Contains(optional, op) {
		return
	}
	if k.want == nil {
		t.Errorf("failed: %v", got.err)
	} else if !slices.ContainsFunc(k.want, func(want error) bool { return errors.Is(got.err, want) }) {
		t.Errorf("failed with %v, want %v", got.err, k.want)
	}
	if !maps.Equal(got.left, v.before) && (!k.either || !maps.Equal(got.left, v.after)) &&
		(v.between == nil || !v.between(got.left)) {
		t.Errorf("failed (%v) and left %s", got.err, names(got.left))
	}
}

// names shows a state.
func names(state map[string]string) string {
	var out []string
	for _, key := range slices.Sorted(maps.Keys(state)) {
		content := state[key]
		out = append(out, fmt.Sprintf("%q: %d bytes %.12q", key, len(content), content))
	}
	return "{" + strings.Join(out, ", ") + "}"
}
