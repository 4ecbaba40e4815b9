package fake

import (
	"encoding/xml"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Options change what the server allows. The zero value is Amazon's S3.
type Options struct {
	MinPartSize int64 // of every part but the last; 5 MiB
	MaxPutSize  int64 // of one PutObject or UploadPart; 5 GiB
	MaxCopySize int64 // of a CopyObject or UploadPartCopy; 5 GiB
	MaxParts    int   // of one upload; 10,000
	// Uniform refuses parts of different sizes, as R2 does.
	Uniform bool
	// NoConditions ignores If-Match and If-None-Match on everything that writes, as older stores do.
	NoConditions bool
	// NoFullObject ignores X-Amz-Checksum-Type, as stores did before 2025: the checksum of an upload in
	// parts is one of theirs, and nothing says so but its suffix.
	NoFullObject bool
	// LateParts stores parts of uploads that have been aborted, which then linger in no listing but
	// Uploads: as stores do that work on with what they have when the abort comes.
	LateParts bool
	// Discard keeps the size and the ETag of what is uploaded and forgets the bytes: they read as zeros.
	Discard bool
	Now     func() time.Time // time.Now
}

// Server is an S3 server in memory, and an http.Handler for path-style requests.
type Server struct {
	o Options

	mu      sync.Mutex
	buckets map[string]*bucket
	serial  int64 // of requests, uploads and random ETags
}

// New returns a server without buckets.
func New(o Options) *Server {
	def := func(v *int64, d int64) {
		if *v == 0 {
			*v = d
		}
	}
	def(&o.MinPartSize, 5<<20)
	def(&o.MaxPutSize, 5<<30)
	def(&o.MaxCopySize, 5<<30)
	if o.MaxParts == 0 {
		o.MaxParts = 10_000
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Server{o: o, buckets: make(map[string]*bucket)}
}

func (s *Server) now() time.Time { return s.o.Now().UTC().Truncate(time.Second) }

func (s *Server) next() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.serial++
	return s.serial
}

// exchange is one request and its answer.
type exchange struct {
	Call
	s *Server
	w http.ResponseWriter
	r *http.Request
}

var handlers = map[string]func(*exchange) error{
	"ListBuckets":             listBuckets,
	"CreateBucket":            createBucket,
	"HeadBucket":              headBucket,
	"GetBucketLocation":       getBucketLocation,
	"ListObjectsV2":           listObjects,
	"DeleteObjects":           deleteObjects,
	"HeadObject":              getObject,
	"GetObject":               getObject,
	"GetObjectTagging":        getTagging,
	"PutObject":               putObject,
	"CopyObject":              copyObject,
	"DeleteObject":            deleteObject,
	"CreateMultipartUpload":   createUpload,
	"UploadPart":              uploadPart,
	"UploadPartCopy":          uploadPartCopy,
	"CompleteMultipartUpload": completeUpload,
	"AbortMultipartUpload":    abortUpload,
	"ListParts":               listParts,
	"ListMultipartUploads":    listUploads,
}

func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	id := fmt.Sprintf("FAKE%012d", s.next())
	h := w.Header()
	h.Set("Server", "FakeS3")
	h.Set("X-Amz-Request-Id", id)
	h.Set("Date", s.o.Now().UTC().Format(http.TimeFormat))
	e := &exchange{Call: CallOf(r), s: s, w: w, r: r}
	err := e.admit()
	if err == nil {
		handle := handlers[e.Op]
		if handle == nil {
			err = refuse(http.StatusNotImplemented, "NotImplemented", "A header you provided implies functionality that is not implemented")
		} else {
			err = handle(e)
		}
	}
	if err == nil {
		return
	}
	var api *apiError
	if !errors.As(err, &api) {
		panic(http.ErrAbortHandler) // the request could not be read: its client is gone
	}
	if api.status == http.StatusNotModified || r.Method == http.MethodHead {
		w.WriteHeader(api.status)
		return
	}
	h.Set("Content-Type", "application/xml")
	w.WriteHeader(api.status)
	_, _ = w.Write(api.body(r.URL.Path, id)) // or the client is gone
}

// maxSkew is how far the clock of a client may be from ours.
const maxSkew = 15 * time.Minute

// admit checks what every request must have. A signature is wanted, not verified.
func (e *exchange) admit() error {
	auth := e.Header.Get("Authorization")
	if !strings.HasPrefix(auth, "AWS4-HMAC-SHA256 ") {
		return refuse(http.StatusForbidden, "AccessDenied", "Access Denied")
	}
	at, err := time.Parse("20060102T150405Z", e.Header.Get("X-Amz-Date"))
	if err != nil {
		return refuse(http.StatusForbidden, "AccessDenied", "AWS authentication requires a valid Date or x-amz-date header")
	}
	if skew := e.s.o.Now().Sub(at); skew > maxSkew || skew < -maxSkew {
		return refuse(http.StatusForbidden, "RequestTimeTooSkewed", "The difference between the request time and the current time is too large.")
	}
	if len(e.Key) > 1024 {
		return refuse(http.StatusBadRequest, "KeyTooLongError", "Your key is too long")
	}
	return nil
}

// bucket returns the bucket of the request; the lock is held.
func (e *exchange) bucket() (*bucket, error) {
	if b := e.s.buckets[e.Bucket]; b != nil {
		return b, nil
	}
	return nil, errNoSuchBucket
}

func (e *exchange) set(name, value string) {
	if value != "" {
		e.w.Header().Set(name, value)
	}
}

// answer writes an XML document. Tests are to see the server's own spelling of
// the root's name, hence it is the caller's to give.
func (e *exchange) answer(doc any) error {
	body, err := xml.Marshal(doc)
	if err != nil {
		return fmt.Errorf("fake: %w", err)
	}
	e.set("Content-Type", "application/xml")
	e.set("Content-Length", strconv.Itoa(len(xml.Header)+len(body)))
	_, _ = e.w.Write(append([]byte(xml.Header), body...)) // or the client is gone
	return nil
}

// number reads a parameter of the query; missing is def.
func (e *exchange) number(name string, def int) (int, error) {
	v := e.Query.Get(name)
	if v == "" {
		return def, nil
	}
	n, err := strconv.Atoi(v)
	if err != nil || n < 0 {
		return 0, refuse(http.StatusBadRequest, "InvalidArgument", "Provided "+name+" not an integer or within integer range")
	}
	return n, nil
}

// copySource reads the header of copies: "bucket/key", escaped.
func (e *exchange) copySource() (bucketName, key string, err error) {
	source, err := url.PathUnescape(strings.TrimPrefix(e.Header.Get("X-Amz-Copy-Source"), "/"))
	bucketName, key, ok := strings.Cut(source, "/")
	if err != nil || !ok || key == "" {
		return "", "", refuse(http.StatusBadRequest, "InvalidArgument", "Copy Source must mention the source bucket and key: sourcebucket/sourcekey")
	}
	return bucketName, key, nil
}
