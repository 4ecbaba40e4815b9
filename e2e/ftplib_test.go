//go:build e2e

package e2e

import (
	_ "embed"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

//go:embed testdata/ftplib_tour.py
var ftplibTour string

// TestFtplib runs a tour through Python's ftplib, passive and active, over IPv4 and
// IPv6, on a directory and in memory. The script says what it checks.
func TestFtplib(t *testing.T) {
	l := newLab(t)
	script := put(t, l.work, "tour.py", []byte(ftplibTour))
	for _, family := range l.families(t) {
		for _, user := range []string{"owner", "memory"} {
			for _, mode := range []string{"passive", "active"} {
				t.Run(family+" "+user+" "+mode, func(t *testing.T) {
					a := l.at(family)
					out := l.run(t, "python3", script, a.Addr().String(), strconv.Itoa(int(a.Port())), user, password, mode)
					if !strings.HasSuffix(out, "all well\n") {
						t.Fatalf("the script ended early:\n%s", out)
					}
				})
			}
		}
	}
	if names := listed(t, l.home); len(names) != 0 {
		t.Fatalf("left: %q", names)
	}
}

//go:embed testdata/ftplib_abort.py
var ftplibAbort string

// TestFtplibAbort sends ABOR in mid-download, as urgent data, and goes on in the same session.
func TestFtplibAbort(t *testing.T) {
	l := newLab(t)
	put(t, l.mirror, "large", content(64<<20))
	put(t, l.mirror, "small", []byte("small"))
	script := put(t, l.work, "abort.py", []byte(ftplibAbort))
	for _, family := range l.families(t) {
		a := l.at(family)
		out := l.run(t, "python3", script, a.Addr().String(), strconv.Itoa(int(a.Port())))
		if !strings.HasSuffix(out, "all well\n") {
			t.Fatalf("the script ended early:\n%s", out)
		}
	}
	same(t, filepath.Dir(script), "tour-small", []byte("small"))
}
