package pi

import (
	"fmt"
	"io/fs"
	"testing"
	"testing/fstest"
	"time"
)

// stat makes a FileInfo of size bytes.
func stat(t *testing.T, size int, modified time.Time) fs.FileInfo {
	t.Helper()
	fi, err := fstest.MapFS{"f": {Data: make([]byte, size), ModTime: modified}}.Stat("f")
	if err != nil {
		t.Fatal(err)
	}
	return fi
}

// TestOwnFilesForgetTheOldest: a temporary name that is used again and again is not taken
// for the oldest because it was so once.
func TestOwnFilesForgetTheOldest(t *testing.T) {
	var o ownFiles
	fi := stat(t, 1, time.Unix(1, 0))
	for i := range 3*maxOwnFiles + 1 {
		o.add("/tmp.part", fi, false)
		if !o.may(Rename, "/tmp.part") {
			t.Fatalf("round %d: what was just stored is forgotten", i)
		}
		o.forget("/tmp.part")
		o.add(fmt.Sprintf("/f%d", i), fi, true)
	}
	if n := len(o.files); n > maxOwnFiles {
		t.Errorf("%d files are remembered", n)
	}
	if n := len(o.order); n > 2*maxOwnFiles {
		t.Errorf("%d names are remembered", n)
	}
	if o.may(Look, "/f0") {
		t.Error("the oldest is still remembered")
	}
	if last := fmt.Sprintf("/f%d", 3*maxOwnFiles); !o.may(Look, last) || o.may(Rename, last) {
		t.Error("the newest may be looked at and not renamed again")
	}
}

func TestOwnFileIsMoreThanAName(t *testing.T) {
	var o ownFiles
	stored := stat(t, 1, time.Unix(1, 0))
	o.add("/f", stored, false)
	if !o.is("/f", stored) {
		t.Error("the file is not known again")
	}
	for what, other := range map[string]fs.FileInfo{
		"size": stat(t, 2, time.Unix(1, 0)), "time": stat(t, 1, time.Unix(2, 0)),
	} {
		if o.is("/f", other) {
			t.Errorf("a file of another %s is taken for one's own", what)
		}
	}
	dated := stat(t, 1, time.Unix(3, 0))
	if o.changed("/f", dated); !o.is("/f", dated) || o.is("/f", stored) {
		t.Error("a file that was given a time is not known again")
	}
}

func TestNames(t *testing.T) {
	var n Names
	for range 2 {
		if !n.join("/f") {
			t.Error("two uploads that do not choose cannot go on side by side")
		}
	}
	if n.choose("/f") {
		t.Error("a name is chosen that others are about to take")
	}
	n.release("/f")
	if n.choose("/f") {
		t.Error("a name is chosen that another is about to take")
	}
	n.release("/f")
	if !n.choose("/f") {
		t.Error("a free name cannot be chosen")
	}
	if n.choose("/f") || n.join("/f") {
		t.Error("a chosen name is taken by others")
	}
	n.release("/f")
	if len(n.users) != 0 {
		t.Errorf("%v stays behind", n.users)
	}
	if nobody := (*Names)(nil); !nobody.choose("/f") || !nobody.join("/f") {
		t.Error("without memory every name is free")
	}
}
