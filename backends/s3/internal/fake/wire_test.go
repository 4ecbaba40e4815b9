package fake

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

func putting(key, content string) *s3.PutObjectInput {
	return &s3.PutObjectInput{Bucket: testBucket, Key: &key, Body: strings.NewReader(content)}
}

// retrying makes a client try again at once.
func retrying(o *s3.Options) {
	o.Retryer = retry.NewStandard(func(o *retry.StandardOptions) {
		o.Backoff = retry.BackoffDelayerFunc(func(int, error) (time.Duration, error) { return 0, nil })
	})
}

func TestLog(t *testing.T) {
	b := newBench(t, Options{})
	b.put("f", "hello")
	b.get("f")
	if ops := b.wire.Ops(); !slices.Equal(ops, []string{"PutObject", "GetObject"}) {
		t.Errorf("log: %q", ops)
	}
	log := b.wire.Log()
	if log[0].Sent != 5 || log[0].Status != 200 || log[0].Key != "f" || !log[0].Ended || len(log[0].Content) != 64 {
		t.Errorf("%+v", log[0])
	}
	b.wire.Forget()
	if b.wire.Count("PutObject") != 0 || b.wire.Running() != 0 {
		t.Errorf("the log is not empty")
	}
}

// TestBurst: a burst of SlowDown that ends is outlasted by the SDK.
func TestBurst(t *testing.T) {
	b := newBench(t, Options{}, retrying)
	hits := b.wire.Inject(Fault{Op: "PutObject", Skip: 1, Times: 2, Effect: Refuse(503, "SlowDown")})
	b.put("first", "x")
	b.put("second", "y")
	if hits() != 2 || b.wire.Count("PutObject") != 4 || b.get("second") != "y" {
		t.Errorf("%d hits, log %q", hits(), b.wire.Ops())
	}
}

func TestRefusals(t *testing.T) {
	b := newBench(t, Options{})
	b.put("f", "old")
	for _, late := range []bool{false, true} {
		b.wire.Heal()
		effect := Refuse(500, "InternalError")
		if late {
			effect = RefuseLate(500, "InternalError")
		}
		b.wire.Inject(Fault{Op: "PutObject", Effect: effect})
		_, err := b.api.PutObject(b.ctx, putting("f", "new"))
		b.fails(err, 500, "InternalError")
		if want := map[bool]string{false: "old", true: "new"}[late]; b.get("f") != want {
			t.Errorf("late %t: stored %q", late, b.get("f"))
		}
	}
	b.wire.Heal()
	b.wire.Inject(Fault{When: func(c Call) bool { return c.Key == "f" }, Effect: Refuse(403, "AccessDenied")})
	_, err := b.api.HeadObject(b.ctx, &s3.HeadObjectInput{Bucket: testBucket, Key: aws.String("f")})
	b.fails(err, 403, "Forbidden")
	b.put("g", "x")
}

func TestErrorIn200(t *testing.T) {
	b := newBench(t, Options{})
	b.put("f", "x")
	b.wire.Inject(Fault{Op: "CopyObject", Effect: Refuse(200, "InternalError")})
	_, err := b.api.CopyObject(b.ctx, &s3.CopyObjectInput{Bucket: testBucket, Key: aws.String("g"), CopySource: aws.String("bucket/f")})
	if err == nil || !strings.Contains(err.Error(), "InternalError") {
		t.Errorf("%v", err)
	}
}

func TestLostAnswer(t *testing.T) {
	b := newBench(t, Options{})
	b.wire.Inject(Fault{Op: "PutObject", Times: 1, Effect: LoseAnswer()})
	_, err := b.api.PutObject(b.ctx, putting("f", "new"))
	if !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("%v", err)
	}
	if b.get("f") != "new" {
		t.Errorf("the work was not done")
	}
	b.wire.Inject(Fault{Op: "PutObject", Times: 1, Effect: Reset()})
	_, err = b.api.PutObject(b.ctx, putting("g", "new"))
	if _, ok := b.server.Object("bucket", "g"); !errors.Is(err, syscall.ECONNRESET) || ok {
		t.Errorf("reset: %v, stored %t", err, ok)
	}
}

