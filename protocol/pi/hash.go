package pi

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/ftpgate/ftpgate/protocol/ftp"
	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// hash (HASH) tells the digest of a whole file by the algorithm that OPTS HASH has
// selected. The range that a RANG would give is not spoken.
func (s *session) hash(ctx context.Context, r request) (ftp.Reply, error) {
	_, algorithm := s.hashes()
	sum, size, err := s.digest(ctx, r.path, algorithm)
	if err != nil {
		return ftp.Reply{}, err
	}
	return ftp.HashReply(algorithm.String(), size, sum, r.Arg), nil
}

// md5 (MD5) is 251 with the path before the digest (draft-twine-ftpmd5-00).
func (s *session) md5(ctx context.Context, r request) (ftp.Reply, error) {
	sum, _, err := s.digest(ctx, r.path, vfs.MD5)
	if err != nil {
		return ftp.Reply{}, err
	}
	return ftp.Reply{Code: 251, Lines: []string{r.Arg + " " + ftp.Hexadecimal(sum)}}, nil
}

// xhash makes the handler of XCRC, XMD5 and the like. Nobody has specified them: the reply
// is 250 and the digest alone, as GlobalSCAPE had it first, since clients take the whole
// text for it. The path may come in quotes.
func xhash(algorithm vfs.Hashes) handler {
	return func(s *session, ctx context.Context, r request) (ftp.Reply, error) {
		name, part := r.Arg, false
		if strings.HasPrefix(name, `"`) {
			unquoted, ok := ftp.Unquote(name)
			rest, ok2 := strings.CutPrefix(name, ftp.Quote(unquoted))
			if part = isRange(rest); !ok || !ok2 || rest != "" && !part {
				return ftp.Reply{}, ftp.ErrSyntax
			}
			name = unquoted
		}
		p, err := vfs.Resolve(s.wd, name)
		if err == nil && (name == "" || strings.HasSuffix(name, "/")) {
			err = vfs.ErrIsDir
		}
		if err != nil {
			return ftp.Reply{}, err
		}
		if part {
			return ftp.Reply{}, errPartialHash
		}
		sum, _, err := s.digest(ctx, p, algorithm)
		if _, last, ok := cutLast(name); ok && errors.Is(err, fs.ErrNotExist) && isRange(last) {
			err = errPartialHash // there is no file whose name ends in two numbers
		}
		if err != nil {
			return ftp.Reply{}, err
		}
		return ftp.Replyf(250, "%s", ftp.Hexadecimal(sum)), nil
	}
}

var errPartialHash = ftp.Errorf(504, "Only whole files are hashed.")

// cutLast cuts the last two words, with the space before each, from name.
func cutLast(name string) (head, last string, ok bool) {
	i := strings.LastIndexByte(name, ' ')
	if i <= 0 {
		return "", "", false
	}
	if i = strings.LastIndexByte(name[:i], ' '); i <= 0 {
		return "", "", false
	}
	return name[:i], name[i:], true
}

// isRange reports whether text is " start end", the range of bytes that XCRC may be given.
func isRange(text string) bool {
	words := strings.Split(text, " ")
	if len(words) != 3 || words[0] != "" {
		return false
	}
	for _, w := range words[1:] {
		if _, err := strconv.ParseUint(w, 10, 64); err != nil {
			return false
		}
	}
	return true
}

// hashes returns every algorithm that some file here has a digest of, and the one that
// HASH uses. Until OPTS HASH it is the best that every file has.
func (s *session) hashes() (all, selected vfs.Hashes) {
	p := vfs.Properties{ComputeHashes: true} // before login nobody knows
	if s.account != nil {
		p = vfs.PropertiesOf(s.account.FS, "/")
	}
	all = p.Hashes
	if p.ComputeHashes {
		all = vfs.AllHashes
	}
	switch {
	case s.hashed != 0 && all.Has(s.hashed):
		return all, s.hashed
	case p.ComputeHashes:
		return all, vfs.SHA256
	case p.UsualHash != 0:
		return all, p.UsualHash
	}
	return all, all.Strongest()
}

