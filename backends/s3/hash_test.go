package s3

import (
	"bytes"
	"crypto/md5"
	"encoding/base64"
	"errors"
	"io/fs"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/ftpgate/ftpgate/backends/s3/internal/fake"
	"github.com/ftpgate/ftpgate/protocol/ftp"
	"github.com/ftpgate/ftpgate/protocol/ftptest"
	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// What is stored with an upload of ours, by checksum and size.
func TestDigests(t *testing.T) {
	eachStore(t, func(t *testing.T, st *store) {
		for _, algorithm := range []types.ChecksumAlgorithm{"", "CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"} {
			t.Run(string(algorithm), func(t *testing.T) {
				r := newRig(t, st.fresh(), func(o *Options) { o.Put.Checksum = string(algorithm) })
				for size, want := range map[int]vfs.Hashes{
					0: hashOf(algorithm) | vfs.MD5, 1000: hashOf(algorithm) | vfs.MD5, 2*testPart + 1: hashOf(algorithm) &^ (vfs.SHA1 | vfs.SHA256),
				} {
					if err := r.upload("/f", vfs.ModeReplace, noise(size)); err != nil {
						t.Fatal(err)
					}
					r.wire.Forget()
					if st.fake == nil { // others may compute some unasked
						r.digestsRight("/f", noise(size), want)
						if err := r.fs.Rename("/f", "/g"); err != nil {
							t.Fatal(err)
						}
						r.digestsRight("/g", noise(size), 0)
						continue
					}
					r.digests("/f", noise(size), want)
					if all := len(r.wire.Ops()); all != 7 || r.wire.Count("HeadObject") != all {
						t.Errorf("%d bytes: asked %q", size, r.wire.Ops())
					}
				}
				usual := hashOf(algorithm)
				if usual == 0 {
					usual = vfs.MD5
				}
				if got := r.fs.Properties("/").UsualHash; got != usual {
					t.Errorf("%s is usual, want %s", got, usual)
				}
			})
		}
	})
}

// digestsRight checks that at least want is stored, and nothing that is wrong.
func (r *rig) digestsRight(name string, content []byte, want vfs.Hashes) {
	r.Helper()
	for h := range vfs.AllHashes.Each() {
		digest, _, err := vfs.Digest(r.fs, name, h)
		if _, none := errors.AsType[*vfs.NoDigestError](err); none && !want.Has(h) {
			continue
		}
		sum := h.New()
		sum.Write(content)
		if err != nil || !bytes.Equal(digest, sum.Sum(nil)) {
			r.Errorf("%s of %s: %x, %v", h, name, digest, err)
		}
	}
}

// An ETag that looks like an MD5 need not be one.
func TestETagIsNoMD5(t *testing.T) {
	key := bytes.Repeat([]byte("k"), customerKeySize)
	for name, e := range map[string]Encryption{
		"KMS": {Algorithm: "aws:kms"}, "KMS with a key": {Algorithm: "aws:kms", KMSKey: "k"}, "SSE-C": {CustomerKey: key},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, newFake(t, fake.Options{}), func(o *Options) { o.Put.Encryption = e })
			if err := r.upload("/f", vfs.ModeReplace, noise(100)); err != nil {
				t.Fatal(err)
			}
			r.digests("/f", noise(100), vfs.CRC32)
			r = newRig(t, newFake(t, fake.Options{}), func(o *Options) { o.Put.Encryption, o.Put.Checksum = e, "" })
			if err := r.upload("/f", vfs.ModeReplace, noise(100)); err != nil {
				t.Fatal(err)
			}
			r.digests("/f", noise(100), 0)
			if h := r.b.usualHash(); h != 0 {
				t.Errorf("%s is usual", h)
			}
		})
	}
	b := &Backend{o: Options{Bucket: "fast--use1-az4--x-s3"}}
	etag := aws.String(`"25f9e794323b453885f5181f1b624d0b"`)
	if all := b.digests(&sdk.HeadObjectOutput{ETag: etag}); len(all) != 0 || b.usualHash() != 0 {
		t.Errorf("a directory bucket: %x", all)
	}
}

// rclone notes the MD5 of what it uploads in parts. It is that of nothing else.
func TestDigestOfRclone(t *testing.T) {
	content := noise(2*testPart + 1)
	sum := md5.Sum(content)
	noted := base64.StdEncoding.EncodeToString(sum[:])
	r := newRig(t, newFake(t, fake.Options{}), func(o *Options) {
		o.Put.Checksum, o.Put.Metadata = "", map[string]string{md5Key: noted}
	})
	if err := r.upload("/f", vfs.ModeReplace, content); err != nil {
		t.Fatal(err)
	}
	r.digests("/f", content, vfs.MD5)
	if err := r.fs.Rename("/f", "/g"); err != nil {
		t.Fatal(err)
	}
	r.digests("/g", content, vfs.MD5)
	r.b.o.Put.Metadata = nil
	for _, more := range [][]byte{[]byte("more"), noise(testPart)} {
		if err := r.upload("/g", vfs.ModeAppend, more); err != nil {
			t.Fatal(err)
		}
		content = append(content, more...)
		r.stores("g", content)
		r.digests("/g", content, 0)
	}
	for _, text := range []string{"", "no base64", "c2hvcnQ=", noted + noted} {
		o := &sdk.HeadObjectOutput{Metadata: map[string]string{md5Key: text}, ETag: aws.String(`"abc-2"`)}
		if all := r.b.digests(o); len(all) != 0 {
			t.Errorf("%q is an MD5: %x", text, all)
		}
	}
	// Where the store knows it, too, the store is right.
	o := &sdk.HeadObjectOutput{Metadata: map[string]string{md5Key: noted}, ETag: aws.String(`"25f9e794323b453885f5181f1b624d0b"`)}
	if got := r.b.digests(o)[vfs.MD5]; got[0] != 0x25 {
		t.Errorf("the MD5 is %x", got)
	}
}

