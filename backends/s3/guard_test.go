package s3

import (
	"context"
	"strings"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go/middleware"

	"github.com/ftpgate/ftpgate/backends/s3/internal/fake"
	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// panicking makes every request of one operation panic.
func panicking(op string) func(*Options) {
	breakDown := middleware.InitializeMiddlewareFunc("panic", func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
		if middleware.GetOperationName(ctx) == op {
			var nobody *sdk.Options
			_ = nobody.Region
		}
		return next.HandleInitialize(ctx, in)
	})
	return func(o *Options) {
		o.Client = sdk.New(o.Client.Options(), func(o *sdk.Options) {
			o.APIOptions = append(o.APIOptions, func(s *middleware.Stack) error { return s.Initialize.Add(breakDown, middleware.After) })
		})
	}
}

// A panic in one of the goroutines of an upload is the error of that upload.
func TestPanic(t *testing.T) {
	for _, op := range []string{"CreateMultipartUpload", "UploadPart", "UploadPartCopy"} {
		r := newRig(t, newFake(t, fake.Options{}), panicking(op))
		old := noise(testPart + 1)
		r.put(t, "f", string(old))
		err := r.upload("/f", vfs.ModeAppend, noise(testPart+1))
		if err == nil || !strings.Contains(err.Error(), "nil pointer") || !strings.Contains(err.Error(), "guard_test.go") {
			t.Errorf("%s: %v", op, err)
		}
		r.stores("f", old)
		r.ended()
	}
}
