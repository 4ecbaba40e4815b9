package vfstest

import (
	"errors"
	"io/fs"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/spf13/afero"

	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// TestModest: a filesystem that can do little, and says so, keeps the contract.
func TestModest(t *testing.T) {
	Run(t, wrapped(func(fsys afero.Fs) afero.Fs { return modest{fsys} }))
}

// modest has no powers, no appending, no attributes, no names beyond UTF-8,
// and one error where it can.
type modest struct{ afero.Fs }

func (m modest) named(name string) error {
	if !utf8.ValidString(name) {
		return vfs.ErrBadName
	}
	return nil
}

func (m modest) OpenFile(name string, flag int, perm fs.FileMode) (afero.File, error) {
	if err := m.named(name); err != nil {
		return nil, err
	}
	info, missing := m.Stat(name)
	if flag == vfs.ModeRestart || (flag == vfs.ModeAppend && missing == nil && !info.IsDir()) {
		return nil, vfs.ErrUnsupported
	}
	f, err := m.Fs.OpenFile(name, flag, perm)
	if err != nil {
		return nil, m.vague(err)
	}
	if flag == vfs.ModeRead {
		return f, nil
	}
	return discardable{f}, nil
}

// vague hides everything but what is always needed.
func (m modest) vague(err error) error {
	for _, exact := range []error{fs.ErrNotExist, fs.ErrExist, fs.ErrInvalid, vfs.ErrQuota, vfs.ErrBadName} {
		if errors.Is(err, exact) {
			return err
		}
	}
	if err != nil {
		return fs.ErrPermission
	}
	return nil
}

func (m modest) Mkdir(name string, perm fs.FileMode) error {
	if err := m.named(name); err != nil {
		return err
	}
	return m.vague(m.Fs.Mkdir(name, perm))
}

func (m modest) Remove(name string) error { return m.vague(m.Fs.Remove(name)) }

func (m modest) Rename(oldname, newname string) error {
	if err := m.named(newname); err != nil {
		return err
	}
	return m.vague(m.Fs.Rename(oldname, newname))
}

func (modest) Chmod(string, fs.FileMode) error            { return vfs.ErrUnsupported }
func (modest) Chtimes(string, time.Time, time.Time) error { return vfs.ErrUnsupported }

// discardable is a file with Abort and no other power.
type discardable struct{ afero.File }

func (d discardable) Abort() error { return vfs.Abort(d.File) }
