package pi

import (
	"strings"

	"github.com/ftpgate/ftpgate/protocol/ftp"
)

// redacted is the command without a secret argument: one that no verb of ours has may be a
// password, as in SITE PSWD old new, or behind a slip of the finger.
func (c *command) redacted() ftp.Command {
	out := c.Command
	switch {
	case c.row == nil && strings.HasPrefix(out.Verb, "PAS"): // a password may follow a slip of the finger
		return ftp.Command{Verb: "PAS?"}
	case out.Arg == "":
	case c.row == nil, c.row.secret, c.row.arg == argNone:
		out.Arg = "***"
	case c.row.verb == "SITE":
		if verb, arg, ok := strings.Cut(out.Arg, " "); ok && !knownSite(verb) && arg != "" {
			out.Arg = verb + " ***"
		}
	}
	return out
}
