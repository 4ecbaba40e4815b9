//go:build e2e

package e2e

import (
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

// curlExit are exit codes of curl, see its manual.
const (
	curlDenied       = 9  // CWD was refused
	curlUploadFailed = 25 // STOR was refused
	curlLoginDenied  = 67
	curlNotFound     = 78
	curlQuoteFailed  = 21
	curlRetrFailed   = 19
	curlPortFailed   = 30
	curlSendFailed   = 55
	curlStorFailed   = 70
)

func (l *lab) curl(t *testing.T, args ...string) string {
	t.Helper()
	return l.run(t, "curl", append([]string{"-sS", "--max-time", "60"}, args...)...)
}

func (l *lab) curlFails(t *testing.T, codes []int, args ...string) {
	t.Helper()
	_, text, code := l.try(t, "", "curl", append([]string{"-sS", "--max-time", "60"}, args...)...)
	if !slices.Contains(codes, code) {
		t.Fatalf("curl %q ended with %d, want one of %v\n%s", args, code, codes, text)
	}
}

// turnedAway expects that curl was answered 421: it ends with 28 then, as after a real
// timeout, of which it says more.
func (l *lab) turnedAway(t *testing.T, args ...string) {
	t.Helper()
	_, text, code := l.try(t, "", "curl", append([]string{"-sS", "--max-time", "60"}, args...)...)
	if code != 28 || !strings.Contains(text, "Timeout was reached") {
		t.Fatalf("curl %q ended with %d, want 28 for a 421\n%s", args, code, text)
	}
}

// TestCurlModes moves a file both ways in every mode of data connections.
func TestCurlModes(t *testing.T) {
	l := newLab(t)
	want := content(1<<20 + 1)
	source := put(t, l.work, "source", want)
	modes := map[string][]string{
		"v4 EPSV": nil,
		"v4 PASV": {"--disable-epsv"},
		"v4 EPRT": {"--ftp-port", "127.0.0.1"},
		"v4 PORT": {"--ftp-port", "127.0.0.1", "--disable-eprt"},
		"v6 EPSV": nil,
		"v6 EPRT": {"--ftp-port", "::1"},
	}
	families := l.families(t)
	for name, mode := range modes {
		t.Run(name, func(t *testing.T) {
			family := name[:2]
			if !slices.Contains(families, family) {
				t.Skip("this machine has no ::1")
			}
			for _, user := range []string{"owner", "memory"} {
				file := "/" + name + " " + user
				l.curl(t, append(mode, "-T", source, l.url(family, user, file))...)
				if got := l.curl(t, append(mode, l.url(family, user, file))...); got != string(want) {
					t.Fatalf("%s: got %d bytes back, want %d", user, len(got), len(want))
				}
				if list := l.curl(t, append(mode, "--list-only", l.url(family, user, "/"))...); !strings.Contains(list, file[1:]+"\n") {
					t.Fatalf("%s: NLST: %q", user, list)
				}
				if list := l.curl(t, append(mode, l.url(family, user, "/"))...); !strings.Contains(list, file[1:]) {
					t.Fatalf("%s: LIST: %q", user, list)
				}
			}
		})
	}
}

// TestCurlResume goes on with downloads and uploads where they ended.
func TestCurlResume(t *testing.T) {
	l := newLab(t)
	want := content(500_000)
	source := put(t, l.work, "source", want)
	put(t, l.mirror, "file", want)

	put(t, l.work, "down", want[:123_456])
	l.curl(t, "-C", "-", "-o", "down", l.url("v4", "", "/file"))
	same(t, l.work, "down", want)

	put(t, l.home, "up", want[:123_456])
	l.curl(t, "-C", "-", "-T", source, l.url("v4", "owner", "/up"))
	same(t, l.home, "up", want)
}

// TestCurlKilled kills an uploading curl; another one completes the file. Until
// then nobody sees any of it.
func TestCurlKilled(t *testing.T) {
	l := newLab(t)
	want := content(4 << 20)
	source := put(t, l.work, "source", want)
	cmd := l.command(t, "curl", "-sS", "-T", "-", l.url("v4", "patient", "/report"))
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := in.Write(want[:2<<20]); err != nil {
		t.Fatal(err)
	}
	// That curl has read it does not mean that the gateway has stored any.
	for limit := time.Now().Add(patience); stagedBytes(t, l.home) == 0; {
		if time.Now().After(limit) {
			t.Fatalf("nothing is staged within %v\n%s", patience, l.log.text())
		}
		runtime.Gosched()
	}
	cmd.Process.Kill()
	cmd.Wait()
	in.Close()
	end, err := l.log.wait(t.Context(), func(l logLine) bool { return l.Message == "transfer" && l.Path == "/report" })
	if err != nil {
		t.Fatal(err)
	}
	if end.Outcome != "held" {
		t.Fatalf("outcome of the killed upload: %q, want held\n%s", end.Outcome, l.log.text())
	}
	missing(t, l.home, "report")
	if list := l.curl(t, "--list-only", l.url("v4", "owner", "/")); list != "" {
		t.Fatalf("the killed upload shows: %q", list)
	}
	l.curl(t, "-C", "-", "-T", source, l.url("v4", "patient", "/report"))
	same(t, l.home, "report", want)
}

// stagedBytes is how much of uploads that have not ended yet is in a directory.
func stagedBytes(t *testing.T, dir string) (n int64) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, ".ftpgate", "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if info, err := os.Stat(f); err == nil { // else it has just been renamed
			n += info.Size()
		}
	}
	return n
}

