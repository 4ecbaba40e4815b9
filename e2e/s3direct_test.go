package e2e

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"syscall"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// direct does with the SDK alone what a gateway does for its clients: the ceiling that
// a gateway is measured by. Its settings are the SDK's own, and for large objects those
// of the SDK's transfer manager: parts of 5 MiB, five at once.
type direct struct {
	api    *s3.Client
	bucket string
}

const (
	directPart   = 5 << 20
	directAtOnce = 5
)

func newDirect(endpoint string) *direct {
	return &direct{bucket: s3BenchBucket, api: s3.New(s3.Options{
		BaseEndpoint: &endpoint, Region: "us-east-1", UsePathStyle: true,
		Credentials: credentials.NewStaticCredentialsProvider(s3BenchAccess, s3BenchSecret, ""),
		HTTPClient:  &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}},
	})}
}

// each runs do for 0 to n-1, so many at once, and returns the first error.
func each(n, atOnce int, do func(i int) error) error {
	var wg sync.WaitGroup
	var mu sync.Mutex
	var failed error
	next := make(chan int)
	for range atOnce {
		wg.Go(func() {
			for i := range next {
				if err := do(i); err != nil {
					mu.Lock()
					failed = errors.Join(failed, err)
					mu.Unlock()
				}
			}
		})
	}
	for i := range n {
		next <- i
	}
	close(next)
	wg.Wait()
	return failed
}

// put uploads size bytes, which arrive as from a socket: piece by piece, only once.
func (d *direct) put(ctx context.Context, key string, size int64) error {
	out, err := d.api.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{Bucket: &d.bucket, Key: &key})
	if err != nil {
		return err
	}
	parts := make([]types.CompletedPart, (size+directPart-1)/directPart)
	from := newSource()
	var mu sync.Mutex
	pool := sync.Pool{New: func() any { return bytes.NewBuffer(make([]byte, 0, directPart)) }}
	err = each(len(parts), directAtOnce, func(i int) error {
		b := pool.Get().(*bytes.Buffer)
		defer pool.Put(b)
		b.Reset()
		mu.Lock()
		_, err := io.CopyN(b, from, min(directPart, size-int64(i)*directPart))
		mu.Unlock()
		if err != nil {
			return err
		}
		number := int32(i + 1) //nolint:gosec // few
		out, err := d.api.UploadPart(ctx, &s3.UploadPartInput{
			Bucket: &d.bucket, Key: &key, UploadId: out.UploadId, PartNumber: &number, Body: bytes.NewReader(b.Bytes()),
		})
		if err == nil {
			parts[i] = types.CompletedPart{
				PartNumber: &number, ETag: out.ETag, ChecksumCRC32: out.ChecksumCRC32,
			}
		}
		return err
	})
	if err == nil {
		_, err = d.api.CompleteMultipartUpload(ctx, &s3.CompleteMultipartUploadInput{
			Bucket: &d.bucket, Key: &key, UploadId: out.UploadId, MultipartUpload: &types.CompletedMultipartUpload{Parts: parts},
		})
	}
	return err
}

// get downloads an object in ranges, as the transfer manager does.
func (d *direct) get(ctx context.Context, key string, size int64) error {
	return each(int((size+directPart-1)/directPart), directAtOnce, func(i int) error {
		first := int64(i) * directPart
		return d.read(ctx, key, aws.String(fmt.Sprintf("bytes=%d-%d", first, min(first+directPart, size)-1)))
	})
}

// read downloads an object, or a range of it, in one stream.
func (d *direct) read(ctx context.Context, key string, byteRange *string) error {
	out, err := d.api.GetObject(ctx, &s3.GetObjectInput{Bucket: &d.bucket, Key: &key, Range: byteRange})
	if err != nil {
		return err
	}
	defer out.Body.Close()
	_, err = io.CopyBuffer(struct{ io.Writer }{io.Discard}, out.Body, make([]byte, 1<<20))
	return err
}

func (d *direct) smallPut(ctx context.Context, key string, content []byte) error {
	_, err := d.api.PutObject(ctx, &s3.PutObjectInput{Bucket: &d.bucket, Key: &key, Body: bytes.NewReader(content)})
	return err
}

// list lists a prefix to its end, and says when the first page had come.
func (d *direct) list(ctx context.Context, prefix string) (n int, first time.Duration, err error) {
	begin := time.Now()
	pages := s3.NewListObjectsV2Paginator(d.api, &s3.ListObjectsV2Input{Bucket: &d.bucket, Prefix: &prefix, Delimiter: aws.String("/")})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return n, first, err
		}
		if n += len(page.Contents); first == 0 {
			first = time.Since(begin)
		}
	}
	return n, first, nil
}

// source is bytes as a socket gives them, at the price of a copy.
type source struct{ block []byte }

func newSource() source { return source{content(1 << 20)} }

func (s source) Read(p []byte) (int, error) { return copy(p, s.block), nil }

// ownCPU is the processor time of this process.
func ownCPU() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
