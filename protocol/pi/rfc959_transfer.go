package pi

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"io/fs"
	"strconv"
	"strings"

	"github.com/ftpgate/ftpgate/protocol/ftp"
	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// retr (RETR) sends a file, from the offset that REST gave.
func (s *session) retr(ctx context.Context, r request) (ftp.Reply, error) {
	if err := s.ready(); err != nil {
		return ftp.Reply{}, err
	}
	offset := s.restart
	if offset > 0 && s.ascii() {
		return ftp.Reply{}, errASCIIRestart
	}
	f, err := s.fs(vfs.ReadingFrom(ctx, offset)).OpenFile(r.path, vfs.ModeRead, 0)
	if err != nil {
		return ftp.Reply{}, err
	}
	defer f.Close()
	fi, err := f.Stat()
	if err != nil {
		return ftp.Reply{}, err
	}
	switch {
	case fi.IsDir():
		return ftp.Reply{}, vfs.ErrIsDir
	case !fi.Mode().IsRegular():
		return ftp.Reply{}, vfs.ErrNotRegular
	case offset > fi.Size():
		return ftp.Reply{}, ftp.Errorf(554, "REST offset %d is beyond the end of the file.", offset)
	case offset > 0:
		if _, err := f.Seek(offset, io.SeekStart); err != nil {
			return ftp.Reply{}, err
		}
	}
	raw, text := vfs.OSFile(f), s.opening(shown(r.Arg))
	if s.ascii() {
		raw = nil // and nobody knows how many bytes it will be
	} else {
		text += " (" + strconv.FormatInt(fi.Size(), 10) + " bytes)."
	}
	return s.download(ctx, r, f, raw, TransferInfo{Path: r.path, Offset: offset}, text)
}

var errASCIIRestart = ftp.Errorf(504, "REST needs TYPE I: offsets in converted text mean nothing.")

// opening is the text of a 150. Clients look for the size that may follow it.
func (s *session) opening(name string) string {
	kind := "BINARY"
	if s.typ == typeASCII {
		kind = "ASCII"
	}
	return "Opening " + kind + " mode data connection for " + name
}

// stor (STOR) replaces or creates a file, or continues it at the offset that REST gave.
func (s *session) stor(ctx context.Context, r request) (ftp.Reply, error) {
	if err := s.ready(); err != nil {
		return ftp.Reply{}, err
	}
	u := upload{path: r.path, begin: s.opening(shown(r.Arg)), end: "Transfer complete."}
	switch a := s.account; {
	case s.restart > 0:
		return s.resume(ctx, r, u)
	case a.OnConflict == OnConflictRename:
		return s.storeUnderFreeName(ctx, r, u)
	case a.mayReplace(r.path):
		u.flag = vfs.ModeReplace
	default:
		u.flag = vfs.ModeCreate
		if err := s.mustBeFree(ctx, r.path); err != nil {
			return ftp.Reply{}, err
		}
	}
	return s.receive(ctx, r, u)
}

// resume continues a file or one's own held partial at the offset of REST.
func (s *session) resume(ctx context.Context, r request, u upload) (ftp.Reply, error) {
	u.own = !s.account.mayReplace(r.path)
	switch {
	case s.ascii():
		return ftp.Reply{}, errASCIIRestart
	case s.held(ctx, r.path) >= 0:
	case u.own:
		return ftp.Reply{}, errDenied
	case !vfs.PropertiesOf(s.account.FS, r.path).Restart:
		return ftp.Reply{}, vfs.ErrUnsupported
	}
	u.flag, u.offset = vfs.ModeRestart, s.restart
	return s.receive(ctx, r, u)
}

// appe (APPE) continues a file or one's own held partial at its end; with REST
// before it, it is STOR (RFC 3659 §5.3).
func (s *session) appe(ctx context.Context, r request) (ftp.Reply, error) {
	if err := s.ready(); err != nil {
		return ftp.Reply{}, err
	}
	u := upload{path: r.path, flag: vfs.ModeAppend, begin: s.opening(shown(r.Arg)), end: "Transfer complete."}
	if s.restart > 0 {
		return s.resume(ctx, r, u)
	}
	if !s.account.mayReplace(r.path) {
		u.own = s.held(ctx, r.path) >= 0
		if !u.own { // nothing of one's own to continue: then it may only be a new file
			u.flag = vfs.ModeCreate
			if err := s.mustBeFree(ctx, r.path); err != nil {
				return ftp.Reply{}, err
			}
		}
	}
	return s.receive(ctx, r, u)
}

