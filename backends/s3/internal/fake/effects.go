package fake

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"
	"time"
)

// errReset is what a client sees of a connection that was reset.
var errReset = &net.OpError{Op: "read", Net: "tcp", Err: os.NewSyscallError("read", syscall.ECONNRESET)}

// refused makes the answer of an error without asking the server.
func refused(r *http.Request, e *apiError) *http.Response {
	body := e.body(r.URL.Path, "FAULT00000000001")
	resp := &http.Response{
		Status: fmt.Sprintf("%d %s", e.status, http.StatusText(e.status)), StatusCode: e.status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: r,
		Header: http.Header{
			"Content-Type": {"application/xml"}, "X-Amz-Request-Id": {"FAULT00000000001"},
			"Date": {time.Now().UTC().Format(http.TimeFormat)},
		},
		ContentLength: int64(len(body)), Body: io.NopCloser(bytes.NewReader(body)),
	}
	if r.Method == http.MethodHead {
		resp.ContentLength, resp.Body = 0, http.NoBody
	}
	return resp
}

// hangUp ends a request as a server does that answers before it has read the body.
func hangUp(r *http.Request) {
	if r.Body != nil {
		_ = r.Body.Close() // the transport's duty, whose place an effect takes
	}
}

// drain reads a request to its end.
func drain(r *http.Request) error {
	defer hangUp(r)
	if r.Body == nil {
		return nil
	}
	_, err := io.Copy(io.Discard, r.Body)
	return err
}

// Refuse answers with an error, unasked: Refuse(503, "SlowDown"). With status 200 it
// is the error that CompleteMultipartUpload and CopyObject may hide in a success.
// As servers mostly do, it reads the request to its end before.
func Refuse(status int, code string) Effect {
	return func(r *http.Request, _ http.RoundTripper) (*http.Response, error) {
		if err := drain(r); err != nil {
			return nil, err
		}
		return refused(r, &apiError{status, code, "injected fault: " + code}), nil
	}
}

// RefuseLate answers with an error after the server has done the work.
func RefuseLate(status int, code string) Effect {
	return func(r *http.Request, next http.RoundTripper) (*http.Response, error) {
		if err := swallow(r, next); err != nil {
			return nil, err
		}
		return refused(r, &apiError{status, code, "injected fault: " + code}), nil
	}
}

// SayNothing answers with an empty success, like a proxy that has lost its server. If
// done is set, the server has done the work.
func SayNothing(done bool) Effect {
	return func(r *http.Request, next http.RoundTripper) (*http.Response, error) {
		do := drain
		if done {
			do = func(r *http.Request) error { return swallow(r, next) }
		}
		if err := do(r); err != nil {
			return nil, err
		}
		resp := refused(r, &apiError{status: http.StatusOK})
		resp.ContentLength, resp.Body = 0, http.NoBody
		return resp, nil
	}
}

// LoseAnswer lets the server do the work, and resets the connection before it can tell.
func LoseAnswer() Effect {
	return func(r *http.Request, next http.RoundTripper) (*http.Response, error) {
		if err := swallow(r, next); err != nil {
			return nil, err
		}
		return nil, errReset
	}
}

