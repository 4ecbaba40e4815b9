package ftp

import (
	"strings"
	"time"
)

// parseNetWare reads the form of Novell's server, which has trustee rights where Unix has permissions:
//
//	d [R----F--] supervisor            512       Jan 16 18:53    login
func parseNetWare(line string, now time.Time) (e Entry, ok bool) {
	rights, rest, ok := strings.Cut(line[1:], "]")
	if !ok || !strings.HasPrefix(strings.TrimLeft(rights, " "), "[") {
		return e, false
	}
	switch line[0] {
	case '-':
		e.Type = TypeFile
	case 'd':
		e.Type = TypeDir
	default:
		return e, false
	}
	columns, when, name, ok := findDate(rest, now)
	if !ok || !e.setColumns(columns, false) {
		return e, false
	}
	e.Modify = when
	e.Name = strings.TrimLeft(name, " ") // the column is padded
	return e, true
}