// mustBeFree refuses early what publishing would refuse in the end.
func (s *session) mustBeFree(ctx context.Context, name string) error {
	switch _, err := s.fs(ctx).Stat(name); {
	case err == nil:
		return fs.ErrExist
	case errors.Is(err, fs.ErrNotExist):
		return nil
	default:
		return err
	}
}

// storeUnderFreeName stores under the name asked for or, if it is taken, under
// the first free one of name-1.ext to name-9.ext, or one with the time in it.
// The name is chosen when the upload opens, and again if it has been taken by the end.
func (s *session) storeUnderFreeName(ctx context.Context, r request, u upload) (ftp.Reply, error) {
	dir, name := vfs.Split(r.path)
	n := &freeName{
		s: s, candidate: func(i int) string { return vfs.Join(dir, candidate(name, i)) },
		shown: func(path string) string {
			_, name := vfs.Split(path)
			return shown(name)
		},
	}
	defer n.release()
	var err error
	if u.path, err = n.choose(func(path string) error { return s.mustBeFree(ctx, path) }); err != nil {
		return ftp.Reply{}, err
	}
	u.flag, u.names = vfs.ModeCreate, n
	if u.path != r.path {
		u.begin += " as " + n.shown(u.path)
		u.end = n.stored()
	}
	return s.receive(ctx, r, u)
}

// stou (STOU) stores under a name that nothing has: the one proposed, if any, with
// something appended. RFC 1123 §4.1.2.9 fixes the form of the 150.
func (s *session) stou(ctx context.Context, r request) (ftp.Reply, error) {
	switch err := s.ready(); {
	case err != nil:
		return ftp.Reply{}, err
	case s.restart > 0:
		return ftp.Reply{}, ftp.Errorf(503, "STOU makes a new file, REST has no place before it.")
	}
	target := r.path
	if r.Arg == "" || strings.HasSuffix(r.Arg, "/") {
		target = vfs.Join(r.path, "upload")
	}
	n := &freeName{
		s: s, candidate: func(int) string { return target + "." + strings.ToLower(rand.Text()[:12]) },
		shown: func(path string) string {
			if dir, base := vfs.Split(path); dir == s.wd {
				path = base
			}
			return shown(path)
		},
	}
	defer n.release()
	path, err := n.choose(func(string) error { return nil }) // it would be a wonder if there were one
	if err != nil {
		return ftp.Reply{}, err
	}
	return s.receive(ctx, r, upload{path: path, flag: vfs.ModeCreate, names: n, begin: "FILE: " + n.shown(path), end: n.stored()})
}

// allo (ALLO) notes how many bytes the client says that it will send next. Nothing is
// allocated; to some storages it is good to know. The maximum record size means nothing here.
func (s *session) allo(_ context.Context, r request) (ftp.Reply, error) {
	f := strings.Fields(strings.ToUpper(r.Arg))
	if len(f) != 1 && !(len(f) == 3 && f[1] == "R") {
		return ftp.Reply{}, ftp.ErrSyntax
	}
	size, err := parseOffset(f[0])
	if err == nil && len(f) == 3 {
		_, err = parseOffset(f[2])
	}
	if err != nil {
		return ftp.Reply{}, err
	}
	s.announced = size
	return ftp.Replyf(202, "No storage allocation necessary."), nil
}

// rest (REST) notes where the next transfer begins (RFC 3659 §5).
func (s *session) rest(_ context.Context, r request) (ftp.Reply, error) {
	n, err := parseOffset(r.Arg)
	if err != nil {
		return ftp.Reply{}, err
	}
	s.restart = n
	return ftp.Replyf(350, "Restarting at %d.", n), nil
}

// parseOffset reads a number of bytes: digits only, at most 2^63-1.
func parseOffset(arg string) (int64, error) {
	for _, c := range []byte(arg) {
		if c < '0' || c > '9' {
			return 0, ftp.ErrSyntax
		}
	}
	n, err := strconv.ParseInt(arg, 10, 64)
	if err != nil {
		return 0, ftp.ErrSyntax
	}
	return n, nil
}

// abor (ABOR) gets here when everything before it has ended; take has cancelled what it could.
func (s *session) abor(_ context.Context, r request) (ftp.Reply, error) {
	if s.data != nil {
		s.data.Reset()
	}
	if r.hit {
		return ftp.Replyf(226, "Abort successful."), nil
	}
	return ftp.Replyf(225, "No transfer to abort."), nil
}
