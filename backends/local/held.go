package local

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"hash/fnv"
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
	owner, path, base, boot string
	kept                    int64         // notKept: nothing is known to be on the medium
	window                  time.Duration // whole seconds
}

const notKept = -1

func (r *record) String() string {
	kept := "x"
	if r.kept != notKept {
		kept = strconv.FormatInt(r.kept, 16)
	}
	return strings.Join([]string{
		r.owner, r.path, r.base, r.boot,
		kept, strconv.FormatInt(int64(r.window/time.Second), 16),
	}, "-")
}

// newRecord describes an upload that is about to be staged.
func (f *Fs) newRecord(name, base string) *record {
	return &record{
		owner: ownerKey(f.owner), path: pathKey(name), base: base,
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
		owner: fields[2], path: fields[3], base: fields[4], boot: fields[5],
		kept: kept, window: time.Duration(seconds) * time.Second,
	}, true
}

func ownerKey(owner string) string { return digest(owner)[:24] }
func pathKey(name string) string   { return digest(name)[:24] }
func bootKey(id string) string     { return digest(id)[:8] }

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
	*heldFile
	size   int64 // how much of it counts
	intact bool  // the file is exactly that long
	attrs  attrs
}

// held returns what is held for the owner under name, or nil. parent is where
// name lies, and base the fingerprint of the finished file; what was held for
// another one is removed.
func (f *Fs) held(name, parent, base string) (*partial, error) {
	if f.window <= 0 {
		return nil, nil
	}
	if err := f.b.openStagings(parent); err != nil {
		return nil, err
	}
	h := f.b.held.find(ownerKey(f.owner), pathKey(name))
	if h == nil {
		return nil, nil
	}
	if h.record.base != base {
		f.b.held.drop(h)
		h.remove()
		return nil, nil
	}
	return f.b.look(h, time.Now())
}

// look looks at a file in the index, and drops it if nothing of it can be
// resumed any more. Sweep removes the file.
func (b *Backend) look(h *heldFile, now time.Time) (*partial, error) {
	p, err := b.partial(h, now)
	if p == nil && err == nil {
		b.held.drop(h)
	}
	return p, err
}

// partial looks at a staged file of a dead process, or a kept one, and returns
// nil if nothing of it can be resumed any more.
func (b *Backend) partial(h *heldFile, now time.Time) (*partial, error) {
	a, err := h.st.dir.lstat(h.file)
	if err == syscall.ENOENT {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	p := &partial{heldFile: h, size: a.size, attrs: a}
	if boot := b.boot(); boot == "" || h.record.boot != bootKey(boot) {
		p.size = min(a.size, h.record.kept)
	}
	p.intact = p.size == a.size
	if h.process != keptProcess && a.size == 0 {
		return nil, nil // a crash before the first byte must not hide what an earlier upload left
	}
	if p.size == notKept || now.Sub(a.modTime()) > h.record.window {
		return nil, nil
	}
	return p, nil
}

// openStagings opens, and thereby sweeps, the staging directories in which
// something for a file in the directory parent may lie.
func (b *Backend) openStagings(parent string) error {
	open := func(rel string) error {
		_, err := b.staging(rel, false)
		if err == nil {
			return nil
		}
		err = translate(err)
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
			return nil // nothing of ours can lie there
		}
		return err
	}
	if err := open(""); err != nil {
		return err
	}
	for rel := range prefixes(parent) {
		if err := open(rel); err != nil {
			return err
		}
	}
	return nil
}

// forget removes what is held under name, for whomever: the file that it was to
// continue has been replaced, moved or removed. It does so as far as it knows:
// the fingerprint of the base catches nearly all that is left behind.
func (b *Backend) forget(name string) {
	for _, h := range b.held.under(pathKey(name)) {
		b.held.drop(h)
		h.remove()
	}
}
