package s3

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ftpgate/ftpgate/backends/s3/internal/fake"
	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// TestFaults: what S3 says, as everybody else hears it. The message for the log has the
// code, the request id and what to do.
func TestFaults(t *testing.T) {
	for _, c := range []struct {
		status int
		code   string
		want   error
		hint   string
	}{
		{404, "NoSuchKey", fs.ErrNotExist, ""},
		{404, "NoSuchBucket", errSetup, hintBucket},
		{404, "NoSuchUpload", vfs.ErrTransient, ""},
		{403, "AccessDenied", fs.ErrPermission, ""},
		{403, "InvalidObjectState", fs.ErrPermission, hintArchived},
		{403, "InvalidAccessKeyId", errSetup, hintKeys},
		{404, "XAdminUserNotFound", errSetup, hintKeys},
		{403, "SignatureDoesNotMatch", errSetup, hintKeys},
		{400, "ExpiredToken", errSetup, hintExpired},
		{403, "RequestTimeTooSkewed", errSetup, hintClock},
		{400, "AuthorizationHeaderMalformed", errSetup, hintRegion},
		{400, "KMS.DisabledException", errSetup, hintKMS},
		{400, "EntityTooLarge", vfs.ErrQuota, ""},
		{400, "KeyTooLongError", vfs.ErrBadName, ""},
		{400, "SomethingNew", errSetup, ""},
		{405, "MethodNotAllowed", vfs.ErrUnsupported, ""},
		{409, "OperationAborted", vfs.ErrTransient, ""},
		{412, "PreconditionFailed", vfs.ErrTransient, ""},
		{416, "InvalidRange", fs.ErrInvalid, ""},
		{429, "TooManyRequests", vfs.ErrTransient, ""},
		{500, "InternalError", vfs.ErrTransient, ""},
		{501, "NotImplemented", vfs.ErrUnsupported, ""},
		{503, "SlowDown", vfs.ErrTransient, ""},
		{507, "InsufficientStorage", vfs.ErrNoSpace, ""},
	} {
		st := newFake(t, fake.Options{})
		st.wire.Inject(fake.Fault{Effect: fake.Refuse(c.status, c.code)})
		_, err := st.backend(t).list(t.Context(), listRequest{max: 1})
		var path *fs.PathError
		if !errors.Is(err, c.want) || !errors.As(err, &path) {
			t.Errorf("%s: %v, want %v", c.code, err, c.want)
			continue
		}
		for _, part := range []string{c.code, "FAULT00000000001", c.hint} {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%s: %q lacks %q", c.code, err, part)
			}
		}
		if again := fault("open", "/other", err); again != err {
			t.Errorf("%s: mapped twice, it is %v", c.code, again)
		}
	}
}

// TestHeadFaults: the answer to a HEAD has no code.
func TestHeadFaults(t *testing.T) {
	for _, c := range []struct {
		status int
		effect fake.Effect
		want   error
	}{
		{404, nil, fs.ErrNotExist},
		{403, nil, fs.ErrPermission},
		{400, nil, errSetup},
		{301, nil, errSetup},
		{412, nil, vfs.ErrTransient},
		{503, nil, vfs.ErrTransient},
		{0, fake.Reset(), vfs.ErrTransient},
		{403, func(r *http.Request, next http.RoundTripper) (*http.Response, error) {
			resp, err := fake.Refuse(403, "RequestTimeTooSkewed")(r, next)
			resp.Header.Set("Date", time.Now().Add(-time.Hour).UTC().Format(http.TimeFormat))
			return resp, err
		}, errSetup},
	} {
		st := newFake(t, fake.Options{})
		effect := c.effect
		if effect == nil {
			effect = fake.Refuse(c.status, "Whatever")
		}
		st.wire.Inject(fake.Fault{Effect: effect})
		_, err := st.backend(t).head(t.Context(), "x")
		if !errors.Is(err, c.want) || status(err) != c.status {
			t.Errorf("%d: %v (status %d), want %v", c.status, err, status(err), c.want)
		}
	}
}

