package gateway

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/spf13/afero"

	"github.com/ftpgate/ftpgate/auth"
	"github.com/ftpgate/ftpgate/backends/memory"
	"github.com/ftpgate/ftpgate/gateway/config"
	"github.com/ftpgate/ftpgate/protocol/ftp"
	"github.com/ftpgate/ftpgate/protocol/ftptest"
	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// createOnce lets sessions create the same names: each has one maker.
func createOnce(t *testing.T, sessions []afero.Fs) {
	t.Helper()
	for round := range 30 {
		var all sync.WaitGroup
		var made atomic.Int32
		for _, fsys := range sessions {
			all.Go(func() {
				f, err := fsys.OpenFile(fmt.Sprintf("/new%d", round), vfs.ModeCreate, 0)
				if err == nil {
					err = f.Close()
				}
				if err == nil {
					made.Add(1)
				} else if !errors.Is(err, fs.ErrExist) {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if n := made.Load(); n != 1 {
			t.Fatalf("%d sessions have created one name", n)
		}
	}
}

// TestPassthrough: a session has connections with its own credentials, which end with it.
func TestPassthrough(t *testing.T) {
	below := memory.New(memory.Options{}).Open("", 0)
	s := ftptest.Start(t, ftptest.Options{FS: below})
	backend := config.Backend{Kind: "ftp", Name: "old", FTP: &config.FTP{
		Address: s.Addr.String(), Passthrough: true, TLS: config.UpstreamPlain, MaxConnections: 2,
	}}
	c := &config.Config{Users: []config.User{{Name: "rw", Filesystem: backend, ResumeWindow: time.Hour}, {Name: "readonly", Filesystem: backend}}}
	b := &backends{}
	realm := newRealm(c, b)
	rw, err := realm.Account(t.Context(), auth.Identity{User: "rw"}, "rw")
	if err != nil {
		t.Fatal(err)
	}
	if rw.ResumeWindow != 0 || vfs.PropertiesOf(rw.FS, "/").Resume {
		t.Error("uploads would be held, and forgotten with the session")
	}
	if err := afero.WriteFile(rw.FS, "/f", []byte("mine"), 0); err != nil {
		t.Error(err)
	}
	if got, err := afero.ReadFile(below, "/f"); string(got) != "mine" {
		t.Errorf("behind it: %q, %v", got, err)
	}
	ro, err := realm.Account(t.Context(), auth.Identity{User: "readonly"}, "readonly")
	if err != nil {
		t.Fatal(err)
	}
	if err := ro.FS.Mkdir("/e", 0); err == nil {
		t.Error("ro has the rights of rw")
	}
	if _, err := ro.FS.Stat("/f"); err != nil {
		t.Error(err)
	}
	if len(b.open) != 0 {
		t.Errorf("%d storages are kept", len(b.open))
	}
	rw.Close()
	if _, err := rw.FS.Stat("/f"); err == nil {
		t.Error("after its end the session can still connect")
	}
	if _, err := ro.FS.Stat("/f"); err != nil {
		t.Errorf("the end of one session is that of another: %v", err)
	}
	ro.Close()

	var sessions []afero.Fs
	for range 4 {
		a, err := realm.Account(t.Context(), auth.Identity{User: "rw"}, "rw")
		if err != nil {
			t.Fatal(err)
		}
		defer a.Close()
		sessions = append(sessions, a.FS)
	}
	createOnce(t, sessions)

	const wrong = "hunter2"
	_, err = realm.Account(t.Context(), auth.Identity{User: "rw"}, wrong)
	var reply *ftp.Error
	if !errors.As(err, &reply) || reply.Reply.Code != 530 || len(reply.Reply.Lines) != 1 || reply.Reply.Lines[0] != "Login incorrect." {
		t.Errorf("a login refused there: %v", err)
	}
	if err == nil || strings.Contains(err.Error(), wrong) {
		t.Errorf("the log would have %v", err)
	}
	if _, err = realm.Account(t.Context(), auth.Identity{User: "rw"}, ""); err == nil {
		t.Error("a login without a password was passed through")
	}
	s.Close()
}

// TestUpstreamTimes: a server may tell its own time where it should tell UTC.
func TestUpstreamTimes(t *testing.T) {
	below := memory.New(memory.Options{}).Open("", 0)
	s := ftptest.Start(t, ftptest.Options{FS: below})
	told := time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
	if err := errors.Join(afero.WriteFile(below, "/f", nil, 0), below.Chtimes("/f", told, told)); err != nil {
		t.Fatal(err)
	}
	for local, want := range map[bool]time.Time{false: told, true: told.Add(-5 * time.Hour)} {
		b, err := openFTP(&config.FTP{
			Address: s.Addr.String(), TLS: config.UpstreamPlain, TimeZone: time.FixedZone("there", 5*3600), LocalTimes: local,
		}, "rw", "rw", nil)
		if err != nil {
			t.Fatal(err)
		}
		defer b.Close()
		fi, err := b.Open("", 0).Stat("/f")
		if err != nil || !fi.ModTime().Equal(want) {
			t.Errorf("local_times = %v: %v %v", local, fi, err)
		}
	}
}
