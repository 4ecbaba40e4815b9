package s3

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/ftpgate/ftpgate/backends/s3/internal/fake"
	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// seen are the requests that a server got.
type seen struct {
	mu   sync.Mutex
	all  []*http.Request
	next http.Handler
}

func (s *seen) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.all = append(s.all, r.Clone(context.Background()))
	s.mu.Unlock()
	s.next.ServeHTTP(w, r)
}

func (s *seen) last(t *testing.T) *http.Request {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.all) == 0 {
		t.Fatal("there was no request")
	}
	return s.all[len(s.all)-1]
}

// noEnvironment hides what the machine says about AWS.
func noEnvironment(t *testing.T) {
	t.Helper()
	for _, v := range os.Environ() {
		if name, _, _ := strings.Cut(v, "="); strings.HasPrefix(name, "AWS_") {
			t.Setenv(name, "")
		}
	}
	none := filepath.Join(t.TempDir(), "none")
	t.Setenv("AWS_CONFIG_FILE", none)
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", none)
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
}

func newSeen(t *testing.T, start func(http.Handler) *httptest.Server) (*seen, *httptest.Server) {
	t.Helper()
	server := fake.New(fake.Options{})
	server.CreateBucket("bucket")
	s := &seen{next: server}
	h := start(s)
	t.Cleanup(h.Close)
	return s, h
}

func storeWith(t *testing.T, o ClientOptions) error {
	t.Helper()
	client, err := NewClient(o)
	if err != nil {
		t.Fatal(err)
	}
	b, err := New(Options{Client: client, Bucket: "bucket"})
	if err != nil {
		t.Fatal(err)
	}
	f, err := b.Open("", 0).OpenFile("/f", vfs.ModeReplace, 0)
	if err != nil {
		return err
	}
	_, _ = io.WriteString(f, "content") // Close says why if it fails
	return f.Close()
}

// TestPayloadSigning: what is signed over HTTP, to this machine and elsewhere, and over TLS.
// What is elsewhere is a proxy to the client, which sees what would go there.
func TestPayloadSigning(t *testing.T) {
	noEnvironment(t)
	const unsigned = "UNSIGNED-PAYLOAD"
	for _, c := range []struct {
		what     string
		start    func(http.Handler) *httptest.Server
		endpoint string // "": the server's own
		sign     PayloadSigning
		want     bool
	}{
		{"HTTP", httptest.NewServer, "http://s3.example", SignWithoutTLS, true},
		{"HTTP to a private address", httptest.NewServer, "http://10.0.0.1", SignWithoutTLS, true},
		{"HTTP to a name like this machine's", httptest.NewServer, "http://localhost.example", SignWithoutTLS, true},
		{"HTTP, never", httptest.NewServer, "http://s3.example", SignNever, false},
		{"HTTP to this machine", httptest.NewServer, "", SignWithoutTLS, false},
		{"HTTP to this machine by its name", httptest.NewServer, "http://LocalHost", SignWithoutTLS, false},
		{"TLS", httptest.NewTLSServer, "", SignWithoutTLS, false},
		{"TLS, never", httptest.NewTLSServer, "", SignNever, false},
	} {
		seen, h := newSeen(t, c.start)
		o := ClientOptions{
			Endpoint: h.URL, PathStyle: true, AccessKeyID: "a", SecretAccessKey: "s", CAFile: caFile(t, h), Sign: c.sign,
		}
		switch {
		case strings.EqualFold(c.endpoint, "http://localhost"):
			_, port, _ := net.SplitHostPort(h.Listener.Addr().String())
			o.Endpoint = c.endpoint + ":" + port
		case c.endpoint != "":
			o.Endpoint, o.Proxy = c.endpoint, h.URL
		}
		if err := storeWith(t, o); err != nil {
			t.Errorf("%s: %v", c.what, err)
			continue
		}
		if hash := seen.last(t).Header.Get("X-Amz-Content-Sha256"); (hash != unsigned) != c.want || hash == "" {
			t.Errorf("%s: the payload is %q", c.what, hash)
		}
	}
}

