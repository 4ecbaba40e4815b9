package transfer

import (
	"fmt"
	"os"
	"testing"
)

// TestTimesGather: the times of many uploads are set together, those of final names, and none is lost with a connection.
func TestTimesGather(t *testing.T) {
	const files = 2*timesAtOnce + 5
	for _, inPlace := range []bool{false, true} {
		for _, breaksAt := range []int{0, 1, timesAtOnce / 2, 2*timesAtOnce + 1} {
			root, err := os.OpenRoot(t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			defer root.Close()
			f := (&foreign{breaksAt: breaksAt}).start(t)
			m := Mover{Site: f.site(t, quick), Root: root, InPlace: inPlace, Times: new(Times)}
			for i := range files {
				name := fmt.Sprintf("f%02d", i)
				if err := root.WriteFile(name, []byte(name), 0o600); err != nil {
					t.Fatal(err)
				}
				if _, err := m.Send(t.Context(), name, "d/"+name, Fresh); err != nil {
					t.Fatal(err)
				}
				if i < timesAtOnce-1 && f.count("MDTM") > 0 {
					t.Fatalf("a time is set after %d files", i+1)
				}
			}
			if err := m.Times.Set(t.Context(), m.Site); err != nil {
				t.Error(err)
			}
			for i := range files {
				want := fmt.Sprintf("MDTM %s d/f%02d", stampOf(t, root, fmt.Sprintf("f%02d", i)), i)
				if f.count(want) == 0 {
					t.Errorf("in place %v, broken at %d: no %q", inPlace, breaksAt, want)
				}
			}
		}
	}
}

func stampOf(t *testing.T, root *os.Root, name string) string {
	t.Helper()
	i, err := root.Stat(name)
	if err != nil {
		t.Fatal(err)
	}
	return i.ModTime().UTC().Format("20060102150405")
}
