package vfs

import (
	"errors"
	"fmt"
)

// What can go wrong beyond the errors of io/fs. The protocol interpreter maps each to one reply.
var (
	// ErrQuota: the account's or backend's configured size is used up (552).
	ErrQuota = errors.New("storage quota exceeded")
	// ErrNoSpace: the medium is full, whoever filled it (452).
	ErrNoSpace = errors.New("no space left on storage")
	// ErrBadName: the storage cannot hold a file of this name (553).
	ErrBadName = errors.New("file name not allowed")
	// ErrTransient: trying again later may work; includes a base that changed under an upload (450).
	ErrTransient = errors.New("storage temporarily unavailable")
	// ErrBusy: another operation on the same name has not ended, and was waited for; an ErrTransient (450).
	ErrBusy = fmt.Errorf("%w: the name is in use", ErrTransient)
	// ErrNotEmpty: a directory to be removed still has entries (550).
	ErrNotEmpty = errors.New("directory not empty")
	// ErrIsDir: a file was needed and the name is a directory (550).
	ErrIsDir = errors.New("is a directory")
	// ErrNotDir: a directory was needed, as the target or on the way to it (550).
	ErrNotDir = errors.New("not a directory")
	// ErrNotRegular: a FIFO, socket or device, which is never opened (550).
	ErrNotRegular = errors.New("not a regular file")
	// ErrUnsupported: this part of the tree cannot do it at all (504).
	ErrUnsupported = errors.New("not supported by this storage")
)
