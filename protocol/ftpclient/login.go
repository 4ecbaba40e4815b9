package ftpclient

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/ftpgate/ftpgate/protocol/ftp"
)

// Login sends USER, and as far as the server asks for them PASS and ACCT. After it come PBSZ and PROT P
// under TLS, FEAT, OPTS UTF8 ON where offered, and TYPE I. A refusal is ErrLogin, after
// which Login may be called again.
func (c *Conn) Login(ctx context.Context, user, password, account string) error {
	var lines [3]string
	for i, arg := range [3]string{user, password, account} {
		line, err := c.line([3]string{"USER", "PASS", "ACCT"}[i], arg)
		if err != nil {
			return fmt.Errorf("%w in user, password or account", err) // which are not to be shown
		}
		lines[i] = line
	}
	e, err := c.begin(ctx)
	if err != nil {
		return err
	}
	defer e.end()
	if err := e.login(lines); err != nil {
		return err
	}
	if err := e.settle(); err != nil {
		return err
	}
	c.keep()
	return nil
}

// login goes through USER, PASS and ACCT (RFC 959 §5.4). 230 and 232 may come after any of them.
func (e *exchange) login(lines [3]string) error {
	for i := range lines {
		if err := e.send(lines[i]); err != nil {
			return err
		}
		r, err := e.final()
		if err != nil {
			return err
		}
		switch {
		case r.Code/100 == 2: // 230, 232, and 202: the server needs no account
			return nil
		case r.Code == 331 && i == 0:
		case r.Code == 332 && i == 0:
			lines[1] = lines[2] // an account, and no password
		case r.Code == 332 && i == 1:
		default:
			return errors.Join(ErrLogin, refusal("", "", r))
		}
	}
	return e.c.breakOff(fmt.Errorf("%w: no end to the login", ErrProtocol))
}

// settle makes a connection ready that has logged in.
func (e *exchange) settle() error {
	c := e.c
	c.loggedIn = false
	if err := e.askFeatures(); err != nil {
		return err
	}
	c.loggedIn = true
	f := c.features
	c.ahead = f.Lines != nil && !c.o.Sequential
	lines := []string{"TYPE I"}
	if c.dataTLS != nil {
		lines = append(lines, "PBSZ 0", "PROT P") // RFC 4217 §9
	}
	if c.o.Encoding == nil && f.Has("UTF8") {
		lines = append(lines, "OPTS UTF8 ON") // older servers do not believe that UTF8 is always on (RFC 2640)
	}
	if facts := wantedFacts(f); facts != "" {
		lines = append(lines, "OPTS MLST "+facts)
	}
	replies, err := e.all(lines...)
	if err != nil {
		return err
	}
	if replies[0].Code/100 != 2 {
		return refusal("TYPE", "I", replies[0])
	}
	if c.dataTLS != nil && replies[2].Code/100 != 2 {
		return c.breakOff(errors.Join(ErrNoTLS, refusal("PROT", "P", replies[2])))
	}
	return nil
}

// wantedFacts is what to ask for with OPTS MLST, or "" if MLST shows it anyway (RFC 3659 §7.9).
func wantedFacts(f *Features) string {
	param, _ := f.Param("MLST")
	missing := false
	var b strings.Builder
	for fact := range strings.SplitSeq(param, ";") {
		name, on := strings.CutSuffix(fact, "*")
		switch strings.ToLower(name) {
		case "type", "size", "modify", "perm", "unique", "unix.mode", "unix.owner", "unix.group":
			b.WriteString(name + ";")
			missing = missing || !on
		default:
			if on && name != "" && !strings.ContainsAny(name, " \r\n\x00") {
				b.WriteString(name + ";")
			}
		}
	}
	if !missing {
		return ""
	}
	return b.String()
}

// askFeatures sends FEAT once; before a login many servers refuse it.
func (e *exchange) askFeatures() error {
	if f := e.c.features; f != nil && (f.Lines != nil || e.c.loggedIn) {
		return nil
	}
	if err := e.send("FEAT"); err != nil {
		return err
	}
	r, err := e.final()
	if err != nil {
		return err
	}
	e.c.features = parseFeatures(r)
	return nil
}

// Features are the lines of FEAT (RFC 2389), asked for once by Login.
type Features struct {
	Lines []string // without the leading space, as the server wrote them; nil: the server does not know FEAT
}

func parseFeatures(r ftp.Reply) *Features {
	f := &Features{}
	if r.Code != 211 {
		return f
	}
	f.Lines = []string{}
	for i, line := range r.Lines {
		if i > 0 && i < len(r.Lines)-1 && strings.TrimSpace(line) != "" {
			f.Lines = append(f.Lines, strings.TrimSpace(line))
		}
	}
	return f
}

// Has reports whether a feature is there, such as "MLST", "REST STREAM" or "AUTH TLS", in any case.
func (f Features) Has(name string) bool {
	_, ok := f.Param(name)
	return ok
}

// Param is what follows a feature's name: "type*;size*;" for MLST.
func (f Features) Param(name string) (param string, ok bool) {
	for _, line := range f.Lines {
		if len(line) >= len(name) && strings.EqualFold(line[:len(name)], name) {
			if rest := line[len(name):]; rest == "" || rest[0] == ' ' {
				return strings.TrimSpace(rest), true
			}
		}
	}
	return "", false
}

// Features asks FEAT, or remembers what it said.
func (c *Conn) Features(ctx context.Context) (Features, error) {
	e, err := c.begin(ctx)
	if err != nil {
		return Features{}, err
	}
	defer e.end()
	if err := e.askFeatures(); err != nil {
		return Features{}, err
	}
	return *c.features, nil
}
