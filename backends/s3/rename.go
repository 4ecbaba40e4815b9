package s3

import "github.com/ftpgate/ftpgate/protocol/vfs"

// Rename is not built yet.
func (f *fsys) Rename(oldname, newname string) error {
	return fault("rename", oldname, vfs.ErrUnsupported)
}

// RenameExclusive is not built yet.
func (f *fsys) RenameExclusive(oldname, newname string) error {
	return fault("rename", oldname, vfs.ErrUnsupported)
}
