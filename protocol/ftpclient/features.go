package ftpclient

import (
	"context"
	"strings"

	"github.com/ftpgate/ftpgate/protocol/ftp"
)

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
	r, err := e.small("FEAT")
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
