package transfer

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
)

// claim takes the temporary name of an upload for this process, until release. ok is false if another upload of the same file has it, in
// this process or another one of this user: both would write into one file, and what the second had sent when it was
// interrupted would be published by the first as whole. Locks are files of the user's cache; where there is none, nothing
// is known of others.
func claim(host, stage string) (release func(), ok bool) {
	dir, err := os.UserCacheDir()
	if err != nil {
		return func() {}, true
	}
	sum := sha256.Sum256([]byte(strings.ToLower(host) + "\n" + stage))
	name := filepath.Join(dir, "ftpgate", "upload-"+hex.EncodeToString(sum[:16]))
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return func() {}, true
	}
	for range 8 {
		f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
		if err != nil {
			return func() {}, true
		}
		if !lock(f) {
			f.Close()
			return func() {}, false
		}
		// Who had it before may have removed it.
		own, err1 := f.Stat()
		there, err2 := os.Lstat(name)
		if err1 == nil && err2 == nil && os.SameFile(own, there) {
			return func() {
				_ = os.Remove(name) // nothing is in it
				f.Close()
			}, true
		}
		f.Close()
	}
	return func() {}, false
}
