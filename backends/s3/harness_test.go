package s3

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/ftpgate/ftpgate/backends/s3/internal/fake"
	"github.com/ftpgate/ftpgate/protocol/vfs/vfstest"
)

// Which servers the tests of this package run on, beside the fake:
//
//	FTPGATE_TEST_VERSITYGW    path of a versitygw, which is started on a Unix socket
//	FTPGATE_TEST_S3_ENDPOINT  URL of a server that is there (path-style), with
//	FTPGATE_TEST_S3_BUCKET    a bucket of it, and AWS_* for region and credentials
//
// `make test-s3` sets the first.

// store is an S3 server under test, and a prefix of a bucket of it that is the test's own.
type store struct {
	name   string
	bucket string
	prefix string
	can    abilities
	wire   *fake.Wire      // what client sends
	client *sdk.Client     // what the backend under test uses: few retries, at once
	direct *sdk.Client     // past the wire: what someone else does
	past   *http.Transport // of direct
	fake   *fake.Server    // nil for others
}

// abilities are what not every server has. See the documentation of package fake for
// what was found where.
type abilities struct {
	objectAndPrefix bool // an object and a prefix of one name
	anyName         bool // keys that no file system could hold
	copyConditions  bool // If-None-Match on CopyObject
}

var everything = abilities{objectAndPrefix: true, anyName: true, copyConditions: true}

// newFake starts a fake for one test.
func newFake(t testing.TB, o fake.Options) *store {
	t.Helper()
	server := fake.New(o)
	server.CreateBucket("bucket")
	h := httptest.NewServer(server)
	t.Cleanup(h.Close)
	st := connect(t, "fake", h.URL, "bucket", &http.Transport{MaxIdleConnsPerHost: 100}, testCredentials)
	st.fake, st.can = server, everything
	return st
}

var testCredentials = credentials.NewStaticCredentialsProvider("testing", "testingsecret", "")

// eachStore runs a test on every server there is, with a prefix of its own.
func eachStore(t *testing.T, test func(t *testing.T, st *store)) {
	t.Run("fake", func(t *testing.T) { test(t, newFake(t, fake.Options{})) })
	if program := os.Getenv("FTPGATE_TEST_VERSITYGW"); program != "" {
		t.Run("versitygw", func(t *testing.T) { test(t, newVersity(t, program)) })
	}
	if endpoint := os.Getenv("FTPGATE_TEST_S3_ENDPOINT"); endpoint != "" {
		t.Run("endpoint", func(t *testing.T) {
			config, err := awsconfig.LoadDefaultConfig(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			st := connect(t, "endpoint", endpoint, os.Getenv("FTPGATE_TEST_S3_BUCKET"), http.DefaultTransport.(*http.Transport).Clone(), config.Credentials)
			st.can = everything
			test(t, st)
		})
	}
}

// newVersity starts a versitygw for one test.
func newVersity(t testing.TB, program string) *store {
	t.Helper()
	dir := t.TempDir()
	data, socket := filepath.Join(dir, "data"), filepath.Join(dir, "s3.sock")
	if len(socket) > 100 { // the kernel takes 107 bytes
		short, err := os.MkdirTemp("", "s3")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { os.RemoveAll(short) })
		socket = filepath.Join(short, "s3.sock")
	}
	if err := os.Mkdir(data, 0o700); err != nil {
		t.Fatal(err)
	}
	var output strings.Builder
	cmd := exec.Command(program, "--port", socket, "--access", "testing", "--secret", "testingsecret", "--quiet", "--keep-alive", "posix", data)
	cmd.Stdout, cmd.Stderr = &output, &output
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	exited := make(chan error, 1)
	go func() { exited <- cmd.Wait() }()
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // an error if it has exited, which the next line waits for
		<-exited
		if t.Failed() {
			t.Logf("versitygw said:\n%s", output.String())
		}
	})
	transport := &http.Transport{
		MaxIdleConnsPerHost: 100,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", socket)
		},
	}
	st := connect(t, "versitygw", "http://versitygw.test", "bucket", transport, testCredentials)
	for begin := time.Now(); ; {
		_, err := st.direct.CreateBucket(t.Context(), &sdk.CreateBucketInput{Bucket: aws.String(st.bucket)})
		if err == nil {
			return st
		}
		select {
		case err := <-exited:
			exited <- err
			t.Fatalf("versitygw ended: %v\n%s", err, output.String())
		case <-time.After(10 * time.Millisecond): // between two tries
		}
		if time.Since(begin) > 20*time.Second {
			t.Fatalf("versitygw does not serve: %v", err)
		}
	}
}

var prefixes atomic.Int64

