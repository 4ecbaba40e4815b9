//go:build unix && !linux

package local

import (
	"time"

	"golang.org/x/sys/unix"
)

const folderFlags = unix.O_RDONLY | unix.O_DIRECTORY | unix.O_NONBLOCK

func (d folder) renameExclusive(base string, to folder, toBase string) error {
	return d.linkExclusive(base, to, toBase)
}

func (d folder) facts() (facts, error) {
	if d.known != nil {
		return *d.known, nil
	}
	a, err := d.lstat(".")
	return facts{id: a.id(), mode: a.mode, uid: a.uid, gid: a.gid, mount: a.dev}, err
}

func timespec(t time.Time) unix.Timespec {
	if t.IsZero() {
		t = time.Now() // not every system can leave one time out
	}
	return unix.NsecToTimespec(t.UnixNano())
}

// bootID is unknown: only partials that were kept survive the process.
func bootID() string { return "" }
