package vfs

import (
	"io/fs"
	"os"
	"time"
)

// The five ways to open a file. Every other combination of flags is fs.ErrInvalid.
const (
	// ModeRead opens an existing file or directory for reading.
	ModeRead = os.O_RDONLY
	// ModeReplace (STOR) creates the file, or replaces it as a whole when Close publishes.
	ModeReplace = os.O_WRONLY | os.O_CREATE | os.O_TRUNC
	// ModeCreate (STOU, drop-boxes) creates a file that must not exist.
	// Exclusivity is decided when Close publishes: it returns fs.ErrExist and replaces nothing.
	// Opening may return fs.ErrExist early.
	ModeCreate = os.O_WRONLY | os.O_CREATE | os.O_EXCL
	// ModeAppend (APPE) continues the file at its end, creating it if it is missing.
	ModeAppend = os.O_WRONLY | os.O_CREATE | os.O_APPEND
	// ModeRestart (REST n, STOR) opens an existing file (or held partial), takes exactly one
	// Seek(n, io.SeekStart) before the first Write, keeps the first n bytes
	// and drops the rest. An n beyond the size is fs.ErrInvalid.
	ModeRestart = os.O_WRONLY
)

// NewFileMode is the permission argument the server gives to OpenFile and
// Mkdir; a backend with a mode of its own configured ignores it.
const (
	NewFileMode fs.FileMode = 0o644
	NewDirMode  fs.FileMode = 0o755
)

// PublishTimeout bounds Abort, Keep and the publishing step of Close, which
// run detached from the command's context. Where the storage has to write a large file
// anew to publish it, the backend may add to it in proportion to the size.
const PublishTimeout = 30 * time.Second
