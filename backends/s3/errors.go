package s3

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"strings"
	"time"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"

	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// errSetup: no request of this kind can succeed until somebody mends the
// configuration, the credentials or the clock (451).
var errSetup = errors.New("the storage cannot be used as it is set up")

// failure is what the storage said, or why nothing was heard from it. Only kind
// is found by errors.Is; the rest is for the log.
type failure struct {
	kind    error
	status  int    // HTTP; 0: no answer
	code    string // of S3, "NoSuchKey"
	message string
	request string // its id, for the provider's support
	hint    string // what to do about it
}

func (f *failure) Error() string {
	var b strings.Builder
	switch f.kind { //nolint:errorlint // they are themselves
	case context.DeadlineExceeded:
		b.WriteString("storage did not answer in time")
	case context.Canceled:
		b.WriteString("cut off")
	default:
		b.WriteString(f.kind.Error())
	}
	b.WriteString(" (S3: ")
	said := f.message
	if f.status != 0 {
		code := strings.TrimSuffix(fmt.Sprintf("HTTP %d %s", f.status, f.code), " ")
		if strings.ReplaceAll(said, " ", "") == f.code { // of an answer without a body
			said = ""
		}
		said = strings.TrimSuffix(code+": "+said, ": ")
	}
	b.WriteString(said)
	if f.request != "" {
		b.WriteString("; request " + f.request)
	}
	b.WriteByte(')')
	if f.hint != "" {
		b.WriteString("; " + f.hint)
	}
	return b.String()
}

func (f *failure) Unwrap() error { return f.kind }

// fault gives an error its operation and virtual name, and turns what the API
// says into an error of the contract. nil stays nil, and what has been through
// it stays as it is.
func fault(op, name string, err error) error {
	if err == nil || err == io.EOF { //nolint:errorlint // the end of a stream is io.EOF itself
		return err
	}
	var path *fs.PathError
	var link *os.LinkError
	if errors.As(err, &path) || errors.As(err, &link) {
		return err
	}
	return &fs.PathError{Op: op, Path: name, Err: translate(err)}
}

// translate finds the contract's error for err.
func translate(err error) error {
	if f, ok := errors.AsType[*failure](err); ok {
		return f
	}
	f := &failure{message: heard(err)}
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		f.code, f.message = api.ErrorCode(), api.ErrorMessage()
	}
	if answer, ok := errors.AsType[*awshttp.ResponseError](err); ok {
		f.status, f.request = answer.HTTPStatusCode(), answer.ServiceRequestID()
		if f.status >= 300 && f.kind == nil && skewed(answer.HTTPResponse().Header, time.Now()) {
			f.hint = hintClock
		}
	}
	switch {
	case errors.Is(err, context.Canceled):
		f.kind = context.Canceled
	case errors.Is(err, errCredentials):
		f.kind, f.hint = errSetup, hintCredentials
	case f.status == 0 && outOfReach(err) != "":
		f.kind, f.hint = errSetup, outOfReach(err)
	case f.code != "" || f.status >= 300:
		f.classify()
	case errors.Is(err, context.DeadlineExceeded):
		f.kind, f.hint = context.DeadlineExceeded, unreachable(err)
	case f.status != 0, isTransport(err):
		f.kind, f.hint = vfs.ErrTransient, unreachable(err) // half an answer, or none
	default:
		return err // ours
	}
	return f
}

// What the person who runs the gateway can do.
const (
	hintClock       = "the clock of the gateway or of the storage is wrong: synchronise them (NTP)"
	hintCredentials = "the gateway finds no usable credentials: check access_key_id and secret_access_key, the environment, the shared profile or the role"
	hintExpired     = "the credentials have expired: renew session_token, or use a role"
	hintKeys        = "the storage does not accept these credentials: check access_key_id and secret_access_key"
	hintBucket      = "the bucket was not found: check bucket, region, endpoint and path_style"
	hintRegion      = "the bucket is in another region: set region"
	hintScheme      = "what answers does not speak the protocol of the endpoint: check its scheme, https:// or http://, and its port"
	hintUnexplained = "the answer does not say why: check the scheme of the endpoint, https:// or http://, and its port, the region and the credentials"
	hintCertificate = "the certificate of the store is not trusted: set ca_file to its authority, and check the name in endpoint and the clock"
	hintProxy       = "the proxy does not take the request: check http_proxy, or HTTPS_PROXY and HTTP_PROXY in the environment"
	hintEndpoint    = "check endpoint and region, and that the store runs"
	hintKMS         = "the KMS key cannot be used: check its state and its policy"
	hintArchived    = "the object is archived: restore it first"
)

