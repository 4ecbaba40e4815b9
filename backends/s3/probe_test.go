package s3

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/ftpgate/ftpgate/backends/s3/internal/fake"
)

// TestProbe: on every server all that is needed works, and nothing is left.
func TestProbe(t *testing.T) {
	eachStore(t, func(t *testing.T, st *store) {
		findings := st.backend(t).Probe(t.Context())
		if len(findings) != 10 {
			t.Errorf("%d findings", len(findings))
		}
		for _, f := range findings {
			if f.Err != nil || f.Grant != "" || f.Limit != "" && st.fake != nil {
				t.Errorf("%s: %v %s %s", f.Step, f.Err, f.Grant, f.Limit)
			}
		}
		if keys, uploads := st.keys(t), st.uploads(t); len(keys) != 0 || len(uploads) != 0 {
			t.Errorf("it leaves %q and uploads of %q", keys, uploads)
		}
	})
}

// TestProbeDenied: what is denied is said with the action to grant, and the rest is tried.
func TestProbeDenied(t *testing.T) {
	for _, c := range []struct{ op, step, grant string }{
		{"ListObjectsV2", "list", "s3:ListBucket"},
		{"PutObject", "put an object", "s3:PutObject, s3:PutObjectTagging"},
		{"GetObject", "get it", "s3:GetObject"},
		{"CopyObject", "copy it", "s3:GetObject, s3:PutObject, s3:PutObjectTagging"},
		{"CreateMultipartUpload", "multipart upload", "s3:PutObject, s3:PutObjectTagging, s3:AbortMultipartUpload"},
		{"AbortMultipartUpload", "multipart upload", "s3:PutObject, s3:PutObjectTagging, s3:AbortMultipartUpload"},
		{"DeleteObject", "delete", "s3:DeleteObject"},
		{"ListMultipartUploads", "list unfinished uploads", "s3:ListBucketMultipartUploads"},
	} {
		st := newFake(t, fake.Options{})
		st.wire.Inject(fake.Fault{Op: c.op, Effect: fake.Refuse(403, "AccessDenied")})
		found := false
		for _, f := range st.backend(t, func(o *Options) { o.Put.Tags = map[string]string{"a": "b"} }).Probe(t.Context()) {
			switch {
			case f.Step == c.step:
				found = f.Err != nil && f.Grant == c.grant
			case f.Err != nil && !strings.HasPrefix(f.Step, "delete") && !strings.HasPrefix(f.Step, "abort") && c.op != "PutObject":
				t.Errorf("where %s is denied, %s fails too: %v", c.op, f.Step, f.Err)
			case f.Limit != "":
				t.Errorf("where %s is denied, %s: %s", c.op, f.Step, f.Limit)
			}
			if f.Err != nil && (strings.Contains(f.Err.Error(), f.Step) || strings.Contains(f.Err.Error(), probeKey)) {
				t.Errorf("%s says twice what has failed: %v", f.Step, f.Err)
			}
		}
		if !found {
			t.Errorf("nothing says that %s is denied", c.op)
		}
	}
}

// TestProbeLimits: what a store lacks is said in terms of what users notice.
func TestProbeLimits(t *testing.T) {
	conditions := []string{limitNoCondition, limitNoCopyCond, limitNoDelete}
	for _, c := range []struct {
		what   string
		o      fake.Options
		refuse bool // conditions, with 501
		own    func(*Options)
		want   []string
	}{
		{"it ignores conditions", fake.Options{NoConditions: true}, false, nil, conditions},
		{"it refuses conditions", fake.Options{}, true, nil, conditions},
		{"parts of one size", fake.Options{Uniform: true}, false, nil, []string{limitUniform}},
		{"parts of one size, as set", fake.Options{Uniform: true}, false, func(o *Options) { o.Uniform = true }, nil},
		{"parts of any size, not as set", fake.Options{}, false, func(o *Options) { o.Uniform = true }, []string{limitNoUniform}},
	} {
		st := newFake(t, c.o)
		if c.refuse {
			st.wire.Inject(fake.Fault{When: conditionalWrite, Effect: fake.Refuse(501, "NotImplemented")})
		}
		var change []func(*Options)
		if c.own != nil {
			change = append(change, c.own)
		}
		var limits []string
		for _, f := range st.backend(t, change...).Probe(t.Context()) {
			if f.Err != nil {
				t.Errorf("%s: %s: %v", c.what, f.Step, f.Err)
			}
			if f.Limit != "" {
				limits = append(limits, f.Limit)
			}
		}
		if !slices.Equal(limits, c.want) {
			t.Errorf("%s: %q", c.what, limits)
		}
		if keys, uploads := st.keys(t), st.uploads(t); len(keys) != 0 || len(uploads) != 0 {
			t.Errorf("%s: it leaves %q and uploads of %q", c.what, keys, uploads)
		}
	}
}

