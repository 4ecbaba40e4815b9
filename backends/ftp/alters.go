package ftp

import (
	"errors"
	"io/fs"
	"time"

	"github.com/ftpgate/ftpgate/protocol/ftpclient"
	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// faithful fails for names that the server would make something else of: pure-ftpd makes an underscore of the space at
// the end of a new name, and thereby replaces the file that has that name already. Whether a server
// does so is tried once, with a directory of a temporary name.
func (f filesystem) faithful(c *ftpclient.Conn, name string) error {
	if !endsOddly(name) {
		return nil
	}
	b, last := f.b, name[len(name)-1]
	b.mu.Lock()
	keeps, known := b.endings[last]
	b.mu.Unlock()
	if !known {
		var err error
		if keeps, err = f.tryEnding(c, name, last); err != nil {
			return untouched{err}
		}
		b.mu.Lock()
		if b.endings == nil {
			b.endings = make(map[byte]bool)
		}
		b.endings[last] = keeps
		b.mu.Unlock()
	}
	if !keeps {
		return vfs.ErrBadName
	}
	return nil
}

// endsOddly reports whether a name ends with a space or a control character.
func endsOddly(name string) bool {
	last := name[len(name)-1]
	return last <= ' ' || last == 0x7f
}

// tryEnding makes and removes a directory whose name has an ending.
func (f filesystem) tryEnding(c *ftpclient.Conn, beside string, ending byte) (keeps bool, err error) {
	name := f.b.at(f.b.temporaryName(beside, time.Now()) + string(ending))
	made, err := c.MakeDir(f.ctx(), name)
	if err != nil {
		return false, err // also if it is a refusal: then nothing can be made there
	}
	_, err = c.Stat(f.ctx(), name)
	keeps = err == nil
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, err
	}
	if err := c.RemoveDir(f.ctx(), name); err != nil && made != name {
		_ = c.RemoveDir(f.ctx(), made) // what pure-ftpd says that it has made
	}
	return keeps, nil
}
