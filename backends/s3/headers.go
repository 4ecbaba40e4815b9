package s3

import (
	"context"
	"crypto/md5"
	"encoding/base64"

	sdk "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// headers are what requests carry because of how the bucket is set up, whatever
// they are for. They are set here, in one place, and in no request.
type headers struct {
	requesterPays               bool
	customerKey, customerKeySum string // SSE-C, in base64
}

func headersOf(o PutOptions) headers {
	h := headers{requesterPays: o.RequesterPays}
	if key := o.Encryption.CustomerKey; len(key) > 0 {
		h.customerKey = base64.StdEncoding.EncodeToString(key)
		h.customerKeySum = base64MD5(key)
	}
	return h
}

// install makes every request of a client carry h.
func (h headers) install(o *sdk.Options) {
	if h == (headers{}) {
		return
	}
	o.APIOptions = append(o.APIOptions, func(s *middleware.Stack) error {
		return s.Build.Add(middleware.BuildMiddlewareFunc("ftpgate.Headers", h.set), middleware.After)
	})
}

func (h headers) set(ctx context.Context, in middleware.BuildInput, next middleware.BuildHandler) (middleware.BuildOutput, middleware.Metadata, error) {
	if r, ok := in.Request.(*smithyhttp.Request); ok {
		if h.requesterPays {
			r.Header.Set("X-Amz-Request-Payer", "requester")
		}
		if h.customerKey != "" {
			target, source := usesCustomerKey(middleware.GetOperationName(ctx))
			if target {
				h.encrypt(r, "X-Amz-Server-Side-Encryption-Customer-")
			}
			if source {
				h.encrypt(r, "X-Amz-Copy-Source-Server-Side-Encryption-Customer-")
			}
		}
	}
	return next.HandleBuild(ctx, in)
}

func (h headers) encrypt(r *smithyhttp.Request, prefix string) {
	r.Header.Set(prefix+"Algorithm", "AES256")
	r.Header.Set(prefix+"Key", h.customerKey)
	r.Header.Set(prefix+"Key-Md5", h.customerKeySum)
}

// usesCustomerKey reports whether an operation reads or writes an encrypted object,
// and whether it reads one to copy it.
func usesCustomerKey(operation string) (target, source bool) {
	switch operation {
	case "CopyObject", "UploadPartCopy":
		return true, true
	case "PutObject", "GetObject", "HeadObject", "CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload", "ListParts":
		return true, false
	}
	return false, false
}

// base64MD5 is how S3 wants an SSE-C key to be confirmed.
func base64MD5(b []byte) string {
	sum := md5.Sum(b)
	return base64.StdEncoding.EncodeToString(sum[:])
}
