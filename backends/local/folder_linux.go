package local

import (
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// folderFlags open a directory that is only passed through. O_PATH needs no
// right to list it, as in a drop-box of mode 0733. O_NONBLOCK keeps package os
// from switching it on and off again.
const folderFlags = unix.O_PATH | unix.O_DIRECTORY | unix.O_NONBLOCK

// renameExclusive renames without replacing: EEXIST.
func (d folder) renameExclusive(base string, to folder, toBase string) error {
	err := retry(func() error { return unix.Renameat2(d.fd, base, to.fd, toBase, unix.RENAME_NOREPLACE) })
	if err == unix.ENOSYS || err == unix.EINVAL || err == unix.EOPNOTSUPP {
		// Either the filesystem does not know the flag or the rename is into its own subtree, which fails again.
		return d.linkExclusive(base, to, toBase)
	}
	return err
}

func (d folder) facts() (facts, error) {
	if d.known != nil {
		return *d.known, nil
	}
	var st unix.Statx_t
	err := retry(func() error {
		return unix.Statx(d.fd, "", unix.AT_EMPTY_PATH, unix.STATX_TYPE|unix.STATX_MODE|unix.STATX_UID|unix.STATX_GID|unix.STATX_INO|unix.STATX_MNT_ID, &st)
	})
	if err == nil && st.Mask&unix.STATX_MNT_ID != 0 {
		return facts{
			id:   fileID{unix.Mkdev(st.Dev_major, st.Dev_minor), st.Ino},
			mode: modeOf(uint32(st.Mode)), uid: st.Uid, gid: st.Gid, mount: st.Mnt_id,
		}, nil
	}
	a, err := d.lstat(".") // before Linux 5.8, or statx is filtered
	return facts{id: a.id(), mode: a.mode, uid: a.uid, gid: a.gid, mount: a.dev}, err
}

func timespec(t time.Time) unix.Timespec {
	if t.IsZero() {
		return unix.Timespec{Nsec: unix.UTIME_OMIT}
	}
	return unix.NsecToTimespec(t.UnixNano())
}

// bootID changes when the host starts, and with it what a file not yet synced may have lost.
func bootID() string {
	id, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(id))
}
