package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// decode makes a configuration of all files. What it returns is of use only if
// nothing was reported as an error.
func (l *loader) decode(bodies []*hclsyntax.Body) *Config {
	found := l.sort(bodies)
	c := &Config{StateDir: l.stateDir(bodies)}

	l.declareBackends(found["backend"])
	for _, b := range found["listener"] {
		c.Listeners = append(c.Listeners, l.listener(b))
	}
	l.compareListeners(c.Listeners, found["listener"])
	c.Limits = l.limits(first(found["limits"]))
	l.transferMemory = c.Limits.TransferMemory
	c.Throttle = l.throttle(first(found["throttle"]))
	if b := first(found["admin"]); b != nil {
		c.Admin = l.admin(b, c.Listeners)
	}
	c.Log = l.log(first(found["log"]))
	if b := first(found["anonymous"]); b != nil {
		c.Anonymous = l.anonymous(b)
	}
	for _, b := range found["user"] {
		c.Users = append(c.Users, l.user(b, c.Anonymous, c.Limits.Rates))
	}
	l.checkUnusedBackends()

	if l.torn {
		return c
	}
	l.checkProtection(c.Listeners, c.Users, found["user"])
	if len(found["listener"]) == 0 {
		l.report(false, nil, "No listener", `Clients need somewhere to connect: listener "main" { address = ":2121" }`)
	}
	if len(found["user"]) == 0 && len(found["anonymous"]) == 0 {
		l.report(true, nil, "Nobody can log in", "There is neither a user nor an anonymous block.")
	}
	return c
}

// sort returns the blocks by type, without those whose header is wrong or that
// repeat an earlier one: labels are identity.
func (l *loader) sort(bodies []*hclsyntax.Body) map[string][]*hclsyntax.Block {
	found := make(map[string][]*hclsyntax.Block)
	seen := make(map[string]hcl.Range)
	for _, body := range bodies {
		l.checkAttributes(body, topLevel)
		for _, b := range body.Blocks {
			s, known := blocks[b.Type]
			switch {
			case slices.Contains(topLevel.later, b.Type):
				l.notYet(b.TypeRange, b.Type)
				continue
			case slices.Contains(topLevel.attributes, b.Type):
				l.errorAt(b.TypeRange, "Not a block", "%s is set with an equals sign: %s = ...", b.Type, b.Type)
				continue
			case !known:
				l.errorAt(b.TypeRange, fmt.Sprintf("Unknown block %q", b.Type), "There is no such block.%s",
					didYouMean(b.Type, slices.Sorted(maps.Keys(blocks))))
				continue
			}
			if !l.checkLabels(b, s) {
				continue
			}
			key := b.Type
			for _, label := range b.Labels {
				key += fmt.Sprintf(" %q", label)
			}
			if earlier, again := seen[key]; again {
				l.errorAt(b.DefRange(), fmt.Sprintf("%s is there twice", key), "The first one is at %s:%d.",
					earlier.Filename, earlier.Start.Line)
				continue
			}
			seen[key] = b.DefRange()
			found[b.Type] = append(found[b.Type], b)
		}
	}
	return found
}

// checkLabels reports labels that are missing, empty or too many.
func (l *loader) checkLabels(b *hclsyntax.Block, s schema) bool {
	if len(b.Labels) != len(s.labels) {
		l.errorAt(b.DefRange(), fmt.Sprintf("Wrong number of labels after %s", b.Type), "It is written: %s", header(b.Type))
		return false
	}
	for i, label := range b.Labels {
		if label == "" {
			l.errorAt(b.LabelRanges[i], fmt.Sprintf("The %s is empty", s.labels[i]), "It is written: %s", header(b.Type))
			return false
		}
	}
	return true
}

// header shows how a block begins.
func header(block string) string {
	h := block
	for _, n := range blocks[block].labels {
		h += fmt.Sprintf(" %q", strings.ToUpper(n))
	}
	return h + " { ... }"
}

func first(bs []*hclsyntax.Block) *hclsyntax.Block {
	if len(bs) == 0 {
		return nil
	}
	return bs[0]
}

// stateDir reads the one attribute of the top level, from whichever file has it.
func (l *loader) stateDir(bodies []*hclsyntax.Body) string {
	const name = "state_dir"
	var dir string
	var seen *hclsyntax.Attribute
	ok := true
	for _, b := range bodies {
		a := b.Attributes[name]
		if a == nil {
			continue
		}
		if seen != nil {
			l.errorAt(a.NameRange, "state_dir is there twice", "The first one is at %s:%d.",
				seen.NameRange.Filename, seen.NameRange.Start.Line)
			continue
		}
		seen = a
		s := &section{l: l, attrs: b.Attributes, vars: l.evalContext(a.NameRange.Filename, "")}
		dir, _, ok = s.text(name, `"/var/lib/ftpgate"`)
	}
	if dir == "" && ok && !l.torn {
		l.report(true, nil, "Bans end with a restart", "state_dir is not set: there is no place to keep them.")
	}
	return dir
}
