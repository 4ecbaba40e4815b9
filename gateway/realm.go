package gateway

import (
	"context"
	"fmt"
	"time"

	"github.com/ftpgate/ftpgate/auth"
	"github.com/ftpgate/ftpgate/gateway/config"
	"github.com/ftpgate/ftpgate/protocol/pi"
	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// Realm maps identities to accounts.
type Realm struct {
	users     map[string]*config.User
	anonymous *config.Anonymous
	backends  *backends
	everybody *share
	shares    map[string]*share // by user
	guests    *share
	rates     config.Rates // of everybody, and of a guest's session
}

func newRealm(c *config.Config, b *backends) *Realm {
	r := &Realm{
		users: make(map[string]*config.User, len(c.Users)), anonymous: c.Anonymous, backends: b,
		everybody: newShare(c.Limits.Rates, 0), shares: make(map[string]*share, len(c.Users)),
		guests: newShare(config.Rates{}, 0), rates: c.Limits.Rates,
	}
	for i := range c.Users {
		u := &c.Users[i]
		r.users[u.Name], r.shares[u.Name] = u, newShare(u.Rates, u.MaxSessions)
	}
	return r
}

// Account opens the account of an identity, for one session. The password, which has been
// found right, is only for backends that pass it through. The error names what the
// administrator must mend; the client learns nothing of it.
func (r *Realm) Account(ctx context.Context, id auth.Identity, password string) (*pi.Account, error) {
	if id.Anonymous {
		return r.guest()
	}
	u := r.users[id.User]
	if u == nil {
		return nil, fmt.Errorf("user %q has a password but no filesystem", id.User)
	}
	s, end, err := r.backends.forSession(ctx, u.Filesystem, u.Name, password)
	if err != nil {
		return nil, err
	}
	a := &pi.Account{
		User: u.Name, FS: s.open(u.Name, u.ResumeWindow), ResumeWindow: u.ResumeWindow,
		Require: protection[u.RequireTLS], Access: access[u.Access], OnConflict: conflict[u.OnConflict], Names: &s.names,
		DenyNames: u.DenyNames, MaxUpload: u.MaxUpload,
	}
	if u.Access == config.ReadOnly {
		a.FS = vfs.ReadOnly(a.FS)
	}
	if f := u.Filesystem.FTP; f != nil && f.Passthrough {
		a.ResumeWindow = 0 // what such a backend knows ends with the session
	}
	if u.Commit == config.Lenient {
		a.Commit = pi.CommitLenient
	}
	share := r.shares[u.Name]
	if err := share.enter(u.Name); err != nil {
		end()
		return nil, err
	}
	a.Close = func() {
		share.leave()
		end()
	}
	limit(a, r.everybody, share, u.Rates)
	return a, nil
}

// guest is the anonymous account: read-only twice, by its rights and by its filesystem.
func (r *Realm) guest() (*pi.Account, error) {
	if r.anonymous == nil {
		return nil, fmt.Errorf("there is no anonymous block")
	}
	s, err := r.backends.storage(r.anonymous.Filesystem, auth.AnonymousUser)
	if err != nil {
		return nil, err
	}
	a := &pi.Account{
		User: auth.AnonymousUser, Anonymous: true,
		FS: vfs.ReadOnly(s.open(auth.AnonymousUser, 0)), Access: pi.ReadOnly,
	}
	limit(a, r.everybody, r.guests, r.rates)
	return a, nil
}

var access = map[config.Access]pi.Access{
	config.ReadOnly:  pi.ReadOnly,
	config.ReadWrite: pi.ReadWrite,
	config.DropBox:   pi.DropBox,
}

var conflict = map[config.OnConflict]pi.Conflict{
	config.Overwrite: pi.OnConflictOverwrite,
	config.Refuse:    pi.OnConflictRefuse,
	config.Rename:    pi.OnConflictRename,
}

// portal makes the checkers of a configuration, in the order in which they are asked. The
// users among them also know who needs no password.
func portal(c *config.Config) (*auth.Portal, *auth.Users, error) {
	comparer := auth.NewComparer(0, 0)
	p := &auth.Portal{Comparer: comparer}
	if c.Anonymous != nil {
		p.Checkers = append(p.Checkers, &auth.Anonymous{Names: c.Anonymous.Names})
	}
	users := make([]auth.User, len(c.Users))
	for i, u := range c.Users {
		users[i] = auth.User{Name: u.Name, AllowFrom: u.AllowFrom, ClientName: u.ClientName}
		if u.PasswordHash == "" && u.ClientName != "" {
			continue
		}
		var err error
		if users[i].Hash, err = auth.ParseHash(u.PasswordHash); err != nil {
			return nil, nil, fmt.Errorf("user %q: password_hash: %w", u.Name, err)
		}
	}
	known := auth.NewUsers(comparer, users...)
	p.Checkers = append(p.Checkers, known)
	return p, known, nil
}

// login is what a session calls with USER and PASS.
func login(p *auth.Portal, r *Realm) pi.LoginFunc {
	return func(ctx context.Context, c auth.Credentials) (*pi.Account, error) {
		id, err := p.Login(ctx, c)
		if err != nil {
			return nil, err
		}
		return r.Account(ctx, id, c.Password)
	}
}

// needs is the protection that a user must have, whichever the listener.
func (r *Realm) needs(user string) pi.Protection {
	if u := r.users[user]; u != nil {
		return protection[u.RequireTLS]
	}
	return pi.ProtectNothing
}

// sweepInterval is how often expired partial uploads are looked for.
const sweepInterval = 10 * time.Minute
