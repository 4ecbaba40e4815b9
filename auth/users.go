package auth

import (
	"context"
	"net/netip"
	"slices"
)

// User is one user that a Users checker knows.
type User struct {
	Name      string         // exact, byte for byte
	Hash      Hash           // nil: no password matches
	AllowFrom []netip.Prefix // networks the user may log in from; none: anywhere
	// ClientName is a name that the client's certificate must have, in any ASCII case.
	// With a Hash the password is needed, too; without one the certificate is enough.
	// Empty: certificates do not matter.
	ClientName string
}

// Users checks passwords of a fixed set of users, those of the configuration.
type Users struct {
	comparer *Comparer
	users    map[string]User
}

// NewUsers returns a checker for users whose passwords c compares. Of two users
// with one name the last counts.
func NewUsers(c *Comparer, users ...User) *Users {
	u := &Users{comparer: c, users: make(map[string]User, len(users))}
	for _, x := range users {
		u.users[x.Name] = x
		if x.Hash != nil {
			c.Learn(x.Hash)
		}
	}
	return u
}

// Check implements Checker.
func (u *Users) Check(ctx context.Context, c Credentials) (Identity, error) {
	x, ok := u.users[c.User]
	switch {
	case !ok:
		return Identity{}, ErrUnknownUser
	case !allowed(x.AllowFrom, c.Remote), x.ClientName != "" && !x.certified(c.Certified), x.Hash == nil && x.ClientName == "":
		return Identity{}, u.comparer.Refuse(ctx, c.Password)
	case x.Hash != nil:
		if err := u.comparer.Compare(ctx, x.Hash, c.Password); err != nil {
			return Identity{}, err
		}
	}
	return Identity{User: x.Name, Checker: "config"}, nil
}

// Certified reports whether a certificate with these names is all that the user
// needs to log in.
func (u *Users) Certified(user string, names []string) bool {
	x, ok := u.users[user]
	return ok && x.Hash == nil && x.certified(names)
}

// certified reports whether one of names is the user's. A wildcard in a
// certificate is a name like any other.
func (x *User) certified(names []string) bool {
	return x.ClientName != "" && slices.ContainsFunc(names, func(n string) bool { return equalFoldASCII(n, x.ClientName) })
}

func allowed(from []netip.Prefix, addr netip.Addr) bool { return len(from) == 0 || Holds(from, addr) }

// Holds reports whether addr is in one of the networks.
func Holds(networks []netip.Prefix, addr netip.Addr) bool {
	addr = addr.Unmap().WithZone("") // Contains refuses an address with a zone
	return slices.ContainsFunc(networks, func(p netip.Prefix) bool { return p.Contains(addr) })
}