// connect makes a store of a server that is there.
func connect(t testing.TB, name, endpoint, bucket string, transport *http.Transport, cred aws.CredentialsProvider) *store {
	t.Cleanup(transport.CloseIdleConnections)
	region := os.Getenv("AWS_REGION")
	if region == "" {
		region = "us-east-1"
	}
	client := func(rt http.RoundTripper) *sdk.Client {
		return sdk.New(sdk.Options{
			Region: region, BaseEndpoint: aws.String(endpoint), UsePathStyle: true, Credentials: cred,
			HTTPClient: &http.Client{Transport: rt},
			Retryer:    aws.NopRetryer{},
			// Only what a test asks for is computed.
			RequestChecksumCalculation: aws.RequestChecksumCalculationWhenRequired,
			ResponseChecksumValidation: aws.ResponseChecksumValidationWhenRequired,
		})
	}
	wire := fake.NewWire(transport)
	// It has connections of its own: net/http may give the next request one that is about to be closed because
	// its last request was cut, and that one then fails, with "context canceled".
	past := transport.Clone()
	t.Cleanup(past.CloseIdleConnections)
	return &store{
		name: name, bucket: bucket, wire: wire, client: client(wire), direct: client(past), past: past,
		prefix: fmt.Sprintf("test-%d-%d/", time.Now().UnixNano(), prefixes.Add(1)),
	}
}

// fresh is the same server with another prefix, for a part of a test.
func (st *store) fresh() *store {
	other := *st
	other.prefix = fmt.Sprintf("%s-%d/", strings.TrimSuffix(st.prefix, "/"), prefixes.Add(1))
	return &other
}

// backend makes a Backend of the store's prefix.
func (st *store) backend(t testing.TB, change ...func(*Options)) *Backend {
	t.Helper()
	o := Options{Client: st.client, Bucket: st.bucket, Prefix: st.prefix}
	for _, f := range change {
		f(&o)
	}
	b, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// put stores an object below the prefix, as someone else would, and returns its ETag.
func (st *store) put(t testing.TB, key, content string) string {
	t.Helper()
	out, err := st.direct.PutObject(t.Context(), &sdk.PutObjectInput{
		Bucket: &st.bucket, Key: aws.String(st.prefix + key), Body: strings.NewReader(content),
	})
	if err != nil {
		t.Fatalf("put %q: %v", key, err)
	}
	return aws.ToString(out.ETag)
}

// get returns what is stored below the prefix; ok is false if nothing is.
func (st *store) get(t testing.TB, key string) (content string, ok bool) {
	t.Helper()
	out, err := st.direct.GetObject(t.Context(), &sdk.GetObjectInput{Bucket: &st.bucket, Key: aws.String(st.prefix + key)})
	if err != nil {
		if strings.Contains(err.Error(), "NoSuchKey") {
			return "", false
		}
		t.Fatalf("get %q: %v", key, err)
	}
	defer out.Body.Close()
	b, err := io.ReadAll(out.Body)
	if err != nil {
		t.Fatalf("get %q: %v", key, err)
	}
	return string(b), true
}

func (st *store) head(t testing.TB, key string) *sdk.HeadObjectOutput {
	t.Helper()
	out, err := st.direct.HeadObject(t.Context(), &sdk.HeadObjectInput{Bucket: &st.bucket, Key: aws.String(st.prefix + key)})
	if err != nil {
		t.Fatalf("head %q: %v", key, err)
	}
	return out
}

// keys returns every key below the prefix, without it.
func (st *store) keys(t testing.TB) (keys []string) {
	t.Helper()
	pages := sdk.NewListObjectsV2Paginator(st.direct, &sdk.ListObjectsV2Input{Bucket: &st.bucket, Prefix: &st.prefix})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatalf("list: %v", err)
		}
		for _, o := range page.Contents {
			keys = append(keys, strings.TrimPrefix(aws.ToString(o.Key), st.prefix))
		}
	}
	return keys
}

// uploads returns the keys below the prefix with a multipart upload that has not ended.
func (st *store) uploads(t testing.TB) (keys []string) {
	t.Helper()
	return st.uploadsOf(t)
}

// uploadsOf is uploads for vfstest's clauses; it works after the test's context has ended.
func (st *store) uploadsOf(t vfstest.TB) (keys []string) {
	t.Helper()
	pages := sdk.NewListMultipartUploadsPaginator(st.direct, &sdk.ListMultipartUploadsInput{Bucket: &st.bucket, Prefix: &st.prefix})
	for pages.HasMorePages() {
		page, err := pages.NextPage(context.WithoutCancel(t.Context()))
		if err != nil {
			t.Fatalf("list uploads: %v", err)
		}
		for _, u := range page.Uploads {
			keys = append(keys, strings.TrimPrefix(aws.ToString(u.Key), st.prefix))
		}
	}
	return keys
}
