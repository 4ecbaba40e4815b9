package pi_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/spf13/afero"

	"github.com/ftpgate/ftpgate/backends/local"
	"github.com/ftpgate/ftpgate/backends/memory"
	"github.com/ftpgate/ftpgate/protocol/ftptest"
	"github.com/ftpgate/ftpgate/protocol/pi"
	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// TestScannersOfOneName: scanners store one name into one tree, each through a gateway that
// knows nothing of the others. Nothing is lost, and each is told where its file is.
func TestScannersOfOneName(t *testing.T) {
	for _, kind := range []string{"memory", "local"} {
		t.Run(kind, func(t *testing.T) {
			fsys := memory.New(memory.Options{}).Open("", 0)
			if kind == "local" {
				b, err := local.New(local.Options{Root: t.TempDir()})
				if err != nil {
					t.Fatal(err)
				}
				defer b.Close()
				fsys = b.Open("", 0)
			}
			s := ftptest.Start(t, ftptest.Options{FS: fsys, Change: func(_ string, a *pi.Account) {
				a.OnConflict, a.Names = pi.OnConflictRename, new(pi.Names)
			}})
			var all []*ftptest.Client
			for range 8 {
				all = append(all, s.Login("rw"))
			}
			for round := range 5 {
				name := fmt.Sprintf("scan%d.pdf", round)
				var mu sync.Mutex
				stored := make(map[string]string)
				begun, wg := sync.WaitGroup{}, sync.WaitGroup{}
				begun.Add(len(all))
				for i, c := range all {
					wg.Go(func() {
						d := c.Passive()
						c.Send("STOR %s", name)
						r := c.Reply()
						begun.Done()
						if r.Code != 150 {
							t.Errorf("STOR: %s", r)
							return
						}
						begun.Wait() // everybody has chosen a name
						content := fmt.Sprintf("page of scanner %d, round %d", i, round)
						d.Send(content)
						d.Close()
						if r = c.Reply(); r.Code != 226 {
							t.Errorf("STOR: %s", r)
							return
						}
						as := name
						if _, other, ok := strings.Cut(r.String(), "stored as "); ok {
							as = other
						}
						mu.Lock()
						defer mu.Unlock()
						stored[as] = content
					})
				}
				wg.Wait()
				if len(stored) != len(all) {
					t.Errorf("%d names for %d files: %v", len(stored), len(all), stored)
				}
				for as, want := range stored {
					if got := content(fsys, "/"+as); got != want {
						t.Errorf("%s holds %q, not %q", as, got, want)
					}
				}
			}
		})
	}
}

// TestTakenAtTheEnd: log and drop-box go by the name that the file got, and the names that
// were chosen on the way are free again.
func TestTakenAtTheEnd(t *testing.T) {
	fsys := memory.New(memory.Options{}).Open("", 0)
	l := newLog()
	var names pi.Names
	s := ftptest.Start(t, ftptest.Options{
		FS: hooked(fsys, func(_ context.Context, op, path string) error {
			if op == "close" && strings.HasPrefix(path, "/f") {
				return afero.WriteFile(fsys, path, []byte("theirs"), vfs.NewFileMode)
			}
			return nil
		}),
		Trace:  l.trace(),
		Change: func(_ string, a *pi.Account) { a.OnConflict, a.Names = pi.OnConflictRename, &names },
	})
	c := s.Login("dropbox")
	proposed := ""
	for line, want := range map[string]string{"STOR f": "f-1", "STOU f": ""} {
		d := c.Passive()
		r := c.Cmd(150, line)
		if want == "" {
			_, proposed, _ = strings.Cut(r.String(), "FILE: ")
		}
		d.Send("mine")
		d.Close()
		_, as, _ := strings.Cut(c.Want(226).String(), "stored as ")
		if as == "" || want != "" && as != want || as == proposed {
			t.Errorf("%s: stored as %q", line, as)
		}
		if got := content(fsys, "/"+as); got != "mine" {
			t.Errorf("%s: %s holds %q", line, as, got)
		}
		ftptest.Eventually(t, "the report of "+line, func() bool {
			return l.last().Path == "/"+as && l.last().Outcome == pi.Complete
		})
		c.Cmd(213, "SIZE %s", as)
		c.Cmd(350, "RNFR %s", as)
	}
	if got := content(fsys, "/"+proposed); got != "theirs" {
		t.Errorf("%s holds %q", proposed, got)
	}
	c.Cmd(213, "MFMT 20200101000000 f-1")
	for _, name := range []string{"f", "f-1"} {
		if err := fsys.Remove("/" + name); err != nil {
			t.Error(err)
		}
	}
	c.Passive()
	if r := c.Cmd(150, "STOR f"); strings.Contains(r.String(), " as ") {
		t.Errorf("the name is still kept: %s", r)
	}
}