func conditionalWrite(c fake.Call) bool {
	return conditional(c) && c.Op != "GetObject" && c.Op != "HeadObject"
}

// TestProbePrefixOnly: a policy may grant s3:ListBucket for the prefix only.
func TestProbePrefixOnly(t *testing.T) {
	st := newFake(t, fake.Options{})
	st.wire.Inject(fake.Fault{Op: "HeadBucket", Effect: fake.Refuse(403, "AccessDenied")})
	for _, f := range st.backend(t).Probe(t.Context()) {
		if f.Err != nil {
			t.Errorf("%s: %v", f.Step, f.Err)
		}
	}
	st.wire.Inject(fake.Fault{Op: "ListObjectsV2", Effect: fake.Refuse(403, "AccessDenied")})
	for i, f := range st.backend(t).Probe(t.Context()) {
		if denied := i < 2; (f.Err != nil) != denied || denied && f.Grant != "s3:ListBucket" {
			t.Errorf("%s: %v, grant %q", f.Step, f.Err, f.Grant)
		}
	}
}

func TestProbeNoBucket(t *testing.T) {
	st := newFake(t, fake.Options{})
	st.bucket = "none"
	findings := st.backend(t).Probe(t.Context())
	if len(findings) != 1 || findings[0].Err == nil || !strings.Contains(findings[0].Err.Error(), hintBucket) {
		t.Errorf("it finds %+v", findings)
	}
}

// TestProbeWhy: the answer to a HEAD says nothing of what is wrong, so another one does; where nobody answers, nobody
// is asked again.
func TestProbeWhy(t *testing.T) {
	for _, c := range []struct {
		effect fake.Effect
		want   string
	}{
		{fake.Refuse(400, "ExpiredToken"), hintExpired},
		{fake.Refuse(400, "AuthorizationHeaderMalformed"), hintRegion},
		{fake.Refuse(404, "InvalidAccessKeyId"), hintKeys},
		{fake.Refuse(404, "NoSuchBucket"), hintBucket},
		{fake.Reset(), "storage temporarily unavailable (S3: "},
	} {
		st := newFake(t, fake.Options{})
		st.wire.Inject(fake.Fault{Effect: c.effect})
		findings := st.backend(t).Probe(t.Context())
		if len(findings) != 1 || findings[0].Err == nil || !strings.Contains(findings[0].Err.Error(), c.want) {
			t.Errorf("it finds %+v, want %q", findings, c.want)
		}
	}
}

// TestProbeInterrupted: whenever it is cut, and whatever answer is lost, nothing is left, and it does not look like success.
func TestProbeInterrupted(t *testing.T) {
	requests := func() int {
		st := newFake(t, fake.Options{})
		st.backend(t).Probe(t.Context())
		return len(st.wire.Log())
	}()
	for skip := range requests {
		for what, lose := range map[string]bool{"cut": false, "cut with its answer": true} {
			st := newFake(t, fake.Options{})
			ctx, cancel := context.WithCancel(t.Context())
			effect := fake.After(cancel)
			if lose {
				effect = func(r *http.Request, next http.RoundTripper) (*http.Response, error) {
					defer cancel()
					return fake.LoseAnswer()(r, next)
				}
			}
			st.wire.Inject(fake.Fault{Skip: skip, Times: 1, Effect: effect})
			findings := st.backend(t).Probe(ctx)
			cancel()
			if keys, uploads := st.keys(t), st.uploads(t); len(keys) != 0 || len(uploads) != 0 {
				t.Errorf("%s after %d requests: it leaves %q and uploads of %q", what, skip, keys, uploads)
			}
			// The last request asks for what needs no answer to tidy up after.
			if last := findings[len(findings)-1]; last.Err == nil && skip < requests-1 {
				t.Errorf("%s after %d requests: it ends with %+v", what, skip, last)
			}
		}
	}
	for _, op := range []string{"PutObject", "CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload", "CopyObject", "AbortMultipartUpload", "DeleteObject"} {
		st := newFake(t, fake.Options{Uniform: op == "AbortMultipartUpload"})
		st.wire.Inject(fake.Fault{Op: op, Times: 1, Effect: fake.LoseAnswer()})
		if op == "PutObject" { // nor does anybody say what became of it
			st.wire.Inject(fake.Fault{Op: "HeadObject", Times: 1, Effect: fake.Reset()})
		}
		st.backend(t).Probe(t.Context())
		if keys, uploads := st.keys(t), st.uploads(t); len(keys) != 0 || len(uploads) != 0 {
			t.Errorf("the answer to %s is lost: it leaves %q and uploads of %q", op, keys, uploads)
		}
	}
}

