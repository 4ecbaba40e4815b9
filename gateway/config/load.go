package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// Checks are what Load asks of packages that it does not know. The errors say
// what is wrong in words that fit into a diagnostic and never quote a hash.
type Checks struct {
	Hash func(hash string) error // is it a password hash?
	User func(name string) error // can it be a user's name, and part of a path?

	// Pair is about a certificate chain and its key, in PEM; without a key, about the chain alone, and
	// only then does it warn. Pool is about the authorities of clients. A warning says why clients will
	// refuse what the gateway can use, or the gateway the clients.
	Pair func(chain, key []byte) (warning, err error)
	Pool func(pem []byte) (warning, err error)
}

// Load reads a configuration: the file path, or every *.hcl file of the directory
// path. It returns nil if any diagnostic is an error.
func Load(path string, checks Checks) (*Config, Diagnostics) {
	return load(path, checks, machine{getenv: os.LookupEnv, ephemeral: ephemeralPorts, stat: os.Stat, read: readFile})
}

// machine is what Load looks at beside the files.
type machine struct {
	getenv    func(string) (string, bool)
	ephemeral func() (PortRange, bool) // the kernel's own choice of ports
	stat      func(string) (fs.FileInfo, error)
	read      func(string) ([]byte, error)
}

type loader struct {
	checks  Checks
	machine machine

	sources     map[string]*source
	diagnostics Diagnostics
	torn        bool // a file could not be parsed: what seems to be missing may be there

	backends     map[string]map[string]*backendBlock // by kind and name
	backendNames []string                            // "backend.KIND.NAME", for suggestions

	transferMemory int64 // of limits, once they are read
}

func load(path string, checks Checks, m machine) (*Config, Diagnostics) {
	l := &loader{checks: checks, machine: m, sources: make(map[string]*source)}
	var bodies []*hclsyntax.Body
	for _, name := range l.find(path) {
		if b := l.parse(name); b != nil {
			bodies = append(bodies, b)
		}
	}
	return l.result(bodies)
}

// result is what Load returns, once the files are parsed.
func (l *loader) result(bodies []*hclsyntax.Body) (*Config, Diagnostics) {
	var c *Config
	if !l.diagnostics.HasErrors() || len(bodies) > 0 {
		c = l.decode(bodies)
	}
	ds := l.sorted()
	if ds.HasErrors() {
		c = nil
	}
	return c, ds
}

// find returns the files of a configuration.
func (l *loader) find(path string) []string {
	info, err := os.Stat(path)
	if err != nil {
		l.report(false, &hcl.Range{Filename: path}, "The configuration cannot be read", reason(err))
		return nil
	}
	if !info.IsDir() {
		return []string{path}
	}
	entries, err := os.ReadDir(path) // sorted by name
	if err != nil {
		l.report(false, &hcl.Range{Filename: path}, "The directory cannot be read", reason(err))
		return nil
	}
	var names []string
	for _, e := range entries {
		// hidden files are what editors leave behind
		if n := e.Name(); strings.HasSuffix(n, ".hcl") && !strings.HasPrefix(n, ".") {
			names = append(names, filepath.Join(path, n))
		}
	}
	if names == nil {
		l.report(false, &hcl.Range{Filename: path}, "No configuration", "The directory holds no *.hcl file.")
	}
	return names
}

// maxFile bounds configuration files and what file() reads.
const maxFile = 1 << 20

func (l *loader) parse(name string) *hclsyntax.Body {
	text, err := readFile(name)
	if err != nil {
		l.torn = true
		l.report(false, &hcl.Range{Filename: name}, "The file cannot be read", reason(err))
		return nil
	}
	return l.parseText(name, text)
}

