package ftpclient

import (
	"context"
	"fmt"
	"strings"

	"github.com/ftpgate/ftpgate/protocol/ftp"
)

// Quote sends a raw command and returns its reply, whatever its code; the error tells only
// that there is no reply. Commands that need a data connection, that change its form or the login are refused.
func (c *Conn) Quote(ctx context.Context, line string) (ftp.Reply, error) {
	verb, arg, _ := strings.Cut(line, " ")
	if err := quotable(verb); err != nil {
		return ftp.Reply{}, err
	}
	return c.do(ctx, verb, arg)
}

// retypes notes a TYPE that a caller sends: the next transfer then sends TYPE I.
func (e *exchange) retypes(line string) {
	if verb, _, _ := strings.Cut(line, " "); strings.EqualFold(verb, "TYPE") {
		e.c.ascii = true
	}
}

// quotable refuses what would bring this client and the server out of step.
func quotable(verb string) error {
	verb, _, _ = strings.Cut(verb, " ") // of "SITE CHMOD 644", say
	if strings.ContainsFunc(verb, func(c rune) bool { return c <= ' ' || c >= 0x7F }) {
		return ErrBadName // a Telnet command within it, which the server takes out, would hide what it is
	}
	switch strings.ToUpper(verb) {
	case "RETR", "STOR", "STOU", "APPE", "LIST", "NLST", "MLSD", "PASV", "EPSV", "PORT", "EPRT", "ABOR", "REST",
		"AUTH", "PROT", "PBSZ", "CCC", "REIN", "QUIT", "USER", "PASS", "ACCT", "MODE", "STRU", "RANG", "LPRT", "LPSV", "SPSV", "CPSV", "SSCN", "":
		return fmt.Errorf("ftpclient: %q cannot be sent as it is", verb)
	}
	return nil
}
