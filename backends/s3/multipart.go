package s3

import (
	"cmp"
	"context"
	"crypto/md5" //nolint:gosec // the ETag of S3
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// errTooLarge is for files that S3 cannot hold, or not in parts of one size.
var errTooLarge = fmt.Errorf("%w: the file is larger than the parts of a multipart upload can be", vfs.ErrQuota)

// multipart is the part of an upload that is on its way, or has arrived. Its goroutines
// are one for each part and one that begins it; complete and abort wait for them.
type multipart struct {
	u      *upload
	slots  chan struct{} // one for each part on its way
	wg     sync.WaitGroup
	number int32 // of the last part

	created chan struct{} // closed when the store has given it an id, or not
	id      string
	copies  bool // the first parts come from an object in the store
	full    bool // the object will have a checksum of its whole, see crc.go
	err     error
	lost    lost // what else the store may have begun

	late atomic.Bool // the store may still be at a part that has failed

	mu    sync.Mutex
	done  []types.CompletedPart
	sizes map[int32]int64 // of the parts, by number
}

// number is that of the part which is collected.
func (u *upload) number() int32 {
	if u.parts == nil {
		return 1
	}
	return u.parts.number + 1
}

// multi makes the upload one of many parts.
func (u *upload) multi() *multipart {
	if u.parts == nil {
		u.parts = &multipart{u: u, slots: make(chan struct{}, max(u.fs.o.Concurrency, 1)), created: make(chan struct{})}
	}
	return u.parts
}

// sendPart sends what is collected on its way, once there is a place.
func (u *upload) sendPart() error {
	m, c := u.multi(), u.part
	number, err := m.place()
	if err != nil {
		return err
	}
	u.part = nil
	u.claim.Full()
	m.wg.Go(func() {
		defer c.release()
		m.run(number, func(id string) (types.CompletedPart, error) { return m.uploadPart(id, number, c) })
	})
	return nil
}

// place waits for a place for the next part. Whoever gets one has to run it.
func (m *multipart) place() (number int32, err error) {
	if m.number == maxParts {
		return 0, errTooLarge
	}
	select {
	case m.slots <- struct{}{}:
		if m.number == 0 {
			m.u.fs.turns.uploads(m.u.key, 1)
			m.wg.Go(func() {
				defer close(m.created)
				m.err = guarded(func() (err error) {
					m.id, err = m.createUpload()
					return err
				})
			})
		}
		m.number++
		return m.number, nil
	case <-m.u.ctx.Done():
		return 0, m.u.why()
	}
}

// run makes a part, and ends the whole upload if that fails.
func (m *multipart) run(number int32, send func(id string) (types.CompletedPart, error)) {
	defer func() { <-m.slots }()
	<-m.created
	err := m.err
	if err == nil {
		err = guarded(func() error {
			part, err := send(m.id)
			if err != nil {
				return err
			}
			part.PartNumber = &number
			m.mu.Lock()
			defer m.mu.Unlock()
			m.done = append(m.done, part)
			return nil
		})
	}
	if err != nil {
		m.u.cancel(err)
	}
}

// createUpload begins the upload in the store. When the upload is cut meanwhile, it
// still waits for the answer, but not for long.
func (m *multipart) createUpload() (id string, err error) {
	u := m.u
	_, err = u.outlast(atOnce, func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, vfs.PublishTimeout)
		defer cancel()
		return m.lost.create(func(option func(*sdk.Options)) error {
			out, err := u.fs.createMultipart(ctx, m.createInput(), option)
			if err != nil {
				return err
			}
			m.full = out.ChecksumType == types.ChecksumTypeFullObject
			if id = aws.ToString(out.UploadId); id == "" {
				m.lost.answers++
				return errNoETag
			}
			return nil
		})
	})
	return id, err
}

// outlast is the upload's for a part.
func (m *multipart) outlast(end func() (sent bool), do func(ctx context.Context) error) error {
	late, err := m.u.outlast(end, do)
	if late {
		m.late.Store(true)
	}
	return err
}

func (m *multipart) uploadPart(id string, number int32, c *content) (types.CompletedPart, error) {
	u := m.u
	s := sumsOf(u.fs.algorithm(), c)
	b := &partBody{body: &body{c: c}}
	var etag *string
	err := m.outlast(b.end, func(ctx context.Context) error {
		out, err := u.fs.api.UploadPart(ctx, &sdk.UploadPartInput{
			Bucket: &u.fs.o.Bucket, Key: &u.key, UploadId: &id, PartNumber: &number,
			Body: b, ContentLength: aws.Int64(c.size),
			ChecksumCRC32: s.crc32, ChecksumCRC32C: s.crc32c, ChecksumCRC64NVME: s.crc64, ChecksumSHA1: s.sha1, ChecksumSHA256: s.sha256,
		}, writing)
		if err == nil && aws.ToString(out.ETag) == "" {
			err = errNoETag
		}
		if err == nil {
			etag = out.ETag
		}
		return err
	})
	if err != nil {
		return types.CompletedPart{}, err
	}
	m.sized(number, c.size)
	return types.CompletedPart{
		ETag:          etag,
		ChecksumCRC32: s.crc32, ChecksumCRC32C: s.crc32c, ChecksumCRC64NVME: s.crc64, ChecksumSHA1: s.sha1, ChecksumSHA256: s.sha256,
	}, nil
}

