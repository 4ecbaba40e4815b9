package ftptest_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/ftpgate/ftpgate/backends/memory"
	"github.com/ftpgate/ftpgate/protocol/ftptest"
)

func inMemory(t testing.TB, s *ftptest.Setup) ftptest.Options {
	fsys := memory.New(memory.Options{}).Open("alice", 0)
	if err := s.Populate(fsys); err != nil {
		t.Fatal(err)
	}
	return ftptest.Options{FS: fsys}
}

func TestTranscripts(t *testing.T) {
	ftptest.Transcripts{Dir: "testdata/transcripts", Server: inMemory}.Run(t)
}

func TestVerbs(t *testing.T) {
	verbs := ftptest.Transcripts{Dir: "testdata/transcripts"}.Verbs(t)
	if verbs["STOR"] != 1 || verbs["FEAT"] != 1 || verbs["RETR"] != 0 {
		t.Errorf("got %v", verbs)
	}
}

// TestUpdate lets the runner fill in a transcript, and runs the result.
func TestUpdate(t *testing.T) {
	const before = `# user: rw
# file: /a "one\ntwo\n"
C: EPSV
S: ?
D: connect
C: RETR a
S: ?
D> "wrong"
# A comment stays.
S: 226 Transfer complete.
C: FEAT
S: 211 wrong
C: EPSV
S: 229 Entering Extended {/.*/} Mode (|||{port}|)
`
	const after = `# user: rw
# file: /a "one\ntwo\n"
C: EPSV
S: 229 Entering Extended Passive Mode (|||{port}|)
D: connect
C: RETR a
S: 150 Opening ASCII mode data connection for a (8 bytes).
D> "one\n"
D> "two\n"
# A comment stays.
S: 226 Transfer complete.
C: FEAT
S: 211-Features:
S:  CLNT
S:  EPRT
S:  EPSV
S:  HASH CRC32;CRC32C;CRC64NVME;MD5;SHA-1;SHA-256*;SHA-512
S:  MD5
S:  MDTM
S:  MFMT
S:  MLST type*;size*;modify*;perm*;unique*;UNIX.mode*;
S:  REST STREAM
S:  SIZE
S:  TVFS
S:  UTF8
S:  XCRC
S:  XMD5
S:  XSHA
S:  XSHA1
S:  XSHA256
S:  XSHA512
S: 211 End
C: EPSV
S: 229 Entering Extended {/.*/} Mode (|||{port}|)
`
	dir := t.TempDir()
	file := filepath.Join(dir, "a.txt")
	if err := os.WriteFile(file, []byte(before), 0o644); err != nil {
		t.Fatal(err)
	}
	ftptest.Transcripts{Dir: dir, Server: inMemory, Update: true}.Run(t)
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != after {
		t.Errorf("got\n%s\nwant\n%s", got, after)
	}
	ftptest.Transcripts{Dir: dir, Server: inMemory}.Run(t)
}
