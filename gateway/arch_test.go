package gateway_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/ftpgate/ftpgate/"

// allowed is the import table of the project: what each of our packages may
// import of ours. A prefix ending in "/" stands for every package below it. What the
// table does not name, nobody imports.
var allowed = map[string][]string{
	"cmd/ftpgate":                   {"gateway", "gateway/config", "auth", "protocol/ftpclient", "protocol/ftp", "cmd/ftpgate/internal/"},
	"cmd/ftpgate/internal/mirror":   {"cmd/ftpgate/internal/remote", "cmd/ftpgate/internal/transfer", "protocol/ftpclient", "protocol/ftp"},
	"cmd/ftpgate/internal/probe":    {"cmd/ftpgate/internal/remote", "protocol/ftpclient", "protocol/ftp"},
	"cmd/ftpgate/internal/remote":   {"protocol/ftpclient", "protocol/ftp"},
	"cmd/ftpgate/internal/transfer": {"cmd/ftpgate/internal/remote", "protocol/ftpclient", "protocol/ftp"},
	"gateway":                       {"gateway/config", "auth", "backends/", "protocol/pi", "protocol/dtp", "protocol/vfs", "protocol/ftp", "protocol/ftpclient"},
	"gateway/config":                {},
	"auth":                          {},
	"backends/ftp":                  {"protocol/ftpclient", "protocol/ftp", "protocol/vfs"},
	"backends/local":                {"protocol/vfs"},
	"backends/memory":               {"protocol/vfs"},
	"backends/s3":                   {"protocol/vfs"},
	"backends/s3/internal/fake":     {},
	"e2e":                           {},
	"protocol/ftp":                  {},
	"protocol/vfs":                  {},
	"protocol/vfs/vfstest":          {"protocol/vfs"},
	"protocol/dtp":                  {"protocol/ftp"},
	"protocol/pi":                   {"protocol/ftp", "protocol/dtp", "protocol/vfs", "auth"},
	"protocol/ftpclient":            {"protocol/ftp"},
	"protocol/ftptest":              {"protocol/ftp", "protocol/dtp", "protocol/pi", "protocol/vfs", "auth"},
	"protocol/ftptest/peers":        {"protocol/ftptest"},
}

// foreign names libraries that only some packages may import directly.
var foreign = map[string][]string{
	"github.com/hashicorp/hcl/v2": {"gateway/config"},
	"github.com/rs/zerolog":       {"gateway", "cmd/ftpgate"},
	"github.com/spf13/cobra":      {"cmd/ftpgate"},
	"github.com/aws":              {"backends/s3"},
	"github.com/spf13/afero":      {"gateway", "backends/", "protocol/vfs", "protocol/vfs/vfstest", "protocol/pi", "protocol/ftptest"},
}

type listed struct {
	ImportPath string
	Name       string
	Doc        string
	Imports    []string
}

func packages(t *testing.T) []listed {
	t.Helper()
	out, err := exec.Command("go", "list", "-json=ImportPath,Name,Doc,Imports", module+"...").Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			t.Fatalf("go list: %v\n%s", err, exit.Stderr)
		}
		t.Fatal(err)
	}
	var all []listed
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		err := d.Decode(&p)
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

func matches(rules []string, name string) bool {
	return slices.ContainsFunc(rules, func(r string) bool {
		return r == name || strings.HasSuffix(r, "/") && strings.HasPrefix(name, r)
	})
}

// TestImportsPointOneWay holds every package to the table above. Test files are
// free: the tests of protocol/pi need a storage, and take a backend.
func TestImportsPointOneWay(t *testing.T) {
	seen := 0
	for _, p := range packages(t) {
		name := strings.TrimPrefix(p.ImportPath, module)
		rules, ok := allowed[name]
		if !ok {
			t.Errorf("%s is not in the import table", name)
			continue
		}
		seen++
		for _, imported := range p.Imports {
			if ours, ok := strings.CutPrefix(imported, module); ok && !matches(rules, ours) {
				t.Errorf("%s imports %s", name, ours)
			}
			for library, users := range foreign {
				if (imported == library || strings.HasPrefix(imported, library+"/")) && !matches(users, name) {
					t.Errorf("%s imports %s", name, imported)
				}
			}
		}
	}
	if seen == 0 {
		t.Fatal("go list found nothing to check")
	}
}

// TestEveryPackageSaysWhatItIsFor wants a doc comment on each package.
func TestEveryPackageSaysWhatItIsFor(t *testing.T) {
	for _, p := range packages(t) {
		if p.Doc == "" {
			t.Errorf("%s has no package comment", p.ImportPath)
		}
	}
}