func TestIsLoopback(t *testing.T) {
	for host, want := range map[string]bool{
		"localhost": true, "127.0.0.1": true, "127.8.9.10": true, "::1": true, "::ffff:127.0.0.1": true,
		"": false, "0.0.0.0": false, "::": false, "10.0.0.1": false, "128.0.0.1": false, "fe80::1": false, "127.0.0.1.example": false,
	} {
		if got := isLoopback(host); got != want {
			t.Errorf("%q: %t", host, got)
		}
	}
}

// caFile is the certificate of a server as a file.
func caFile(t *testing.T, h *httptest.Server) string {
	t.Helper()
	c := h.Certificate()
	if c == nil {
		return ""
	}
	return writeFile(t, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}))
}

func writeFile(t *testing.T, content []byte) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(name, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// TestForeignCertificate: without CAFile the certificate of the test is not trusted.
func TestForeignCertificate(t *testing.T) {
	noEnvironment(t)
	_, h := newSeen(t, func(handler http.Handler) *httptest.Server {
		h := httptest.NewUnstartedServer(handler)
		h.Config.ErrorLog = log.New(io.Discard, "", 0) // every refused handshake would be there
		h.StartTLS()
		return h
	})
	err := storeWith(t, ClientOptions{Endpoint: h.URL, PathStyle: true, AccessKeyID: "a", SecretAccessKey: "s", MaxRetries: -1})
	var unknown x509.UnknownAuthorityError
	if !errors.Is(err, errSetup) || !strings.Contains(err.Error(), unknown.Error()[:20]) {
		t.Errorf("it says %v", err)
	}
	if err != nil && strings.Contains(err.Error(), "bucket/f") {
		t.Errorf("it tells the URL: %v", err)
	}
}

func TestCredentials(t *testing.T) {
	noEnvironment(t)
	seen, h := newSeen(t, httptest.NewServer)
	o := ClientOptions{Endpoint: h.URL, PathStyle: true, Region: "eu-west-1"}
	key := func() string {
		_, rest, _ := strings.Cut(seen.last(t).Header.Get("Authorization"), "Credential=")
		id, rest, _ := strings.Cut(rest, "/")
		if !strings.Contains(rest, "/eu-west-1/") {
			t.Errorf("the region is in %q", rest)
		}
		return id
	}

	err := storeWith(t, o)
	if !errors.Is(err, errSetup) || !strings.Contains(err.Error(), hintCredentials) {
		t.Errorf("without credentials: %v", err)
	}

	t.Setenv("AWS_ACCESS_KEY_ID", "of-the-environment")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
	if err := storeWith(t, o); err != nil || key() != "of-the-environment" {
		t.Errorf("of the environment: %v, %q", err, key())
	}

	o.AccessKeyID, o.SecretAccessKey, o.SessionToken = "given", "secret", "token"
	if err := storeWith(t, o); err != nil || key() != "given" || seen.last(t).Header.Get("X-Amz-Security-Token") != "token" {
		t.Errorf("given: %v, %q", err, key())
	}

	sts := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		want := url.Values{
			"Action": {"AssumeRole"}, "Version": {"2011-06-15"}, "DurationSeconds": {"900"},
			"RoleArn": {"arn:aws:iam::1:role/x"}, "ExternalId": {"external"}, "RoleSessionName": {"scanner"},
		}
		if r.PostForm.Encode() != want.Encode() {
			t.Errorf("STS is asked %v", r.PostForm)
		}
		_, _ = io.WriteString(w, `<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>of-the-role</AccessKeyId>
			<SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration>
			</Credentials></AssumeRoleResult></AssumeRoleResponse>`)
	}))
	defer sts.Close()
	t.Setenv("AWS_ENDPOINT_URL_STS", sts.URL)
	o.AssumeRole = AssumeRole{ARN: "arn:aws:iam::1:role/x", ExternalID: "external", SessionName: "scanner"}
	if err := storeWith(t, o); err != nil || key() != "of-the-role" {
		t.Errorf("of a role: %v, %q", err, key())
	}
}

