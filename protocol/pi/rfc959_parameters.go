package pi

import (
	"context"
	"net/netip"
	"strings"

	"github.com/ftpgate/ftpgate/protocol/dtp"
	"github.com/ftpgate/ftpgate/protocol/ftp"
)

// dataType is the representation type (RFC 959 §3.1.1).
type dataType uint8

const (
	typeASCII dataType = iota // the start value (RFC 959 §5.1), see session.ascii
	typeImage                 // TYPE I, and L 8, which is the same here
)

// ascii reports whether a file's bytes are converted. Until the client sends TYPE
// the type is ASCII by name, but data passes unchanged: old devices send no
// TYPE I and push binaries (the endpoint can ask for the letter of the RFC).
func (s *session) ascii() bool { return s.typ == typeASCII && s.typeSet }

// type_ (TYPE) accepts A, A N, I and L 8.
func (s *session) type_(_ context.Context, r request) (ftp.Reply, error) {
	kind, form, spaced := strings.Cut(strings.ToUpper(strings.TrimSpace(r.Arg)), " ")
	if !spaced && len(kind) == 2 && (kind == "AN" || kind == "L8") {
		kind, form = kind[:1], kind[1:]
	}
	form = strings.TrimSpace(form)
	switch {
	case kind == "A" && (form == "" || form == "N"):
		s.typ, s.typeSet = typeASCII, true
		return ftp.Replyf(200, "Type set to A."), nil
	case kind == "I" && form == "", kind == "L" && form == "8":
		s.typ, s.typeSet = typeImage, true
		return ftp.Replyf(200, "Type set to I."), nil
	case len(kind) != 1 || strings.ContainsAny(form, " \t"):
		return ftp.Reply{}, ftp.Errorf(501, "Syntax error in TYPE.")
	}
	return ftp.Reply{}, ftp.Errorf(504, "TYPE is A, I or L 8 here.")
}

// stru (STRU) knows files only.
func (s *session) stru(_ context.Context, r request) (ftp.Reply, error) {
	return only("STRU", "F", r.Arg)
}

// mode (MODE) knows streams only.
func (s *session) mode(_ context.Context, r request) (ftp.Reply, error) {
	return only("MODE", "S", r.Arg)
}

func only(verb, value, arg string) (ftp.Reply, error) {
	switch {
	case strings.EqualFold(arg, value):
		return ftp.Replyf(200, "%s set to %s.", verb, value), nil
	case len(arg) != 1:
		return ftp.Reply{}, ftp.Errorf(501, "Syntax error in %s.", verb)
	}
	return ftp.Reply{}, ftp.Errorf(504, "%s is %s here.", verb, value)
}

// channel is the session's end of the data transfer process. Its local end is the
// connection's own, also behind a proxy: data connections come there, too.
func (s *session) channel() *dtp.Channel {
	if s.data == nil {
		s.data = dtp.NewChannel(s.endpoint.Passive, dtp.AddrPort(s.conn.LocalAddr()), s.info.Remote)
		s.data.SourcePort = s.endpoint.ActivePort
	}
	return s.data
}

// afterEPSVAll refuses every other way to set up a data connection (RFC 2428 §4).
func (s *session) afterEPSVAll(verb string) error {
	if s.epsvAll {
		return ftp.Errorf(503, "%s is not allowed after EPSV ALL.", verb)
	}
	return nil
}

// pasv (PASV) reserves a passive port and announces it. It does not wait for the client.
func (s *session) pasv(context.Context, request) (ftp.Reply, error) {
	if err := s.afterEPSVAll("PASV"); err != nil {
		return ftp.Reply{}, err
	}
	host := s.info.Local.Addr()
	if !host.Is4() {
		return ftp.Reply{}, ftp.Errorf(502, "PASV is for IPv4 only, use EPSV.")
	}
	at, err := s.listen()
	if err != nil {
		return ftp.Reply{}, err
	}
	if announce := s.endpoint.PublicHost; announce != nil {
		if public := announce(host, s.info.Remote.Addr()); public.Is4() {
			host = public
		}
	}
	return ftp.PassiveReply(netip.AddrPortFrom(host, at)), nil
}

// port (PORT) notes where to connect to. The connection is made by the transfer.
func (s *session) port(_ context.Context, r request) (ftp.Reply, error) {
	if err := s.afterEPSVAll("PORT"); err != nil {
		return ftp.Reply{}, err
	}
	target, err := ftp.ParseHostPort(r.Arg)
	if err != nil {
		return ftp.Reply{}, err
	}
	if err := s.channel().Active(target); err != nil {
		return ftp.Reply{}, err
	}
	return ftp.Replyf(200, "PORT ok."), nil
}
