package auth

import (
	"errors"
	"fmt"
	"strings"

	"github.com/go-crypt/crypt/algorithm/argon2"
	"github.com/go-crypt/crypt/algorithm/bcrypt"
)

// Costs of new hashes.
//
// argon2id is the default: OWASP's minimum of 19 MiB and two passes takes about
// 20 ms here and is dearer to guess on graphics cards than bcrypt of cost 12,
// which takes 210 ms. Devices that log in for every file make that matter, and
// the dearest hash is also what every failed login costs.
const (
	newBcryptCost   = 12
	newArgon2Memory = 19 * 1024 // KiB
	newArgon2Passes = 2
	newArgon2Thread = 1
	newArgon2Salt   = 16 // bytes
	newArgon2Key    = 32 // bytes
)

// DefaultAlgorithm is what NewHash uses for "".
const DefaultAlgorithm = Argon2id

// Algorithms are the names that NewHash takes.
func Algorithms() []string { return []string{Argon2id, Bcrypt} }

// maxBcryptPassword is all that bcrypt looks at; what follows would be ignored.
const maxBcryptPassword = 72

// NewHash returns a fresh hash of password in the text form that ParseHash reads.
// An empty password is refused, and one that the algorithm would cut off.
func NewHash(password, algorithm string) (string, error) {
	if password == "" {
		return "", errors.New("an empty password never matches, so there is no hash of it")
	}
	if strings.ContainsAny(password, "\x00\r\n") {
		return "", errors.New("a password cannot hold NUL or line ends: FTP could not send it")
	}
	switch algorithm {
	case "", Argon2id:
		h, err := argon2.New(argon2.WithVariantID(), argon2.WithM(newArgon2Memory), argon2.WithT(newArgon2Passes),
			argon2.WithP(newArgon2Thread), argon2.WithS(newArgon2Salt), argon2.WithK(newArgon2Key))
		if err != nil {
			return "", err
		}
		d, err := h.Hash(password)
		if err != nil {
			return "", err
		}
		return d.Encode(), nil
	case Bcrypt:
		if len(password) > maxBcryptPassword {
			return "", fmt.Errorf("bcrypt takes passwords of at most %d bytes; argon2id takes longer ones", maxBcryptPassword)
		}
		h, err := bcrypt.New(bcrypt.WithCost(newBcryptCost))
		if err != nil {
			return "", err
		}
		d, err := h.Hash(password)
		if err != nil {
			return "", err
		}
		return d.Encode(), nil
	}
	return "", fmt.Errorf("unknown algorithm %q; there are %s", algorithm, strings.Join(Algorithms(), " and "))
}
