package probe

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/ftpgate/ftpgate/protocol/ftp"
	"github.com/ftpgate/ftpgate/protocol/ftpclient"
)

// addresses resolves the host; v6 is one of its IPv6 addresses, or "".
func (p *probe) addresses(ctx context.Context) (v6 string, ok bool) {
	if ip := net.ParseIP(p.URL.Host); ip != nil {
		if ip.To4() == nil {
			v6 = p.URL.Host
		}
		return v6, true
	}
	found, err := p.Lookup(ctx, p.URL.Host)
	if err != nil || len(found) == 0 {
		p.tell("name", Problem, fmt.Sprintf("%s has no address: %v", p.URL.Host, ftpclient.InWords(err)), "nobody finds the server", "check the name, and the DNS records A and AAAA")
		return "", false
	}
	var all []string
	for _, a := range found {
		all = append(all, a.String())
		if a.IP.To4() == nil && v6 == "" {
			v6 = a.String()
		}
	}
	p.tell("name", OK, fmt.Sprintf("%s is %s", p.URL.Host, strings.Join(all, ", ")), "", "")
	return v6, true
}

// greet connects without logging in.
func (p *probe) greet(ctx context.Context) bool {
	begun := time.Now()
	o := p.Client
	o.Security = p.security
	if o.Security == ftpclient.Explicit {
		o.Security = ftpclient.Plain // AUTH TLS has a check of its own
	}
	if o.Security == ftpclient.Implicit {
		o.TLS = p.tlsConfig(noVerify)
	}
	c, err := ftpclient.Dial(ctx, p.URL.Address(), o)
	if err != nil {
		means, mend := "no client gets in", "check that the server runs, listens on this port, and that no firewall drops it"
		var record tls.RecordHeaderError
		var refused *ftp.Error
		switch {
		case errors.As(err, &refused):
			means, mend = "the server is there and takes no client from here, or none now", "look at its limits of connections and at the addresses that it admits"
		case errors.As(err, &record):
			means, mend = "clients for ftps:// do not get in: the server begins in clear text", "use ftpes://, or the port on which the server begins with TLS (990, as a rule)"
		case errors.Is(err, ftpclient.ErrProtocol), errors.Is(err, ftpclient.ErrTooLong):
			means, mend = "it is no FTP server", "check the port"
		case errors.Is(err, syscall.ECONNREFUSED):
			means = "nothing listens there"
		case errors.Is(err, ftpclient.ErrTimeout):
			means = "a firewall drops connections, or it is a server for ftps:// that waits for TLS"
		}
		p.tell("greeting", Problem, err.Error(), means, mend)
		return false
	}
	defer c.Close()
	p.tell("greeting", OK, fmt.Sprintf("%s (after %s)", c.Greeting(), milliseconds(time.Since(begun))), "", "")
	return true
}

func milliseconds(d time.Duration) string {
	return fmt.Sprintf("%.1f ms", float64(d.Microseconds())/1000)
}

// wanted are features that clients count on, and what is without each.
var wanted = []struct {
	name, means string
	state       State
}{
	{"UTF8", "names that are not ASCII may look wrong", Warning},
	{"MLST", "clients have to guess sizes, times and types from a listing made for people", Warning},
	{"SIZE", "clients cannot tell how large a file is", Warning},
	{"MDTM", "clients cannot tell how old a file is, and mirrors fetch too much", Warning},
	{"REST STREAM", "transfers that break off begin again", Warning},
	{"EPSV", "data connections need PASV, which NAT breaks more often, and do not work over IPv6", Note},
	{"MFMT", "what is uploaded has the time of the upload", Note},
}

func (p *probe) features(ctx context.Context, c *ftpclient.Conn) {
	f, err := c.Features(ctx)
	switch {
	case err != nil:
		p.tell("features", Problem, err.Error(), "clients cannot find out what the server can do", "look into the log of the server")
		return
	case f.Lines == nil:
		p.tell("features", Warning, "the server does not know FEAT", "clients have to find out by trying what it can do", "use a server made after 1998 (RFC 2389)")
		return
	}
	complete := true
	for _, w := range wanted {
		if !f.Has(w.name) {
			complete = false
			p.tell("features", w.state, w.name+" is not offered", w.means, "switch it on, or update the server")
		}
	}
	if complete {
		p.tell("features", OK, fmt.Sprintf("%d, and all that clients count on", len(f.Lines)), "", "")
	}
}

// slow is a round trip that makes many small files tiresome.
const slow = 300 * time.Millisecond

func (p *probe) latency(ctx context.Context, c *ftpclient.Conn) {
	var times []time.Duration
	for range 3 {
		begun := time.Now()
		if err := c.Noop(ctx); err != nil {
			p.tell("latency", Problem, "NOOP: "+err.Error(), "connections that idle will be lost", "")
			return
		}
		times = append(times, time.Since(begun))
	}
	slices.Sort(times)
	if times[1] > p.Slow {
		p.tell("latency", Warning, milliseconds(times[1])+" for a command", "every small file costs several of these", "transfer with --parallel, or from nearer")
		return
	}
	p.tell("latency", OK, milliseconds(times[1])+" for a command", "", "")
}

// ipv6 connects to the IPv6 address and lists a directory.
func (p *probe) ipv6(ctx context.Context, v6 string) {
	if v6 == "" {
		if net.ParseIP(p.URL.Host) == nil {
			p.tell("ipv6", Note, "the name has no IPv6 address", "clients in networks without IPv4 depend on NAT64", "")
		}
		return
	}
	c, err := p.dial(ctx, net.JoinHostPort(v6, p.URL.Port), func(o *ftpclient.Options) {
		o.TLS = p.Client.TLS.Clone()
		o.TLS.ServerName = p.URL.Host
	})
	if err == nil {
		defer c.Close()
		err = list(ctx, c)
	}
	if err != nil {
		p.tell("ipv6", Problem, v6+": "+err.Error(), "clients that prefer IPv6 wait, or fail", "let the server listen on IPv6 and offer EPSV, or remove the AAAA record; without IPv6 on this machine this says nothing")
		return
	}
	p.tell("ipv6", OK, "login and listing at "+v6, "", "")
}
