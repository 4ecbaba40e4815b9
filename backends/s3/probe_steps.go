package s3

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// What the steps of a probe do, and what they need.

func (p *probe) grantToPut() string {
	grant := []string{"s3:PutObject"}
	if p.o.Put.ACL != "" {
		grant = append(grant, "s3:PutObjectAcl")
	}
	if len(p.o.Put.Tags) > 0 {
		grant = append(grant, "s3:PutObjectTagging")
	}
	if p.o.Put.Encryption.KMSKey != "" || p.o.Put.Encryption.Algorithm == string(types.ServerSideEncryptionAwsKms) {
		grant = append(grant, "kms:GenerateDataKey", "kms:Decrypt")
	}
	return strings.Join(grant, ", ")
}

func (p *probe) grantToGet() string {
	if p.o.Put.Encryption.KMSKey != "" {
		return "s3:GetObject, kms:Decrypt"
	}
	return "s3:GetObject"
}

func (p *probe) findBucket(ctx context.Context) (string, error) {
	_, err := p.api.HeadBucket(ctx, &sdk.HeadBucketInput{Bucket: &p.o.Bucket})
	if status(err) == 0 {
		return "", err // nil, or nobody has answered
	}
	// What is denied is as it should be, if s3:ListBucket is granted for the prefix only. Whatever else it
	// is, the answer to a HEAD does not say it.
	_, said := p.listPrefix(ctx)
	if status(err) == http.StatusNotFound && (said == nil || errors.Is(said, fs.ErrNotExist)) {
		said = &failure{kind: errSetup, status: http.StatusNotFound, code: "NoSuchBucket", message: "there is no bucket " + p.o.Bucket, hint: hintBucket}
	}
	return "", said
}

func (p *probe) listPrefix(ctx context.Context) (string, error) {
	_, err := p.list(ctx, listRequest{prefix: p.o.Prefix, delimited: true, max: 2})
	return "", err
}

const probeContent = "a probe of ftpgate, safe to delete\n"

// put stores as an upload does.
func (p *probe) put(ctx context.Context) (string, error) {
	p.stored = true
	f, err := (&fsys{Backend: p.Backend, ctx: ctx}).OpenFile(p.name(p.key), vfs.ModeReplace, vfs.NewFileMode)
	if err != nil {
		return "", err
	}
	_, _ = io.WriteString(f, probeContent) // Close says why if it fails
	err = f.Close()
	p.stored = err == nil || lostAnswer(err)
	return "", err
}

// getAny reads the first byte of the first object there is. Where there is none, it
// asks for one in vain: that is denied to whoever may not read.
func (p *probe) getAny(ctx context.Context) (string, error) {
	all, err := p.list(ctx, listRequest{prefix: p.o.Prefix, max: 1})
	if err != nil {
		return "", err
	}
	in := &sdk.GetObjectInput{Bucket: &p.o.Bucket, Key: &p.key}
	if len(all.objects) > 0 {
		in.Key = &all.objects[0].key
		if all.objects[0].size > 0 {
			in.Range = aws.String("bytes=0-0")
		}
	}
	out, err := p.api.GetObject(ctx, in)
	if err == nil {
		return "", out.Body.Close()
	}
	if f, ok := errors.AsType[*failure](translate(err)); ok && (f.hint == hintArchived || errors.Is(f, fs.ErrNotExist)) {
		return "", nil
	}
	return "", err
}

func (p *probe) get(ctx context.Context) (string, error) {
	o, err := p.head(ctx, p.key)
	if err != nil {
		return "", err
	}
	p.etag = o.etag
	out, err := p.api.GetObject(ctx, &sdk.GetObjectInput{Bucket: &p.o.Bucket, Key: &p.key, IfMatch: &o.etag})
	if err != nil {
		return "", err
	}
	defer out.Body.Close()
	content, err := io.ReadAll(io.LimitReader(out.Body, int64(len(probeContent))+1))
	if err == nil && string(content) != probeContent {
		err = fmt.Errorf("%w: what was read is not what was stored", vfs.ErrTransient)
	}
	return "", err
}

const (
	limitNoCondition = `the store ignores If-None-Match: on_conflict = "refuse" and "rename" are best effort`
	limitNoCopyCond  = "the store ignores conditions on the target of a copy: a rename onto a name that somebody takes at the same moment may replace his file"
	limitNoDelete    = "the store ignores conditions of deletions: a file that changes while it is renamed may be lost"
	limitUniform     = "the store demands parts of one size: set multipart_uniform = true; APPE and REST are then refused"
	limitNoUniform   = "parts may have different sizes: multipart_uniform = true is not needed"
)

func (p *probe) putConditionally(ctx context.Context) (string, error) {
	err := p.putMarker(ctx, p.key, nil, aws.String("*"))
	switch {
	case preconditionFailed(err):
		return "", nil
	case err == nil, notImplemented(err):
		return limitNoCondition, nil
	}
	return "", err
}

