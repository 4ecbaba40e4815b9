package config

import (
	"net/netip"
	"strings"

	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// admin reads where orders are taken: on this machine only, since they need no password.
func (l *loader) admin(b *hclsyntax.Block, listeners []Listener) *Admin {
	const name, example = "address", `"127.0.0.1:8021"`
	s := l.open(b, blocks["admin"], "")
	if s.set(name) {
		text, v, ok := s.text(name, example)
		if !ok {
			return nil
		}
		if path, unix := strings.CutPrefix(text, "unix:"); unix {
			switch {
			case !strings.HasPrefix(path, "/"):
				s.wrong(name, v, `The path of a socket is absolute: "unix:/run/ftpgate/admin.sock".`)
			case len(path) > maxSocketPath:
				s.wrong(name, v, "The path of a socket has at most %d bytes.", maxSocketPath)
			}
			return &Admin{Socket: path}
		}
	}
	x := s.address(name, example)
	switch {
	case x == netip.AddrPort{}: // has been reported
	case !x.Addr().IsLoopback():
		l.errorAt(s.at(name), "admin is not for the network",
			`Whoever reaches it may give orders. It must be a loopback address, %s, or a Unix socket, "unix:/run/ftpgate/admin.sock".`, example)
	case x.Port() == 0:
		l.errorAt(s.at(name), "The port of admin must be fixed", "The ftpgate commands could not find it.")
	}
	for _, o := range listeners {
		if o.Address.IsValid() && x.IsValid() && x.Port() == o.Address.Port() && sameHost(x.Addr(), o.Address.Addr()) {
			l.errorAt(s.at(name), "admin is on the address of a listener", "listener %q listens there already.", o.Name)
		}
	}
	return &Admin{Address: x}
}