// What a store says of checksums, and what it means.
func TestChecksumsOfTheWhole(t *testing.T) {
	crc, composite := aws.String("y/Q5Jg=="), aws.String("y/Q5Jg==-2")
	b := &Backend{}
	for what, c := range map[string]struct {
		out  sdk.HeadObjectOutput
		want vfs.Hashes
	}{
		"one part":               {sdk.HeadObjectOutput{ETag: aws.String(`"e"`), ChecksumCRC32: crc}, vfs.CRC32},
		"whole":                  {sdk.HeadObjectOutput{ETag: aws.String(`"e-2"`), ChecksumCRC32: crc, ChecksumType: types.ChecksumTypeFullObject}, vfs.CRC32},
		"of parts":               {sdk.HeadObjectOutput{ETag: aws.String(`"e-2"`), ChecksumCRC32: crc, ChecksumType: types.ChecksumTypeComposite}, 0},
		"of parts, with suffix":  {sdk.HeadObjectOutput{ETag: aws.String(`"e-2"`), ChecksumCRC32: composite}, 0},
		"of parts, and no word":  {sdk.HeadObjectOutput{ETag: aws.String(`"e-2"`), ChecksumCRC32: crc}, 0},
		"of parts, against word": {sdk.HeadObjectOutput{ETag: aws.String(`"e-2"`), ChecksumCRC32: composite, ChecksumType: types.ChecksumTypeFullObject}, 0},
		"of another length":      {sdk.HeadObjectOutput{ETag: aws.String(`"e"`), ChecksumSHA256: crc}, 0},
	} {
		var got vfs.Hashes
		for h := range b.digests(&c.out) {
			got |= h
		}
		if got != c.want {
			t.Errorf("%s: %s, want %s", what, got, c.want)
		}
	}
}

func TestDigestRefused(t *testing.T) {
	r := newRig(t, newFake(t, fake.Options{}))
	r.put(t, "f", "text")
	r.put(t, "d/f", "text")
	for name, want := range map[string]error{"/d": vfs.ErrIsDir, "/": vfs.ErrIsDir, "/none": fs.ErrNotExist, "/\xff": vfs.ErrBadName} {
		if _, _, err := r.fs.Digest(name, vfs.MD5); !errors.Is(err, want) {
			t.Errorf("%q: %v", name, err)
		}
	}
	for code, want := range map[string]error{"AccessDenied": fs.ErrPermission, "SlowDown": vfs.ErrTransient} {
		r.wire.Inject(fake.Fault{Op: "HeadObject", Effect: fake.Refuse(map[string]int{"AccessDenied": 403, "SlowDown": 503}[code], code)})
		if _, _, err := r.fs.Digest("/f", vfs.MD5); !errors.Is(err, want) {
			t.Errorf("%s: %v", code, err)
		}
		r.wire.Heal()
	}
}

// TestHashOverFTP: what a client sees of it. Nothing is fetched.
func TestHashOverFTP(t *testing.T) {
	r := newRig(t, newFake(t, fake.Options{}))
	if err := r.upload("/f", vfs.ModeReplace, []byte("123456789")); err != nil {
		t.Fatal(err)
	}
	r.wire.Forget()
	r.put(t, "d/f", "text") // makes a connection, which stays open
	s := ftptest.Start(t, ftptest.Options{FS: r.b.Open("", 0)})
	for _, user := range []string{"rw", "anonymous"} {
		c := s.Login(user)
		if got := c.Cmd(211, "FEAT").String(); !strings.Contains(got, "\n HASH CRC32*;CRC32C;CRC64NVME;MD5;SHA-1;SHA-256\n") || strings.Contains(got, "XSHA512") {
			t.Errorf("FEAT: %s", got)
		}
		for _, line := range []struct {
			code       ftp.Code
			line, want string
		}{
			{213, "HASH f", "213 CRC32 0-8 cbf43926 f"},
			{250, "XCRC f", "250 CBF43926"},
			{250, "XMD5 f", "250 25F9E794323B453885F5181F1B624D0B"},
			{550, "XSHA256 f", "550 No SHA-256 is stored with this file, and none is computed here. It has CRC32, MD5."},
			{501, "OPTS HASH SHA-512", "501 Unknown algorithm, current selection not changed."},
			{200, "OPTS HASH SHA-256", "200 SHA-256"},
			{556, "HASH f", "556 f: No SHA-256 is stored with this file, and none is computed here. It has CRC32, MD5."},
			{553, "HASH d", "553 d: Is a directory."},
			{550, "HASH none", "550 none: No such file or directory."},
		} {
			if got := c.Cmd(line.code, "%s", line.line).String(); got != line.want {
				t.Errorf("%s as %s: %s", line.line, user, got)
			}
		}
	}
	if n := r.wire.Count("GetObject"); n != 0 {
		t.Errorf("%d objects were fetched", n)
	}
}
