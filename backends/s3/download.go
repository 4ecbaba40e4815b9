package s3

import (
	"github.com/spf13/afero"

	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// openDownload is not built yet.
func (f *fsys) openDownload(name string) (afero.File, error) {
	return nil, fault("open", name, vfs.ErrUnsupported)
}
