package config

import (
	"encoding/base64"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// S3 is a prefix of a bucket.
type S3 struct {
	Bucket, Prefix string // Prefix is empty or ends in a slash
	Region         string // empty: what the environment and the shared configuration say
	Endpoint       string // URL; empty: Amazon's
	PathStyle      bool

	AccessKeyID, SecretAccessKey, SessionToken string      // empty: the default chain
	AssumeRole                                 *AssumeRole // nil: none

	StorageClass, Encryption, KMSKey, ACL string // empty: the bucket's own
	CustomerKey                           []byte // of 32 bytes; nil: none
	ContentTypes                          bool   // by the extension of the name
	Checksum                              Checksum
	SignPayload                           SignPayload
	Tags, Metadata                        map[string]string
	RequesterPays                         bool

	PartSize    int64
	Concurrency int
	Uniform     bool // parts of one size
	ReadAhead   int64

	ListPage      int
	MetadataCache time.Duration // 0: none
	ModTime       ModTime
	CopyPart      int64
	RenameLimit   int

	Proxy          string // URL, perhaps with a password; empty: what the environment says
	CAFile         string
	ConnectTimeout time.Duration
	Timeout        time.Duration
	MaxRetries     int
}

// AssumeRole is a role of AWS STS that is taken on.
type AssumeRole struct{ RoleARN, ExternalID, SessionName string }

// Checksum is what the content of new objects is protected with.
type Checksum string

// The checksums. Auto is CRC32 at Amazon's and none elsewhere.
const (
	ChecksumAuto Checksum = "auto"
	ChecksumOff  Checksum = "off"
)

// SignPayload says whether the content of uploads is signed.
type SignPayload string

// When it is signed. Auto is over plain HTTP.
const (
	SignAuto  SignPayload = "auto"
	SignNever SignPayload = "never"
)

// ModTime is the time of a file that listings show.
type ModTime string

// The times.
const (
	ModTimeUpload   ModTime = "upload"   // when the object was stored
	ModTimeMetadata ModTime = "metadata" // what a client has set, at one request for each entry
)

func (s *section) s3(b *hclsyntax.Block, user string) *S3 {
	x := &S3{
		Bucket: s.bucket(), Prefix: s.prefix(), Region: s.word("region", `"eu-west-1"`), Endpoint: s.endpoint(),
		PathStyle: s.boolean("path_style"),

		AccessKeyID:     s.plain("access_key_id", `"AKIA..."`),
		SecretAccessKey: s.plain("secret_access_key", `env("AWS_SECRET")`),
		SessionToken:    s.plain("session_token", `env("AWS_TOKEN")`),
		AssumeRole:      s.l.assumeRole(b, user),

		StorageClass: s.storageClass(), Encryption: choice(s, "server_side_encryption", "", "AES256", "aws:kms"),
		KMSKey: s.plain("kms_key_id", `"alias/ftp"`), CustomerKey: s.customerKey(), ACL: s.acl(),
		ContentTypes: !s.set("content_types") || s.boolean("content_types"),
		Checksum:     choice(s, "checksum", ChecksumAuto, ChecksumAuto, ChecksumOff, "CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"),
		SignPayload:  choice(s, "sign_payload", SignAuto, SignAuto, SignNever),
		Tags:         s.tags(), Metadata: s.metadata(), RequesterPays: s.boolean("requester_pays"),

		PartSize:    s.size("part_size", `"6MiB"`, minPart, maxPart, DefaultPartSize),
		Concurrency: s.number("concurrency", 1, maxConcurrency, DefaultConcurrency),
		Uniform:     s.boolean("multipart_uniform"),
		ReadAhead:   s.size("read_ahead", `"16MiB"`, 1<<20, maxReadAhead, DefaultReadAhead),

		ListPage:      s.number("list_page_size", 1, DefaultListPage, DefaultListPage),
		MetadataCache: s.cacheTime(),
		ModTime:       choice(s, "modtime", ModTimeUpload, ModTimeUpload, ModTimeMetadata),
		CopyPart:      s.size("copy_part_size", `"1GiB"`, minPart, maxPart, DefaultCopyPart),
		RenameLimit:   s.number("rename_limit", 1, maxRenameLimit, DefaultRenameLimit),

		Proxy:          s.proxy(),
		ConnectTimeout: s.duration("connect_timeout", leastTimeout, DefaultConnectTimeout),
		Timeout:        s.duration("timeout", leastTimeout, DefaultStoreTimeout),
		MaxRetries:     s.number("max_retries", 0, maxRetries, DefaultMaxRetries),
	}
	if s.set("ca_file") {
		x.CAFile = s.file("ca_file", `"/etc/ftpgate/s3-ca.pem"`)
	}
	s.checkS3(x)
	return x
}

// sessionNameChars are those of a session name of AWS STS.
const sessionNameChars = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+=,.@_-"

// assumeRole reads the block of that name; nil if there is none.
func (l *loader) assumeRole(b *hclsyntax.Block, user string) *AssumeRole {
	for _, inner := range b.Body.Blocks {
		if inner.Type != "assume_role" {
			continue
		}
		s := l.open(inner, assumeRoleSchema, user)
		const example = `"arn:aws:iam::123456789012:role/ftp"`
		if !s.set("role_arn") {
			s.missing("role_arn", example)
		}
		r := &AssumeRole{
			RoleARN:     s.plain("role_arn", example),
			ExternalID:  s.plain("external_id", `env("EXTERNAL_ID")`),
			SessionName: s.plain("session_name", `"ftpgate"`),
		}
		if r.RoleARN != "" && !strings.HasPrefix(r.RoleARN, "arn:") {
			s.wrong("role_arn", noValue, "It is the ARN of a role, for example: role_arn = %s", example)
		}
		if strings.Trim(r.SessionName, sessionNameChars) != "" || len(r.SessionName) == 1 || len(r.SessionName) > 64 {
			s.wrong("session_name", noValue, "It is made of 2 to 64 letters, digits and +=,.@_-, for example: session_name = \"ftpgate\"")
		}
		return r
	}
	return nil
}

// checkS3 reports values that do not go together.
func (s *section) checkS3(x *S3) {
	needs := func(name, other, why string) {
		if s.set(name) && !s.set(other) {
			s.l.report(false, s.place(name), name+" needs "+other, why)
		}
	}
	needs("access_key_id", "secret_access_key", "They are a pair. Without both, the default chain of the AWS tools finds the credentials.")
	needs("secret_access_key", "access_key_id", "They are a pair. Without both, the default chain of the AWS tools finds the credentials.")
	needs("session_token", "access_key_id", "It belongs to temporary keys, which are set with it.")
	if s.set("kms_key_id") && x.Encryption != "aws:kms" {
		s.l.report(false, s.place("kms_key_id"), "kms_key_id needs KMS", `Set server_side_encryption = "aws:kms" with it.`)
	}
	if x.CustomerKey != nil && s.set("server_side_encryption") {
		s.l.report(false, s.place("customer_key"), "Two kinds of encryption", "customer_key (SSE-C) and server_side_encryption exclude each other.")
	}
	if x.CustomerKey != nil && isPlainHTTP(x.Endpoint) {
		s.l.report(false, s.place("customer_key"), "customer_key needs TLS", "It is sent with every request. The endpoint must be an https URL.")
	}
	if memory := PartMemory(s.l.transferMemory); memory > 0 && x.PartSize > memory && s.set("part_size") {
		s.l.report(true, s.place("part_size"), "part_size is larger than five eighths of transfer_memory",
			"One upload at a time will have memory for a part. Raise transfer_memory in limits, or use smaller parts.")
	}
}

// customerKey reads an SSE-C key: 32 bytes in base64.
func (s *section) customerKey() []byte {
	const name = "customer_key"
	text, v, ok := s.text(name, `file("/etc/ftpgate/sse.key")`)
	if !ok {
		return nil
	}
	key, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(key) != 32 {
		s.wrong(name, v, "It must be 32 bytes in base64, as of: openssl rand -base64 32")
		return nil
	}
	return key
}

func (s *section) cacheTime() time.Duration {
	d := s.duration("metadata_cache", 0, DefaultMetadataCache)
	if d > maxCacheTime {
		s.wrong("metadata_cache", noValue, "What others change in the bucket would not be seen for so long. It can be up to 1h.")
	}
	return d
}
