package s3

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/ftpgate/ftpgate/backends/s3/internal/fake"
)

// newBubble starts a fake without a network, so that a synctest bubble can hold it.
func newBubble(t testing.TB, o fake.Options) *store {
	server := fake.New(o)
	server.CreateBucket("bucket")
	client := func(rt http.RoundTripper) *sdk.Client {
		return sdk.New(sdk.Options{
			Region: "us-east-1", BaseEndpoint: aws.String("http://s3.test"), UsePathStyle: true,
			Credentials: testCredentials, HTTPClient: &http.Client{Transport: rt}, Retryer: aws.NopRetryer{},
			RequestChecksumCalculation: aws.RequestChecksumCalculationWhenRequired,
			ResponseChecksumValidation: aws.ResponseChecksumValidationWhenRequired,
		})
	}
	wire := fake.NewWire(inProcess{server})
	return &store{
		name: "fake", bucket: "bucket", prefix: "p/", can: everything, wire: wire,
		client: client(wire), direct: client(inProcess{server}), fake: server,
	}
}

// inProcess calls a handler for every request.
type inProcess struct{ h http.Handler }

func (p inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	in := r.Clone(r.Context())
	if in.Body == nil {
		in.Body = http.NoBody
	}
	pr, pw := io.Pipe()
	w := &answer{header: make(http.Header), body: pw, ready: make(chan struct{})}
	context.AfterFunc(r.Context(), func() { pr.CloseWithError(r.Context().Err()) })
	go func() {
		defer in.Body.Close()
		defer func() {
			if recover() != nil { // as the server of net/http ends a connection
				pw.CloseWithError(io.ErrUnexpectedEOF)
			}
		}()
		p.h.ServeHTTP(w, in)
		w.WriteHeader(http.StatusOK)
		pw.Close()
	}()
	select {
	case <-w.ready:
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
	length, err := strconv.ParseInt(w.sent.Get("Content-Length"), 10, 64)
	if err != nil {
		length = -1
	}
	return &http.Response{
		Status: fmt.Sprint(w.status), StatusCode: w.status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: w.sent, Body: pr, ContentLength: length, Request: r,
	}, nil
}

// answer is an http.ResponseWriter.
type answer struct {
	header, sent http.Header
	status       int
	body         *io.PipeWriter
	once         sync.Once
	ready        chan struct{}
}

func (a *answer) Header() http.Header { return a.header }

func (a *answer) WriteHeader(status int) {
	a.once.Do(func() {
		a.status, a.sent = status, a.header.Clone()
		close(a.ready)
	})
}

func (a *answer) Write(p []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	return a.body.Write(p)
}

// throttle makes every connection slow: so many bytes a second, in both directions.
func throttle(rate int64) fake.Effect {
	return func(r *http.Request, next http.RoundTripper) (*http.Response, error) {
		if r.Body != nil {
			r.Body = &slow{r.Body, rate}
		}
		resp, err := next.RoundTrip(r)
		if err == nil {
			resp.Body = &slow{resp.Body, rate}
		}
		return resp, err
	}
}

type slow struct {
	io.ReadCloser
	rate int64
}

func (s *slow) Read(p []byte) (int, error) {
	n, err := s.ReadCloser.Read(p[:min(len(p), 64<<10)])
	time.Sleep(time.Duration(n) * time.Second / time.Duration(s.rate))
	return n, err
}