// codes are the error codes of S3 and of stores like it whose meaning their HTTP
// status does not tell.
var codes = map[string]struct {
	kind error
	hint string
}{
	"NoSuchKey":                    {fs.ErrNotExist, ""},
	"NoSuchBucket":                 {errSetup, hintBucket},
	"NoSuchUpload":                 {vfs.ErrTransient, ""}, // somebody has aborted it
	"InvalidAccessKeyId":           {errSetup, hintKeys},
	"XAdminUserNotFound":           {errSetup, hintKeys}, // of versitygw, with 404
	"SignatureDoesNotMatch":        {errSetup, hintKeys},
	"InvalidToken":                 {errSetup, hintKeys},
	"ExpiredToken":                 {errSetup, hintExpired},
	"TokenRefreshRequired":         {errSetup, hintExpired},
	"RequestTimeTooSkewed":         {errSetup, hintClock},
	"RequestExpired":               {errSetup, hintClock},
	"AuthorizationHeaderMalformed": {errSetup, hintRegion},
	"PermanentRedirect":            {errSetup, hintRegion},
	"KMS.DisabledException":        {errSetup, hintKMS},
	"KMS.NotFoundException":        {errSetup, hintKMS},
	"KMS.KMSInvalidStateException": {errSetup, hintKMS},
	"InvalidObjectState":           {fs.ErrPermission, hintArchived},
	"EntityTooLarge":               {vfs.ErrQuota, ""},
	"QuotaExceeded":                {vfs.ErrQuota, ""},
	"XMinioAdminBucketQuotaExceeded": {
		vfs.ErrQuota, "",
	},
	"XMinioStorageFull":         {vfs.ErrNoSpace, ""},
	"KeyTooLongError":           {vfs.ErrBadName, ""},
	"InvalidObjectName":         {vfs.ErrBadName, ""},
	"XMinioInvalidObjectName":   {vfs.ErrBadName, ""},
	"InvalidURI":                {vfs.ErrBadName, ""},
	"RequestTimeout":            {vfs.ErrTransient, ""},
	"BadDigest":                 {vfs.ErrTransient, ""}, // bytes were damaged on their way
	"IncompleteBody":            {vfs.ErrTransient, ""},
	"InternalError":             {vfs.ErrTransient, ""},
	"SlowDown":                  {vfs.ErrTransient, ""},
	"ObjectParentIsFile":        {vfs.ErrNotDir, ""}, // of stores on a file system
	"ExistingObjectIsDirectory": {vfs.ErrIsDir, ""},
	"DirectoryNotEmpty":         {vfs.ErrNotEmpty, ""},
}

// classify finds the error of the contract for an answer. A HEAD has no code.
func (f *failure) classify() {
	if known, ok := codes[f.code]; ok {
		f.kind, f.hint = known.kind, known.hint
		return
	}
	denied := f.status == http.StatusUnauthorized || f.status == http.StatusForbidden
	clock := f.hint != "" && (denied || f.status == http.StatusBadRequest)
	if !clock {
		f.hint = ""
	}
	switch s := f.status; {
	case clock:
		f.kind = errSetup
	case denied:
		f.kind = fs.ErrPermission
	case s == http.StatusProxyAuthRequired:
		f.kind, f.hint = errSetup, hintProxy
	case s == http.StatusNotFound:
		f.kind = fs.ErrNotExist
	case s == http.StatusMovedPermanently, s == http.StatusTemporaryRedirect:
		f.kind, f.hint = errSetup, hintRegion
	case s == http.StatusConflict, s == http.StatusPreconditionFailed, s == http.StatusTooManyRequests:
		f.kind = vfs.ErrTransient
	case s == http.StatusRequestedRangeNotSatisfiable:
		f.kind = fs.ErrInvalid
	case s == http.StatusNotImplemented, s == http.StatusMethodNotAllowed:
		f.kind = vfs.ErrUnsupported
	case s == http.StatusInsufficientStorage:
		f.kind = vfs.ErrNoSpace
	case s >= http.StatusInternalServerError:
		f.kind = vfs.ErrTransient
	case s == http.StatusBadRequest && (f.code == "" || f.code == "BadRequest"): // of who wants TLS, or without a body
		f.kind, f.hint = errSetup, hintUnexplained
	default:
		f.kind = errSetup
	}
}

// maxSkew is how far clocks may differ before S3 refuses signatures.
const maxSkew = 15 * time.Minute

// skewed reports whether the answer was given at another time than it arrived:
// a refused HEAD says no more than that.
func skewed(h http.Header, now time.Time) bool {
	date, err := http.ParseTime(h.Get("Date"))
	return err == nil && now.Sub(date).Abs() > maxSkew
}

// status is the HTTP status of an error of the API, mapped or not; 0: no answer came.
func status(err error) int {
	if f, ok := errors.AsType[*failure](err); ok {
		return f.status
	}
	if answer, ok := errors.AsType[*awshttp.ResponseError](err); ok {
		return answer.HTTPStatusCode()
	}
	return 0
}

// preconditionFailed reports whether an If-Match or If-None-Match did not hold.
func preconditionFailed(err error) bool { return status(err) == http.StatusPreconditionFailed }

// notImplemented reports whether the store knows the operation, or a header, not at all.
func notImplemented(err error) bool { return status(err) == http.StatusNotImplemented }

// lostAnswer reports whether a request may have been carried out although it failed.
func lostAnswer(err error) bool {
	if err == nil {
		return false
	}
	s := status(err)
	// 200 is an error that came after the headers of a success.
	return s == 0 || s == http.StatusOK || s >= http.StatusInternalServerError && s != http.StatusNotImplemented && s != http.StatusServiceUnavailable
}
