package ftp

import (
	"testing"
	"time"

	"github.com/spf13/afero"

	"github.com/ftpgate/ftpgate/protocol/ftptest/peers"
	"github.com/ftpgate/ftpgate/protocol/pi"
	"github.com/ftpgate/ftpgate/protocol/vfs/vfstest"
)

func TestContract(t *testing.T) {
	vfstest.Run(t, vfstest.Backend{
		New: func(tb vfstest.TB) vfstest.Tree {
			u, _ := startOwnWith(tb.(testing.TB), pi.CommitLenient)
			return u.tree(tb.(testing.TB))
		},
	})
}

// TestContractOnOthers runs the suite on servers that are not ours.
func TestContractOnOthers(t *testing.T) {
	for _, name := range peers.Names() {
		t.Run(name, func(t *testing.T) {
			u := startPeer(t, name)
			vfstest.Run(t, vfstest.Backend{
				New: func(tb vfstest.TB) vfstest.Tree {
					return u.tree(tb.(testing.TB))
				},
				Except: exceptions[name],
			})
		})
	}
}

// exceptions are the clauses that a server cannot meet.
var exceptions = map[string]map[string]string{
	"pure-ftpd": {
		"names/awkward":  "it makes an underscore of a space at the end of a name",
		"names/distinct": "it makes an underscore of a space at the end of a name",
	},
	"proftpd": {
		"attributes/times": "its MFMT refuses times before 1970",
		"names/awkward":    "its MKD refuses names with an asterisk",
	},
	"vsftpd": {
		"readdir/entries": "without MLST, listings have minutes, and directories no time",
		"names/awkward":   "its LIST shows control characters as question marks",
	},
}

func (u *upstream) tree(t testing.TB) vfstest.Tree {
	u.empty(t)
	b := u.backend(t, u.options())
	return vfstest.Tree{
		Open:      func(owner string) afero.Fs { return b.Open(owner, time.Hour) },
		Expire:    func() { b.Sweep(time.Now().Add(time.Hour)) },
		Forbidden: []string{u.address},
	}
}
