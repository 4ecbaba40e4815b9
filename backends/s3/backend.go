package s3

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/spf13/afero"
)

// Options are what a Backend needs to know. Zero values mean the defaults.
type Options struct {
	Client *sdk.Client // see NewClient
	Bucket string
	Prefix string  // "" or ending in "/"
	Budget *Budget // shared by every backend of the process
	Cache  *Cache  // as well; nil: one of its own
	Turns  *Turns  // the same

	PartSize    int64 // of the first 1,000 parts; DefaultPartSize
	Concurrency int   // parts of one upload, or ranges of one download, on their way; DefaultConcurrency
	Uniform     bool  // parts never grow, and nothing is appended: for stores that demand parts of one size
	ReadAhead   int64 // bytes ahead of the client in one download; DefaultReadAhead
	PageSize    int32 // keys in one page of a listing; DefaultPageSize

	CopyPart    int64 // bytes copied by one request of a rename, at most 5 GiB; larger objects take several at once; DefaultCopyPart
	RenameLimit int   // objects in a directory that is renamed; more are refused; DefaultRenameLimit

	MetadataCache time.Duration // how long SIZE, MDTM and MLST may be answered from what was seen; 0: never
	MetadataTimes bool          // listings show the mtime of the metadata, at one request for each entry

	Put PutOptions

	minPart int64 // what the server takes for a part that is not the last: minPartSize, less in tests
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
	DefaultPartSize      = 6 << 20
	DefaultConcurrency   = 4
	DefaultReadAhead     = 16 << 20
	DefaultPageSize      = 1000
	DefaultCopyPart      = 1 << 30
	DefaultRenameLimit   = 50_000
	DefaultMetadataCache = 5 * time.Second
)

// customerKeySize is the length of an SSE-C key: AES-256.
const customerKeySize = 32

// Backend is one bucket prefix. It is safe for concurrent use.
type Backend struct {
	api   *sdk.Client
	o     Options
	cache cache
	turns turns // of whoever changes an object

	heedsConditions bool // of PutObject and CompleteMultipartUpload; false: nobody knows
}

// isPlain reports whether others can read what is sent to an endpoint.
func isPlain(endpoint string) bool {
	u, err := url.Parse(endpoint)
	return err == nil && u.Scheme == "http" && !isLoopback(u.Hostname())
}

// New makes no request.
func New(o Options) (*Backend, error) {
	switch {
	case o.Client == nil:
		return nil, errors.New("s3: no client")
	case o.Bucket == "":
		return nil, errors.New("s3: no bucket")
	case o.Prefix != "" && !strings.HasSuffix(o.Prefix, "/"):
		return nil, errors.New("s3: the prefix must end in a slash")
	case len(o.Put.Encryption.CustomerKey) != 0 && len(o.Put.Encryption.CustomerKey) != customerKeySize:
		return nil, errors.New("s3: the customer key must have 32 bytes")
	case len(o.Put.Encryption.CustomerKey) != 0 && isPlain(Endpoint(o.Client)):
		return nil, errors.New("s3: customer_key is sent with every request and needs an https endpoint; this one may come from AWS_ENDPOINT_URL or the shared profile")
	}
	o.minPart = orDefault(o.minPart, minPartSize)
	o.PartSize = orDefault(o.PartSize, DefaultPartSize)
	o.Concurrency = orDefault(o.Concurrency, DefaultConcurrency)
	o.ReadAhead = orDefault(o.ReadAhead, DefaultReadAhead)
	o.PageSize = orDefault(o.PageSize, DefaultPageSize)
	o.CopyPart = orDefault(o.CopyPart, DefaultCopyPart)
	o.RenameLimit = orDefault(o.RenameLimit, DefaultRenameLimit)
	return &Backend{
		api: sdk.New(o.Client.Options(), headersOf(o.Put).install, ownExpress), o: o,
		cache: newCache(o), turns: newTurns(o),

		heedsConditions: isAmazon(aws.ToString(o.Client.Options().BaseEndpoint)),
	}, nil
}

// ownExpress gives a client its own sessions of directory buckets: to make a client of another's options
// changes the one that they hold, while the other may be using it.
func ownExpress(o *sdk.Options) { o.ExpressCredentials = nil }

func orDefault[T int | int32 | int64](value, otherwise T) T {
	if value == 0 {
		return otherwise
	}
	return value
}

// Open gives the tree to one owner. Partial uploads are not held (yet), so neither argument matters.
func (b *Backend) Open(owner string, resumeWindow time.Duration) afero.Fs {
	return &fsys{Backend: b, ctx: context.Background()}
}