func (l *loader) parseText(name string, text []byte) *hclsyntax.Body {
	l.sources[name] = newSource(text)
	if !shallow(text) {
		l.torn = true
		l.report(false, &hcl.Range{Filename: name}, "The file is nested too deeply", "No configuration needs so many brackets within brackets, or operators.")
		return nil
	}
	f, ds := hclsyntax.ParseConfig(text, name, hcl.InitialPos)
	l.take(ds)
	l.torn = l.torn || ds.HasErrors()
	if f == nil {
		return nil
	}
	b, _ := f.Body.(*hclsyntax.Body)
	if b != nil {
		l.warnReadable(name, b)
	}
	return b
}

// shallow reports whether the parser, which is recursive, can be trusted with
// text: at 6 KiB of stack for each bracket or operator a megabyte of them would
// end the process.
func shallow(text []byte) bool {
	const maxDepth, maxOperators = 100, 10_000
	depth, operators := 0, 0
	tokens, _ := hclsyntax.LexConfig(text, "", hcl.InitialPos) // diagnostics come from parsing
	for _, t := range tokens {
		switch t.Type {
		case hclsyntax.TokenOBrace, hclsyntax.TokenOBrack, hclsyntax.TokenOParen,
			hclsyntax.TokenTemplateInterp, hclsyntax.TokenTemplateControl:
			depth++
		case hclsyntax.TokenCBrace, hclsyntax.TokenCBrack, hclsyntax.TokenCParen, hclsyntax.TokenTemplateSeqEnd:
			depth--
		case hclsyntax.TokenBang, hclsyntax.TokenMinus, hclsyntax.TokenQuestion:
			operators++
		}
		if depth > maxDepth || operators > maxOperators {
			return false
		}
	}
	return true
}

// warnReadable warns of a file that shows its secrets to everyone on the machine.
func (l *loader) warnReadable(name string, b *hclsyntax.Body) {
	info, err := l.machine.stat(name)
	if err != nil || !info.Mode().IsRegular() || info.Mode().Perm()&0o004 == 0 {
		return
	}
	mode := info.Mode().Perm()
	switch written := writtenSecrets(b); {
	case slices.ContainsFunc(written, func(a string) bool { return a != hashAttribute }):
		l.report(true, &hcl.Range{Filename: name}, "Everyone on this machine can read the keys in this file",
			fmt.Sprintf("The file's mode is %04o; chmod 0640 or 0600 keeps them secret.", mode))
	case len(written) > 0:
		l.report(true, &hcl.Range{Filename: name}, "Everyone on this machine can read the password hashes",
			fmt.Sprintf("The file's mode is %04o; chmod 0640 or 0600 keeps the hashes from being guessed at leisure.", mode))
	}
}

// writtenSecrets are the secret attributes of blocks whose values stand in the file
// itself, and not in env() or file().
func writtenSecrets(b *hclsyntax.Body) (names []string) {
	for _, block := range b.Blocks {
		for _, name := range secretAttributes {
			a := block.Body.Attributes[name]
			if a == nil {
				continue
			}
			if v, ds := a.Expr.Value(nil); !ds.HasErrors() && !v.IsNull() {
				names = append(names, name)
			}
		}
		names = append(names, writtenSecrets(block.Body)...)
	}
	return names
}

// readFile reads a file of at most maxFile bytes.
func readFile(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(b) > maxFile {
		err = errors.New("it is larger than 1 MiB")
	}
	return b, err
}

// reason is what the system said, as a sentence.
func reason(err error) string { return capital(withoutPath(err).Error()) + "." }

// withoutPath drops the path from a file's error: it is known already, or secret.
func withoutPath(err error) error {
	if e := new(fs.PathError); errors.As(err, &e) {
		return e.Err
	}
	return err
}

// ephemeralPorts asks Linux for the ports that it gives to outgoing connections.
func ephemeralPorts() (r PortRange, ok bool) {
	b, err := os.ReadFile("/proc/sys/net/ipv4/ip_local_port_range")
	if err != nil {
		return PortRange{}, false
	}
	_, err = fmt.Sscan(string(b), &r.First, &r.Last)
	return r, err == nil
}
