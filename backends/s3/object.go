package s3

import (
	"context"
	"encoding/hex"
	"hash/fnv"
	"io/fs"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// object is what is known of one object.
type object struct {
	key, etag    string // the ETag with its quotes, as If-Match takes it
	size         int64
	modified     time.Time // LastModified, to the second: a listing says more than a HEAD
	mtime        time.Time // of the metadata; zero: none, or not known
	metadata     map[string]string
	parts        int32 // of the multipart upload that made it; 0: it was one PutObject
	storageClass string

	whole bool      // metadata and mtime are known
	asked time.Time // when the request that saw or made it began; zero: now
}

// head asks for one object: one HEAD.
func (b *Backend) head(ctx context.Context, key string) (object, error) {
	o, _, err := b.headWhole(ctx, key)
	return o, err
}

// headWhole is head with all that the store says.
func (b *Backend) headWhole(ctx context.Context, key string) (object, *sdk.HeadObjectOutput, error) {
	asked := time.Now()
	out, err := b.api.HeadObject(ctx, &sdk.HeadObjectInput{Bucket: &b.o.Bucket, Key: &key})
	if err != nil {
		return object{}, nil, fault("head", b.name(key), err)
	}
	o := object{
		key: key, etag: aws.ToString(out.ETag), size: aws.ToInt64(out.ContentLength),
		modified: aws.ToTime(out.LastModified).Truncate(time.Second), metadata: out.Metadata,
		storageClass: string(out.StorageClass), whole: true, asked: asked,
	}
	o.mtime, _ = parseMtime(out.Metadata[mtimeKey])
	o.parts = partsOf(o.etag)
	b.seen(o)
	return o, out, nil
}

// partsOf reads the number of parts at the end of an ETag: "9f86...-12".
func partsOf(etag string) int32 {
	_, suffix, ok := strings.Cut(strings.Trim(etag, `"`), "-")
	n, err := strconv.ParseInt(suffix, 10, 32)
	if !ok || err != nil {
		return 0
	}
	return int32(n)
}

// when is the time that listings and MDTM show.
func (o *object) when() time.Time {
	if !o.mtime.IsZero() {
		return o.mtime
	}
	return o.modified
}

// info describes an object or a directory.
type info struct {
	name  string
	size  int64
	mode  fs.FileMode
	mtime time.Time
	id    string // what makes it itself
}

// directoryDate is the date of every directory: a prefix has none, and one that
// moved would make clients that compare dates copy all again. It is the first that
// every client can show.
var directoryDate = time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)

func (b *Backend) directoryInfo(dirKey string) *info {
	return &info{name: lastName(b.name(dirKey)), mode: fs.ModeDir | vfs.NewDirMode, mtime: directoryDate, id: dirKey}
}

func (b *Backend) objectInfo(o *object) *info {
	return &info{name: lastName(b.name(o.key)), size: o.size, mode: vfs.NewFileMode, mtime: o.when(), id: o.key + "\x00" + o.etag}
}

// lastName is the name a FileInfo shows for path; the root's is "/".
func lastName(path string) string {
	if _, name := vfs.Split(path); name != "" {
		return name
	}
	return "/"
}

func (i *info) Name() string       { return i.name }
func (i *info) Size() int64        { return i.size }
func (i *info) Mode() fs.FileMode  { return i.mode }
func (i *info) ModTime() time.Time { return i.mtime }
func (i *info) IsDir() bool        { return i.mode.IsDir() }
func (i *info) Sys() any           { return nil }

// Identity implements vfs.Identifier: key and ETag, so that a replaced object is another.
func (i *info) Identity() string {
	h := fnv.New128a()
	_, _ = h.Write([]byte(i.id)) // it never fails
	return hex.EncodeToString(h.Sum(nil))
}