// complete sends the rest, waits for every part and publishes.
func (u *upload) complete() error {
	m := u.parts
	if u.part != nil && u.part.size > 0 {
		if err := u.sendPart(); err != nil {
			return err
		}
	}
	m.wg.Wait()
	if err := u.why(); err != nil {
		return err
	}
	slices.SortFunc(m.done, func(a, b types.CompletedPart) int { return cmp.Compare(*a.PartNumber, *b.PartNumber) })
	in := &sdk.CompleteMultipartUploadInput{
		Bucket: &u.fs.o.Bucket, Key: &u.key, UploadId: &m.id,
		MultipartUpload: &types.CompletedMultipartUpload{Parts: m.done},
	}
	m.promise(in)
	err := u.decide(publication{
		key: u.key, id: m.id, limit: assembly(u.size),
		request: func(ctx context.Context, a attempt) error {
			in.IfMatch, in.IfNoneMatch = a.ifMatch, a.ifNoneMatch
			out, err := u.fs.api.CompleteMultipartUpload(ctx, in, append(a.options, retryUnlessSilent)...)
			if err == nil && aws.ToString(out.ETag) == "" {
				err = errNoETag
			}
			return err
		},
		would: func() made { return m.would(u.size) },
	})
	if err == nil {
		m.end()
	}
	return err
}

// would is the object that the parts make.
func (m *multipart) would(size int64) made {
	if m.full {
		return made{size: size, etag: etagOf(m.done), sums: sumField(m.u.fs.algorithm(), m.wholeSum())}
	}
	suffix := fmt.Sprintf("-%d", len(m.done))
	all := func(algorithm types.ChecksumAlgorithm, of func(types.CompletedPart) *string) *string {
		if m.u.fs.algorithm() != algorithm {
			return nil
		}
		sum := newSum(algorithm)
		for _, p := range m.done {
			digest, err := base64.StdEncoding.DecodeString(aws.ToString(of(p)))
			if err != nil || len(digest) == 0 {
				return nil
			}
			sum.Write(digest)
		}
		return aws.String(base64.StdEncoding.EncodeToString(sum.Sum(nil)) + suffix)
	}
	return made{size: size, etag: etagOf(m.done), sums: sums{
		crc32:  all(types.ChecksumAlgorithmCrc32, func(p types.CompletedPart) *string { return p.ChecksumCRC32 }),
		crc32c: all(types.ChecksumAlgorithmCrc32c, func(p types.CompletedPart) *string { return p.ChecksumCRC32C }),
		sha1:   all(types.ChecksumAlgorithmSha1, func(p types.CompletedPart) *string { return p.ChecksumSHA1 }),
		sha256: all(types.ChecksumAlgorithmSha256, func(p types.CompletedPart) *string { return p.ChecksumSHA256 }),
	}}
}

// etagOf is the ETag, without quotes, of the object that parts make: where the store
// encrypts, it is another one.
func etagOf(parts []types.CompletedPart) string {
	h := md5.New() //nolint:gosec // as above
	for _, p := range parts {
		if digest, err := hex.DecodeString(strings.Trim(aws.ToString(p.ETag), `"`)); err == nil {
			h.Write(digest)
		}
	}
	return fmt.Sprintf("%x-%d", h.Sum(nil), len(parts))
}

// abort waits for everything that is on its way, which u.ctx has ended, and leaves
// nothing in the store.
func (m *multipart) abort() error {
	m.wg.Wait()
	if m.number == 0 {
		return nil // nothing was begun
	}
	defer m.end()
	if m.err != nil {
		return nil // there is nothing, or nobody knows its id
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(m.u.ctx), vfs.PublishTimeout)
	defer cancel()
	err := m.u.fs.abortUpload(ctx, m.u.key, m.id)
	for range lateAborts {
		if !m.late.Load() {
			break
		}
		time.Sleep(latePause)
		err = m.u.fs.abortUpload(ctx, m.u.key, m.id)
	}
	return err
}

// end follows an upload that was begun and has been published or aborted.
func (m *multipart) end() {
	m.dropLost()
	m.u.fs.turns.uploads(m.u.key, -1)
}