// TestCurlTimes: -R keeps the time of what it fetches.
func TestCurlTimes(t *testing.T) {
	l := newLab(t)
	when := time.Date(2011, 12, 13, 14, 15, 16, 0, time.UTC)
	file := put(t, l.mirror, "old", content(10))
	if err := os.Chtimes(file, when, when); err != nil {
		t.Fatal(err)
	}
	l.curl(t, "-R", "-o", "got", l.url("v4", "", "/old"))
	info, err := os.Stat(filepath.Join(l.work, "got"))
	if err != nil {
		t.Fatal(err)
	}
	if !info.ModTime().Equal(when) {
		t.Fatalf("time of the copy: %v, want %v", info.ModTime().UTC(), when)
	}
	l.curl(t, "-T", "got", "-Q", "-MFMT 20111213141517 up", l.url("v4", "owner", "/up"))
	if info, err = os.Stat(filepath.Join(l.home, "up")); err != nil || !info.ModTime().Equal(when.Add(time.Second)) {
		t.Fatalf("time set by MFMT: %v, %v", info.ModTime().UTC(), err)
	}
}

// TestCurlMirror: anonymous may fetch, and nothing else.
func TestCurlMirror(t *testing.T) {
	l := newLab(t)
	want := content(100_000)
	put(t, l.mirror, "pub/file", want)
	for _, family := range l.families(t) {
		if got := l.curl(t, l.url(family, "", "/pub/file")); got != string(want) {
			t.Fatalf("%s: got %d bytes, want %d", family, len(got), len(want))
		}
	}
	l.curlFails(t, []int{curlUploadFailed}, "-T", filepath.Join(l.mirror, "pub/file"), l.url("v4", "", "/new"))
	l.curlFails(t, []int{curlQuoteFailed}, "-Q", "DELE /pub/file", l.url("v4", "", "/"))
	l.curlFails(t, []int{curlQuoteFailed}, "-Q", "MKD /dir", l.url("v4", "", "/"))
	l.curlFails(t, []int{curlNotFound, curlDenied}, l.url("v4", "", "/missing"))
	same(t, l.mirror, "pub/file", want)
	if names := listed(t, l.mirror); !slices.Equal(names, []string{"pub"}) {
		t.Fatalf("the mirror holds %q", names)
	}
}

// TestCurlDropBox: a scanner can store, under a temporary name too, and neither
// fetch nor see what others have stored.
func TestCurlDropBox(t *testing.T) {
	l := newLab(t)
	want := content(200_000)
	scan := put(t, l.work, "scan.pdf", want)
	l.curl(t, "-T", scan, l.url("v4", "scanner", "/"))
	same(t, l.dropbox, "scan.pdf", want)

	if list := l.curl(t, "--list-only", l.url("v4", "scanner", "/")); list != "" {
		t.Fatalf("another session sees %q", list)
	}
	l.curlFails(t, []int{curlNotFound, curlDenied, curlRetrFailed}, l.url("v4", "scanner", "/scan.pdf"))
	l.curlFails(t, []int{curlQuoteFailed}, "-Q", "DELE /scan.pdf", l.url("v4", "scanner", "/"))

	// Taken names: the next free one, or a refusal.
	l.curl(t, "-T", scan, l.url("v4", "scanner", "/"))
	l.curl(t, "-T", scan, l.url("v4", "scanner", "/"))
	same(t, l.dropbox, "scan-1.pdf", want)
	same(t, l.dropbox, "scan-2.pdf", want)
	l.curlFails(t, []int{curlUploadFailed}, "-T", scan, l.url("v4", "camera", "/"))

	// Upload under a temporary name, then rename.
	l.curl(t, "-T", scan, "-Q", "-RNFR photo.part", "-Q", "-RNTO photo.jpg", l.url("v4", "camera", "/photo.part"))
	same(t, l.dropbox, "photo.jpg", want)
	l.curlFails(t, []int{curlQuoteFailed}, "-T", scan, "-Q", "-RNFR p.part", "-Q", "-RNTO photo.jpg", l.url("v4", "camera", "/p.part"))
	if names := listed(t, l.dropbox); !slices.Equal(names, []string{"p.part", "photo.jpg", "scan-1.pdf", "scan-2.pdf", "scan.pdf"}) {
		t.Fatalf("the drop-box holds %q", names)
	}
}

// TestCurlConflict: on_conflict = "refuse" keeps what is there.
func TestCurlConflict(t *testing.T) {
	l := newLab(t)
	old, want := []byte("old"), content(1000)
	put(t, l.home, "file", old)
	source := put(t, l.work, "source", want)
	l.curlFails(t, []int{curlUploadFailed}, "-T", source, l.url("v4", "careful", "/file"))
	same(t, l.home, "file", old)
	l.curl(t, "-T", source, l.url("v4", "careful", "/other"))
	same(t, l.home, "other", want)
	l.curl(t, "-T", source, l.url("v4", "owner", "/file"))
	same(t, l.home, "file", want)
}

// TestCurlLogin: wrong passwords and unknown users get the same answer, and no
// password appears in the log.
func TestCurlLogin(t *testing.T) {
	l := newLab(t)
	for _, who := range []string{"owner:wrong password", "nobody:" + password, "owner:"} {
		l.curlFails(t, []int{curlLoginDenied}, "-u", who, "ftp://"+l.at("v4").String()+"/")
	}
	if log := l.log.text(); strings.Contains(log, "wrong password") || strings.Contains(log, password) {
		t.Fatalf("a password in the log:\n%s", log)
	}
	// What is shown can be used again: directories made on the way, and ASCII listings.
	l.curl(t, "--ftp-create-dirs", "-T", put(t, l.work, "x", nil), l.url("v4", "owner", "/a b/ü/x"))
	same(t, l.home, "a b/ü/x", nil)
	if got := l.curl(t, "-I", l.url("v4", "owner", "/a b/ü/x")); !strings.Contains(got, "Content-Length: 0") {
		t.Fatalf("curl -I: %q", got)
	}
}
