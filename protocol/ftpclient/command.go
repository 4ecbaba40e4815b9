package ftpclient

import (
	"context"
	"strings"

	"github.com/ftpgate/ftpgate/protocol/ftp"
)

// line makes a command line. The argument is a name or a credential: it is refused if it could
// end the line, encoded, and its bytes 0xFF are doubled (RFC 959 §3.2, Telnet IAC).
func (c *Conn) line(verb, arg string) (string, error) {
	if strings.ContainsAny(arg, "\r\n\x00") || verb == "" || strings.ContainsAny(verb, "\r\n\x00") {
		return "", ErrBadName
	}
	if arg == "" {
		return verb, nil
	}
	if c.o.Encoding != nil {
		encoded, err := c.o.Encoding.NewEncoder().String(arg)
		// An encoding such as UTF-16 could make an end of line of a letter.
		if err != nil || strings.ContainsAny(encoded, "\r\n\x00") {
			return "", ErrBadName
		}
		arg = encoded
	}
	return verb + " " + strings.ReplaceAll(arg, "\xff", "\xff\xff"), nil
}

// decode is the name that stands for bytes of the wire.
func (c *Conn) decode(name string) string {
	if c.o.Encoding == nil {
		return name
	}
	if decoded, err := c.o.Encoding.NewDecoder().String(name); err == nil {
		return decoded
	}
	return name
}

// do sends one command and returns its final reply, whatever its code.
func (c *Conn) do(ctx context.Context, verb, arg string) (ftp.Reply, error) {
	line, err := c.line(verb, arg)
	if err != nil {
		return ftp.Reply{}, pathError(verb, arg, err)
	}
	e, err := c.begin(ctx)
	if err != nil {
		return ftp.Reply{}, pathError(verb, arg, err)
	}
	defer e.end()
	e.retypes(line)
	r, err := e.one(line)
	if err != nil {
		err = pathError(verb, arg, err)
	}
	return r, err
}

// one sends one command and returns its final reply, whatever its code.
func (e *exchange) one(line string) (ftp.Reply, error) {
	if err := e.send(line); err != nil {
		return ftp.Reply{}, err
	}
	return e.small(line)
}

// want is do for a command whose answer must be 2xx.
func (c *Conn) want(ctx context.Context, verb, arg string) (ftp.Reply, error) {
	r, err := c.do(ctx, verb, arg)
	if err == nil && r.Code/100 != 2 {
		err = refusal(verb, arg, r)
	}
	return r, err
}

// all sends commands, ahead of their replies if the server copes with that, and returns the final reply
// to each. With an error come the replies before it.
func (e *exchange) all(lines ...string) ([]ftp.Reply, error) {
	replies := make([]ftp.Reply, 0, len(lines))
	if e.c.ahead {
		if err := e.send(lines...); err != nil {
			return replies, err
		}
	}
	for i, line := range lines {
		coming := lines[i:]
		if !e.c.ahead {
			coming = coming[:1]
			if e.isCut() {
				return replies, e.explain(errCut)
			}
			if err := e.send(line); err != nil {
				return replies, err
			}
		}
		r, err := e.small(coming...)
		if err != nil {
			return replies, err
		}
		replies = append(replies, r)
	}
	return replies, nil
}
