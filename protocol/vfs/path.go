package vfs

import (
	"bytes"
	"strings"
)

// MaxPath is the longest path a client may name, in bytes after resolution.
const MaxPath = 4096

// Resolve interprets a path argument against the working directory wd, which is
// clean and absolute, and returns the clean absolute virtual path. Empty and
// "." segments drop out; ".." never climbs above "/". Every other byte string
// is an ordinary name, backslash and percent included. NUL, CR and LF, and
// paths longer than MaxPath, are ErrBadName.
func Resolve(wd, arg string) (string, error) {
	if strings.ContainsAny(arg, "\x00\r\n") {
		return "", ErrBadName
	}
	if !strings.HasPrefix(arg, "/") {
		arg = wd + "/" + arg
	}
	if isClean(arg) {
		return checkLength(arg)
	}
	out := make([]byte, 0, len(arg))
	for rest := arg; rest != ""; {
		var segment string
		segment, rest, _ = strings.Cut(rest, "/")
		switch segment {
		case "", ".":
		case "..":
			out = out[:max(0, bytes.LastIndexByte(out, '/'))]
		default:
			out = append(append(out, '/'), segment...)
		}
	}
	if len(out) == 0 {
		return "/", nil
	}
	return checkLength(string(out))
}

func checkLength(p string) (string, error) {
	if len(p) > MaxPath {
		return "", ErrBadName
	}
	return p, nil
}

// isClean reports whether the absolute path p needs no rewriting.
func isClean(p string) bool {
	if p == "/" {
		return true
	}
	return !strings.HasSuffix(p, "/") && !strings.Contains(p, "//") &&
		!strings.Contains(p+"/", "/./") && !strings.Contains(p+"/", "/../")
}

// Join appends one name to a clean directory.
func Join(dir, name string) string {
	if dir == "/" {
		return "/" + name
	}
	return dir + "/" + name
}

// Split cuts a clean path into its directory and its last segment; the root has no last segment.
func Split(p string) (dir, name string) {
	i := strings.LastIndexByte(p, '/')
	if i <= 0 {
		return "/", p[i+1:]
	}
	return p[:i], p[i+1:]
}

// Within reports whether the clean path p is dir or lies below it.
func Within(dir, p string) bool {
	return p == dir || dir == "/" || strings.HasPrefix(p, dir+"/")
}