func TestCuts(t *testing.T) {
	b := newBench(t, Options{})
	big := strings.Repeat("x", 300_000)
	hits := b.wire.Inject(Fault{Op: "PutObject", Times: 1, Effect: CutUpload(100_000)})
	_, err := b.api.PutObject(b.ctx, putting("f", big))
	if !errors.Is(err, syscall.ECONNRESET) || hits() != 1 {
		t.Errorf("cut upload: %v", err)
	}
	if keys := b.server.Keys("bucket", ""); len(keys) != 0 {
		t.Errorf("a cut body was stored: %q", keys)
	}
	b.put("f", big)
	for name, c := range map[string]struct {
		effect Effect
		want   error
	}{
		"cut":   {CutDownload(1000), syscall.ECONNRESET},
		"short": {ShortDownload(1000), io.ErrUnexpectedEOF},
	} {
		b.wire.Inject(Fault{Op: "GetObject", Times: 1, Effect: c.effect})
		out, err := b.api.GetObject(b.ctx, &s3.GetObjectInput{Bucket: testBucket, Key: aws.String("f")})
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(out.Body)
		if !errors.Is(err, c.want) || len(got) != 1000 {
			t.Errorf("%s: %d bytes, %v", name, len(got), err)
		}
		out.Body.Close()
	}
	b.wire.Inject(Fault{Op: "GetObject", Times: 1, Effect: Dribble(10)})
	if b.get("f") != big {
		t.Errorf("a dribble changed the content")
	}
}

func TestHang(t *testing.T) {
	b := newBench(t, Options{})
	b.put("f", strings.Repeat("x", 3000))
	b.wire.Inject(Fault{Op: "PutObject", Effect: Hang()})
	b.wire.Inject(Fault{Op: "GetObject", Effect: StallDownload(1000, nil)})
	ctx, cancel := context.WithTimeout(b.ctx, 50*time.Millisecond)
	defer cancel()
	if _, err := b.api.PutObject(ctx, putting("f", "x")); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("hang: %v", err)
	}
	ctx, cancel = context.WithTimeout(b.ctx, 50*time.Millisecond)
	defer cancel()
	out, err := b.api.GetObject(ctx, &s3.GetObjectInput{Bucket: testBucket, Key: aws.String("f")})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(out.Body); !errors.Is(err, context.DeadlineExceeded) || len(got) != 1000 {
		t.Errorf("stall: %d bytes, %v", len(got), err)
	}
	out.Body.Close()
	if n := b.wire.Running(); n != 0 {
		t.Errorf("%d requests are running", n)
	}
}

// TestSkewedClock: the SDK reads the server's clock from the refusal and signs anew.
func TestSkewedClock(t *testing.T) {
	b := newBench(t, Options{Now: func() time.Time { return time.Now().Add(time.Hour) }})
	_, err := b.api.PutObject(b.ctx, putting("f", "x"))
	b.fails(err, 403, "RequestTimeTooSkewed")
	b = newBench(t, Options{Now: func() time.Time { return time.Now().Add(time.Hour) }}, retrying)
	b.put("f", "x")
	b = newBench(t, Options{}, retrying)
	b.wire.Inject(Fault{Effect: SkewClock(time.Hour)})
	_, err = b.api.PutObject(b.ctx, putting("f", "x"))
	b.fails(err, 403, "RequestTimeTooSkewed")
}

func TestBeforeAndAfter(t *testing.T) {
	b := newBench(t, Options{})
	b.put("f", "old")
	b.wire.Inject(Fault{Op: "PutObject", Times: 1, Effect: Before(func() { b.server.Put("bucket", "f", []byte("theirs")) })})
	in := putting("f", "mine")
	o, _ := b.server.Object("bucket", "f")
	in.IfMatch = &o.ETag
	_, err := b.api.PutObject(b.ctx, in)
	b.fails(err, 412, "PreconditionFailed")
	b.wire.Inject(Fault{Op: "PutObject", Times: 1, Effect: After(func() { b.server.Delete("bucket", "f") })})
	b.put("f", "mine")
	if _, ok := b.server.Object("bucket", "f"); ok {
		t.Errorf("nothing was done after the answer")
	}
	b.put("f", "x")
	b.wire.Inject(Fault{Effect: Strip("If-None-Match")})
	in = putting("f", "again")
	in.IfNoneMatch = aws.String("*")
	in.StorageClass = types.StorageClassStandard
	if _, err := b.api.PutObject(b.ctx, in); err != nil || b.get("f") != "again" {
		t.Errorf("the condition was not stripped: %v", err)
	}
}
