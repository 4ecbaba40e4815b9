package s3

import (
	"io/fs"
	"os"

	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// refused answers what afero.File has and the kind of file that embeds it cannot do.
type refused struct{}

func (refused) Read([]byte) (int, error)           { return 0, fs.ErrInvalid }
func (refused) ReadAt([]byte, int64) (int, error)  { return 0, fs.ErrInvalid }
func (refused) Seek(int64, int) (int64, error)     { return 0, fs.ErrInvalid }
func (refused) Write([]byte) (int, error)          { return 0, fs.ErrInvalid }
func (refused) WriteAt([]byte, int64) (int, error) { return 0, fs.ErrInvalid }
func (refused) WriteString(string) (int, error)    { return 0, fs.ErrInvalid }
func (refused) Truncate(int64) error               { return fs.ErrInvalid }
func (refused) Sync() error                        { return nil }
func (refused) Readdir(int) ([]os.FileInfo, error) { return nil, vfs.ErrNotDir }
func (refused) Readdirnames(int) ([]string, error) { return nil, vfs.ErrNotDir }
