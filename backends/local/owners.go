package local

import (
	"bufio"
	"io"
	"os"
	"strconv"
	"strings"
	"sync"
)

// maxOwnerFile bounds how much of the account files is read.
const maxOwnerFile = 1 << 20

// owners gives names to numeric owners. It reads the account files once
// instead of asking os/user, which may load C code and ask the network for
// every unknown number.
type owners struct {
	passwd, groups string // paths
	load           sync.Once
	userNames      map[uint32]string
	groupNames     map[uint32]string
}

func newOwners() *owners { return &owners{passwd: "/etc/passwd", groups: "/etc/group"} }

func (o *owners) user(uid uint32) string {
	o.load.Do(o.read)
	return nameOr(o.userNames, uid)
}

func (o *owners) group(gid uint32) string {
	o.load.Do(o.read)
	return nameOr(o.groupNames, gid)
}

func nameOr(names map[uint32]string, id uint32) string {
	if name, ok := names[id]; ok {
		return name
	}
	return strconv.FormatUint(uint64(id), 10)
}

func (o *owners) read() {
	o.userNames = readNames(o.passwd)
	o.groupNames = readNames(o.groups)
}

// readNames reads lines of the form name:password:number:...
func readNames(path string) map[uint32]string {
	f, err := os.Open(path)
	if err != nil {
		return nil
	}
	defer f.Close()
	names := make(map[uint32]string)
	lines := bufio.NewScanner(io.LimitReader(f, maxOwnerFile))
	for lines.Scan() {
		name, rest, _ := strings.Cut(lines.Text(), ":")
		_, rest, _ = strings.Cut(rest, ":")
		number, _, _ := strings.Cut(rest, ":")
		id, err := strconv.ParseUint(number, 10, 32)
		if err != nil || !printable(name) {
			continue
		}
		if _, taken := names[uint32(id)]; !taken {
			names[uint32(id)] = name
		}
	}
	return names
}

// printable reports whether a name can stand in a column of LIST.
func printable(name string) bool {
	if name == "" || len(name) > 64 {
		return false
	}
	for i := range len(name) {
		if name[i] <= ' ' || name[i] >= 0x7f {
			return false
		}
	}
	return true
}