func TestBadClientOptions(t *testing.T) {
	noEnvironment(t)
	for what, o := range map[string]ClientOptions{
		"no region":          {AccessKeyID: "a", SecretAccessKey: "s"},
		"no such file":       {Endpoint: "http://h", CAFile: filepath.Join(t.TempDir(), "none")},
		"no certificate":     {Endpoint: "http://h", CAFile: writeFile(t, []byte("text"))},
		"a proxy is not one": {Endpoint: "http://h", Proxy: "http://user:secret@[::1"},
	} {
		_, err := NewClient(o)
		if err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// TestProxy: the store is asked through the proxy, and where credentials come from is not.
func TestProxy(t *testing.T) {
	noEnvironment(t)
	seen, h := newSeen(t, httptest.NewServer)
	err := storeWith(t, ClientOptions{Endpoint: "http://s3.example", PathStyle: true, AccessKeyID: "a", SecretAccessKey: "s", Proxy: h.URL})
	if err != nil || seen.last(t).Host != "s3.example" {
		t.Errorf("through the proxy: %v", err)
	}
	proxied(t, ClientOptions{Proxy: h.URL})
}

// TestProxyOfEnvironment: the same holds for HTTP_PROXY, which net/http reads once in a process.
func TestProxyOfEnvironment(t *testing.T) {
	const child = "FTPGATE_TEST_PROXY_CHILD"
	if os.Getenv(child) != "" {
		proxied(t, ClientOptions{})
		return
	}
	cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	cmd.Env = append(os.Environ(), child+"=1", "HTTP_PROXY=http://proxy.example:3128", "NO_PROXY=", "no_proxy=")
	if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "--- PASS: "+t.Name()) {
		t.Errorf("%v:\n%s", err, out)
	}
}

// proxied checks who is asked through a proxy. Credentials come from the others.
func proxied(t *testing.T, o ClientOptions) {
	t.Helper()
	proxy, err := o.proxy()
	if err != nil {
		t.Fatal(err)
	}
	for host, want := range map[string]bool{
		"169.254.169.254": false, "169.254.170.2": false, "169.254.170.23": false,
		"[fd00:ec2::254]": false, "[fd00:ec2::23]": false, "[fe80::1]": false,
		"127.0.0.1": false, "127.1.2.3:8080": false, "[::1]:8080": false, "localhost:8080": false,
		"10.0.0.1": true, "[fd00::1]": true, "s3.example": true, "localhost.example": true,
	} {
		r := httptest.NewRequest(http.MethodGet, "http://"+host+"/", nil)
		if u, err := proxy(r); err != nil || (u != nil) != want {
			t.Errorf("%s through %v, %v", host, u, err)
		}
	}
}

// TestRetries: what a store refuses for now is asked again, a bounded number of times.
func TestRetries(t *testing.T) {
	noEnvironment(t)
	for _, c := range []struct{ fails, retries, want int }{{2, 2, 3}, {9, 2, 3}, {9, -1, 1}, {4, 0, 5}, {9, 0, 5}} {
		synctest.Test(t, func(t *testing.T) {
			st := newBubble(t, fake.Options{})
			client, err := NewClient(ClientOptions{Endpoint: "http://s3.test", PathStyle: true, AccessKeyID: "a", SecretAccessKey: "s", MaxRetries: c.retries})
			if err != nil {
				t.Fatal(err)
			}
			options := client.Options()
			options.HTTPClient = &http.Client{Transport: st.wire}
			st.client = sdk.New(options)
			st.wire.Inject(fake.Fault{Times: c.fails, Effect: fake.Refuse(503, "SlowDown")})
			begin := time.Now()
			_, err = st.backend(t).list(t.Context(), listRequest{max: 1})
			if n := st.wire.Count("ListObjectsV2"); n != c.want || (err == nil) != (c.fails < c.want) {
				t.Errorf("%d failures, %d retries: %d requests, %v", c.fails, c.retries, n, err)
			}
			if waited := time.Since(begin); waited > time.Duration(c.want)*maxBackoff {
				t.Errorf("%d failures, %d retries took %v", c.fails, c.retries, waited)
			}
		})
	}
}

// TestSilence: a store that accepts and says nothing is given up.
func TestSilence(t *testing.T) {
	noEnvironment(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	err = storeWith(t, ClientOptions{
		Endpoint: "http://" + l.Addr().String(), PathStyle: true, AccessKeyID: "a", SecretAccessKey: "s",
		Timeout: 50 * time.Millisecond, MaxRetries: -1,
	})
	if !errors.Is(err, vfs.ErrTransient) && !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("it says %v", err)
	}
}

// TestSilenceIsOfBothDirections: as long as a request goes out, its answer may wait.
func TestSilenceIsOfBothDirections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, client := net.Pipe()
		c := &quietConn{Conn: client, silence: time.Second}
		read := make(chan error, 1)
		go func() {
			_, err := c.Read(make([]byte, 1))
			read <- err
		}()
		go io.Copy(io.Discard, server) //nolint:errcheck // it ends with the pipe
		for range 10 {
			time.Sleep(900 * time.Millisecond)
			if _, err := c.Write([]byte("x")); err != nil {
				t.Fatal(err)
			}
		}
		begin := time.Now()
		if err := <-read; !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(begin) != time.Second {
			t.Errorf("%v after the last byte: %v", time.Since(begin), err)
		}
		c.Close()
		server.Close()
	})
}

