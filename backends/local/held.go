package local

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"hash/fnv"
	"io"
	"io/fs"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// keptProcess stands in the place of the process in the name of a kept file.
const keptProcess = "0"

// record is what the name of a staged file says about an upload that may be
// resumed. See the package's documentation.
type record struct {
	key, path, base, boot string
	kept                  int64         // notKept: nothing is known to be on the medium
	window                time.Duration // whole seconds
}

const notKept = -1

func (r *record) String() string {
	kept := "x"
	if r.kept != notKept {
		kept = strconv.FormatInt(r.kept, 16)
	}
	return strings.Join([]string{
		r.key, r.path, r.base, r.boot,
		kept, strconv.FormatInt(int64(r.window/time.Second), 16),
	}, "-")
}

// newRecord describes an upload that is about to be staged.
func (f *Fs) newRecord(name, base string) *record {
	return &record{
		key: heldKey(f.owner, name), path: pathKey(name), base: base,
		boot: bootKey(f.b.boot()), kept: notKept, window: max(f.window, time.Second),
	}
}

// parseStaged takes the name of a staged file apart. The record is nil for an
// upload that cannot be resumed.
func parseStaged(file string) (process string, r *record, ok bool) {
	fields := strings.Split(file, "-")
	if len(fields) == 2 {
		return fields[0], nil, true
	}
	if len(fields) != 8 {
		return "", nil, false
	}
	kept := int64(notKept)
	if fields[6] != "x" {
		var err error
		if kept, err = strconv.ParseInt(fields[6], 16, 64); err != nil {
			return "", nil, false
		}
	}
	seconds, err := strconv.ParseInt(fields[7], 16, 32)
	if err != nil {
		return "", nil, false
	}
	return fields[0], &record{
		key: fields[2], path: fields[3], base: fields[4], boot: fields[5],
		kept: kept, window: time.Duration(seconds) * time.Second,
	}, true
}

// heldKey never collides for different owners: an owner's name has its length before it.
func heldKey(owner, name string) string {
	return digest(strconv.Itoa(len(owner)) + ":" + owner + name)[:32]
}

func pathKey(name string) string { return digest(name)[:16] }
func bootKey(id string) string   { return digest(id)[:8] }

func digest(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

// fingerprint identifies the content of a finished file, "0" being none. It
// leaves the device out, whose number may change with a boot.
func fingerprint(a attrs, exists bool) string {
	if !exists {
		return "0"
	}
	h := fnv.New64a()
	_ = binary.Write(h, binary.LittleEndian, []int64{int64(a.ino), a.size, a.sec, int64(a.nsec)}) // cannot fail
	return strconv.FormatUint(h.Sum64(), 16)
}

// partial is a held upload.
type partial struct {
	st     *staging
	file   string // its name in st
	size   int64  // how much of it counts
	intact bool   // the file is exactly that long
	attrs  attrs
	record *record
}

// held returns the newest partial that is held for the owner under name, or
// nil. parent is where name lies, and base the fingerprint of the finished
// file; what was held for another one is removed.
func (f *Fs) held(name, parent, base string) (*partial, error) {
	if f.window <= 0 {
		return nil, nil
	}
	key := heldKey(f.owner, name)
	var newest *partial
	err := f.b.eachStaging(parent, func(st *staging) error {
		return st.each(func(file string) error {
			process, r, ok := parseStaged(file)
			if !ok || r == nil || r.key != key || st.lives(process) {
				return nil
			}
			p, err := f.b.partial(st, process, file, r, time.Now())
			if err != nil {
				return err
			}
			if p != nil && r.base != base {
				_ = st.dir.unlink(file) // somebody else's look removed it
				p = nil
			}
			if p != nil && (newest == nil || newest.attrs.modTime().Before(p.attrs.modTime())) {
				newest = p
			}
			return nil
		})
	})
	return newest, err
}

// partial looks at a staged file of a dead process, or a kept one, and returns
// nil if nothing of it can be resumed any more.
func (b *Backend) partial(st *staging, process, file string, r *record, now time.Time) (*partial, error) {
	a, err := st.dir.lstat(file)
	if err == syscall.ENOENT {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	p := &partial{st: st, file: file, size: a.size, attrs: a, record: r}
	if boot := b.boot(); boot == "" || r.boot != bootKey(boot) {
		p.size = min(a.size, r.kept)
	}
	p.intact = p.size == a.size
	if process != keptProcess && a.size == 0 {
		return nil, nil // a crash before the first byte must not hide what an earlier upload left
	}
	if p.size == notKept || now.Sub(a.modTime()) > r.window {
		return nil, nil
	}
	return p, nil
}

// eachStaging calls do for the staging directories in which something for a
// file in the directory parent may lie.
func (b *Backend) eachStaging(parent string, do func(*staging) error) error {
	try := func(rel string) error {
		st, err := b.staging(rel, false)
		if err == nil {
			return do(st)
		}
		switch err = translate(err); {
		case errors.Is(err, fs.ErrNotExist), errors.Is(err, fs.ErrPermission):
			return nil // nothing of ours can lie there
		}
		return err
	}
	if err := try(""); err != nil {
		return err
	}
	for rel := range prefixes(parent) {
		if err := try(rel); err != nil {
			return err
		}
	}
	return nil
}

// each calls do with the name of every file in the directory. Files may come
// and go meanwhile.
func (st *staging) each(do func(file string) error) error {
	dir, err := st.dir.sub(".")
	if err != nil {
		return err
	}
	defer dir.close()
	for {
		names, err := dir.f.Readdirnames(256)
		for _, name := range names {
			if err := do(name); err != nil {
				return err
			}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// forget removes what is held under name, for whomever: the file that it was to
// continue has been replaced, moved or removed.
func (b *Backend) forget(name, parent string) {
	if !b.holding.Load() {
		return
	}
	path := pathKey(name)
	b.unhold(parent, func(_ string, r *record) bool { return r.path == path })
}

// unhold removes the held partials that match, best effort: the fingerprint of
// the base catches nearly all that is left behind.
func (b *Backend) unhold(parent string, match func(file string, r *record) bool) {
	_ = b.eachStaging(parent, func(st *staging) error {
		return st.each(func(file string) error {
			if process, r, ok := parseStaged(file); ok && r != nil && match(file, r) && !st.lives(process) {
				_ = st.dir.unlink(file)
			}
			return nil
		})
	})
}
