package ftpclient_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ftpgate/ftpgate/protocol/ftpclient"
)

// refusals are what servers say, and what it means. Those of vsftpd mostly say nothing: "Failed to open file" is a file that
// does not exist as well as one that may not be read. nil: nobody knows.
var refusals = map[string]error{
	// From the transcripts.
	"500 Command \"SITE CPFR\" not understood.":                               errors.ErrUnsupported,
	"500 Command \"SITE COPY\" not understood.":                               errors.ErrUnsupported,
	"500 SITE CPFR is an unknown extension":                                   errors.ErrUnsupported,
	"500 SITE COPY is an unknown extension":                                   errors.ErrUnsupported,
	"504 Unknown command":                                                     errors.ErrUnsupported,
	"501 Invalid argument.":                                                   nil,
	"501 No such directory.":                                                  fs.ErrNotExist,
	"550 '/one/none' cannot be listed":                                        nil, // Stat knows what it means
	"550 '/one' cannot be listed":                                             nil,
	"550 /one/file.txt: No such file or directory":                            fs.ErrNotExist,
	"550 /one/none: No such file or directory":                                fs.ErrNotExist,
	"550 /one/two/three: Is a directory":                                      nil,
	"550 /one/two/three: No such file or directory":                           fs.ErrNotExist,
	"550 /one/two: Is a directory":                                            nil,
	"550 /one: Directory not empty":                                           ftpclient.ErrNotEmpty,
	"550 /one: Is a directory":                                                nil,
	"550 Can't change directory to /one/two/three: No such file or directory": fs.ErrNotExist,
	"550 Can't check for file existence":                                      fs.ErrNotExist,
	"550 Can't create directory: No such file or directory":                   fs.ErrNotExist,
	"550 Can't open /one/file.txt: No such file or directory":                 fs.ErrNotExist,
	"550 Can't remove directory: Directory not empty":                         ftpclient.ErrNotEmpty,
	"550 Could not delete /one/two/three: Invalid argument":                   nil,
	"550 Could not delete /one/two: Invalid argument":                         nil,
	"550 Could not delete /one: Invalid argument":                             nil,
	"550 Could not get file modification time.":                               nil,
	"550 Could not get file size.":                                            nil,
	"550 Create directory operation failed.":                                  nil,
	"550 Delete operation failed.":                                            nil,
	"550 Directory not empty.":                                                ftpclient.ErrNotEmpty,
	"550 Failed to change directory.":                                         nil,
	"550 Failed to open file.":                                                nil,
	"550 Is a directory.":                                                     nil,
	"550 No such file or directory.":                                          fs.ErrNotExist,
	"550 Permission denied.":                                                  fs.ErrPermission,
	"550 Remove directory operation failed.":                                  nil,
	// Of vsftpd's source, and of others.
	"553 Could not create file.":                            nil,
	"550 Rename failed.":                                    nil,
	"550 RNFR command failed.":                              nil,
	"553 Requested action not taken: file name not allowed": fs.ErrPermission,
	"550 Can't create directory: File exists":               fs.ErrExist,
	"550 The system cannot find the file specified.":        fs.ErrNotExist, // IIS
	"552 Quota exceeded":                                    ftpclient.ErrQuota,
	"450 Disk full":                                         ftpclient.ErrQuota,
	// The name is no part of the message.
	"550 /dir/does not exist: Permission denied": fs.ErrPermission,
}

// TestRefusals checks the table, and that nothing in the transcripts is missing from it.
func TestRefusals(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(transcripts, "*.txt"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			said, ok := strings.CutPrefix(strings.TrimSpace(line), "S: ")
			if _, known := refusals[said]; ok && len(said) > 3 && strings.Contains("45", said[:1]) && !known {
				t.Errorf("%s: %q is not in the table", file, said)
			}
		}
	}
	said := make([]string, 0, len(refusals))
	for text := range refusals {
		said = append(said, text)
	}
	slices.Sort(said)
	f := startFake(t, func(p *peer) {
		p.say("220 ready")
		for _, text := range said {
			p.want("DELE")
			p.say(text)
		}
		p.rest()
	})
	c := f.login(patient())
	for _, text := range said {
		path := "/dir/does not exist"
		err := c.Delete(t.Context(), path)
		if !strings.HasSuffix(err.Error(), text[4:]) {
			t.Errorf("%q is printed as %q", text, err)
		}
		for _, meaning := range []error{fs.ErrNotExist, fs.ErrExist, fs.ErrPermission, errors.ErrUnsupported, ftpclient.ErrNotEmpty, ftpclient.ErrQuota} {
			if errors.Is(err, meaning) != (refusals[text] == meaning) { //nolint:errorlint // the table's own
				t.Errorf("%q: %v is %v", text, err, meaning)
			}
		}
	}
}