// TestProbeSaysWhatIsLeft where nothing can be deleted.
func TestProbeSaysWhatIsLeft(t *testing.T) {
	st := newFake(t, fake.Options{})
	st.wire.Inject(fake.Fault{Op: "DeleteObject", Effect: fake.Refuse(403, "AccessDenied")})
	findings := st.backend(t).Probe(t.Context())
	keys := st.keys(t)
	last := findings[len(findings)-1]
	if len(keys) == 0 || !strings.Contains(last.Step, st.prefix+keys[0]) || last.Err == nil || last.Grant != "s3:DeleteObject" {
		t.Errorf("%q are left, and it says %+v", keys, last)
	}
}

// TestProbeReading: nothing is stored, and what it takes to read is asked for.
func TestProbeReading(t *testing.T) {
	eachStore(t, func(t *testing.T, st *store) {
		for _, key := range []string{"", "empty", "a/object"} {
			if key != "" {
				st.put(t, key, strings.Repeat("1", len(key)-len("empty")))
			}
			st.wire.Forget()
			for _, f := range st.backend(t).ProbeReading(t.Context()) {
				if f.Err != nil || f.Limit != "" {
					t.Errorf("with %q: %+v", key, f)
				}
			}
			for _, rec := range st.wire.Log() {
				if rec.Method != http.MethodGet && rec.Method != http.MethodHead {
					t.Errorf("it sends %s", rec.Op)
				}
			}
		}
		for _, deny := range []struct{ op, grant string }{{"ListObjectsV2", "s3:ListBucket"}, {"GetObject", "s3:GetObject"}} {
			st.wire.Heal()
			st.wire.Inject(fake.Fault{Op: deny.op, Effect: fake.Refuse(403, "AccessDenied")})
			denied := false
			for _, f := range st.backend(t).ProbeReading(t.Context()) {
				denied = denied || f.Err != nil && f.Grant == deny.grant
			}
			if !denied {
				t.Errorf("nothing says that %s is denied", deny.op)
			}
		}
		st.wire.Heal()
		st.wire.Inject(fake.Fault{Op: "GetObject", Effect: fake.Refuse(403, "InvalidObjectState")})
		for _, f := range st.backend(t).ProbeReading(t.Context()) {
			if f.Err != nil {
				t.Errorf("an archived object: %+v", f)
			}
		}
	})
}

func TestLeftovers(t *testing.T) {
	eachStore(t, func(t *testing.T, st *store) {
		begin := func(key string) {
			_, err := st.direct.CreateMultipartUpload(t.Context(), &sdk.CreateMultipartUploadInput{Bucket: &st.bucket, Key: aws.String(key)})
			if err != nil {
				t.Fatal(err)
			}
		}
		const n = 3
		for i := range n {
			begin(fmt.Sprintf("%sd/%d", st.prefix, i))
		}
		other := strings.TrimSuffix(st.prefix, "/") + "-other/f"
		begin(other)
		b := st.backend(t)
		collect := func(before time.Time) (found []Leftover) {
			for l, err := range b.Leftovers(t.Context(), before) {
				if err != nil {
					t.Fatal(err)
				}
				found = append(found, l)
			}
			return found
		}
		if found := collect(time.Now().Add(-time.Hour)); len(found) != 0 {
			t.Errorf("those of today are old: %v", found)
		}
		found := collect(time.Now().Add(time.Hour))
		if len(found) != n {
			t.Errorf("it finds %v", found)
		}
		for _, l := range found {
			for range 2 {
				if err := b.Abort(t.Context(), l); err != nil {
					t.Error(err)
				}
			}
		}
		if left := st.uploads(t); len(left) != 0 {
			t.Errorf("%q are left", left)
		}
	})
}

