package fake

import (
	"encoding/xml"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

// upload is a multipart upload that has not ended.
type upload struct {
	id, key   string
	began     time.Time
	algorithm string // of checksums; ""
	kind      string // "COMPOSITE" or "FULL_OBJECT"
	parts     map[int]part
	Attributes
}

type part struct {
	content   content
	tag       string
	modified  time.Time
	checksums map[string]string
}

func createUpload(e *exchange) error {
	a, err := attributesOf(e.Header)
	if err != nil {
		return err
	}
	u := &upload{
		key: e.Key, parts: make(map[int]part), Attributes: a,
		algorithm: e.Header.Get("X-Amz-Checksum-Algorithm"), kind: e.Header.Get("X-Amz-Checksum-Type"),
	}
	if e.s.o.NoFullObject {
		u.kind = ""
	}
	if u.algorithm != "" && u.kind == "" {
		u.kind = "COMPOSITE"
		if u.algorithm == "CRC64NVME" {
			u.kind = "FULL_OBJECT"
		}
	}
	if u.algorithm == "CRC64NVME" && u.kind == "COMPOSITE" || strings.HasPrefix(u.algorithm, "SHA") && u.kind == "FULL_OBJECT" {
		return refuse(http.StatusBadRequest, "InvalidRequest", "The "+u.kind+" checksum type cannot be used with the "+strings.ToLower(u.algorithm)+" checksum algorithm.")
	}
	e.s.mu.Lock()
	defer e.s.mu.Unlock()
	b, err := e.bucket()
	if err != nil {
		return err
	}
	e.s.serial++
	u.id, u.began = fmt.Sprintf("upload-%d", e.s.serial), e.s.now()
	b.uploads[u.id] = u
	e.set("X-Amz-Checksum-Algorithm", u.algorithm)
	e.setChecksumType(u.kind)
	e.showEncryption(a)
	return e.answer(struct {
		XMLName               struct{} `xml:"InitiateMultipartUploadResult"`
		Bucket, Key, UploadId string
	}{Bucket: e.Bucket, Key: e.Key, UploadId: u.id})
}

// upload returns the upload of the request; the lock is held.
func (e *exchange) upload() (*bucket, *upload, error) {
	b, err := e.bucket()
	if err != nil {
		return nil, nil, err
	}
	u := b.uploads[e.Query.Get("uploadId")]
	if u == nil || u.key != e.Key {
		return nil, nil, errNoSuchUpload
	}
	return b, u, nil
}

func uploadPart(e *exchange) error {
	body, err := e.readBody()
	if err != nil {
		return err
	}
	p := part{content: body.content, tag: body.digests.tag(), checksums: body.digests.checksums()}
	if err := e.putPart(&p); err != nil {
		return err
	}
	e.set("ETag", p.tag)
	e.showChecksums(p.checksums, "")
	return nil
}

// putPart dates a part and stores it.
func (e *exchange) putPart(p *part) error {
	n, err := e.number("partNumber", 0)
	if err != nil || n < 1 || n > e.s.o.MaxParts {
		return refuse(http.StatusBadRequest, "InvalidArgument", fmt.Sprintf("Part number must be an integer between 1 and %d, inclusive", e.s.o.MaxParts))
	}
	sum, err := customerKey(e.Header, "X-Amz-")
	if err != nil {
		return err
	}
	e.s.mu.Lock()
	defer e.s.mu.Unlock()
	b, u, err := e.upload()
	if late := b.late(e.Query.Get("uploadId")); late != nil && e.s.o.LateParts {
		u, err = late, nil
		b.uploads[u.id] = u
	}
	if err != nil {
		return err
	}
	if sum != u.CustomerKey {
		return refuse(http.StatusBadRequest, "InvalidRequest", "The multipart upload initiate requested encryption. Subsequent part requests must include the appropriate encryption parameters.")
	}
	p.modified = e.s.now()
	if u.opaque() {
		e.s.serial++
		p.tag = randomTag(e.s.serial)
	}
	u.parts[n] = *p
	e.showEncryption(u.Attributes)
	return nil
}

type completion struct {
	Parts []struct {
		PartNumber        int
		ETag              string
		ChecksumCRC32     string
		ChecksumCRC32C    string
		ChecksumCRC64NVME string
		ChecksumSHA1      string
		ChecksumSHA256    string
	} `xml:"Part"`
}

func completeUpload(e *exchange) error {
	var c completion
	if err := xml.NewDecoder(e.r.Body).Decode(&c); err != nil || len(c.Parts) == 0 {
		return errMalformed
	}
	e.s.mu.Lock()
	defer e.s.mu.Unlock()
	b, u, err := e.upload()
	if err != nil {
		return err
	}
	if kind := e.Header.Get("X-Amz-Checksum-Type"); kind != "" && kind != u.kind && !e.s.o.NoFullObject {
		return refuse(http.StatusBadRequest, "InvalidRequest", "The upload was created using the "+u.kind+" checksum mode. The complete request must use the same checksum mode.")
	}
	o := &Object{Key: u.key, Attributes: u.Attributes, ChecksumType: u.kind}
	if err := e.assemble(o, u, c); err != nil {
		return err
	}
	if err := e.mayWrite(b.objects[u.key]); err != nil {
		return err
	}
	e.store(b, o)
	delete(b.uploads, u.id)
	e.showEncryption(u.Attributes)
	result := struct {
		XMLName                     struct{} `xml:"CompleteMultipartUploadResult"`
		Location, Bucket, Key, ETag string
		ChecksumCRC32               string `xml:",omitempty"`
		ChecksumCRC32C              string `xml:",omitempty"`
		ChecksumCRC64NVME           string `xml:",omitempty"`
		ChecksumSHA1                string `xml:",omitempty"`
		ChecksumSHA256              string `xml:",omitempty"`
		ChecksumType                string `xml:",omitempty"`
	}{
		Location: "http://" + e.r.Host + e.r.URL.Path, Bucket: e.Bucket, Key: u.key, ETag: o.ETag,
		ChecksumCRC32: o.Checksums["CRC32"], ChecksumCRC32C: o.Checksums["CRC32C"], ChecksumCRC64NVME: o.Checksums["CRC64NVME"],
		ChecksumSHA1: o.Checksums["SHA1"], ChecksumSHA256: o.Checksums["SHA256"], ChecksumType: u.kind,
	}
	return e.answer(result)
}

// assemble makes the object of the parts that were named.
func (e *exchange) assemble(o *Object, u *upload, c completion) error {
	var tags []string
	sums := make(map[string][]string)
	for i, want := range c.Parts {
		if i > 0 && want.PartNumber <= c.Parts[i-1].PartNumber {
			return refuse(http.StatusBadRequest, "InvalidPartOrder", "The list of parts was not in ascending order. Parts must be ordered by part number.")
		}
		p, ok := u.parts[want.PartNumber]
		if !ok || !matches(want.ETag, p.tag) {
			return errInvalidPart
		}
		for name, sum := range map[string]string{
			"CRC32": want.ChecksumCRC32, "CRC32C": want.ChecksumCRC32C, "CRC64NVME": want.ChecksumCRC64NVME,
			"SHA1": want.ChecksumSHA1, "SHA256": want.ChecksumSHA256,
		} {
			if sum != "" && sum != p.checksums[name] {
				return errInvalidPart
			}
		}
		size := p.content.size()
		last := i == len(c.Parts)-1
		if !last && size < e.s.o.MinPartSize {
			return refuse(http.StatusBadRequest, "EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size")
		}
		if e.s.o.Uniform && i > 0 && (size > o.Parts[0] || !last && size != o.Parts[0]) {
			return refuse(http.StatusBadRequest, "InvalidPart", "There was a problem with the multipart upload: All non-trailing parts must have the same length.")
		}
		o.content = append(o.content, p.content...)
		o.Parts = append(o.Parts, size)
		o.Size += size
		tags = append(tags, p.tag)
		if sum := p.checksums[u.algorithm]; sum != "" {
			sums[u.algorithm] = append(sums[u.algorithm], sum)
		}
	}
	o.ETag = compositeTag(tags)
	return e.sum(o, u, sums)
}

// late is the upload of that id if it was aborted.
func (b *bucket) late(id string) *upload {
	if b == nil || b.uploads[id] != nil {
		return nil
	}
	return b.aborted[id]
}

func abortUpload(e *exchange) error {
	e.s.mu.Lock()
	defer e.s.mu.Unlock()
	b, u, err := e.upload()
	if err != nil {
		return err
	}
	delete(b.uploads, u.id)
	u.parts = make(map[int]part)
	b.aborted[u.id] = u
	e.w.WriteHeader(http.StatusNoContent)
	return nil
}

type listedPart struct {
	PartNumber   int
	LastModified string
	ETag         string
	Size         int64
}

func listParts(e *exchange) error {
	limit, err := e.number("max-parts", 1000)
	if err != nil {
		return err
	}
	after, err := e.number("part-number-marker", 0)
	if err != nil {
		return err
	}
	e.s.mu.Lock()
	defer e.s.mu.Unlock()
	_, u, err := e.upload()
	if err != nil {
		return err
	}
	doc := struct {
		XMLName               struct{} `xml:"ListPartsResult"`
		Bucket, Key, UploadId string
		PartNumberMarker      int
		NextPartNumberMarker  int
		MaxParts              int
		IsTruncated           bool
		Part                  []listedPart
	}{Bucket: e.Bucket, Key: u.key, UploadId: u.id, PartNumberMarker: after, MaxParts: min(limit, 1000)}
	for _, n := range slices.Sorted(maps.Keys(u.parts)) {
		if n <= after {
			continue
		}
		if len(doc.Part) == doc.MaxParts {
			doc.IsTruncated = true
			break
		}
		p := u.parts[n]
		doc.Part = append(doc.Part, listedPart{n, stamp(p.modified), p.tag, p.content.size()})
		doc.NextPartNumberMarker = n
	}
	return e.answer(doc)
}
