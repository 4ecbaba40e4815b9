package ftptest

import (
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/ftpgate/ftpgate/protocol/ftp"
)

// Transcripts is a directory of transcripts and what they are run against.
type Transcripts struct {
	Dir    string
	Update bool // write what the server says into the files

	// Server makes the options of the server for one transcript. It puts the files of the
	// header into its filesystem (Setup.Populate); address and limits are
	// taken from the header if it leaves them alone.
	Server func(t testing.TB, s *Setup) Options
}

// Run runs each transcript as a subtest with its name.
func (r Transcripts) Run(t *testing.T) {
	for _, path := range r.files(t) {
		name := strings.TrimSuffix(filepath.Base(path), ".txt")
		t.Run(name, func(t *testing.T) {
			s, err := parseTranscript(path)
			if err != nil {
				t.Fatal(err)
			}
			r.run(t, s)
		})
	}
}

func (r Transcripts) files(t testing.TB) []string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(r.Dir, "*.txt"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("ftptest: no transcripts in %s (%v)", r.Dir, err)
	}
	return paths
}

// Verbs returns the verbs that the transcripts send, and how often.
func (r Transcripts) Verbs(t testing.TB) map[string]int {
	t.Helper()
	all := make(map[string]int)
	for _, path := range r.files(t) {
		s, err := parseTranscript(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, verb := range s.verbs() {
			all[verb]++
		}
	}
	return all
}

// player is a transcript that is being run.
type player struct {
	t        *testing.T
	script   *transcript
	server   *Server
	update   bool
	sessions [10]*actor
	written  map[int]string // by first line of a step: what it is replaced with
}

// actor is one session's client.
type actor struct {
	*Client
	vars   map[string]string
	data   *Data
	listen *Listener
	over   bool // the control connection has been closed, by whomever
}

func (r Transcripts) run(t *testing.T, script *transcript) {
	setup := script.setup
	o := r.Server(t, &setup)
	if o.Address == "" {
		o.Address = setup.Address
	}
	o.Limits = setup.Limits
	if setup.PublicHost.IsValid() {
		o.Endpoint.PublicHost = func(netip.Addr, netip.Addr) netip.Addr { return setup.PublicHost }
	}
	p := &player{t: t, script: script, update: r.Update, written: make(map[int]string), server: Start(t, o)}
	if u := setup.User; u != "" && u != "none" {
		p.actor(0).Want(220)
		p.actor(0).Login(u)
	}
	for i := range script.steps {
		p.play(&script.steps[i])
	}
	for _, a := range p.sessions {
		if a != nil && !a.over {
			a.Quit()
		}
	}
	if len(p.written) > 0 {
		p.save()
	}
}

func (p *player) actor(n int) *actor {
	if p.sessions[n] == nil {
		p.sessions[n] = &actor{Client: p.server.Dial(), vars: make(map[string]string)}
	}
	return p.sessions[n]
}

func (p *player) play(s *step) {
	a := p.actor(s.session)
	text := s.text[0]
	// What fails from here on fails at this line.
	a.t = at{p.t, fmt.Sprintf("%s:%d: %s %s", p.script.path, s.first+1, s.verb, strconv.Quote(text))}
	switch s.verb {
	case "C:":
		switch text {
		case "(close)":
			a.over = true
			a.Close()
		case "(reset)":
			a.over = true
			a.Reset()
		default:
			a.Write(a.fill(text) + "\r\n")
		}
	case "C~":
		a.Write(text)
	case "C!":
		a.Urgent(text)
	case "S:":
		p.hear(a, s)
	case "D:":
		a.plug(text)
	case "D<":
		a.connected().Send(text)
	case "D>":
		p.receive(a, s)
	}
}

// fill puts what the server has said into a command.
func (a *actor) fill(text string) string {
	for name, value := range a.vars {
		text = strings.ReplaceAll(text, "{"+name+"}", value)
	}
	return text
}

// hear compares one reply.
func (p *player) hear(a *actor, s *step) {
	if s.text[0] == "(closed)" {
		a.WantEnd()
		a.over = true
		return
	}
	r, err := a.Next()
	switch {
	case err != nil && p.update && (errors.Is(err, io.EOF)):
		a.over = true
		p.replace(s, []string{"(closed)"}, false)
		return
	case err != nil:
		a.t.Fatalf("the server says nothing: %v", err)
	}
	same := len(r.Lines) == len(s.text)
	for i := 0; same && i < len(s.text); i++ {
		vars, ok := match(s.text[i], r.Lines[i])
		if same = ok; ok {
			a.note(vars)
		}
	}
	switch {
	case same:
	case p.update:
		lines := make([]string, len(r.Lines))
		for i, line := range r.Lines {
			lines[i] = general(line)
			vars, _ := match(lines[i], line)
			a.note(vars)
		}
		p.replace(s, lines, false)
	default:
		a.t.Fatalf("the server says\n%s\nand not\n%s", r, strings.Join(s.text, "\n"))
	}
}

func (a *actor) note(vars map[string]string) {
	for name, value := range vars {
		if name == "hostport" {
			if at, err := ftp.ParseHostPort(value); err == nil {
				a.vars["port"] = strconv.Itoa(int(at.Port()))
			}
			continue
		}
		a.vars[name] = value
	}
}

// plug does what a D: line says.
func (a *actor) plug(text string) {
	switch text {
	case "connect":
		a.data = a.Connect(a.port())
	case "foreign":
		if n := a.ConnectFrom("127.0.0.2", a.port()).Gone(); n > 0 {
			a.t.Fatalf("the foreign data connection received %d bytes", n)
		}
	case "listen":
		a.listen = a.Listen()
		a.vars["hostport"] = ftp.FormatHostPort(a.listen.Addr)
		a.vars["extended"] = ftp.FormatExtendedPort(a.listen.Addr)
	case "accept":
		if a.listen == nil {
			a.t.Fatalf("D: listen must come first")
		}
		a.data = a.listen.Accept()
	case "close":
		a.connected().Close()
	case "reset":
		a.connected().Reset()
	case "gone":
		a.connected().Gone()
	default:
		n, err := strconv.Atoi(strings.TrimPrefix(text, "stored "))
		if err != nil {
			a.t.Fatalf("unknown step")
		}
		a.WaitStored(n)
	}
}

func (a *actor) port() uint16 {
	port, err := strconv.ParseUint(a.vars["port"], 10, 16)
	if err != nil {
		a.t.Fatalf("no reply with {port} or {hostport} came before this")
	}
	return uint16(port)
}

func (a *actor) connected() *Data {
	if a.data == nil {
		a.t.Fatalf("D: connect or D: accept must come first")
	}
	a.data.t = a.t
	return a.data
}

// receive compares everything that comes on the data connection.
func (p *player) receive(a *actor, s *step) {
	got := a.connected().Receive()
	if _, ok := match(strings.Join(s.text, ""), got); ok {
		return
	}
	if !p.update {
		a.t.Fatalf("the server sends\n%q\nand not\n%q", strings.SplitAfter(got, "\n"), s.text)
	}
	lines := strings.SplitAfter(got, "\n")
	if n := len(lines); n > 1 && lines[n-1] == "" {
		lines = lines[:n-1]
	}
	for i := range lines {
		lines[i] = general(lines[i])
	}
	p.replace(s, lines, true)
}

func (p *player) replace(s *step, lines []string, quoted bool) {
	head := strings.TrimRight(strings.SplitN(p.script.lines[s.first], " ", 2)[0], " ")
	var b strings.Builder
	for _, line := range lines {
		fmt.Fprintf(&b, "%s %s\n", head, quote(line, quoted))
	}
	p.written[s.first] = b.String()
}

// save writes the transcript with what the server really said.
func (p *player) save() {
	var b strings.Builder
	skip := 0
	for i, line := range p.script.lines {
		if text, ok := p.written[i]; ok {
			b.WriteString(text)
			for _, s := range p.script.steps {
				if s.first == i {
					skip = s.last
				}
			}
		}
		if i >= skip {
			b.WriteString(line + "\n")
		}
	}
	if err := os.WriteFile(p.script.path, []byte(b.String()), 0o644); err != nil {
		p.t.Fatal(err)
	}
	p.t.Logf("ftptest: %s rewritten", p.script.path)
}

// at is a test whose failures name a line of a transcript.
type at struct {
	testing.TB
	where string
}

func (a at) Fatalf(format string, args ...any) {
	a.TB.Helper()
	a.TB.Fatalf("%s\n"+format, append([]any{a.where}, args...)...)
}
