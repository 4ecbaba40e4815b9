package pi_test

import (
	"bufio"
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/ftpgate/ftpgate/protocol/ftp"
	"github.com/ftpgate/ftpgate/protocol/ftptest"
	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// TestListBombs (THREATS 10): whatever a listing is asked for, storage is asked for one directory, once,
// and no more comes than that directory holds.
func TestListBombs(t *testing.T) {
	base := tree(t, nil)
	deep := ""
	for i := range 100 {
		deep += fmt.Sprintf("/%d", i%10)
	}
	for i := range 20 {
		if err := base.MkdirAll(fmt.Sprintf("/%02d%s", i, deep), vfs.NewDirMode); err != nil {
			t.Fatal(err)
		}
	}
	var asked atomic.Int32
	s := ftptest.Start(t, ftptest.Options{FS: hooked(base, func(context.Context, string, string) error {
		asked.Add(1)
		return nil
	})})
	c := s.Login("rw")
	other := s.Login("rw")
	up := strings.Repeat("*/../", 1000)
	for _, arg := range []string{
		"-R", "-laR", "-R /", "-lR --recursive *", "*", "*/*", "*/*/*/*/*/*", "/*/*", strings.Repeat("*", 16), strings.Repeat("*", 17), strings.Repeat("*", 4000),
		strings.Repeat("*a", 16), strings.Repeat("[a-z]*", 16), "*/../*/../*", up + "*", up, strings.Repeat("{", 4000), strings.Repeat("{a,", 1300) + strings.Repeat("}", 1300),
		"{*,*,*}{*,*,*}{*,*,*}{*,*,*}", strings.Repeat("?", 255), strings.Repeat("?", 4000), strings.Repeat("[", 255), strings.Repeat("[a", 127), "[" + strings.Repeat("a-z", 80) + "]*",
		deep + "/*", "00" + deep, "**/**/**", `\*`,
	} {
		for _, verb := range []string{"LIST", "NLST", "MLSD", "STAT"} {
			before := asked.Load()
			var d *ftptest.Data
			if verb != "STAT" {
				d = c.Passive()
			}
			c.Send("%s %s", verb, arg)
			r, lines := c.Reply(), 0
			switch {
			case r.Code == 150:
				lines = strings.Count(d.Receive(), "\n")
				c.Want(226)
			case r.Code == 212:
				lines = len(r.Lines) - 2
			case r.Code != 550 && r.Code != 553:
				t.Errorf("%s %.20s: %s", verb, arg, r)
			}
			if r.Code != 550 && strings.Count(arg[strings.LastIndexByte(arg, '/')+1:], "*") > 16 {
				t.Errorf("%s %.20s: %s", verb, arg, r)
			}
			if lines > 20 {
				t.Errorf("%s %.20s: %d entries", verb, arg, lines)
			}
			if n := asked.Load() - before; n > 5 { // a look, an opening, and a batch or two
				t.Errorf("%s %.20s: storage was asked %d times", verb, arg, n)
			}
		}
		other.Cmd(257, "PWD")
	}
}

// TestMillionEntries (THREATS 11): a listing begins at once, takes no memory of its size, and ends with ABOR.
func TestMillionEntries(t *testing.T) {
	n := 1_000_000
	if testing.Short() {
		n = 200_000
	}
	base := tree(t, nil)
	for i := range n {
		if err := base.Mkdir(fmt.Sprintf("/%07d", i), vfs.NewDirMode); err != nil {
			t.Fatal(err)
		}
	}
	var batches atomic.Int32
	s := ftptest.Start(t, ftptest.Options{FS: hooked(base, func(_ context.Context, op, _ string) error {
		if op == "readdir" {
			batches.Add(1)
		}
		return nil
	})})
	c := s.Login("rw")
	for _, verb := range []string{"LIST", "NLST", "MLSD"} {
		batches.Store(0)
		d := c.Passive()
		c.Cmd(150, verb)
		d.ReceiveSome(100)
		c.Send("ABOR")
		c.Want(426)
		c.Want(226)
		d.Gone()
		// Those that fitted into buffers on the way.
		if got := int(batches.Load()); got > n/1024/2 {
			t.Errorf("%s: %d batches of 1024 were read for one that was aborted at its beginning", verb, got)
		}
	}
	before := heap()
	d := c.Passive()
	c.Cmd(150, "LIST")
	r, lines := bufio.NewScanner(d.Conn), 0
	for r.Scan() {
		if lines++; lines == n/2 {
			// While nobody reads, the server stops as soon as all buffers are full.
			ftptest.Eventually(t, "memory to be small in the middle of the listing", func() bool { return heap()-before < 4<<20 })
		}
	}
	d.Close()
	c.Want(226)
	if lines != n {
		t.Errorf("%d entries of %d", lines, n)
	}
	if r := c.Cmd(212, "STAT /"); len(r.Lines) > 1010 {
		t.Errorf("%d lines of STAT", len(r.Lines))
	}
}

// TestListedNames (THREATS 11): what could break a line or a fact is sent so that it can be told apart, and sent back.
func TestListedNames(t *testing.T) {
	names := []string{
		strings.Repeat("x", 255), "a;b", "size=5; x", " lead", "trail ", "type=dir; modify=20200101000000; fake", "=;=;", ";", "-rw-r--r-- 1 a b 5 Jan 01 2001 fake",
		"a -> b", "tab\tin", "\x1b[31m", "\xff\xfe", `"`, "%0d%0a",
	}
	files := make(map[string]string)
	for _, name := range names {
		files["/"+name] = "1"
	}
	s := ftptest.Start(t, ftptest.Options{FS: odd(tree(t, files))}) // with CR, LF and NUL in others
	c := s.Login("rw")
	c.Cmd(200, "TYPE I")
	for _, verb := range []string{"NLST", "MLSD", "LIST"} {
		d := c.Passive()
		c.Cmd(150, verb)
		lines := strings.Split(strings.TrimSuffix(d.Receive(), "\r\n"), "\r\n")
		c.Want(226)
		seen := make(map[string]bool)
		for _, line := range lines {
			if verb == "MLSD" {
				e, err := ftp.ParseFactsLine(line)
				if err != nil {
					t.Errorf("%q: %v", line, err)
				}
				line = e.Name
			}
			seen[line] = true
		}
		for _, name := range names {
			if verb != "LIST" && !seen[name] { // a line of ls is no safe way to a name
				t.Errorf("%s: %.30q is missing or changed in %q", verb, name, lines)
			}
			if verb == "NLST" && seen[name] {
				if r := c.Cmd(213, "SIZE "+strings.ReplaceAll(name, "\xff", "\xff\xff")); r.String() != "213 1" {
					t.Errorf("SIZE %.30q: %s", name, r)
				}
			}
		}
		if want := len(names) + 4; len(lines) != want { // pipe, device, opened, dangling
			t.Errorf("%s: %d lines, want %d: %q", verb, len(lines), want, lines)
		}
	}
}
