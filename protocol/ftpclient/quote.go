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
	if strings.EqualFold(verb, "TYPE") {
		c.retype(ctx)
	}
	return c.do(ctx, verb, arg)
}

// retype has the next transfer send TYPE I.
func (c *Conn) retype(ctx context.Context) {
	if e, err := c.begin(ctx); err == nil {
		c.ascii = true
		e.end()
	}
}

// quotable refuses what would bring this client and the server out of step.
func quotable(verb string) error {
	switch strings.ToUpper(verb) {
	case "RETR", "STOR", "STOU", "APPE", "LIST", "NLST", "MLSD", "PASV", "EPSV", "PORT", "EPRT", "ABOR", "REST",
		"AUTH", "PROT", "PBSZ", "CCC", "REIN", "QUIT", "USER", "PASS", "ACCT", "MODE", "STRU", "":
		return fmt.Errorf("ftpclient: %q cannot be sent as it is", verb)
	}
	return nil
}
