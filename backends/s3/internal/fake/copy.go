package fake

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// stamp is how XML answers write a time.
func stamp(at time.Time) string { return at.UTC().Format("2006-01-02T15:04:05.000Z") }

type copyResult struct {
	ETag              string
	LastModified      string
	ChecksumCRC32     string `xml:",omitempty"`
	ChecksumCRC32C    string `xml:",omitempty"`
	ChecksumCRC64NVME string `xml:",omitempty"`
	ChecksumSHA1      string `xml:",omitempty"`
	ChecksumSHA256    string `xml:",omitempty"`
}

// source returns the object a copy reads, if its conditions hold.
func (e *exchange) source() (*Object, error) {
	bucketName, key, err := e.copySource()
	if err != nil {
		return nil, err
	}
	o, err := e.object(bucketName, key)
	if err != nil {
		return nil, err
	}
	if err := o.unlock(e.Header, "X-Amz-Copy-Source-"); err != nil {
		return nil, err
	}
	return o, e.mayRead(o, "X-Amz-Copy-Source-")
}

func copyObject(e *exchange) error {
	source, err := e.source()
	if err != nil {
		return err
	}
	if source.Size > e.s.o.MaxCopySize {
		return refuse(http.StatusBadRequest, "InvalidRequest",
			fmt.Sprintf("The specified copy source is larger than the maximum allowable size for a copy source: %d", e.s.o.MaxCopySize))
	}
	a, err := e.copied(source.Attributes)
	if err != nil {
		return err
	}
	bucketName, key, _ := e.copySource() // has been read before
	if bucketName == e.Bucket && key == e.Key && e.Header.Get("X-Amz-Metadata-Directive") != "REPLACE" &&
		a.StorageClass == source.StorageClass && a.Encryption == source.Encryption && a.KMSKey == source.KMSKey {
		return refuse(http.StatusBadRequest, "InvalidRequest", "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.")
	}
	o := &Object{
		Key: e.Key, Size: source.Size, content: source.content, Attributes: a,
		Checksums: source.Checksums, ChecksumType: source.ChecksumType,
		ETag: wholeTag(source),
	}
	if err := e.publish(o); err != nil {
		return err
	}
	e.showEncryption(a)
	return e.answer(struct {
		XMLName struct{} `xml:"CopyObjectResult"`
		copyResult
	}{copyResult: copyResult{ETag: o.ETag, LastModified: stamp(o.Modified)}})
}

// wholeTag is the ETag of a copy, which has one part whatever the source had.
func wholeTag(o *Object) string {
	if len(o.Parts) == 0 && !o.opaque() {
		return o.ETag
	}
	d := newDigests(nil)
	for _, p := range o.content {
		if p.data == nil {
			// Nobody waits for the MD5 of gigabytes of zeros.
			d.md5.Write([]byte(strconv.FormatInt(p.size, 10)))
			continue
		}
		d.md5.Write(p.data)
	}
	return d.tag()
}

func uploadPartCopy(e *exchange) error {
	source, err := e.source()
	if err != nil {
		return err
	}
	from, to := int64(0), source.Size
	if header := e.Header.Get("X-Amz-Copy-Source-Range"); header != "" {
		first, last, ok := strings.Cut(strings.TrimPrefix(header, "bytes="), "-")
		a, err1 := strconv.ParseInt(first, 10, 64)
		b, err2 := strconv.ParseInt(last, 10, 64)
		if !ok || err1 != nil || err2 != nil || b < a {
			return refuse(http.StatusBadRequest, "InvalidArgument", "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the zero-based offsets of the first and last bytes to copy")
		}
		if b >= source.Size {
			return refuse(http.StatusBadRequest, "InvalidArgument", fmt.Sprintf("Range specified is not valid for source object of size: %d", source.Size))
		}
		from, to = a, b+1
	}
	if to-from > e.s.o.MaxCopySize {
		return refuse(http.StatusBadRequest, "InvalidRequest",
			fmt.Sprintf("The specified copy source is larger than the maximum allowable size for a copy source: %d", e.s.o.MaxCopySize))
	}
	c := source.content.slice(from, to)
	p := part{content: c, tag: wholeTag(&Object{content: c, Parts: []int64{0}})}
	if p.checksums, err = e.promised(c); err != nil {
		return err
	}
	if err := e.putPart(&p); err != nil {
		return err
	}
	return e.answer(struct {
		XMLName struct{} `xml:"CopyPartResult"`
		copyResult
	}{copyResult: copyResult{
		ETag: p.tag, LastModified: stamp(p.modified),
		ChecksumCRC32: p.checksums["CRC32"], ChecksumCRC32C: p.checksums["CRC32C"], ChecksumCRC64NVME: p.checksums["CRC64NVME"],
		ChecksumSHA1: p.checksums["SHA1"], ChecksumSHA256: p.checksums["SHA256"],
	}})
}

// promised computes the checksum that the request's upload wants of every part.
func (e *exchange) promised(c content) (map[string]string, error) {
	e.s.mu.Lock()
	_, u, err := e.upload()
	e.s.mu.Unlock()
	if err != nil {
		return nil, err
	}
	h := newHash(u.algorithm)
	if h == nil {
		return nil, nil
	}
	_, _ = c.WriteTo(h) // a hash takes everything
	return map[string]string{u.algorithm: encoded(h)}, nil
}
