package probe

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/ftpgate/ftpgate/cmd/ftpgate/internal/remote"
	"github.com/ftpgate/ftpgate/protocol/ftpclient"
)

// State says how good or bad a finding is.
type State string

const (
	OK      State = "ok"
	Note    State = "note"    // worth knowing, or not tried
	Warning State = "warning" // works, and some clients or users will be hurt by it
	Problem State = "problem" // does not work
)

// Finding is what one check found.
type Finding struct {
	Check string `json:"check"` // such as "certificate"
	State State  `json:"state"`
	Text  string `json:"text"`            // what was found
	Means string `json:"means,omitempty"` // for those who use the server
	Mend  string `json:"mend,omitempty"`  // what to do about it
}

// Options say what to probe.
type Options struct {
	URL    remote.URL         // with ftp:// TLS is used if the server offers it
	User   remote.Credentials // to log in with
	Client ftpclient.Options  // of a plain connection; TLS is the configuration that certificates are checked with
	Write  bool               // store and delete a small file, too
	Tell   func(Finding)      // is told each finding as it is made
	Lookup func(ctx context.Context, host string) ([]net.IPAddr, error)
	Now    func() time.Time
	Slow   time.Duration // from here on an answer is slow; 0: 300 ms
}

// probe is one run.
type probe struct {
	Options
	security ftpclient.Security // that logins use
	trusted  bool               // the certificate is good, or need not be
	problems int
	data     []ftpclient.DataInfo // of the connection in use
}

// Run probes a server and returns how many problems there are.
func Run(ctx context.Context, o Options) (problems int) {
	if o.Lookup == nil {
		o.Lookup = net.DefaultResolver.LookupIPAddr
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Slow == 0 {
		o.Slow = slow
	}
	p := &probe{Options: o, security: o.URL.Security(), trusted: true}
	p.run(ctx)
	return p.problems
}

func (p *probe) run(ctx context.Context) {
	v6, ok := p.addresses(ctx)
	if !ok || !p.greet(ctx) {
		return
	}
	if !p.transport(ctx) {
		return
	}
	c := p.login(ctx)
	if c == nil {
		return
	}
	defer c.Close()
	p.features(ctx, c)
	p.latency(ctx, c)
	p.passive(ctx, c)
	p.pasv(ctx)
	p.active(ctx)
	p.ipv6(ctx, v6)
	p.roundTrip(ctx, c)
}

func (p *probe) tell(check string, s State, text, means, mend string) {
	if s == Problem {
		p.problems++
	}
	text = strings.ReplaceAll(strings.ReplaceAll(text, "ftpclient: ", ""), "\n", ": ") // of errors, some of them joined
	p.Tell(Finding{check, s, text, means, mend})
}

// options are those of a connection that is to log in, changed as wanted.
func (p *probe) options(change func(o *ftpclient.Options)) ftpclient.Options {
	o := p.Client
	o.Security = p.security
	trace := ftpclient.Trace{}
	if o.Trace != nil {
		trace = *o.Trace
	}
	trace.Data = func(d ftpclient.DataInfo) { p.data = append(p.data, d) }
	o.Trace = &trace
	if change != nil {
		change(&o)
	}
	return o
}

// dial makes a connection that is logged in.
func (p *probe) dial(ctx context.Context, address string, change func(o *ftpclient.Options)) (*ftpclient.Conn, error) {
	c, err := ftpclient.Dial(ctx, address, p.options(change))
	if err != nil {
		return nil, err
	}
	if err := p.User.Login(ctx, c); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// login logs in, and tells how that went.
func (p *probe) login(ctx context.Context) *ftpclient.Conn {
	if !p.trusted {
		p.tell("login", Note, "not tried", "the password would go to whoever has that certificate", "mend the certificate, or use --ca-file or --insecure")
		return nil
	}
	c, err := p.dial(ctx, p.URL.Address(), nil)
	if err != nil {
		mend := "give a user: ftpgate probe ftp://USER@HOST/"
		if !p.User.Anonymous() {
			mend = "compare user and password with those of the server"
		}
		if !errors.Is(err, ftpclient.ErrLogin) {
			mend = "look into the log of the server"
		}
		p.tell("login", Problem, fmt.Sprintf("as %s: %v", p.User, err), "nothing behind the login could be looked at", mend)
		return nil
	}
	state, means, mend := OK, "", ""
	if p.security == ftpclient.Plain && !p.User.Anonymous() {
		state, means, mend = Warning, "the password crossed the network in clear text", "let the server offer TLS, and require it"
	}
	p.tell("login", state, fmt.Sprintf("as %s", p.User), means, mend)
	return c
}

// tlsConfig is the user's, changed.
func (p *probe) tlsConfig(change func(c *tls.Config)) *tls.Config {
	c := &tls.Config{}
	if p.Client.TLS != nil {
		c = p.Client.TLS.Clone()
	}
	if c.ServerName == "" {
		c.ServerName = p.URL.Host
	}
	change(c)
	return c
}
