package vfs

import (
	"io/fs"
	"os"
)

// Refused answers what afero.File has and the kind of file that embeds it cannot do.
type Refused struct{}

func (Refused) Read([]byte) (int, error)           { return 0, fs.ErrInvalid }
func (Refused) ReadAt([]byte, int64) (int, error)  { return 0, fs.ErrInvalid }
func (Refused) Seek(int64, int) (int64, error)     { return 0, fs.ErrInvalid }
func (Refused) Write([]byte) (int, error)          { return 0, fs.ErrInvalid }
func (Refused) WriteAt([]byte, int64) (int, error) { return 0, fs.ErrInvalid }
func (Refused) WriteString(string) (int, error)    { return 0, fs.ErrInvalid }
func (Refused) Truncate(int64) error               { return fs.ErrInvalid }
func (Refused) Sync() error                        { return nil }
func (Refused) Readdir(int) ([]os.FileInfo, error) { return nil, ErrNotDir }
func (Refused) Readdirnames(int) ([]string, error) { return nil, ErrNotDir }
