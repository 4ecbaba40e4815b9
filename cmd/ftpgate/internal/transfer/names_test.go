package transfer

import (
	"strings"
	"testing"
)

func TestCheckName(t *testing.T) {
	for _, name := range []string{"a", "a/b", "ä b", "...", "a..b", ".hidden", "-rf", "a\\b", "~", strings.Repeat("x", 255)} {
		if err := CheckName(name); err != nil {
			t.Errorf("%q: %v", name, err)
		}
	}
	for _, name := range []string{
		"", ".", "..", "../a", "a/../../b", "a/..", "a/../b", "/a", "/", "a/", "a//b", "./a", "a/./b", "a\x00b", "a\nb", "a\x1b[31m", "a\u009b31m",
		"d/" + partName("x"), partName("x"),
	} {
		if CheckName(name) == nil {
			t.Errorf("%q is taken", name)
		}
	}
}

func TestPartName(t *testing.T) {
	long := strings.Repeat("x", 255)
	for name, want := range map[string]string{"a": ".ftpgate-part.a", "d/e/a": "d/e/.ftpgate-part.a"} {
		if got := partName(name); got != want {
			t.Errorf("%s: %s", name, got)
		}
	}
	if n := len(partName(long)); n > 255 || partName(long) == partName(long[1:]+"y") {
		t.Errorf("a long name gets one of %d bytes", n)
	}
}
