package ftp

import (
	"testing"
	"time"
)

func TestAppendListShape(t *testing.T) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	e := Entry{Name: "my resumé", Type: TypeDir, Mode: 0o777, Owner: "user", Group: "group", Modify: time.Unix(0, 0)}
	const want = "drwxrwxrwx   0 user      group                   0 Jan 01  1970 my resumé\r\n"
	if got := string(AppendList(nil, &e, now)); got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func BenchmarkAppendList(b *testing.B) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	e := Entry{Name: "some-file-name.txt", Size: 123456, Mode: 0o644, Links: 1, Owner: "user", Group: "group", Modify: now.Add(-time.Hour)}
	buf := make([]byte, 0, 1024)
	b.ReportAllocs()
	for b.Loop() {
		buf = AppendList(buf[:0], &e, now)
	}
}

func BenchmarkAppendFacts(b *testing.B) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	e := Entry{Name: "some-file-name.txt", Size: 123456, Mode: 0o644, Perm: "adfrw", Unique: "fd00g1a2b3c4", Modify: now.Add(-time.Hour)}
	buf := make([]byte, 0, 1024)
	b.ReportAllocs()
	for b.Loop() {
		buf = AppendFacts(buf[:0], &e, AllFacts)
	}
}
