package ftptest

import (
	"fmt"
	"net/netip"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/afero"

	"github.com/ftpgate/ftpgate/protocol/ftp"
	"github.com/ftpgate/ftpgate/protocol/pi"
	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// Setup is the header of a transcript; the package documentation explains the settings.
type Setup struct {
	User         string
	Address      string
	FS           string
	OnConflict   pi.Conflict
	Commit       pi.Commit
	ResumeWindow time.Duration
	PublicHost   netip.Addr
	Limits       pi.Limits

	entries []entry
}

// entry is a file or directory to be made before the first step.
type entry struct {
	path, text string
	dir        bool
}

// entryTime is the time of every file and directory that a header makes.
var entryTime = time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC)

// transcript is a parsed file.
type transcript struct {
	path  string
	setup Setup
	lines []string // of the file, as they are
	steps []step
}

// step is one thing that happens. Lines that are read together (a reply, the bytes of
// a data connection) make one step.
type step struct {
	first, last int    // its lines in the file, last not included
	session     int    // 0, or the digit of C2:
	verb        string // C: C~ C! S: D: D< D>
	text        []string
}

var stepForm = regexp.MustCompile(`^([CSD])([2-9]?)([:~!<>])(?: (.*))?$`)

func parseTranscript(path string) (*transcript, error) {
	file, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	t := &transcript{path: path, lines: strings.Split(strings.TrimSuffix(string(file), "\n"), "\n")}
	for i, line := range t.lines {
		if err := t.parseLine(i, line); err != nil {
			return nil, fmt.Errorf("%s:%d: %w", path, i+1, err)
		}
	}
	return t, nil
}

func (t *transcript) parseLine(i int, line string) error {
	if line == "" {
		return nil
	}
	if strings.HasPrefix(line, "#") {
		if key, value, ok := strings.Cut(strings.TrimPrefix(line, "# "), ": "); ok && !strings.ContainsAny(key, " ") && key == strings.ToLower(key) {
			if len(t.steps) > 0 {
				return fmt.Errorf("the setting %q comes after the first step", key)
			}
			return t.setup.set(key, value)
		}
		return nil
	}
	m := stepForm.FindStringSubmatch(line)
	if m == nil || !strings.Contains("C: C~ C! S: D: D< D>", m[1]+m[3]) {
		return fmt.Errorf("neither a comment nor a step: %q", line)
	}
	text, err := unquote(m[4])
	switch {
	case err != nil:
		return err
	case strings.HasSuffix(line, " "):
		return fmt.Errorf("space at the end of a line: quote the text")
	}
	s := step{first: i, last: i + 1, verb: m[1] + m[3], text: []string{text}}
	if m[2] != "" {
		s.session = int(m[2][0] - '0')
	}
	if n := len(t.steps); n > 0 && t.steps[n-1].continues(s) {
		t.steps[n-1].last = s.last
		t.steps[n-1].text = append(t.steps[n-1].text, text)
		return nil
	}
	t.steps = append(t.steps, s)
	return nil
}

// continues reports whether next belongs to s: the next line of a reply, or more of the same data.
func (s *step) continues(next step) bool {
	if s.verb != next.verb || s.session != next.session || s.last != next.first {
		return false
	}
	switch s.verb {
	case "S:":
		first := s.text[0]
		return len(first) > 3 && first[3] == '-' && !strings.HasPrefix(s.text[len(s.text)-1], first[:3]+" ")
	case "D>":
		return true
	}
	return false
}

// unquote reads text that may be given as a Go string.
func unquote(text string) (string, error) {
	if !strings.HasPrefix(text, `"`) {
		return text, nil
	}
	s, err := strconv.Unquote(text)
	if err != nil {
		return "", fmt.Errorf("not a Go string: %s", text)
	}
	return s, nil
}

