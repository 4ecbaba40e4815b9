package pi

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/ftpgate/ftpgate/protocol/ftp"
)

// noop (NOOP) keeps the connection alive.
func (s *session) noop(context.Context, request) (ftp.Reply, error) {
	return ftp.Replyf(200, "NOOP ok."), nil
}

// syst (SYST) says what clients take as leave to parse LIST as Unix.
func (s *session) syst(context.Context, request) (ftp.Reply, error) {
	return ftp.Replyf(215, "UNIX Type: L8"), nil
}

// clnt (CLNT) lets the client introduce itself.
func (s *session) clnt(context.Context, request) (ftp.Reply, error) {
	return ftp.Replyf(200, "Noted."), nil
}

// help (HELP) lists the verbs, or the syntax of one.
func (s *session) help(_ context.Context, r request) (ftp.Reply, error) {
	if r.Arg != "" {
		verb := strings.ToUpper(r.Arg)
		row := s.server.table[verb]
		if verb == "SITE" {
			return siteHelp(), nil
		}
		if row == nil || !row.has(s.endpoint) {
			return ftp.Reply{}, ftp.Errorf(501, "No such command here.")
		}
		return ftp.Replyf(214, "Syntax: %s (%s)", row.help, row.rfc), nil
	}
	var verbs []string
	for verb, row := range s.server.table {
		if row.has(s.endpoint) {
			verbs = append(verbs, verb)
		}
	}
	slices.Sort(verbs)
	lines := []string{"Commands:"}
	for line := range slices.Chunk(verbs, 8) {
		lines = append(lines, " "+strings.Join(line, " "))
	}
	return ftp.Reply{Code: 214, Lines: append(lines, "HELP <sp> command shows its syntax.")}, nil
}

// maxStatEntries bounds what STAT lists on the control connection, where nothing streams.
const maxStatEntries = 1000

// stat (STAT) reports on the session, or lists a path on the control connection.
func (s *session) stat(ctx context.Context, r request) (ftp.Reply, error) {
	if r.Arg == "" {
		return s.status(nil), nil
	}
	l, err := s.openListing(ctx, r, longForm)
	if err != nil {
		return ftp.Reply{}, err
	}
	defer l.Close()
	l.limit = maxStatEntries
	b, err := io.ReadAll(l)
	if err != nil {
		return ftp.Reply{}, err
	}
	lines := []string{"Status of " + cmp.Or(shown(l.shown), ".") + ":"}
	if text := strings.TrimSuffix(string(b), "\r\n"); text != "" {
		lines = append(lines, strings.Split(text, "\r\n")...)
	}
	if l.cut {
		lines = append(lines, fmt.Sprintf("Only the first %d entries are shown, use LIST.", maxStatEntries))
	}
	code := ftp.Code(213)
	if l.dir {
		code = 212
	}
	return ftp.Reply{Code: code, Lines: append(lines, "End of status.")}, nil
}

// duringTransfer answers NOOP and STAT on the reader while a worker transfers. It
// reads only what is under mu (held by nobody here) and what never changes.
func (s *session) duringTransfer(c command) ftp.Reply {
	if c.row.verb == "NOOP" {
		return ftp.Replyf(200, "NOOP ok.")
	}
	s.mu.Lock()
	running := s.running
	s.mu.Unlock()
	return s.status(&running)
}

// status is the STAT reply. With a transfer running, the fields of the floor are left alone.
func (s *session) status(running *run) ftp.Reply {
	lines := []string{"Status:"}
	add := func(format string, args ...any) { lines = append(lines, " "+fmt.Sprintf(format, args...)) }
	add("Connected from %s for %s", s.info.Remote.Addr(), time.Since(s.start).Round(time.Second))
	switch {
	case running == nil:
		user := "nobody"
		if s.account != nil {
			user = s.account.User
		}
		add("Logged in as %s", user)
		kind := "Image"
		if s.typ == typeASCII {
			kind = "ASCII Non-print"
		}
		add("TYPE: %s; STRU: File; MODE: Stream", kind)
		add("Working directory %s", shown(s.wd))
		add("No transfer in progress")
	case running.transfer != nil:
		add("%s of %s in progress: %d bytes so far", running.row.verb, shown(running.path), running.transfer.Bytes())
	default:
		add("The transfer has just ended")
	}
	return ftp.Reply{Code: 211, Lines: append(lines, "End of status")}
}
