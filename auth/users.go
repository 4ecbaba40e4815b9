package auth

import (
	"context"
	"net/netip"
)

// User is one user that a Users checker knows.
type User struct {
	Name      string         // exact, byte for byte
	Hash      Hash           // nil: no password matches
	AllowFrom []netip.Prefix // networks the user may log in from; none: anywhere
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
	if !ok {
		return Identity{}, ErrUnknownUser
	}
	if x.Hash == nil || !allowed(x.AllowFrom, c.Remote) {
		return Identity{}, u.comparer.Refuse(ctx, c.Password)
	}
	if err := u.comparer.Compare(ctx, x.Hash, c.Password); err != nil {
		return Identity{}, err
	}
	return Identity{User: x.Name, Checker: "config"}, nil
}

func allowed(from []netip.Prefix, addr netip.Addr) bool {
	if len(from) == 0 {
		return true
	}
	addr = addr.Unmap().WithZone("") // Contains refuses an address with a zone
	for _, p := range from {
		if p.Contains(addr) {
			return true
		}
	}
	return false
}