// optsHash (OPTS HASH) tells which algorithm is selected, or selects one
// (draft-bryan-ftpext-hash-02 §3.2).
func (s *session) optsHash(name string) (ftp.Reply, error) {
	all, selected := s.hashes()
	if name != "" {
		h, ok := vfs.ParseHash(name)
		if !ok || !all.Has(h) {
			return ftp.Reply{}, ftp.Errorf(501, "Unknown algorithm, current selection not changed.")
		}
		s.hashed, selected = h, h
	}
	if all == 0 {
		return ftp.Reply{}, vfs.ErrUnsupported
	}
	return ftp.Replyf(200, "%s", selected), nil
}

// featHASH lists the algorithms, where there are any.
func featHASH(s *session) string {
	all, selected := s.hashes()
	if all == 0 {
		return ""
	}
	var names []string
	for h := range all.Each() {
		names = append(names, h.String())
	}
	return ftp.HashFeature(names, selected.String())
}

// featHash is the line of a verb that has one algorithm.
func featHash(verb string, algorithm vfs.Hashes) func(*session) string {
	return func(s *session) string {
		if all, _ := s.hashes(); !all.Has(algorithm) {
			return ""
		}
		return verb
	}
}

// digest returns what is stored with a file or, where it may be read for that, what is
// computed. It is for who may read the file, and for who has just stored it.
func (s *session) digest(ctx context.Context, path string, algorithm vfs.Hashes) (sum []byte, size int64, err error) {
	if algorithm == 0 {
		return nil, 0, vfs.ErrUnsupported
	}
	if err := s.mayHash(ctx, path); err != nil {
		return nil, 0, err
	}
	fsys := s.fs(ctx)
	sum, size, err = vfs.Digest(fsys, path, algorithm)
	if _, none := errors.AsType[*vfs.NoDigestError](err); none && vfs.PropertiesOf(fsys, path).ComputeHashes {
		sum, size, err = s.server.hashing.file(ctx, fsys, path, algorithm)
	}
	if err == nil { // it may have become another's meanwhile
		err = s.mayHash(ctx, path)
	}
	if err != nil {
		return nil, 0, err
	}
	return sum, size, nil
}

func (s *session) mayHash(ctx context.Context, path string) error {
	a := s.account
	if a.Access.Own.Has(Look) && a.own.may(Look, path) && !a.Access.All.Has(Read) {
		return s.owns(ctx, path)
	}
	return s.may(ctx, Read, path)
}

// hashing computes digests. There are as many buffers as may be used at once, so few
// that transfers do not feel it. Whoever has filled one and hashed it gives it back, and
// the longest-waiting gets it: however many files are hashed, and however large, each
// comes to its end, and the more there are the slower. Whoever waits for storage, which
// may hang, passes his turn on.
type hashing chan []byte

const (
	hashBuffer   = 64 << 10        // what is read in one turn
	hashPatience = 2 * time.Second // with storage
)

func newHashing() hashing {
	h := make(hashing, max(runtime.GOMAXPROCS(0)/4, 1))
	for range cap(h) {
		h <- nil // made when it is used
	}
	return h
}

// file hashes a file as RETR in TYPE I would send it.
func (h hashing) file(ctx context.Context, fsys fsys, path string, algorithm vfs.Hashes) (sum []byte, size int64, err error) {
	f, err := fsys.OpenFile(path, vfs.ModeRead, 0)
	if err != nil {
		return nil, 0, err
	}
	defer f.Close()
	switch fi, err := f.Stat(); {
	case err != nil:
		return nil, 0, err
	case fi.IsDir():
		return nil, 0, vfs.ErrIsDir
	case !fi.Mode().IsRegular():
		return nil, 0, vfs.ErrNotRegular
	}
	to := algorithm.New()
	for {
		n, err := h.turn(ctx, f, to)
		size += int64(n)
		switch {
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
			return to.Sum(nil), size, nil
		case err != nil:
			return nil, 0, err
		}
	}
}

// turn hashes the next bytes of f.
func (h hashing) turn(ctx context.Context, f io.Reader, to io.Writer) (int, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	select {
	case buffer := <-h:
		if buffer == nil {
			buffer = make([]byte, hashBuffer)
		}
		late := time.AfterFunc(hashPatience, func() { h <- nil })
		defer func() { // also when f panics
			if late.Stop() {
				h <- buffer
			}
		}()
		n, err := io.ReadFull(f, buffer)
		if _, hashErr := to.Write(buffer[:n]); hashErr != nil {
			return n, hashErr
		}
		return n, err
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}
