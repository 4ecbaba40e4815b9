package probe

import (
	"context"
	"fmt"
	"net"
	"net/netip"

	"github.com/ftpgate/ftpgate/protocol/ftpclient"
)

// list reads a listing of the directory of the login.
func list(ctx context.Context, c *ftpclient.Conn) error {
	for _, err := range c.List(ctx, "") {
		if err != nil {
			return err
		}
	}
	return nil
}

const firewall = "open the range of passive ports in the firewall, and set the same range in the server"

// passive lists a directory as most clients do, and looks at TLS on the data connection.
func (p *probe) passive(ctx context.Context, c *ftpclient.Conn) {
	p.data = nil
	if err := list(ctx, c); err != nil {
		p.tell("passive", Problem, err.Error(), "most clients can neither list nor transfer", firewall)
		return
	}
	if len(p.data) == 0 {
		p.tell("passive", Note, "no data connection was made", "", "")
		return
	}
	d := p.data[len(p.data)-1]
	p.tell("passive", OK, fmt.Sprintf("%s to port %d in %s", d.Mode, d.Announced.Port(), milliseconds(d.Took)), "", "")
	switch {
	case p.security == ftpclient.Plain:
	case d.TLS == nil:
		p.tell("data tls", Problem, "the data connection is in clear text", "files cross the network in clear text", "let the server accept PROT P")
	case d.TLS.DidResume:
		p.tell("session reuse", OK, "the data connection resumed the session of the control connection", "", "")
	default:
		p.tell("session reuse", Warning, "the data connection made a session of its own",
			"each transfer costs a whole handshake, and the server cannot tell whose data connections it accepts", "let the server issue session tickets or IDs for data connections")
	}
}

// pasv compares the address that PASV announces with the one the server has.
func (p *probe) pasv(ctx context.Context) {
	if p.Client.Dialer != nil {
		p.tell("pasv", Note, "not tried", "behind a proxy it is not known which address the server has", "leave out --proxy")
		return
	}
	c, err := p.dial(ctx, p.URL.Address(), func(o *ftpclient.Options) { o.NoEPSV = true })
	if err != nil {
		p.tell("pasv", Problem, err.Error(), "the second connection from here was refused", "see whether the server limits connections from one address, or bans those that come often")
		return
	}
	defer c.Close()
	peer, ok := c.RemoteAddr().(*net.TCPAddr)
	if !ok || peer.AddrPort().Addr().Unmap().Is6() {
		return // PASV is for IPv4
	}
	p.data = nil
	if err := list(ctx, c); err != nil {
		p.tell("pasv", Problem, err.Error(), "older clients can neither list nor transfer", firewall)
		return
	}
	if len(p.data) == 0 {
		return
	}
	p.announced(p.data[0].Announced.Addr(), peer.AddrPort().Addr().Unmap())
}

func (p *probe) announced(said, is netip.Addr) {
	const mend = "set the public address in the server (public_host in ftpgate, MasqueradeAddress in proftpd, pasv_address in vsftpd, -P in pure-ftpd)"
	text := fmt.Sprintf("announces %v, and is %v", said, is)
	switch {
	case said == is:
		p.tell("pasv", OK, fmt.Sprintf("announces %v, which it is", said), "", "")
	case said.IsUnspecified():
		p.tell("pasv", Warning, text, "clients that do not take this for \"the same machine\" cannot transfer", mend)
	case said.IsPrivate() || said.IsLoopback() || said.IsLinkLocalUnicast():
		p.tell("pasv", Problem, text, "clients that believe it connect to a machine in their own network, and can neither list nor transfer", mend)
	default:
		p.tell("pasv", Warning, text, "clients that compare the two refuse, and others connect elsewhere", mend)
	}
}

// active lets the server connect here.
func (p *probe) active(ctx context.Context) {
	if p.Client.Dialer != nil {
		p.tell("active", Note, "not tried", "a server cannot connect back through a proxy", "leave out --proxy")
		return
	}
	c, err := p.dial(ctx, p.URL.Address(), func(o *ftpclient.Options) { o.Active = true })
	if err == nil {
		defer c.Close()
		err = list(ctx, c)
	}
	if err != nil {
		p.tell("active", Note, "the server cannot connect back: "+err.Error(), "only passive transfers work from here; behind NAT or a firewall that is as it should be", "")
		return
	}
	p.tell("active", OK, "the server connects back", "", "")
}
