package pi

import (
	"context"

	"github.com/ftpgate/ftpgate/protocol/ftp"
)

// epsv (EPSV) reserves a passive port of the control connection's own address
// family; asked for the other one it answers 522. EPSV ALL is a promise to use nothing else.
func (s *session) epsv(_ context.Context, r request) (ftp.Reply, error) {
	family, all, err := ftp.ParseExtendedPassive(r.Arg)
	switch {
	case err != nil:
		return ftp.Reply{}, err
	case r.HasArg && r.Arg == "":
		return ftp.Reply{}, ftp.ErrSyntax
	case all:
		s.epsvAll = true
		return ftp.Replyf(200, "EPSV ALL ok."), nil
	}
	own, use := ftp.IPv6, "(2)"
	if s.info.Local.Addr().Is4() {
		own, use = ftp.IPv4, "(1)"
	}
	if family != ftp.FamilyAny && family != own {
		return ftp.Reply{}, ftp.Errorf(522, "Network protocol not supported, use "+use)
	}
	port, err := s.listen()
	if err != nil {
		return ftp.Reply{}, err
	}
	return ftp.ExtendedPassiveReply(port), nil
}

// eprt (EPRT) notes where to connect to.
func (s *session) eprt(_ context.Context, r request) (ftp.Reply, error) {
	if err := s.afterEPSVAll("EPRT"); err != nil {
		return ftp.Reply{}, err
	}
	target, err := ftp.ParseExtendedPort(r.Arg)
	if err != nil {
		return ftp.Reply{}, err
	}
	if err := s.channel().Active(target); err != nil {
		return ftp.Reply{}, err
	}
	return ftp.Replyf(200, "EPRT ok."), nil
}

// listen reserves a passive port for this client.
func (s *session) listen() (uint16, error) {
	at, err := s.channel().Passive()
	return at.Port(), err
}
