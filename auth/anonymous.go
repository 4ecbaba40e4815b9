package auth

import "context"

// Anonymous lets anyone in under one of its names, whatever the password, the
// empty one included (RFC 1635). A portal without an Anonymous checker knows no
// anonymous user.
type Anonymous struct {
	// Names, in any ASCII case; nil means "anonymous" and "ftp".
	Names []string
}

// AnonymousUser is the user name of every anonymous identity.
const AnonymousUser = "anonymous"

// Check implements Checker.
func (a *Anonymous) Check(_ context.Context, c Credentials) (Identity, error) {
	if !a.Knows(c.User) {
		return Identity{}, ErrUnknownUser
	}
	return Identity{User: AnonymousUser, Anonymous: true, Checker: "anonymous"}, nil
}

// Knows reports whether name is one of the anonymous names.
func (a *Anonymous) Knows(name string) bool {
	names := a.Names
	if names == nil {
		names = []string{AnonymousUser, "ftp"}
	}
	for _, n := range names {
		if equalFoldASCII(n, name) {
			return true
		}
	}
	return false
}

// equalFoldASCII is strings.EqualFold without Unicode's foldings, under which
// "anonymouſ" would be anonymous too.
func equalFoldASCII(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range len(a) {
		if lower(a[i]) != lower(b[i]) {
			return false
		}
	}
	return true
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}
