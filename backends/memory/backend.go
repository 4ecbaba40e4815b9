package memory

import (
	"sync"
	"time"

	"github.com/spf13/afero"
)

// EntryCost is what each file, directory, open upload and held partial counts
// against Options.MaxSize beside its bytes, so that empty files and
// directories cannot exhaust the memory either.
const EntryCost = 512

// maxName is the longest name of one segment, in bytes, as on most disks.
const maxName = 255

// Options configure a Backend. The zero value is unlimited.
type Options struct {
	// MaxSize is the limit in bytes; 0 means none. What would pass it fails with vfs.ErrQuota.
	MaxSize int64
	// Now is the clock for times of files and the expiry of held partials; nil means time.Now.
	Now func() time.Time
}

// Backend is one tree in memory, safe for concurrent use.
type Backend struct {
	now    func() time.Time
	budget *budget

	mu        sync.RWMutex // guards everything below, and every node and directory
	root      *node
	lastID    uint64
	held      map[heldKey]*held
	nextSweep time.Time
}

// New returns an empty tree.
func New(o Options) *Backend {
	b := &Backend{now: o.Now, budget: &budget{limit: o.MaxSize}, held: make(map[heldKey]*held)}
	if b.now == nil {
		b.now = time.Now
	}
	b.root = b.newNode(0o755)
	b.root.dir = newDirectory()
	return b
}

// Open returns owner's view of the tree. Partial uploads are held for owner
// for resumeWindow after they were cut; with 0 they are not held at all.
func (b *Backend) Open(owner string, resumeWindow time.Duration) afero.Fs {
	return filesystem{b: b, owner: owner, window: resumeWindow}
}

// Used returns what counts against Options.MaxSize now, in bytes.
func (b *Backend) Used() int64 { return b.budget.used.Load() }
