package gateway

import (
	"errors"
	"fmt"
	"io/fs"
	"sync"
	"time"

	"github.com/rs/zerolog"
	"github.com/spf13/afero"

	upstream "github.com/ftpgate/ftpgate/backends/ftp"
	"github.com/ftpgate/ftpgate/backends/local"
	"github.com/ftpgate/ftpgate/backends/memory"
	"github.com/ftpgate/ftpgate/backends/s3"
	"github.com/ftpgate/ftpgate/gateway/config"
	"github.com/ftpgate/ftpgate/protocol/pi"
)

// storage is one open backend. All users whose filesystem it is share it.
type storage struct {
	open  func(owner string, resumeWindow time.Duration) afero.Fs
	sweep func(now time.Time) // nil: nothing expires by itself
	close func() error        // nil: nothing to close
	names pi.Names            // chosen for uploads under way, see pi.OnConflictRename
}

// backends are the storages of a configuration: one for each distinct backend,
// and one for each user where the backend depends on the user.
type backends struct {
	log zerolog.Logger

	transfers *s3.Budget // the memory of all transfers of object stores
	clients   s3.Clients
	objects   s3.Cache
	servers   upstream.Servers
	turns     s3.Turns

	mu   sync.Mutex
	open map[backendKey]*storage
}

type backendKey struct{ kind, name, user string }

func newBackends(c *config.Config, log zerolog.Logger) *backends {
	return &backends{log: log, transfers: s3.NewBudget(config.PartMemory(c.Limits.TransferMemory))}
}

// storage returns the open storage behind b for user, opening it if need be: a
// directory that is missing now may be mounted by the time the user comes back.
func (b *backends) storage(c config.Backend, user string) (*storage, error) {
	key := backendKey{kind: c.Kind, name: c.Name}
	if c.PerUser {
		key.user = user
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if s := b.open[key]; s != nil {
		return s, nil
	}
	s, err := b.openStorage(c)
	if err != nil {
		return nil, fmt.Errorf("%s for user %q: %w", c, user, err)
	}
	if b.open == nil {
		b.open = make(map[backendKey]*storage)
	}
	b.open[key] = s
	return s, nil
}

func (b *backends) openStorage(c config.Backend) (*storage, error) {
	switch {
	case c.Local != nil:
		l, err := local.New(local.Options{
			Root: c.Local.Root, Create: c.Local.Create, Sync: c.Local.Sync,
			FileMode: c.Local.FileMode, DirMode: c.Local.DirMode,
			Skipped: func(dir, name string) {
				b.log.Warn().Str("backend", c.String()).Str("dir", clean(dir)).Str("name", clean(name)).
					Msg("left out of a listing: the name holds a line end")
			},
		})
		if errors.Is(err, fs.ErrNotExist) && !c.Local.Create {
			return nil, fmt.Errorf("directory %q does not exist; make it, or set create = true", c.Local.Root)
		}
		if err != nil {
			return nil, err
		}
		return &storage{open: l.Open, sweep: l.Sweep, close: l.Close}, nil
	case c.S3 != nil:
		o, err := b.openS3(c.S3)
		if err != nil {
			return nil, err
		}
		return &storage{open: o.Open}, nil
	case c.FTP != nil:
		u, err := openFTP(c.FTP, c.FTP.User, c.FTP.Password, &b.servers)
		if err != nil {
			return nil, err
		}
		return &storage{open: u.Open, sweep: u.Sweep, close: u.Close}, nil
	case c.Memory != nil:
		return &storage{open: memory.New(memory.Options{MaxSize: c.Memory.MaxSize}).Open}, nil
	}
	return nil, fmt.Errorf("backend kind %q is unknown", c.Kind)
}

// sweep removes held partials that have expired and what crashes left.
func (b *backends) sweep(now time.Time) {
	b.each(func(_ backendKey, s *storage) {
		if s.sweep != nil {
			s.sweep(now)
		}
	})
}

// close closes every storage.
func (b *backends) close() {
	b.each(func(key backendKey, s *storage) {
		if s.close == nil {
			return
		}
		if err := s.close(); err != nil {
			b.log.Error().Err(err).Str("backend", key.kind+"."+key.name).Msg("closing a backend failed")
		}
	})
	b.mu.Lock()
	b.open = nil
	b.mu.Unlock()
}

// each calls f without the lock: sweeping a large directory must not hold up a login.
func (b *backends) each(f func(backendKey, *storage)) {
	b.mu.Lock()
	all := make(map[backendKey]*storage, len(b.open))
	for key, s := range b.open {
		all[key] = s
	}
	b.mu.Unlock()
	for key, s := range all {
		f(key, s)
	}
}
