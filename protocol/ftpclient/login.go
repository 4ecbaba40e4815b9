package ftpclient

import (
	"context"
	"errors"
	"fmt"
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
	err = e.login(lines)
	if err == nil {
		err = e.settle()
	}
	switch {
	case err == nil:
		c.keep()
	case e.isCut():
		_ = c.breakOff(err) // nobody knows how far the login has come
	}
	return err
}

// login goes through USER, PASS and ACCT (RFC 959 §5.4). 230 and 232 may come after any of them.
func (e *exchange) login(lines [3]string) error {
	for i := range lines {
		if err := e.send(lines[i]); err != nil {
			return err
		}
		r, err := e.final(lines[i])
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
			return fmt.Errorf("%w: %w", ErrLogin, refusal("", "", r))
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