// TestManyLeftovers: more than one page of them.
func TestManyLeftovers(t *testing.T) {
	st := newFake(t, fake.Options{})
	const n = 2300
	for i := range n {
		_, err := st.direct.CreateMultipartUpload(t.Context(), &sdk.CreateMultipartUploadInput{
			Bucket: &st.bucket, Key: aws.String(fmt.Sprintf("%sf%d", st.prefix, i/3)),
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	seen := make(map[string]bool)
	for l, err := range st.backend(t).Leftovers(t.Context(), time.Now().Add(time.Hour)) {
		if err != nil {
			t.Fatal(err)
		}
		seen[l.ID] = true
	}
	if len(seen) != n {
		t.Errorf("%d of %d", len(seen), n)
	}
}

// TestOddLeftovers: what is not below the prefix, or may be under way, is not to be
// aborted, and what cannot be in XML or goes on nowhere does not end the search in silence.
func TestOddLeftovers(t *testing.T) {
	st := newFake(t, fake.Options{})
	const old = "<Initiated>2020-01-01T00:00:00Z</Initiated>"
	upload := func(key, rest string) string {
		return "<Upload><Key>" + key + "</Key>" + rest + "</Upload>"
	}
	more := "<IsTruncated>true</IsTruncated><NextKeyMarker>" + st.prefix + "a</NextKeyMarker><NextUploadIdMarker>1</NextUploadIdMarker>"
	for _, c := range []struct {
		what, answer string
		keys         []string
		errs         []string // of the upload with this key; "": of the search
	}{
		{"without a date", upload(st.prefix+"f", "<UploadId>u</UploadId>"), nil, []string{st.prefix + "f"}},
		{"without an id", upload(st.prefix+"f", old), nil, []string{st.prefix + "f"}},
		{"from elsewhere", upload("elsewhere/f", "<UploadId>u</UploadId>"+old), nil, []string{"elsewhere/f"}},
		{"bad ones do not hide good ones", upload(st.prefix+"f", "<UploadId>u</UploadId>") + upload(st.prefix+"g", "<UploadId>u</UploadId>"+old), []string{st.prefix + "g"}, []string{st.prefix + "f"}},
		{"on and on", more, nil, []string{""}},
		{"on to nowhere", "<IsTruncated>true</IsTruncated>", nil, []string{""}},
		{"escaped", "<EncodingType>url</EncodingType>" + upload(st.prefix+"a%01b+c", "<UploadId>u</UploadId>"+old), []string{st.prefix + "a\x01b c"}, nil},
		{"not escaped", upload(st.prefix+"a%01b+c", "<UploadId>u</UploadId>"+old), []string{st.prefix + "a%01b+c"}, nil},
	} {
		st.wire.Heal()
		st.wire.Inject(fake.Fault{Op: "ListMultipartUploads", Effect: answers("<ListMultipartUploadsResult>" + c.answer + "</ListMultipartUploadsResult>")})
		var keys, errs []string
		for l, err := range st.backend(t).Leftovers(t.Context(), time.Now().Add(-24*time.Hour)) {
			if err != nil {
				errs = append(errs, l.Key)
			} else {
				keys = append(keys, l.Key)
			}
		}
		if !slices.Equal(keys, c.keys) || !slices.Equal(errs, c.errs) {
			t.Errorf("%s: it finds %q, errors about %q", c.what, keys, errs)
		}
	}
}

// TestLeftoverOfAnyName: a name with a control character is found and aborted, also on the next page.
func TestLeftoverOfAnyName(t *testing.T) {
	st := newFake(t, fake.Options{})
	for i := range 1001 {
		key := fmt.Sprintf("%sf\x01 +%%%04d", st.prefix, i)
		if _, err := st.direct.CreateMultipartUpload(t.Context(), &sdk.CreateMultipartUploadInput{Bucket: &st.bucket, Key: &key}); err != nil {
			t.Fatal(err)
		}
	}
	b, n := st.backend(t), 0
	for l, err := range b.Leftovers(t.Context(), time.Now().Add(time.Hour)) {
		if err != nil {
			t.Fatal(err)
		}
		if want := fmt.Sprintf("%sf\x01 +%%%04d", st.prefix, n); l.Key != want {
			t.Fatalf("it finds %q, want %q", l.Key, want)
		}
		n++
		if err := b.Abort(t.Context(), l); err != nil {
			t.Fatal(err)
		}
	}
	if n != 1001 || st.wire.Count("AbortMultipartUpload") != 1001 {
		t.Errorf("it finds %d", n)
	}
}
