package auth

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/go-crypt/crypt/algorithm"
	"github.com/go-crypt/crypt/algorithm/argon2"
	"github.com/go-crypt/crypt/algorithm/bcrypt"
)

// Hash is a password hash with its parameters.
type Hash interface {
	// Match reports whether the hash is password's. It takes the time that its
	// parameters demand and cannot be cancelled.
	Match(password string) bool
	// Params returns what decides how long Match takes.
	Params() Params
}

// Params are a hash's algorithm and cost. They are comparable: hashes with equal
// Params take equally long.
type Params struct {
	Algorithm string // Bcrypt or Argon2id
	Cost      int    // bcrypt: log2 of the rounds, 4 to 31
	Memory    int    // argon2id: KiB
	Passes    int    // argon2id
	Threads   int    // argon2id
}

// The algorithms.
const (
	Bcrypt   = "bcrypt"
	Argon2id = "argon2id"
)

// Limits on what a hash may demand of the machine at every login attempt.
const (
	minBcryptCost   = 4
	maxBcryptCost   = 31
	maxArgon2Memory = 1 << 20 // KiB: 1 GiB, and that once per processor
	maxArgon2Passes = 1000
	maxArgon2Thread = 255
	minArgon2Salt   = 8  // bytes, RFC 9106 §3.1
	minArgon2Key    = 12 // bytes: below, a wrong password may well match
	maxArgon2Part   = 128
)

// String names the parameters as a person would: "bcrypt cost 12".
func (p Params) String() string {
	if p.Algorithm == Bcrypt {
		return fmt.Sprintf("bcrypt cost %d", p.Cost)
	}
	return fmt.Sprintf("%s %d KiB, %d passes", p.Algorithm, p.Memory, p.Passes)
}

// nominal is about what a comparison takes on a server of 2024: a first guess,
// and the order of parameters until real comparisons have been seen.
func (p Params) nominal() time.Duration {
	if p.Algorithm == Bcrypt {
		return 55 * time.Microsecond << p.Cost
	}
	return time.Duration(p.Memory) * time.Duration(p.Passes) * 550 * time.Nanosecond
}

type hash struct {
	algorithm.Digest
	params Params
}

func (h hash) Params() Params { return h.params }

// String keeps the digest itself out of logs.
func (h hash) String() string { return h.params.String() }

// ParseHash reads a bcrypt hash ($2a$, $2b$, $2y$, cost 4 to 31) or an argon2id
// hash ($argon2id$v=19$m=...,t=...,p=...$salt$key, RFC 9106). The error says what
// is wrong with s and never quotes it.
//
// The library that reads the formats fills gaps with defaults: a bcrypt cost of 3
// is compared with cost 10, an argon2id memory of 0 with 32 MiB. Such hashes could
// never match, so the shape is checked here first.
func ParseHash(s string) (Hash, error) {
	switch {
	case s == "":
		return nil, errors.New("the password hash is empty")
	case strings.HasPrefix(s, "$2"):
		return parseBcrypt(s)
	case strings.HasPrefix(s, "$argon2id$"):
		return parseArgon2id(s)
	case strings.HasPrefix(s, "$argon2"):
		return nil, errors.New("of the argon2 hashes only argon2id is supported")
	case strings.HasPrefix(s, "$"):
		return nil, errors.New("the password hash is neither bcrypt ($2a$, $2b$, $2y$) nor argon2id ($argon2id$)")
	}
	return nil, errors.New("this is not a password hash; `ftpgate hash` makes one")
}

func parseBcrypt(s string) (Hash, error) {
	if len(s) < 7 || s[3] != '$' || s[6] != '$' || !strings.ContainsRune("aby", rune(s[2])) {
		return nil, errors.New("a bcrypt hash begins with $2a$, $2b$ or $2y$ and two digits of cost")
	}
	if len(s) != 60 {
		return nil, fmt.Errorf("a bcrypt hash has 60 characters, this one has %d", len(s))
	}
	cost, err := parameter(s[4:6], minBcryptCost, maxBcryptCost)
	if err != nil {
		return nil, fmt.Errorf("the cost of a bcrypt hash %w", err)
	}
	d, err := bcrypt.DecodeVariant(bcrypt.VariantStandard)(s)
	if err != nil || strings.Trim(s[7:], bcryptAlphabet) != "" {
		return nil, errors.New("the bcrypt hash holds characters that no bcrypt hash has")
	}
	return hash{d, Params{Algorithm: Bcrypt, Cost: cost}}, nil
}

const bcryptAlphabet = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

func parseArgon2id(s string) (Hash, error) {
	shape := errors.New("an argon2id hash has the form $argon2id$v=19$m=...,t=...,p=...$salt$key")
	parts := strings.Split(s, "$") // "", argon2id, version, parameters, salt, key
	if len(parts) != 6 || parts[2] != "v=19" {
		return nil, shape
	}
	costs := strings.Split(parts[3], ",")
	if len(costs) != 3 {
		return nil, shape
	}
	p := Params{Algorithm: Argon2id}
	for i, x := range []struct {
		prefix, name string
		max          int
		value        *int
	}{
		{"m=", "memory (m)", maxArgon2Memory, &p.Memory},
		{"t=", "number of passes (t)", maxArgon2Passes, &p.Passes},
		{"p=", "number of threads (p)", maxArgon2Thread, &p.Threads},
	} {
		text, ok := strings.CutPrefix(costs[i], x.prefix)
		if !ok {
			return nil, shape
		}
		n, err := parameter(text, 1, x.max)
		if err != nil {
			return nil, fmt.Errorf("the %s of an argon2id hash %w", x.name, err)
		}
		*x.value = n
	}
	if p.Memory < 8*p.Threads {
		return nil, errors.New("the memory (m) of an argon2id hash must be at least 8 times its threads (p)")
	}
	if len(parts[4]) > maxArgon2Part || len(parts[5]) > maxArgon2Part {
		return nil, errors.New("the salt or key of the argon2id hash is too long")
	}
	d, err := argon2.DecodeVariant(argon2.VariantID)(s)
	if err != nil {
		return nil, errors.New("the salt or key of the argon2id hash is not base64 without padding; is the hash cut off?")
	}
	if len(d.Salt()) < minArgon2Salt || len(d.Key()) < minArgon2Key {
		return nil, errors.New("the salt or key of the argon2id hash is too short; is the hash cut off?")
	}
	return hash{d, p}, nil
}

// parameter reads a plain decimal number between lo and hi.
func parameter(s string, lo, hi int) (int, error) {
	n, err := strconv.ParseUint(s, 10, 31) // no sign, no space
	if err != nil || int(n) < lo || int(n) > hi {
		return 0, fmt.Errorf("must be a number from %d to %d", lo, hi)
	}
	return int(n), nil
}
