package s3

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"
)

// What goes wrong on the way to the store and back.

// outOfReach is what to do about a connection that somebody has to mend before it can work; "": it may work again by itself.
func outOfReach(err error) string {
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "proxyconnect" || errors.Is(err, errProxyRefuses) {
		return hintProxy
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return hintCertificate
	}
	_, noTLS := errors.AsType[tls.RecordHeaderError](err)
	if noTLS || errors.Is(err, http.ErrSchemeMismatch) || strings.Contains(err.Error(), errForeign.Error()) {
		return hintScheme
	}
	return ""
}

// isTransport reports whether err comes out of the SDK, which asked in vain.
func isTransport(err error) bool {
	_, ok := errors.AsType[*smithy.OperationError](err)
	return ok
}

// unreachable is what to do about a connection that was not made; "": it was made.
func unreachable(err error) string {
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "dial" {
		return hintEndpoint
	}
	return ""
}

// heard says what became of a request, for the log: neither the URL, which holds the bucket and the key, nor
// what the SDK was doing.
func heard(err error) string {
	if _, after, ok := strings.Cut(err.Error(), errCredentials.Error()+": "); ok && errors.Is(err, errCredentials) {
		if strings.Contains(after, "no EC2 IMDS role found") { // the last one in the default chain
			return "there are none in the configuration, the environment and the shared profile, and this machine has no role"
		}
		err = nested{err, after}
	}
	op, _ := errors.AsType[*net.OpError](err)
	u, isURL := errors.AsType[*url.Error](err)
	answer, answered := errors.AsType[*awshttp.ResponseError](err)
	name, unknown := errors.AsType[*net.DNSError](err)
	switch {
	case unknown && name.IsNotFound:
		return fmt.Sprintf("there is no host %q", name.Name)
	case op != nil && op.Op == "dial" && op.Addr != nil && errors.Is(err, syscall.ECONNREFUSED):
		return op.Addr.String() + " refuses connections"
	case op != nil && op.Op == "dial" && op.Addr != nil && op.Timeout():
		return op.Addr.String() + " does not answer"
	case op != nil && op.Timeout():
		return "nothing was heard for longer than timeout"
	case errors.Is(err, context.DeadlineExceeded):
		return "the request was given up"
	case errors.Is(err, context.Canceled):
		return "the request was cut off"
	case isURL && (errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)):
		return "the connection was closed before the answer had come"
	case op != nil && errors.Is(err, syscall.ECONNRESET):
		return "the connection was reset"
	case isURL:
		return u.Err.Error()
	case answered && answer.HTTPStatusCode() != 0:
		return "the answer cannot be understood, or has not come as a whole"
	}
	return err.Error()
}

// nested is an error with less of its text.
type nested struct {
	error
	text string
}

func (n nested) Error() string { return n.text }
func (n nested) Unwrap() error { return n.error }
