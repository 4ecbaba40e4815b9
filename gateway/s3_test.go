package gateway

import (
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"

	"github.com/rs/zerolog"

	"github.com/ftpgate/ftpgate/gateway/config"
)

// TestChecksumOfEndpoint: "auto" goes by the store that is asked, also where the environment names it.
func TestChecksumOfEndpoint(t *testing.T) {
	sums := make(chan string, 1)
	h := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		sums <- r.Header.Get("X-Amz-Checksum-Crc32")
	}))
	defer h.Close()
	none := filepath.Join(t.TempDir(), "none")
	t.Setenv("AWS_CONFIG_FILE", none)
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", none)
	t.Setenv("AWS_ENDPOINT_URL", h.URL)
	for setting, want := range map[config.Checksum]bool{config.ChecksumAuto: false, "CRC32": true} {
		open := newBackends(&config.Config{}, zerolog.Nop())
		b, err := open.openS3(&config.S3{Bucket: "b", PathStyle: true, AccessKeyID: "a", SecretAccessKey: "s", Checksum: setting})
		if err != nil {
			t.Fatal(err)
		}
		f, err := b.Open("", 0).Create("/f")
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(f, "content") // Close says why if it fails
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		if sum := <-sums; (sum != "") != want {
			t.Errorf("%s: the checksum is %q", setting, sum)
		}
	}
}
