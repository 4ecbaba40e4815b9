package ftp

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"github.com/ftpgate/ftpgate/protocol/ftp"
	"github.com/ftpgate/ftpgate/protocol/ftpclient"
	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// Finding is what one step of a probe has shown.
type Finding struct {
	Step  string
	Err   error  // nil: it works
	Limit string // what users have to do without although it works; "": nothing
	Mend  string // what to do about it, where that is known
}

// probe tries what the gateway does, on files of its own.
type probe struct {
	*Backend
	c        *ftpclient.Conn
	findings []Finding
}

// Probe tries everything that the gateway asks of the server: the connection and login, a listing, and, unless
// the server refuses writing, files with temporary names in the root, which it deletes again.
func (b *Backend) Probe(ctx context.Context) []Finding {
	p := &probe{Backend: b}
	if !p.connect(ctx) {
		return p.findings
	}
	defer p.c.Close()
	p.features()
	if p.list(ctx) {
		p.roundTrip(ctx)
	}
	return p.findings
}

func (p *probe) found(f Finding) bool {
	p.findings = append(p.findings, f)
	return f.Err == nil
}

func (p *probe) connect(ctx context.Context) bool {
	c, err := ftpclient.Dial(ctx, p.o.Address, p.o.Client)
	if err != nil {
		return p.found(Finding{Step: "connect", Err: err, Mend: mendConnection(err)})
	}
	p.found(Finding{Step: "connect", Limit: clear(c)})
	if err := c.Login(ctx, p.o.User, p.o.Password, ""); err != nil {
		c.Close()
		mend := ""
		if errors.Is(err, ftpclient.ErrLogin) {
			mend = "compare user and password with those of the server; it may also want TLS first, or have too many sessions"
		}
		return p.found(Finding{Step: "log in as " + p.o.User, Err: err, Mend: mend})
	}
	p.c = c
	return p.found(Finding{Step: "log in as " + p.o.User})
}

// clear says what it means that a connection has no TLS.
func clear(c *ftpclient.Conn) string {
	if _, ok := c.TLS(); ok {
		return ""
	}
	return "without TLS: password and files can be read on the way"
}

func mendConnection(err error) string {
	var unknown x509.UnknownAuthorityError
	var name x509.HostnameError
	var invalid x509.CertificateInvalidError
	var dns *net.DNSError
	var refused *ftp.Error
	switch {
	case errors.Is(err, ftpclient.ErrNoTLS):
		return `switch TLS on at the server, or set tls = "none" if nobody else can listen on the way`
	case errors.As(err, &unknown):
		return "set ca_file to the certificate of the server or of its authority"
	case errors.As(err, &name):
		return "set tls_name to a name in the server's certificate"
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "renew the certificate of the server, or set the clock of this machine right"
	case errors.As(err, &dns):
		return "look at the name in address, and at the name servers of this machine"
	case errors.As(err, &refused):
		return "look at the server's limits of connections, and at the addresses that it admits"
	case errors.Is(err, ftpclient.ErrTimeout), errors.Is(err, context.DeadlineExceeded):
		return "look at address, at firewalls on the way, and whether the server wants implicit TLS (port 990)"
	}
	return "look at address, and whether the server runs and speaks FTP there"
}

// features says what the server lacks that users notice.
func (p *probe) features() {
	f, err := p.c.Features(context.Background()) // known since the login
	if err != nil {
		p.found(Finding{Step: "features", Err: err})
		return
	}
	var lacks []string
	for _, x := range []struct{ name, without string }{
		{"MLST", "listings are those of LIST: times to the minute, no time of directories, and names with a dot may be missing"},
		{"MFMT", "clients cannot set the times of files"},
		{"UTF8", "names that are not ASCII may be shown wrong: try encoding"},
	} {
		if !f.Has(x.name) {
			lacks = append(lacks, "no "+x.name+": "+x.without)
		}
	}
	p.found(Finding{Step: "features", Limit: strings.Join(lacks, "; ")})
}

func (p *probe) list(ctx context.Context) bool {
	for _, err := range p.c.List(ctx, p.at("/")) {
		if err != nil {
			mend := "look at root: it is a path from the server's own root, which may not be where a login begins"
			if !isRefusal(err) {
				mend = "data connections fail: look at firewalls, and try active = true, or false"
			}
			return p.found(Finding{Step: "list " + p.at("/"), Err: err, Mend: mend})
		}
	}
	return p.found(Finding{Step: "list " + p.at("/")})
}

// probeText is in the files of a probe.
const probeText = "ftpgate check --connect\n"

// roundTrip stores a file, reads it back, and publishes over another one, as an upload does.
func (p *probe) roundTrip(ctx context.Context) {
	one, two := p.at(p.temporaryName("/x", time.Now())), p.at(p.temporaryName("/x", time.Now()))
	if err := p.put(ctx, one); err != nil {
		if isRefusal(err) {
			p.found(Finding{Step: "store a file", Limit: "refused (" + words(err) + "), so this is for reading only", Mend: `give the users access = "read-only", or this login the right to write and delete below root; if the server is an ftpgate itself, set temporary_prefix`})
			return
		}
		p.found(Finding{Step: "store a file", Err: err, Mend: "see whether listings work while uploads do not: space on the server, firewalls"})
		return
	}
	defer p.c.Delete(ctx, one) //nolint:errcheck // gone, if all went well
	p.found(Finding{Step: "store a file"})
	p.found(Finding{Step: "read it back", Err: p.readBack(ctx, one)})
	if err := p.put(ctx, two); !p.found(Finding{Step: "store another", Err: err}) {
		return
	}
	defer p.c.Delete(ctx, two) //nolint:errcheck // gone, if all went well
	err := p.c.Rename(ctx, two, one)
	p.found(Finding{Step: "rename it over the first", Err: err, Mend: mendRename(err)})
	err = p.c.Delete(ctx, one)
	f := Finding{Step: "delete it", Err: err}
	if err != nil {
		f.Mend = "give the login the right to delete: uploads that fail are deleted. Delete " + one + " yourself"
	}
	p.found(f)
}

func mendRename(err error) string {
	if err == nil {
		return ""
	}
	return "every upload ends with a rename. Without the right to it nothing can be uploaded; " +
		"if only taken names are refused, files cannot be replaced: allow overwriting at the server"
}

func (p *probe) put(ctx context.Context, name string) error {
	_, err := p.c.StoreFrom(ctx, name, strings.NewReader(probeText))
	return err
}

func (p *probe) readBack(ctx context.Context, name string) error {
	d, err := p.c.Retrieve(ctx, name, 0)
	if err != nil {
		return err
	}
	defer d.Close() //nolint:errcheck // Read has told
	b, err := io.ReadAll(io.LimitReader(d, 1<<10))
	if err == nil && string(b) != probeText {
		err = fmt.Errorf("%w: it came back with other bytes", vfs.ErrTransient)
	}
	return err
}
