package ftpclient_test

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ftpgate/ftpgate/protocol/ftpclient"
	"github.com/ftpgate/ftpgate/protocol/ftptest/peers"
)

// TestLiveRemoveAllLeavesTargets removes links to directories, and trees that hold some. What they lead to stays.
func TestLiveRemoveAllLeavesTargets(t *testing.T) {
	for _, name := range peers.Names() {
		t.Run(name, func(t *testing.T) {
			p := peers.Start(t, name, peers.Options{})
			c := dialPeer(t, p, ftpclient.Options{})
			ctx := t.Context()
			dir := strings.TrimSuffix(p.Dir, "/")
			for _, d := range []string{"/kept/deep", "/tree/sub"} {
				if err := c.MakeDirAll(ctx, dir+d); err != nil {
					t.Fatal(err)
				}
			}
			for _, f := range []string{"/kept/file", "/kept/deep/file", "/tree/file", "/tree/sub/file"} {
				store(t, c, dir+f, []byte("text"))
			}
			disk := p.Root
			for _, link := range []string{"alone", "tree/link", "tree/sub/link"} {
				depth := strings.Repeat("../", strings.Count(link, "/"))
				if err := os.Symlink(depth+"kept", filepath.Join(disk, link)); err != nil {
					t.Fatal(err)
				}
				if err := os.Lchown(filepath.Join(disk, link), 65534, 65534); err != nil {
					t.Fatal(err)
				}
			}
			for _, path := range []string{"/alone", "/tree"} {
				if err := c.RemoveAll(ctx, dir+path); err != nil {
					t.Error(err)
				}
				if _, err := os.Lstat(filepath.Join(disk, path)); !errors.Is(err, fs.ErrNotExist) {
					t.Errorf("%s is still there: %v", path, err)
				}
			}
			for _, f := range []string{"kept/file", "kept/deep/file"} {
				if _, err := os.Stat(filepath.Join(disk, f)); err != nil {
					t.Errorf("RemoveAll followed a link: %v", err)
				}
			}
		})
	}
}

// TestRemoveAllOfALink is a server that shows a link as the directory it leads to: only DELE takes the link itself.
func TestRemoveAllOfALink(t *testing.T) {
	f := startFake(t, func(p *peer) {
		p.say("220 ready")
		listed := false
		for {
			switch line := p.hear(); line {
			case "MLST /tree":
				p.say("250-facts", " type=dir; /tree", "250 end")
			case "MLST /tree/link":
				p.say("250-facts", " type=dir; /tree/link", "250 end")
			case "MLSD /tree":
				p.say("150 here")
				if listed {
					send(p, "")
				} else {
					send(p, "type=dir; link\r\ntype=dir; sub\r\ntype=file; gone\r\n")
				}
				listed = true
				p.say("226 done")
			case "MLSD /tree/sub":
				p.say("150 here")
				send(p, "")
				p.say("226 done")
			case "DELE /tree/link", "RMD /tree/sub", "RMD /tree":
				p.say("250 gone")
			case "DELE /tree", "DELE /tree/sub":
				p.say("550 Is a directory.")
			case "DELE /tree/gone":
				p.say("550 No such file.")
			default:
				verb, arg, _ := strings.Cut(line, " ")
				if strings.Contains(arg, "link") {
					p.say("550 That was the link's target.")
					continue
				}
				p.ordinary(verb)
			}
		}
	})
	c := f.login(patient())
	for _, path := range []string{"/tree/link", "/tree"} {
		if err := c.RemoveAll(t.Context(), path); err != nil {
			t.Error(err)
		}
	}
	for _, line := range f.heardLines() {
		if strings.Contains(line, "link") && !strings.HasPrefix(line, "DELE ") {
			t.Errorf("it sent %q", line)
		}
	}
}

// TestNamesThatFillTheMemory is a directory with names as long as lines may be. What holds a directory gives up.
func TestNamesThatFillTheMemory(t *testing.T) {
	line := "type=dir;size=1;unique=" + strings.Repeat("u", 200) + "; " + strings.Repeat("x", 15_000) + "\r\n"
	lines := strings.Repeat(line, 100)
	remove := func(c *ftpclient.Conn) error { return c.RemoveAll(t.Context(), "/") }
	for name, use := range map[string]func(c *ftpclient.Conn) error{
		"RemoveAll":                 remove,
		"RemoveAll, level by level": remove,
		"Walk": func(c *ftpclient.Conn) error {
			for _, err := range c.Walk(t.Context(), "/") {
				if err != nil {
					return err
				}
			}
			return nil
		},
		"FS": func(c *ftpclient.Conn) error {
			_, err := fs.ReadDir(ftpclient.FS(t.Context(), only{c}, "/"), ".")
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			pieces := 150 // of 1.5 MB
			if strings.Contains(name, "level") {
				pieces = 40
			}
			f := startFake(t, func(p *peer) {
				p.say("220 ready")
				for {
					verb, _, _ := strings.Cut(p.hear(), " ")
					switch verb {
					case "MLST":
						p.say("250-facts", " type=dir; /", "250 end")
					case "DELE":
						p.say("550 Is a directory.")
					case "MLSD":
						p.say("150 here")
						conn := p.accept()
						for range pieces {
							if _, err := io.WriteString(conn, lines); err != nil {
								break
							}
						}
						conn.Close()
						p.say("226 done")
					default:
						p.ordinary(verb)
					}
				}
			})
			c := f.login(patient())
			if err := use(c); !errors.Is(err, ftpclient.ErrTooLong) {
				t.Errorf("%v", err)
			}
			// The second level alone would not be too much.
			if n := strings.Count(f.heard(), "MLSD"); pieces < 150 && n != 2 {
				t.Errorf("%d directories were listed", n)
			}
		})
	}
}

// only is a Source of one connection.
type only struct{ c *ftpclient.Conn }

func (o only) Get(context.Context) (*ftpclient.Conn, error) { return o.c, nil }
func (o only) Put(*ftpclient.Conn)                          {}

// TestWalkEndsWithItsContext has many directories left when the context ends: there is one error, not one for each.
func TestWalkEndsWithItsContext(t *testing.T) {
	s := startOwn(t, nil)
	c := s.dial(t, ftpclient.Options{})
	for _, d := range []string{"/a", "/b", "/c", "/d"} {
		if _, err := c.MakeDir(t.Context(), d); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	n, failures := 0, 0
	for _, err := range c.Walk(ctx, "/") {
		if n++; n == 4 {
			cancel()
		}
		if err != nil {
			failures++
		}
	}
	if failures != 1 {
		t.Errorf("%d errors", failures)
	}
}
