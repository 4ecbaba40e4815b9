package transfer

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"path"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/ftpgate/ftpgate/cmd/ftpgate/internal/remote"
	"github.com/ftpgate/ftpgate/protocol/ftptest"
)

// foreign is a server unlike ours: it shows and keeps what has come of an upload.
type foreign struct {
	noRename  bool // "550 Permission denied."
	noReplace bool // RNTO onto a name that is taken is refused
	noDots    bool // names that begin with a dot are refused
	dirs      bool // every MLST is of a directory, onto which no rename succeeds, for now (pure-ftpd)
	askBreak  bool // the first RNFR breaks the connection
	lateBreak bool // the connection breaks after each RNTO that is done
	breaksAt  int  // the connection breaks at this time that is to be set, the first being 1
	cuts      []int
	onCut     func() // after each of cuts: the connections break when so many bytes have come

	addr  string
	mu    sync.Mutex
	files map[string][]byte
	heard []string
}

func (f *foreign) start(t *testing.T) *foreign {
	t.Helper()
	ftptest.CheckLeaks(t)
	f.files = make(map[string][]byte)
	f.addr = ftptest.Serve(t, f.session)
	return f
}

func (f *foreign) session(c net.Conn) {
	defer c.Close()
	data, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return
	}
	defer data.Close()
	say := func(format string, args ...any) { fmt.Fprintf(c, format+"\r\n", args...) }
	say("220 hello")
	offset, from := 0, ""
	for s := bufio.NewScanner(c); s.Scan(); {
		verb, arg, _ := strings.Cut(s.Text(), " ")
		f.mu.Lock()
		f.heard = append(f.heard, s.Text())
		content, there := f.files[arg]
		breaks := f.askBreak && verb == "RNFR"
		f.askBreak = f.askBreak && !breaks
		if verb == "MDTM" {
			f.breaksAt--
			breaks = f.breaksAt == 0
		}
		f.mu.Unlock()
		if breaks {
			return
		}
		switch {
		case verb == "USER":
			say("230 in")
		case verb == "FEAT" && f.dirs:
			say("211-\r\n EPSV\r\n SIZE\r\n MLST type*;\r\n211 end")
		case verb == "FEAT":
			say("211-\r\n EPSV\r\n SIZE\r\n REST STREAM\r\n211 end")
		case verb == "EPSV":
			say("229 (|||%d|)", data.Addr().(*net.TCPAddr).Port)
		case verb == "REST":
			offset, _ = strconv.Atoi(arg)
			say("350 from there")
		case verb == "RNFR" && f.noRename:
			say("550 Permission denied.")
		case verb == "RNFR" && there:
			from = arg
			say("350 to what")
		case verb == "MLST" && f.dirs:
			say("250-\r\n type=dir; %s\r\n250 end", arg)
		case verb == "RNTO" && f.dirs:
			say("451 Rename/move failure: Is a directory")
		case verb == "RNTO" && f.noReplace && there:
			say("550 It exists.")
		case verb == "RNTO":
			f.mu.Lock()
			f.files[arg] = f.files[from]
			delete(f.files, from)
			f.mu.Unlock()
			if f.lateBreak {
				return
			}
			say("250 done")
		case verb == "SIZE" && there:
			say("213 %d", len(content))
		case verb == "DELE" && there:
			f.mu.Lock()
			delete(f.files, arg)
			f.mu.Unlock()
			say("250 done")
		case verb == "STOR" && !(f.noDots && strings.HasPrefix(path.Base(arg), ".")):
			say("150 send")
			if !f.store(data, arg, offset) {
				return
			}
			offset = 0
			say("226 done")
		case verb == "STOR":
			if d, err := data.Accept(); err == nil {
				d.Close()
			}
			say("553 Prohibited file name.")
		case verb == "QUIT":
			say("221 bye")
			return
		case verb == "TYPE", verb == "MDTM" && strings.Contains(arg, " "):
			say("200 fine")
		default:
			say("550 no such file")
		}
	}
}

// store takes an upload; false: it is cut.
func (f *foreign) store(l net.Listener, name string, offset int) bool {
	c, err := l.Accept()
	if err != nil {
		return false
	}
	defer c.Close()
	f.mu.Lock()
	defer f.mu.Unlock()
	most := int64(1 << 40)
	if len(f.cuts) > 0 {
		most = int64(f.cuts[0])
		f.cuts = f.cuts[1:]
	}
	b, err := io.ReadAll(io.LimitReader(c, most))
	f.files[name] = append(f.files[name][:offset:offset], b...)
	if int64(len(b)) == most {
		if f.onCut != nil {
			f.onCut()
		}
		return false
	}
	return err == nil
}

// names are the files that are there.
func (f *foreign) names() (all []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for n := range f.files {
		all = append(all, n)
	}
	return all
}

func (f *foreign) count(verb string) (n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, line := range f.heard {
		if strings.HasPrefix(line, verb) {
			n++
		}
	}
	return n
}

// site is the server as anonymous.
func (f *foreign) site(t *testing.T, b remote.Backoff) *remote.Site {
	t.Helper()
	u, err := remote.ParseURL("ftp://" + f.addr + "/")
	if err != nil {
		t.Fatal(err)
	}
	user, err := remote.Sources{Getenv: func(string) string { return "" }}.Find(u)
	if err != nil {
		t.Fatal(err)
	}
	s, err := remote.Open(u, user, remote.Options{Backoff: b})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}
