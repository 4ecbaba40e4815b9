package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// bucketConfig writes a configuration of a bucket at an endpoint.
func bucketConfig(t *testing.T, endpoint string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "c.hcl")
	text := fmt.Sprintf(`
		listener "main" { address = "127.0.0.1:2121" }
		backend "s3" "archive" {
		  bucket            = "acme"
		  prefix            = "ftp/${user.name}/"
		  endpoint          = %q
		  path_style        = true
		  access_key_id     = "AKIA"
		  secret_access_key = "hunter2"
		  max_retries       = 0
		}
		user "alice" {
		  password_hash = "$2b$04$abcdefghijklmnopqrstuuIvJqbFGfcKsZ4nMDV0jVbXlOvaBcF7K"
		  filesystem    = backend.s3.archive
		}
		user "bob" {
		  password_hash = "$2b$04$abcdefghijklmnopqrstuuIvJqbFGfcKsZ4nMDV0jVbXlOvaBcF7K"
		  filesystem    = backend.s3.archive
		}
	`, endpoint)
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestCheckConnect(t *testing.T) {
	denied := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Amz-Request-Id", "REQ1")
		if r.Method == http.MethodHead {
			return
		}
		w.WriteHeader(http.StatusForbidden)
		_, _ = io.WriteString(w, `<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>`)
	}))
	defer denied.Close()
	code, out, errOut := ftpgate(t, "", "check", "--connect", "-c", bucketConfig(t, denied.URL))
	if code != exitFailure || errOut != "" {
		t.Errorf("exit code %d, %s", code, errOut)
	}
	for _, want := range []string{
		"backend.s3.archive (bucket acme, prefix ftp/alice/)\n", "  ok       find the bucket\n",
		"  FAILED   list: ", "AccessDenied", "request REQ1", "\n           grant s3:ListBucket\n", "  FAILED   put an object: ", "\n           grant s3:PutObject\n",
		"c.hcl: no errors, 1 warning; not all works in 1 backend.\n",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in:\n%s", want, out)
		}
	}
	if strings.Contains(out, "hunter2") || strings.Contains(out, "ftp/bob/") {
		t.Errorf("it says too much:\n%s", out)
	}
	code, out, _ = ftpgate(t, "", "check", "--connect", "--config", "../../config.hcl.example")
	if code != exitOK || !strings.Contains(out, "There is no object store and no upstream server to connect to.") {
		t.Errorf("without one: exit code %d:\n%s", code, out)
	}
}

// leftovers is a store with an unfinished upload of alice's and a new one of bob's.
type leftovers struct {
	dateless bool // the store does not say when bob's was begun

	mu      sync.Mutex
	deleted []string
}

func (l *leftovers) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodDelete {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.deleted = append(l.deleted, r.URL.Path+" "+r.URL.Query().Get("uploadId"))
		w.WriteHeader(http.StatusNoContent)
		return
	}
	upload := `<Upload><Key>ftp/alice/old</Key><UploadId>1</UploadId><Initiated>2001-02-03T04:05:06.000Z</Initiated></Upload>`
	if r.URL.Query().Get("prefix") == "ftp/bob/" && l.dateless {
		upload = `<Upload><Key>ftp/bob/new</Key><UploadId>2</UploadId></Upload>`
	} else if r.URL.Query().Get("prefix") == "ftp/bob/" {
		upload = `<Upload><Key>ftp/bob/new</Key><UploadId>2</UploadId><Initiated>2999-02-03T04:05:06.000Z</Initiated></Upload>`
	}
	_, _ = io.WriteString(w, `<ListMultipartUploadsResult><IsTruncated>false</IsTruncated>`+upload+`</ListMultipartUploadsResult>`)
}

func TestS3Cleanup(t *testing.T) {
	var store leftovers
	h := httptest.NewServer(&store)
	defer h.Close()
	name := bucketConfig(t, h.URL)
	code, out, errOut := ftpgate(t, "", "s3", "cleanup", "-c", name)
	if code != exitOK || errOut != "" || !strings.Contains(out, `backend.s3.archive (bucket acme, prefix ftp/alice/)  "ftp/alice/old"`) ||
		strings.Contains(out, "bob") || !strings.Contains(out, "Found 1 unfinished upload; --delete deletes them.") {
		t.Errorf("exit code %d:\n%s%s", code, out, errOut)
	}
	if len(store.deleted) != 0 {
		t.Errorf("it deletes %q unasked", store.deleted)
	}
	code, out, errOut = ftpgate(t, "", "s3", "cleanup", "--delete", "-c", name)
	if code != exitOK || errOut != "" || !strings.Contains(out, "Deleted 1 unfinished upload.") {
		t.Errorf("exit code %d:\n%s%s", code, out, errOut)
	}
	if len(store.deleted) != 1 || store.deleted[0] != "/acme/ftp/alice/old 1" {
		t.Errorf("it deletes %q", store.deleted)
	}
}

// TestS3CleanupWithoutDate: an upload that may be under way is left alone, and it is said.
func TestS3CleanupWithoutDate(t *testing.T) {
	store := leftovers{dateless: true}
	h := httptest.NewServer(&store)
	defer h.Close()
	code, out, errOut := ftpgate(t, "", "s3", "cleanup", "--delete", "-c", bucketConfig(t, h.URL))
	if code != exitFailure || !strings.Contains(errOut, `"ftp/bob/new"`) || !strings.Contains(errOut, "is left alone") ||
		strings.Contains(out, "bob/new") || !strings.Contains(out, "Deleted 1 unfinished upload.") {
		t.Errorf("exit code %d:\n%s%s", code, out, errOut)
	}
	if len(store.deleted) != 1 || store.deleted[0] != "/acme/ftp/alice/old 1" {
		t.Errorf("it deletes %q", store.deleted)
	}
}

func TestS3CommandLine(t *testing.T) {
	denied := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusForbidden)
		_, _ = io.WriteString(w, `<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>`)
	}))
	defer denied.Close()
	for _, x := range []struct {
		args string
		code int
		says string
	}{
		{"s3", exitUsage, "say cleanup"},
		{"s3 cleanup x", exitUsage, "s3 cleanup --help"},
		{"s3 cleanup --older-than=-1h", exitUsage, "cannot be negative"},
		{"s3 cleanup -c none.hcl", exitFailure, "No such file"},
		{"s3 cleanup -c " + bucketConfig(t, denied.URL), exitFailure, "AccessDenied"},
		{"s3 cleanup -c " + bucketConfig(t, denied.URL), exitFailure, "; grant s3:ListBucketMultipartUploads\n"},
		{"s3 cleanup -c " + bucketConfig(t, denied.URL), exitFailure, "Found no unfinished uploads; there may be more"},
		{"s3 cleanup -c ../../config.hcl.example", exitOK, "There is no object store"},
	} {
		code, out, errOut := ftpgate(t, "", strings.Fields(x.args)...)
		errOut += out
		if code != x.code || !strings.Contains(errOut, x.says) {
			t.Errorf("ftpgate %s: exit code %d, want %d and %q in:\n%s%s", x.args, code, x.code, x.says, out, errOut)
		}
	}
}
