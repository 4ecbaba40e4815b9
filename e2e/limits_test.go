//go:build e2e

package e2e

import (
	"strings"
	"sync"
	"testing"
	"time"
)

// TestMaxUpload: what is too large is 552, and whatever was there stays.
func TestMaxUpload(t *testing.T) {
	l := newSmallLab(t, "", `max_upload = "100KiB"`, "")
	fits, large := put(t, l.work, "fits", content(100<<10)), put(t, l.work, "large", content(100<<10+1))
	l.curl(t, "-T", fits, l.url("main", "owner", "/fits"))
	same(t, l.home, "fits", content(100<<10))
	for _, path := range []string{"/large", "/fits"} {
		l.curlFails(t, []int{curlUploadFailed, curlSendFailed, curlStorFailed}, "-T", large, l.url("main", "owner", path))
		end, err := l.log.wait(t.Context(), func(l logLine) bool { return l.Message == "transfer" && l.Path == path && l.Reply == 552 })
		if err != nil || end.Outcome != "discarded" {
			t.Errorf("%s: %v, outcome %q\n%s", path, err, end.Outcome, l.log.tail(10))
		}
	}
	l.curlFails(t, []int{curlUploadFailed, curlSendFailed, curlStorFailed}, "--append", "-T", put(t, l.work, "one", content(1)), l.url("main", "owner", "/fits"))
	same(t, l.home, "fits", content(100<<10))
	missing(t, l.home, "large")
	if staged := stagedBytes(t, l.home); staged != 0 {
		t.Errorf("%d bytes are left", staged)
	}
}

// TestDenyNames: no file or directory gets such a name, in whichever way.
func TestDenyNames(t *testing.T) {
	l := newSmallLab(t, "", `deny_names = ["*.php", ".*"]`, "")
	source := put(t, l.work, "source", content(10))
	for _, name := range []string{"/page.php", "/page.PHP", "/.htaccess"} {
		l.curlFails(t, []int{curlUploadFailed}, "-T", source, l.url("main", "owner", name))
	}
	l.curlFails(t, []int{curlQuoteFailed}, "-T", source, "-Q", "-RNFR page.txt", "-Q", "-RNTO page.php", l.url("main", "owner", "/page.txt"))
	l.curlFails(t, []int{curlDenied}, "--ftp-create-dirs", "-T", source, l.url("main", "owner", "/.git/config"))
	if n := strings.Count(l.log.text(), `"reply":553`); n < 3 {
		t.Errorf("%d times 553 in the log:\n%s", n, l.log.text())
	}
	if names := listed(t, l.home); len(names) != 1 || names[0] != "page.txt" {
		t.Errorf("there is %q", names)
	}
}

// TestActiveModeOff: PORT and EPRT are not there, and passive transfers go on as ever.
func TestActiveModeOff(t *testing.T) {
	l := newSmallLab(t, "active_mode = false", "", "")
	put(t, l.home, "file", []byte("text"))
	l.curlFails(t, []int{curlPortFailed}, "--ftp-port", "127.0.0.1", l.url("main", "owner", "/file"))
	for _, mode := range []string{"--disable-epsv", "--no-disable-epsv"} {
		if got := l.curl(t, mode, l.url("main", "owner", "/file")); got != "text" {
			t.Errorf("%s: got %q", mode, got)
		}
	}
	c := login(t, l.at("main"), "owner")
	c.do(502, "PORT 127,0,0,1,200,200")
	c.do(502, "EPRT |1|127.0.0.1|51400|")
	if features := c.do(211, "FEAT"); strings.Contains(features, "EPRT") || !strings.Contains(features, "EPSV") {
		t.Errorf("FEAT says %q", features)
	}
	c.quit()
}

// TestBandwidth compares the time of transfers with their size. That they are not faster is
// certain: the gateway lets at most a quarter of a second's bytes pass beyond the rate.
// That they are not far slower is there to find a rate that was misunderstood.
func TestBandwidth(t *testing.T) {
	const rate, size = 1 << 20, 2 << 20
	const least = time.Second * (size - rate/4) / rate
	for name, attribute := range map[string]string{
		"session down": `session_download_rate = "1MiB"`, "session up": `session_upload_rate = "1MiB"`,
		"user down": `download_rate = "1MiB"`, "user up": `upload_rate = "1MiB"`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newSmallLab(t, "", attribute, "")
			half := put(t, l.work, "half", content(size/2))
			put(t, l.home, "half", content(size/2))
			put(t, l.home, "all", content(size))
			all := put(t, l.work, "all", content(size))
			up := strings.HasSuffix(name, "up")
			begun := time.Now()
			if strings.HasPrefix(name, "session") {
				l.move(t, up, all, "all")
			} else { // two sessions share it
				var both sync.WaitGroup
				for range 2 {
					both.Go(func() { l.move(t, up, half, "half") })
				}
				both.Wait()
			}
			if took := time.Since(begun); took < least || took > 3*least+10*time.Second {
				t.Errorf("took %v, want at least %v", took, least)
			}
			begun = time.Now()
			l.move(t, !up, half, "half") // has no limit
			if took := time.Since(begun); took > patience {
				t.Errorf("the other way took %v", took)
			}
		})
	}
}

// move uploads or downloads a file with curl.
func (l *lab) move(t *testing.T, up bool, source, name string) {
	args := []string{"-sS", "--max-time", "60", "-o", "/dev/null", l.url("main", "owner", "/"+name)}
	if up {
		args = []string{"-sS", "--max-time", "60", "-T", source, l.url("main", "owner", "/"+name+" up")}
	}
	if _, text, code := l.try(t, "", "curl", args...); code != 0 {
		t.Errorf("curl ended with %d\n%s", code, text)
	}
}