func swallow(r *http.Request, next http.RoundTripper) error {
	resp, err := next.RoundTrip(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return err
}

// Reset resets the connection before the server has seen the request.
func Reset() Effect {
	return func(r *http.Request, _ http.RoundTripper) (*http.Response, error) {
		hangUp(r)
		return nil, errReset
	}
}

// Latency delays a request.
func Latency(d time.Duration) Effect {
	return func(r *http.Request, next http.RoundTripper) (*http.Response, error) {
		timer := time.NewTimer(d)
		defer timer.Stop()
		select {
		case <-timer.C:
			return next.RoundTrip(r)
		case <-r.Context().Done():
			hangUp(r)
			return nil, r.Context().Err()
		}
	}
}

// Late lets the server work for a while on what it has got, whether or not its client
// still waits for the answer.
func Late(d time.Duration) Effect {
	return func(r *http.Request, next http.RoundTripper) (*http.Response, error) {
		var body bytes.Buffer
		if r.Body != nil {
			if _, err := body.ReadFrom(r.Body); err != nil {
				return nil, err
			}
			hangUp(r)
		}
		type answer struct {
			resp *http.Response
			err  error
		}
		answered := make(chan answer, 1)
		time.AfterFunc(d, func() {
			r := r.Clone(context.WithoutCancel(r.Context()))
			r.Body = io.NopCloser(&body)
			resp, err := next.RoundTrip(r)
			if err == nil { // the answer comes whole, or nobody reads it
				var text []byte
				text, err = io.ReadAll(resp.Body)
				resp.Body.Close()
				resp.Body = io.NopCloser(bytes.NewReader(text))
			}
			answered <- answer{resp, err}
		})
		select {
		case a := <-answered:
			return a.resp, a.err
		case <-r.Context().Done():
			return nil, r.Context().Err()
		}
	}
}

// Hold keeps a request until release is closed, or for as long as its client waits.
func Hold(release <-chan struct{}) Effect {
	return func(r *http.Request, next http.RoundTripper) (*http.Response, error) {
		select {
		case <-release:
			return next.RoundTrip(r)
		case <-r.Context().Done():
			hangUp(r)
			return nil, r.Context().Err()
		}
	}
}

// Hang never answers.
func Hang() Effect { return Hold(nil) }

// Before does something, as someone else would, before the server sees the request.
func Before(do func()) Effect {
	return func(r *http.Request, next http.RoundTripper) (*http.Response, error) {
		do()
		return next.RoundTrip(r)
	}
}

// After does something between the server's answer and the client's sight of it.
func After(do func()) Effect {
	return func(r *http.Request, next http.RoundTripper) (*http.Response, error) {
		resp, err := next.RoundTrip(r)
		do()
		return resp, err
	}
}

// CutUpload resets the connection after n bytes of the request's body; the
// server sees a body that ends too soon.
func CutUpload(n int64) Effect {
	return func(r *http.Request, next http.RoundTripper) (*http.Response, error) {
		if r.Body == nil {
			return next.RoundTrip(r)
		}
		r = r.Clone(r.Context())
		r.Body = &cut{ReadCloser: r.Body, left: n, err: errReset}
		resp, err := next.RoundTrip(r)
		if err != nil {
			return nil, errors.Join(errReset, err)
		}
		return resp, nil // the body was shorter, or the server answered before
	}
}

// CutDownload resets the connection after n bytes of the answer's body.
func CutDownload(n int64) Effect { return shorten(n, errReset) }

// ShortDownload ends the answer's body after n bytes, like a proxy that loses
// its server: less than Content-Length came.
func ShortDownload(n int64) Effect { return shorten(n, io.ErrUnexpectedEOF) }

func shorten(n int64, end error) Effect {
	return func(r *http.Request, next http.RoundTripper) (*http.Response, error) {
		resp, err := next.RoundTrip(r)
		if err == nil {
			resp.Body = &cut{ReadCloser: resp.Body, left: n, err: end}
		}
		return resp, err
	}
}

// cut fails with err after left bytes.
type cut struct {
	io.ReadCloser
	left int64
	err  error
}

func (c *cut) Read(p []byte) (int, error) {
	if c.left <= 0 {
		return 0, c.err
	}
	n, err := c.ReadCloser.Read(p[:min(int64(len(p)), c.left)])
	c.left -= int64(n)
	return n, err
}

// StallDownload lets n bytes of the answer's body through, and no more until release is
// closed, or for as long as the client waits.
func StallDownload(n int64, release <-chan struct{}) Effect {
	return func(r *http.Request, next http.RoundTripper) (*http.Response, error) {
		resp, err := next.RoundTrip(r)
		if err == nil {
			resp.Body = &stalled{cut{ReadCloser: resp.Body, left: n}, r, release}
		}
		return resp, err
	}
}

type stalled struct {
	cut
	r       *http.Request
	release <-chan struct{}
}

func (s *stalled) Read(p []byte) (int, error) {
	if s.left > 0 {
		return s.cut.Read(p)
	}
	select {
	case <-s.release:
		return s.ReadCloser.Read(p)
	case <-s.r.Context().Done():
		return 0, s.r.Context().Err()
	}
}

// Dribble hands out the answer's body in reads of at most n bytes.
func Dribble(n int) Effect {
	return func(r *http.Request, next http.RoundTripper) (*http.Response, error) {
		resp, err := next.RoundTrip(r)
		if err == nil {
			resp.Body = &dribble{resp.Body, n}
		}
		return resp, err
	}
}

type dribble struct {
	io.ReadCloser
	n int
}

func (d *dribble) Read(p []byte) (int, error) { return d.ReadCloser.Read(p[:min(len(p), d.n)]) }

// SkewClock refuses requests like a server whose clock is by ahead of what they say, and
// goes on being so when the client corrects itself.
func SkewClock(by time.Duration) Effect {
	return func(r *http.Request, next http.RoundTripper) (*http.Response, error) {
		resp, err := Refuse(http.StatusForbidden, "RequestTimeTooSkewed")(r, next)
		if err != nil {
			return nil, err
		}
		at, err := time.Parse("20060102T150405Z", r.Header.Get("X-Amz-Date"))
		if err != nil {
			return nil, err
		}
		resp.Header.Set("Date", at.Add(by).Format(http.TimeFormat))
		return resp, nil
	}
}

// Strip takes headers off a request, like a store that does not know them.
func Strip(headers ...string) Effect {
	return func(r *http.Request, next http.RoundTripper) (*http.Response, error) {
		r = r.Clone(r.Context())
		for name := range r.Header {
			for _, h := range headers {
				if strings.EqualFold(name, h) {
					r.Header.Del(name)
				}
			}
		}
		return next.RoundTrip(r)
	}
}
