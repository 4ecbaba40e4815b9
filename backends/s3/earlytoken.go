package s3

import (
	"bytes"
	"context"
	"io"
	"net/http"

	sdk "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// earlyToken makes one ListObjectsV2 tell the token of the next page as soon as it has come,
// which is long before a thousand keys are parsed: the stores send it ahead of them. It tells
// nothing of a token that is not there yet after the first kilobytes, or that XML had to escape.
func earlyToken(tell func(token string)) func(*sdk.Options) {
	return func(o *sdk.Options) {
		if tell == nil {
			return
		}
		watch := middleware.DeserializeMiddlewareFunc("ftpgate.EarlyToken",
			func(ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler) (middleware.DeserializeOutput, middleware.Metadata, error) {
				out, metadata, err := next.HandleDeserialize(ctx, in)
				if answer, ok := out.RawResponse.(*smithyhttp.Response); ok && err == nil && answer.StatusCode == http.StatusOK {
					answer.Body = &tokenWatch{ReadCloser: answer.Body, tell: tell}
				}
				return out, metadata, err
			})
		o.APIOptions = append(o.APIOptions, func(s *middleware.Stack) error { return s.Deserialize.Add(watch, middleware.After) })
	}
}

// tokenWatch looks at the beginning of a body while it is read.
type tokenWatch struct {
	io.ReadCloser
	tell  func(string) // nil: it has looked
	begun []byte
}

// tokenWithin is how far into a page the token is looked for. Before it come the prefix and the
// token of the page itself.
const tokenWithin = 16 << 10

func (w *tokenWatch) Read(p []byte) (int, error) {
	n, err := w.ReadCloser.Read(p)
	if w.tell != nil && n > 0 {
		w.begun = append(w.begun, p[:n]...)
		w.look()
	}
	return n, err
}

func (w *tokenWatch) look() {
	_, rest, found := bytes.Cut(w.begun, []byte("<NextContinuationToken>"))
	token, _, whole := bytes.Cut(rest, []byte("</"))
	if tell := w.tell; found && whole || len(w.begun) > tokenWithin {
		w.tell, w.begun = nil, nil
		if whole && len(token) > 0 && !bytes.ContainsRune(token, '&') {
			tell(string(token))
		}
	}
}