// TestHeaders: SSE-C and requester pays are on every request that needs them.
func TestHeaders(t *testing.T) {
	st := newFake(t, fake.Options{})
	fsys := st.backend(t, func(o *Options) {
		o.CopyPart = 5 << 20
		o.Put.RequesterPays, o.Put.Encryption.CustomerKey = true, []byte("0123456789abcdef0123456789abcdef")
	}).Open("", 0)
	put := func(name string, size int) {
		f, err := fsys.OpenFile(name, vfs.ModeReplace, 0)
		if err == nil {
			_, _ = f.Write(make([]byte, size)) // Close says why if it fails
			err = f.Close()
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	put("/small", 1)
	put("/large", 20<<20)
	for _, name := range []string{"/small", "/large"} {
		if err := fsys.Rename(name, name+"2"); err != nil {
			t.Fatal(err)
		}
	}
	f, err := fsys.Open("/small2")
	if err != nil {
		t.Fatal(err)
	}
	if b, err := io.ReadAll(f); len(b) != 1 || err != nil {
		t.Errorf("read: %q, %v", b, err)
	}
	_ = f.Close()
	ops := map[string]bool{}
	for _, rec := range st.wire.Log() {
		ops[rec.Op] = true
		if rec.Header.Get("X-Amz-Request-Payer") != "requester" {
			t.Errorf("%s does not say who pays", rec.Op)
		}
		target, source := usesCustomerKey(rec.Op)
		for prefix, want := range map[string]bool{"": target, "Copy-Source-": source} {
			name := "X-Amz-" + prefix + "Server-Side-Encryption-Customer-"
			got := rec.Header.Get(name+"Algorithm") == "AES256" && rec.Header.Get(name+"Key") != "" && rec.Header.Get(name+"Key-Md5") != ""
			if got != want {
				t.Errorf("%s has %s: %t", rec.Op, name, got)
			}
		}
	}
	for _, op := range []string{"PutObject", "GetObject", "HeadObject", "CopyObject", "UploadPart", "UploadPartCopy", "CompleteMultipartUpload", "ListObjectsV2", "DeleteObject"} {
		if !ops[op] {
			t.Errorf("nothing sent %s", op)
		}
	}
}

func TestChecksumOf(t *testing.T) {
	for _, c := range []struct{ setting, endpoint, want string }{
		{"", "", "CRC32"},
		{"auto", "https://s3.eu-west-1.amazonaws.com", "CRC32"},
		{"auto", "https://s3.cn-north-1.amazonaws.com.cn", "CRC32"},
		{"auto", "https://s3.example.org", ""},
		{"auto", "https://amazonaws.com.example.org", ""},
		{"off", "", ""},
		{"SHA256", "https://s3.example.org", "SHA256"},
	} {
		if got := ChecksumOf(c.setting, c.endpoint); got != c.want {
			t.Errorf("%q at %q: %q", c.setting, c.endpoint, got)
		}
	}
}

// TestEndpoint: the environment and the shared profile may name the store, as long as
// the configuration does not, and what depends on it goes by the one that is asked.
func TestEndpoint(t *testing.T) {
	profile := func(text string) func(t *testing.T, url string) {
		return func(t *testing.T, url string) {
			t.Setenv("AWS_CONFIG_FILE", writeFile(t, []byte("[default]\n"+strings.ReplaceAll(text, "URL", url))))
		}
	}
	variable := func(name string) func(t *testing.T, url string) {
		return func(t *testing.T, url string) { t.Setenv(name, url) }
	}
	for what, name := range map[string]func(t *testing.T, url string){
		"AWS_ENDPOINT_URL":       variable("AWS_ENDPOINT_URL"),
		"AWS_ENDPOINT_URL_S3":    variable("AWS_ENDPOINT_URL_S3"),
		"profile":                profile("endpoint_url = URL\n"),
		"service of the profile": profile("services = x\n[services x]\ns3 =\n  endpoint_url = URL\n"),
	} {
		t.Run(what, func(t *testing.T) {
			noEnvironment(t)
			seen, h := newSeen(t, httptest.NewServer)
			name(t, h.URL)
			o := ClientOptions{PathStyle: true, AccessKeyID: "a", SecretAccessKey: "s"}
			client, err := NewClient(o)
			if err != nil {
				t.Fatal(err)
			}
			if got := Endpoint(client); got != h.URL || ChecksumOf("auto", got) != "" {
				t.Errorf("the endpoint is %q", got)
			}
			if err := storeWith(t, o); err != nil || seen.last(t).Header.Get("X-Amz-Checksum-Crc32") != "" {
				t.Errorf("it stores with %v, %v", seen.last(t).Header, err)
			}

			other, h2 := newSeen(t, httptest.NewServer)
			o.Endpoint = h2.URL
			if err := storeWith(t, o); err != nil || len(other.all) != 1 || len(seen.all) != 1 {
				t.Errorf("the configuration names another: %v", err)
			}
		})
	}
}

// TestCustomerKeyNeedsTLS: also where the endpoint is the environment's.
func TestCustomerKeyNeedsTLS(t *testing.T) {
	noEnvironment(t)
	for endpoint, want := range map[string]bool{"http://s3.example": false, "https://s3.example": true, "http://localhost:7070": true} {
		t.Setenv("AWS_ENDPOINT_URL", endpoint)
		client, err := NewClient(ClientOptions{AccessKeyID: "a", SecretAccessKey: "s"})
		if err != nil {
			t.Fatal(err)
		}
		_, err = New(Options{Client: client, Bucket: "b", Put: PutOptions{Encryption: Encryption{CustomerKey: make([]byte, customerKeySize)}}})
		if (err == nil) != want || err != nil && !strings.Contains(err.Error(), "AWS_ENDPOINT_URL") {
			t.Errorf("%s: %v", endpoint, err)
		}
	}
}

func TestClientsAreShared(t *testing.T) {
	noEnvironment(t)
	var all Clients
	o := ClientOptions{Endpoint: "http://h", AccessKeyID: "a", AssumeRole: AssumeRole{ARN: "r"}}
	first, err := all.Get(o)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := all.Get(o); again != first || err != nil {
		t.Errorf("another client for the same options, %v", err)
	}
	o.AssumeRole.ARN = "s"
	if other, err := all.Get(o); other == first || err != nil {
		t.Errorf("the same client for other options, %v", err)
	}
}
