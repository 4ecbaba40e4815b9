package s3

import (
	"context"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/spf13/afero"
)

// Options are what a Backend needs to know. Zero values mean the defaults.
type Options struct {
	Client *sdk.Client // see NewClient
	Bucket string
	Prefix string  // "" or ending in "/"
	Budget *Budget // shared by every backend of the process

	PartSize    int64 // of the first 1,000 parts; DefaultPartSize
	Concurrency int   // parts of one upload, or ranges of one download, on their way; DefaultConcurrency
	Uniform     bool  // parts never grow, and nothing is appended: for stores that demand parts of one size
	ReadAhead   int64 // bytes ahead of the client in one download; DefaultReadAhead
	PageSize    int32 // keys in one page of a listing; DefaultPageSize

	MetadataCache time.Duration // how long SIZE, MDTM and MLST may be answered from what was seen; 0: never
	MetadataTimes bool          // listings show the mtime of the metadata, at one request for each entry

	Put PutOptions
}

// PutOptions are what every new object is stored with.
type PutOptions struct {
	StorageClass  string
	ACL           string
	Encryption    Encryption
	Checksum      string // "CRC32" and the like; "" for none
	ContentTypes  bool   // by the extension of the name
	Tags          map[string]string
	Metadata      map[string]string
	RequesterPays bool
}

// Encryption is server-side encryption.
type Encryption struct {
	Algorithm   string // "", "AES256" or "aws:kms"
	KMSKey      string
	CustomerKey []byte // SSE-C: 32 bytes
}

const (
	DefaultPartSize      = 8 << 20
	DefaultConcurrency   = 4
	DefaultReadAhead     = 16 << 20
	DefaultPageSize      = 1000
	DefaultMetadataCache = 5 * time.Second
)

// Backend is one bucket prefix. It is safe for concurrent use.
type Backend struct {
	api *sdk.Client
	o   Options
}

// New makes no request.
func New(o Options) (*Backend, error) { return &Backend{api: o.Client, o: o}, nil }

// Open gives the tree to one owner. Partial uploads are not held (yet), so neither argument matters.
func (b *Backend) Open(owner string, resumeWindow time.Duration) afero.Fs {
	return &fsys{Backend: b, ctx: context.Background()}
}

// fsys is a Backend as one command sees it.
type fsys struct {
	*Backend
	ctx  context.Context
	dirs bool // names mean directories (vfs.Directories)
}