// TestFaultsInPlainWords: what the log shows has nothing of the words of the SDK, and says nothing twice.
func TestFaultsInPlainWords(t *testing.T) {
	answer := func(status int, body string) fake.Effect {
		return func(r *http.Request, _ http.RoundTripper) (*http.Response, error) {
			return &http.Response{StatusCode: status, Header: http.Header{}, Request: r, Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body))}, nil
		}
	}
	fails := func(err error) fake.Effect {
		return func(*http.Request, http.RoundTripper) (*http.Response, error) { return nil, err }
	}
	dial := func(err error) fake.Effect {
		return fails(&net.OpError{Op: "dial", Net: "tcp", Addr: &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 443}, Err: err})
	}
	refused := os.NewSyscallError("connect", syscall.ECONNREFUSED)
	const what = "storage temporarily unavailable (S3: "
	for _, c := range []struct {
		head   bool
		effect fake.Effect
		want   string
	}{
		{false, fails(io.EOF), what + "the connection was closed before the answer had come)"},
		{false, dial(refused), what + "192.0.2.1:443 refuses connections); " + hintEndpoint},
		{false, dial(os.ErrDeadlineExceeded), what + "192.0.2.1:443 does not answer); " + hintEndpoint},
		{false, dial(&net.DNSError{Name: "s3.example", IsNotFound: true}), what + `there is no host "s3.example"); ` + hintEndpoint},
		{false, fails(&net.OpError{Op: "read", Net: "tcp", Err: os.ErrDeadlineExceeded}), what + "nothing was heard for longer than timeout)"},
		{false, fails(&net.OpError{Op: "read", Net: "tcp", Err: os.NewSyscallError("read", syscall.ECONNRESET)}), what + "the connection was reset)"},
		{false, answer(200, "<html>"), what + "HTTP 200: the answer cannot be understood, or has not come as a whole)"},
		{false, answer(502, "<html>&&"), what + "HTTP 502: the answer cannot be understood, or has not come as a whole)"},
		{false, fails(context.DeadlineExceeded), "storage did not answer in time (S3: the request was given up)"},
		{true, fails(context.DeadlineExceeded), "storage did not answer in time (S3: the request was given up)"},
		{true, answer(503, ""), what + "HTTP 503 ServiceUnavailable)"},
		{true, answer(403, ""), "permission denied (S3: HTTP 403 Forbidden)"},
		{true, answer(404, ""), "file does not exist (S3: HTTP 404 NotFound)"},
	} {
		st := newFake(t, fake.Options{})
		st.wire.Inject(fake.Fault{Effect: c.effect})
		op := "list /: "
		_, err := st.backend(t).list(t.Context(), listRequest{prefix: st.prefix, max: 1})
		if c.head {
			op = "head /x: "
			_, err = st.backend(t).head(t.Context(), st.prefix+"x")
		}
		if err == nil || err.Error() != op+c.want {
			t.Errorf("it says\n%v, want\n%s", err, op+c.want)
		}
	}
}

// TestMissingIsNotDenied: 403 is never "no such file", whatever asks.
func TestMissingIsNotDenied(t *testing.T) {
	for _, op := range []string{"HeadObject", "ListObjectsV2"} {
		st := newFake(t, fake.Options{})
		fsys := st.backend(t).Open("", 0)
		if _, err := fsys.Stat("/none"); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("what is not there: %v", err)
		}
		st.wire.Inject(fake.Fault{Op: op, Effect: fake.Refuse(403, "AccessDenied")})
		if op == "HeadObject" { // the same right
			st.wire.Inject(fake.Fault{Op: "GetObject", Effect: fake.Refuse(403, "AccessDenied")})
		}
		for what, err := range map[string]error{
			"Stat":   second(fsys.Stat("/none")),
			"Open":   second(fsys.Open("/none")),
			"Remove": fsys.Remove("/none"),
			"Rename": fsys.Rename("/none", "/other"),
		} {
			if !errors.Is(err, fs.ErrPermission) || errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%s where %s is denied: %v", what, op, err)
			}
		}
	}
}

func second[T any](_ T, err error) error { return err }

func TestCancelledFault(t *testing.T) {
	st := newFake(t, fake.Options{})
	ctx, cancel := context.WithCancel(t.Context())
	st.wire.Inject(fake.Fault{Effect: fake.Before(cancel)})
	_, err := st.backend(t).head(ctx, "x")
	if !errors.Is(err, context.Canceled) || errors.Is(err, vfs.ErrTransient) {
		t.Errorf("a cancelled request: %v", err)
	}
}
