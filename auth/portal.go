package auth

import (
	"context"
	"errors"
	"fmt"
)

// Portal is the one door to all identities. Its fields are set before the
// first Login and not changed after.
type Portal struct {
	// Checkers are asked in order; the first that knows the user decides.
	Checkers []Checker
	// Comparer gives a login that no checker knows the price of one that fails.
	// nil: such a login is refused at once, which suits a portal without passwords.
	Comparer *Comparer
	// Throttle slows guessing down and ends it; nil: nothing does. Anonymous
	// logins guess nothing and pass it by.
	Throttle *Throttle
}

// Login returns the identity behind c. The error is ErrDenied for every refused
// login (ErrBanned, which is one, if the address is banned), ErrBusy when too many
// logins wait, ctx's error when it ended first, and anything else when a checker
// failed: then nobody knows whether the password was right, and the client should
// be asked to come again.
func (p *Portal) Login(ctx context.Context, c Credentials) (Identity, error) {
	c.Remote = c.Remote.Unmap()
	if p.anonymous(c.User) {
		return p.ask(ctx, c)
	}
	return p.Throttle.guard(ctx, c, p.ask)
}

func (p *Portal) anonymous(user string) bool {
	for _, k := range p.Checkers {
		if a, ok := k.(*Anonymous); ok && a.Knows(user) {
			return true
		}
	}
	return false
}

func (p *Portal) ask(ctx context.Context, c Credentials) (Identity, error) {
	if ValidUser(c.User) != nil {
		return Identity{}, p.refuse(ctx, c)
	}
	for _, k := range p.Checkers {
		id, err := k.Check(ctx, c)
		switch {
		case err == nil && id.User == "":
			return Identity{}, fmt.Errorf("auth: %T accepted a login without naming its user", k)
		case err == nil:
			return id, nil
		case !errors.Is(err, ErrUnknownUser):
			return Identity{}, err
		}
	}
	return Identity{}, p.refuse(ctx, c)
}

func (p *Portal) refuse(ctx context.Context, c Credentials) error {
	if p.Comparer == nil {
		return ErrDenied
	}
	return p.Comparer.Refuse(ctx, c.Password)
}
