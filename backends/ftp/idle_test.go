package ftp

import (
	"strings"
	"testing"

	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// TestConnectionsClosedWhileIdle: a server that has closed all of its idle connections, with or without a word, does not
// make anything fail, and nothing is done twice.
func TestConnectionsClosedWhileIdle(t *testing.T) {
	for _, word := range []string{"421 Timeout.", ""} {
		u, _ := startOwn(t)
		m, o := u.between(t)
		b := u.backend(t, o)
		fsys := b.Open("", 0)
		for _, x := range []struct {
			what, verb string // that changes something
			ambiguous  bool   // the first command is that verb
			do         func() error
		}{
			{"store", "STOR", false, func() error { return put(fsys, "/f", "x") }},
			{"append", "STOR", false, func() error { return send(fsys, vfs.ModeAppend, "y") }},
			{"stat", "MLST", false, func() error { _, err := fsys.Stat("/f"); return err }},
			{"rename", "RNTO", false, func() error { return fsys.Rename("/f", "/g") }},
			{"remove", "DELE", false, func() error { return fsys.Remove("/g") }},
			{"mkdir", "MKD", true, func() error { return fsys.Mkdir("/d", 0) }},
		} {
			t.Run(word+"/"+x.what, func(t *testing.T) {
				if x.ambiguous && word == "" {
					t.Skip("nobody knows whether the server has done it")
				}
				var idle []func()
				for range idleConnections { // as many as can be
					c, err := b.pool.Get(t.Context())
					if err != nil {
						t.Fatal(err)
					}
					idle = append(idle, func() { b.pool.Put(c) })
				}
				for _, put := range idle {
					put()
				}
				stale := idleConnections
				m.set(func(string) (string, bool, bool) {
					if stale == 0 {
						return "", false, false
					}
					stale--
					return word, true, true
				})
				if err := x.do(); err != nil {
					t.Error(err)
				}
				if stale > 0 {
					t.Errorf("%d stale connections were never used", stale)
				}
				m.set(nil)
			})
		}
	}
}

// TestRefusedFileIsNotLeft: vsftpd makes the file, and then finds that there is no data connection.
func TestRefusedFileIsNotLeft(t *testing.T) {
	u, below := startOwn(t)
	m, o := u.between(t)
	fsys := u.backend(t, o).Open("", 0)
	refused := 0
	m.set(func(line string) (string, bool, bool) {
		if name, ok := strings.CutPrefix(line, "STOR "); ok {
			if err := put(below, name, ""); err != nil {
				t.Error(err)
			}
			refused++
			return "425 Failed to establish connection.", true, false
		}
		return "", false, false
	})
	if err := put(fsys, "/f", "x"); err == nil {
		t.Error("it was stored")
	}
	if got := list(t, below, "/"); len(got) > 0 {
		t.Errorf("left: %q", got)
	}
	if refused != 2 {
		t.Errorf("it was tried %d times", refused)
	}
}
