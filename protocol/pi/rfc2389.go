package pi

import (
	"context"
	"slices"
	"strings"

	"github.com/ftpgate/ftpgate/protocol/ftp"
	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// feat (FEAT) lists every extension there is, each indented by one space (RFC 2389 §3.2).
func (s *session) feat(context.Context, request) (ftp.Reply, error) {
	lines := []string{" TVFS"}
	for _, row := range s.server.table {
		if row.feat != nil && row.has(s.endpoint) {
			if line := row.feat(s); line != "" {
				lines = append(lines, " "+line)
			}
		}
	}
	slices.Sort(lines)
	return ftp.Reply{Code: 211, Lines: append(append([]string{"Features:"}, lines...), "End")}, nil
}

// featMLST is the line of RFC 3659 §7.8: every fact, those in use with a star.
func featMLST(s *session) string { return s.facts.Feature() }

// featMFMT is left out where no time can be set, since clients use what they see.
func featMFMT(s *session) string {
	if s.account != nil && !vfs.PropertiesOf(s.account.FS, "/").SetTimes {
		return ""
	}
	return "MFMT"
}

// opts (OPTS) knows UTF8, MLST and HASH (RFC 2389 §4, RFC 3659 §7.9).
func (s *session) opts(_ context.Context, r request) (ftp.Reply, error) {
	option, arg, _ := strings.Cut(r.Arg, " ")
	switch strings.ToUpper(option) {
	case "UTF8", "UTF-8":
		switch strings.ToUpper(arg) {
		case "", "ON", "NLST":
			return ftp.Replyf(200, "UTF8 is always on."), nil
		case "OFF":
			return ftp.Reply{}, ftp.Errorf(504, "UTF8 is always on.")
		}
	case "MLST":
		s.facts = ftp.ParseFacts(arg)
		return ftp.Reply{Code: 200, Lines: []string{strings.TrimRight("MLST OPTS "+s.facts.String(), " ")}}, nil
	case "HASH":
		return s.optsHash(arg)
	}
	return ftp.Reply{}, ftp.Errorf(501, "Option not understood.")
}
