package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// backendBlock is a backend that was found in the first phase.
type backendBlock struct {
	block   *hclsyntax.Block
	perUser bool
	used    bool
	broken  bool // of a kind that was reported
}

func (l *loader) declareBackends(bs []*hclsyntax.Block) {
	l.backends = make(map[string]map[string]*backendBlock)
	for _, b := range bs {
		kind, name := b.Labels[0], b.Labels[1]
		x := &backendBlock{block: b, perUser: dependsOnUser(b.Body)}
		if _, known := backends[kind]; !known {
			x.broken = true
			if slices.Contains(laterBackends, kind) {
				l.notYet(b.LabelRanges[0], fmt.Sprintf("backend %q", kind))
			} else {
				kinds := slices.Sorted(maps.Keys(backends))
				l.errorAt(b.LabelRanges[0], fmt.Sprintf("Unknown kind of backend %q", kind), "There are %s.%s",
					strings.Join(kinds, " and "), didYouMean(kind, append(kinds, laterBackends...)))
			}
		}
		if l.backends[kind] == nil {
			l.backends[kind] = make(map[string]*backendBlock)
		}
		l.backends[kind][name] = x
		l.backendNames = append(l.backendNames, "backend."+kind+"."+name)
	}
}

// filesystem reads a reference to a backend and evaluates the backend for user.
func (s *section) filesystem(user string) Backend {
	const name = "filesystem"
	a := s.attrs[name]
	if a == nil {
		example := "backend.local.files"
		if len(s.l.backendNames) > 0 {
			example = s.l.backendNames[0]
		}
		s.missing(name, example)
		return Backend{}
	}
	t, ds := hcl.AbsTraversalForExpr(a.Expr)
	if ds.HasErrors() {
		s.l.errorAt(s.at(name), "filesystem must refer to a backend", "It is written backend.KIND.NAME, without quotes and without functions.")
		return Backend{}
	}
	parts := []string{t.RootName()}
	for _, step := range t[1:] {
		switch step := step.(type) {
		case hcl.TraverseAttr:
			parts = append(parts, step.Name)
		case hcl.TraverseIndex: // backend.local["my files"]
			if step.Key.Type() == cty.String {
				parts = append(parts, step.Key.AsString())
			}
		}
	}
	reference := strings.Join(parts, ".")
	if len(parts) != len(t) || len(parts) != 3 || parts[0] != "backend" {
		hint := didYouMean(reference, s.l.backendNames)
		if whole := "backend." + reference; slices.Contains(s.l.backendNames, whole) {
			hint = fmt.Sprintf(" Did you mean %q?", whole)
		}
		s.l.errorAt(s.at(name), "filesystem must refer to a backend", "It is written backend.KIND.NAME.%s", hint)
		return Backend{}
	}
	x := s.l.backends[parts[1]][parts[2]]
	if x == nil && s.l.torn {
		return Backend{}
	}
	if x == nil {
		s.l.errorAt(s.at(name), fmt.Sprintf("There is no %s", reference), "Declare it: backend %q %q { ... }.%s",
			parts[1], parts[2], didYouMean(reference, s.l.backendNames))
		return Backend{}
	}
	x.used = true
	return s.l.backend(x, user)
}

// checkUnusedBackends evaluates what nobody refers to, so that its mistakes show.
func (l *loader) checkUnusedBackends() {
	for _, kind := range l.backends {
		for _, x := range kind {
			if !x.used {
				l.backend(x, "user")
			}
		}
	}
}

// backend evaluates a backend for one user.
func (l *loader) backend(x *backendBlock, user string) Backend {
	kind, name := x.block.Labels[0], x.block.Labels[1]
	b := Backend{Kind: kind, Name: name, PerUser: x.perUser}
	if x.broken {
		return b
	}
	s := l.open(x.block, backends[kind], user)
	switch kind {
	case "local":
		b.Local = s.local()
	case "s3":
		b.S3 = s.s3(x.block, user)
	case "ftp":
		b.FTP = s.ftp()
	case "memory":
		b.Memory = &Memory{MaxSize: s.size("max_size", `"64MiB"`, 1, maxMemorySize, DefaultMemorySize)}
	}
	return b
}

func (s *section) local() *Local {
	const example = `"/srv/ftp"`
	x := &Local{
		Create:   s.boolean("create"),
		FileMode: s.mode("file_mode", 0o600, DefaultFileMode),
		DirMode:  s.mode("dir_mode", 0o700, DefaultDirMode),
		Sync:     s.boolean("sync"),
	}
	if !s.set("root") {
		s.missing("root", example)
		return x
	}
	root, v, ok := s.text("root", example)
	switch {
	case !ok:
	case root == "":
		s.wrong("root", v, "It is the directory whose files are served, for example %s.", example)
	case strings.ContainsRune(root, 0):
		s.wrong("root", v, "A path cannot hold a NUL byte.")
	}
	x.Root = root
	return x
}