// copy makes two copies; the second one must not replace the first.
func (p *probe) copy(ctx context.Context) (string, error) {
	o, err := p.head(ctx, p.key) // a store without conditions has replaced it
	if err != nil {
		return "", err
	}
	p.etag = o.etag
	c := copying{from: o, to: p.key + "-copy"}
	if err := c.run(ctx, p.Backend); err != nil {
		return "", err
	}
	_, err = p.api.CopyObject(ctx, &sdk.CopyObjectInput{
		Bucket: &p.o.Bucket, Key: &c.to, CopySource: aws.String(p.copySource(p.key)), IfNoneMatch: aws.String("*"),
	})
	switch {
	case preconditionFailed(err):
		return "", nil
	case err == nil, notImplemented(err):
		return limitNoCopyCond, nil
	}
	return "", err
}

// multipart makes an upload of parts that grow, as those of a large file do.
func (p *probe) multipart(ctx context.Context) (string, error) {
	key := p.key + "-parts"
	p.begun = true
	made, err := p.createMultipart(ctx, p.createInput(key, p.o.Put.Metadata))
	if err != nil {
		p.begun = lostAnswer(err)
		return "", err
	}
	err = p.sendParts(ctx, key, made.UploadId)
	if err == nil {
		limit := ""
		if p.o.Uniform {
			limit = limitNoUniform
		}
		return limit, p.abortOne(ctx, key)
	}
	_, abortErr := p.api.AbortMultipartUpload(ctx, &sdk.AbortMultipartUploadInput{Bucket: &p.o.Bucket, Key: &key, UploadId: made.UploadId})
	p.begun = abortErr != nil
	switch {
	case status(abortErr) == http.StatusForbidden:
		return "", abortErr
	case status(err) != http.StatusBadRequest:
		return "", err
	case p.o.Uniform:
		return "", nil // that is what was to be expected
	}
	return limitUniform, nil
}

// abortOne begins another upload and aborts it, as those are that clients break off.
func (p *probe) abortOne(ctx context.Context, key string) error {
	made, err := p.createMultipart(ctx, p.createInput(key, p.o.Put.Metadata))
	if err == nil {
		err = p.abortUpload(ctx, key, aws.ToString(made.UploadId))
	}
	p.begun = err != nil
	return err
}

func (p *probe) sendParts(ctx context.Context, key string, id *string) error {
	var parts []types.CompletedPart
	zeros := make([]byte, minPartSize+1)
	for i, size := range []int{minPartSize, minPartSize + 1, 1} {
		number := int32(i + 1)
		out, err := p.api.UploadPart(ctx, &sdk.UploadPartInput{
			Bucket: &p.o.Bucket, Key: &key, UploadId: id, PartNumber: &number, Body: bytes.NewReader(zeros[:size]),
			ChecksumAlgorithm: p.algorithm(),
		})
		if err != nil {
			return err
		}
		parts = append(parts, types.CompletedPart{
			PartNumber: &number, ETag: out.ETag, ChecksumCRC32: out.ChecksumCRC32, ChecksumCRC32C: out.ChecksumCRC32C,
			ChecksumCRC64NVME: out.ChecksumCRC64NVME, ChecksumSHA1: out.ChecksumSHA1, ChecksumSHA256: out.ChecksumSHA256,
		})
	}
	_, err := p.api.CompleteMultipartUpload(ctx, &sdk.CompleteMultipartUploadInput{
		Bucket: &p.o.Bucket, Key: &key, UploadId: id, MultipartUpload: &types.CompletedMultipartUpload{Parts: parts},
	})
	return err
}

// deleteConditionally asks for the deletion of a version that never was.
func (p *probe) deleteConditionally(ctx context.Context) (string, error) {
	_, err := p.api.DeleteObject(ctx, &sdk.DeleteObjectInput{
		Bucket: &p.o.Bucket, Key: &p.key, IfMatch: aws.String(`"00000000000000000000000000000000"`),
	})
	switch {
	case preconditionFailed(err):
		return "", nil
	case err == nil, notImplemented(err):
		return limitNoDelete, nil
	}
	return "", err
}

func (p *probe) deleteAll(ctx context.Context) (string, error) {
	var first error
	for _, suffix := range []string{"", "-copy", "-parts"} {
		if err := p.delete(ctx, p.key+suffix, ""); first == nil {
			first = err
		}
	}
	p.stored = first != nil
	return "", first
}

func (p *probe) abortAll(ctx context.Context) (string, error) {
	for l, err := range p.leftovers(ctx, p.key, time.Now().Add(24*time.Hour)) { // whatever the store's clock says
		if err == nil {
			err = p.Abort(ctx, l)
		}
		if err != nil {
			return "", err
		}
	}
	return "", nil
}

func (p *probe) listUploads(ctx context.Context) (string, error) {
	_, err := p.api.ListMultipartUploads(ctx, &sdk.ListMultipartUploadsInput{Bucket: &p.o.Bucket, Prefix: &p.o.Prefix, MaxUploads: aws.Int32(1)})
	return "", err
}
