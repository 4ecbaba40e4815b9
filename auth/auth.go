package auth

import (
	"context"
	"errors"
	"net/netip"
)

// Credentials are what a client shows at login.
type Credentials struct {
	User     string
	Password string
	Remote   netip.Addr // where the client is; IPv4-mapped addresses count as IPv4
	// Certified are the names in the client's certificate, whose signature has been
	// checked; empty without one.
	Certified []string
}

// Identity is who a client turned out to be.
type Identity struct {
	User      string // never empty; "anonymous" for every anonymous name
	Anonymous bool
	Checker   string // the kind of checker that knew the user, for logs
}

// A Checker knows some users. Checkers are safe for concurrent use.
type Checker interface {
	// Check returns the identity behind c. ErrUnknownUser says that the user
	// is not this checker's, and must be returned without delay; ErrDenied is
	// final; ErrBusy asks the client to come again; any other error is a
	// failure of the checker itself, never a wrong password.
	Check(ctx context.Context, c Credentials) (Identity, error)
}

var (
	// ErrDenied is every refused login: wrong password, unknown user, user who
	// may not log in from there. It is one value with one text on purpose.
	ErrDenied = errors.New("login denied")
	// ErrUnknownUser is a checker's way to say "ask the next one". It never
	// leaves a Portal.
	ErrUnknownUser = errors.New("unknown user")
	// ErrBusy means that too many logins are waiting already.
	ErrBusy = errors.New("too many logins under way")
)