// set takes one setting of the header.
func (s *Setup) set(key, value string) (err error) {
	switch key {
	case "user":
		s.User = value
	case "address":
		s.Address = value
	case "fs":
		s.FS = value
	case "dir":
		s.Dir(value)
	case "file":
		path, text, ok := strings.Cut(value, ` "`)
		if !ok {
			return fmt.Errorf(`file: wants /path "text"`)
		}
		text, err = unquote(`"` + text)
		s.File(path, text)
	case "on_conflict":
		conflicts := map[string]pi.Conflict{"overwrite": pi.OnConflictOverwrite, "refuse": pi.OnConflictRefuse, "rename": pi.OnConflictRename}
		v, ok := conflicts[value]
		if s.OnConflict = v; !ok {
			return fmt.Errorf("on_conflict: %q", value)
		}
	case "commit":
		commits := map[string]pi.Commit{"strict": pi.CommitStrict, "lenient": pi.CommitLenient}
		v, ok := commits[value]
		if s.Commit = v; !ok {
			return fmt.Errorf("commit: %q", value)
		}
	case "resume_window":
		s.ResumeWindow, err = time.ParseDuration(value)
	case "public_host":
		s.PublicHost, err = netip.ParseAddr(value)
	case "limit":
		name, number, _ := strings.Cut(value, "=")
		err = setLimit(&s.Limits, name, number)
	default:
		return fmt.Errorf("unknown setting %q (a comment must not begin with a word and a colon)", key)
	}
	return err
}

func setLimit(l *pi.Limits, name, value string) (err error) {
	numbers := map[string]*int{
		"max_connections": &l.MaxConnections, "max_connections_per_ip": &l.MaxConnectionsPerIP,
		"login_attempts": &l.LoginAttempts, "command_line": &l.CommandLine, "command_rate": &l.CommandRate,
	}
	times := map[string]*time.Duration{
		"login_timeout": &l.LoginTimeout, "idle_timeout": &l.IdleTimeout,
		"data_timeout": &l.DataTimeout, "stall_timeout": &l.StallTimeout,
	}
	switch {
	case numbers[name] != nil:
		*numbers[name], err = strconv.Atoi(value)
	case times[name] != nil:
		*times[name], err = time.ParseDuration(value)
	default:
		return fmt.Errorf("no such limit: %q", name)
	}
	return err
}

// File adds a file to those that Populate makes.
func (s *Setup) File(path, text string) {
	s.entries = append(s.entries, entry{path: path, text: text})
}

// Dir adds a directory.
func (s *Setup) Dir(path string) {
	s.entries = append(s.entries, entry{path: path, dir: true})
}

// Populate makes the files and directories of the header. fsys honours the contract of vfs.
func (s *Setup) Populate(fsys afero.Fs) error {
	for _, e := range s.entries {
		dir, _ := vfs.Split(e.path)
		if e.dir {
			dir = e.path
		}
		if err := fsys.MkdirAll(dir, vfs.NewDirMode); err != nil {
			return err
		}
		if e.dir {
			continue
		}
		if err := writeFile(fsys, e.path, e.text); err != nil {
			return err
		}
	}
	for _, e := range s.entries { // after everything that changes a directory
		if err := fsys.Chtimes(e.path, entryTime, entryTime); err != nil {
			return err
		}
	}
	return nil
}

func writeFile(fsys afero.Fs, path, text string) error {
	f, err := fsys.OpenFile(path, vfs.ModeReplace, vfs.NewFileMode)
	if err != nil {
		return err
	}
	if _, err := f.WriteString(text); err != nil {
		vfs.Abort(f)
		return err
	}
	return f.Close()
}

// verbs returns the verbs of the commands that the transcript sends.
func (t *transcript) verbs() []string {
	var all []string
	for _, s := range t.steps {
		if s.verb == "C:" {
			if c, err := ftp.ParseCommand([]byte(s.text[0])); err == nil {
				all = append(all, c.Verb)
			}
		}
	}
	return all
}
