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
				Except:      exceptions[name],
				ExceptNames: impossible[name],
			})
		})
	}
}

// exceptions are the clauses that a server cannot meet. Each was seen in a dialogue with the server alone.
var exceptions = map[string]map[string]string{
	"proftpd": {
		"attributes/times": "MFMT 19690720201740 is 501 Invalid argument",
	},
	"vsftpd": {
		"readdir/entries": "without MLST, listings have minutes, and directories no time",
	},
}

// impossible are the names that a server cannot have.
var impossible = map[string]map[string]string{
	"pure-ftpd": {
		" ": alters, "trailing ": alters, "e ": alters, // refused by us, see alters.go
		"tab\there": alters, "\x01": alters, "\x1b[31m": alters, "\x7f": alters, // and listed so, but found by both names
		`\`: prohibits, `a\b`: prohibits, `..\up`: prohibits,
	},
	"proftpd": {
		"*": "MKD is 550 Invalid directory name",
	},
	"vsftpd": {
		"...": hides, "..a": hides, ".hidden": hides,
		`..\up`: "refused by us below a root, which a Windows server would leave with it",
	},
}

const (
	alters    = "it has an underscore in place of spaces at the end and of control characters"
	prohibits = "RNTO is 553 Prohibited file name"
	hides     = "LIST does not show names with a dot"
)

func (u *upstream) tree(t testing.TB) vfstest.Tree {
	u.empty(t)
	b := u.backend(t, u.options())
	return vfstest.Tree{
		Open:      func(owner string) afero.Fs { return b.Open(owner, time.Hour) },
		Expire:    func() { b.Sweep(time.Now().Add(time.Hour)) },
		Forbidden: []string{u.address},
	}
}
