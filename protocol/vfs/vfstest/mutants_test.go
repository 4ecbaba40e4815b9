package vfstest

import (
	"slices"
	"strings"
	"testing"

	"github.com/spf13/afero"

	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// TestSound: the suite passes a sound backend, through the wrapper of the mutants too.
func TestSound(t *testing.T) {
	Run(t, wrapped(faults{}.wrap))
}

// TestSuiteCanFail: every clause that a mutant names fails for it.
func TestSuiteCanFail(t *testing.T) {
	for _, m := range mutants {
		t.Run(m.name, func(t *testing.T) {
			b := wrapped(m.faults.wrap)
			if m.backend != nil {
				b = m.backend(b)
			}
			for _, name := range m.clauses {
				c := find(t, name)
				failures := record(t, func(tb TB) { c.run(tb, b) })
				if len(failures) == 0 {
					t.Errorf("%s passes", name)
				}
				for _, f := range failures {
					if strings.HasPrefix(f, "panic:") {
						t.Errorf("%s: %s", name, f)
					}
				}
			}
		})
	}
}

// TestEveryClauseCanFail: no clause is without a mutant.
func TestEveryClauseCanFail(t *testing.T) {
	for _, th := range themes {
		for _, c := range th.clauses {
			name := th.name + "/" + c.name
			if !slices.ContainsFunc(mutants, func(m mutant) bool { return slices.Contains(m.clauses, name) }) {
				t.Errorf("no mutant fails in %s", name)
			}
		}
	}
}

// mutant is a fault and the clauses that must see it.
type mutant struct {
	name    string
	clauses []string
	faults  faults
	backend func(Backend) Backend
}

// uploading makes a file hook for uploads only.
func uploading(hook func(below afero.Fs, name string, f afero.File) *file) func(afero.Fs, string, int, afero.File) *file {
	return func(below afero.Fs, name string, flag int, f afero.File) *file {
		if flag == vfs.ModeRead {
			return &file{}
		}
		return hook(below, name, f)
	}
}

var mutants = slices.Concat(uploadMutants, freeNameMutants, holdMutants, treeMutants, impliedMutants, digestMutants())
