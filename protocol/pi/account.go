package pi

import (
	"context"
	"time"

	"github.com/spf13/afero"
	"golang.org/x/time/rate"

	"github.com/ftpgate/ftpgate/auth"
)

// Rights is a set of things an account may do.
type Rights uint16

// The rights. Each verb of the command table names the one it needs.
const (
	List      Rights = 1 << iota // enter and list directories: CWD, LIST, NLST, MLSD, MLST and MDTM of a directory
	Look                         // see a file in listings and ask for its facts: SIZE, MDTM, MLST, STAT
	Read                         // RETR, HASH and the verbs of its kind
	Create                       // store under a name that is free: STOR, STOU
	Overwrite                    // change or replace a file that exists: STOR, APPE, REST, RNTO
	Rename                       // RNFR, RNTO
	Delete                       // DELE
	Mkdir                        // MKD
	Rmdir                        // RMD
	Touch                        // set times: MFMT, MDTM with a time, SITE UTIME
	Chmod                        // SITE CHMOD

	allRights Rights = 1<<iota - 1
)

// Has reports whether r contains all of op.
func (r Rights) Has(op Rights) bool { return r&op == op }

// Access is what an account may do: everywhere, and to the files that this very session has completed.
type Access struct {
	All Rights
	Own Rights
}

// The accesses with a name in the configuration.
var (
	// ReadOnly may look and fetch.
	ReadOnly = Access{All: List | Look | Read}
	// ReadWrite may do everything.
	ReadWrite = Access{All: allRights}
	// DropBox may store new files, and look at, hash, date and rename (once) what it has just stored.
	DropBox = Access{All: List | Create, Own: Look | Touch | Rename}
)

// Conflict says what an upload does when its name is taken.
type Conflict uint8

// What to do with a taken name.
const (
	OnConflictOverwrite Conflict = iota // replace the file, if Overwrite is among the rights
	OnConflictRefuse                    // 553
	OnConflictRename                    // store under the next free name
)

// Commit says when an upload whose client is gone may still be published.
type Commit uint8

const (
	// CommitStrict publishes only while the control connection stands.
	CommitStrict Commit = iota
	// CommitLenient publishes on the end of data alone, for devices that hang up at once.
	CommitLenient
)

// Account is what a login yields: a filesystem and what may be done to it. It
// belongs to one session.
type Account struct {
	User         string   // for the log and for STAT
	Anonymous    bool     // greeted as a guest
	FS           afero.Fs // honours the contract of package vfs
	Access       Access
	OnConflict   Conflict
	Commit       Commit
	Require      Protection      // if stricter than the endpoint's
	ResumeWindow time.Duration   // how long a cut upload is held; 0: not at all
	DenyNames    []string        // patterns, in any case, of names that are not made: 553
	MaxUpload    int64           // bytes that a file may have after an upload, else 552; 0: any number
	Download     []*rate.Limiter // bytes that may be sent on data connections: as many as all of them allow
	Upload       []*rate.Limiter // ... and received
	Names        *Names          // shared by all sessions that store into the same tree; may be nil
	Close        func()          // called once at logout; may be nil

	own ownFiles
}

// LoginFunc checks credentials and opens the account. auth.ErrDenied is
// answered with 530, auth.ErrBanned and auth.ErrBusy with 421.
type LoginFunc func(ctx context.Context, c auth.Credentials) (*Account, error)

// May reports whether the account may do op to the file or directory path. Where the
// right comes from Own, the caller makes sure that the file is still the one this session
// completed (session.may, ownFiles.is).
func (a *Account) May(op Rights, path string) bool {
	return a.Access.All.Has(op) || (a.Access.All|a.Access.Own).Has(op) && a.own.may(op, path)
}

// mayReplace reports whether an upload or rename may replace what stands under path.
func (a *Account) mayReplace(path string) bool {
	return a.OnConflict == OnConflictOverwrite && a.May(Overwrite, path)
}
