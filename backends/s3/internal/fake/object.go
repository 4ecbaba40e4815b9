package fake

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

func putObject(e *exchange) error {
	a, err := attributesOf(e.Header)
	if err != nil {
		return err
	}
	// A condition that fails already is told before the body is read, so that
	// one that waits for "100 Continue" does not send it.
	if err := e.check(); err != nil {
		return err
	}
	body, err := e.readBody()
	if err != nil {
		return err
	}
	o := &Object{
		Key: e.Key, Size: body.content.size(), content: body.content, Attributes: a,
		ETag: body.digests.tag(), Checksums: body.digests.checksums(), ChecksumType: "FULL_OBJECT",
	}
	if err := e.publish(o); err != nil {
		return err
	}
	e.set("ETag", o.ETag)
	e.showEncryption(a)
	e.showChecksums(o.Checksums, o.ChecksumType)
	return nil
}

// check tells whether publish would succeed now.
func (e *exchange) check() error {
	e.s.mu.Lock()
	defer e.s.mu.Unlock()
	b, err := e.bucket()
	if err != nil {
		return err
	}
	return e.mayWrite(b.objects[e.Key])
}

// publish stores an object if the conditions of the request hold.
func (e *exchange) publish(o *Object) error {
	e.s.mu.Lock()
	defer e.s.mu.Unlock()
	b, err := e.bucket()
	if err != nil {
		return err
	}
	if err := e.mayWrite(b.objects[e.Key]); err != nil {
		return err
	}
	e.store(b, o)
	return nil
}

// store dates an object and puts it into its bucket; the lock is held.
func (e *exchange) store(b *bucket, o *Object) {
	e.s.serial++
	if o.opaque() {
		suffix := ""
		if i := strings.IndexByte(o.ETag, '-'); i >= 0 {
			suffix = strings.TrimSuffix(o.ETag[i:], `"`)
		}
		o.ETag = strings.TrimSuffix(randomTag(e.s.serial), `"`) + suffix + `"`
	}
	o.Modified = e.s.now()
	b.put(o)
}

// object returns what a read asks for.
func (e *exchange) object(bucketName, key string) (*Object, error) {
	e.s.mu.Lock()
	defer e.s.mu.Unlock()
	b := e.s.buckets[bucketName]
	if b == nil {
		return nil, errNoSuchBucket
	}
	o := b.objects[key]
	if o == nil {
		return nil, errNoSuchKey
	}
	return o, nil
}

// getObject is HeadObject as well: net/http drops the body.
func getObject(e *exchange) error {
	o, err := e.object(e.Bucket, e.Key)
	if err != nil {
		return err
	}
	if err := o.unlock(e.Header, "X-Amz-"); err != nil {
		return err
	}
	if err := e.mayRead(o, ""); err != nil {
		return err
	}
	from, to, part, err := e.wanted(o)
	if err != nil {
		return err
	}
	e.show(o.Attributes)
	e.set("ETag", o.ETag)
	e.set("Last-Modified", o.Modified.Format(http.TimeFormat))
	e.set("Accept-Ranges", "bytes")
	e.set("Content-Length", strconv.FormatInt(to-from, 10))
	if part && len(o.Parts) > 0 {
		e.set("X-Amz-Mp-Parts-Count", strconv.Itoa(len(o.Parts)))
	}
	partial := from != 0 || to != o.Size || e.Header.Get("Range") != "" || part && o.Size > 0
	if e.Header.Get("X-Amz-Checksum-Mode") == "ENABLED" && !partial {
		e.showChecksums(o.Checksums, o.ChecksumType)
	}
	for param, header := range map[string]string{"response-content-type": "Content-Type", "response-content-disposition": "Content-Disposition"} {
		e.set(header, e.Query.Get(param))
	}
	if partial {
		e.set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, to-1, o.Size))
		e.w.WriteHeader(http.StatusPartialContent)
	}
	if e.Op == "GetObject" {
		_, _ = o.content.slice(from, to).WriteTo(e.w) // or the client is gone
	}
	return nil
}

// wanted returns the bytes that are asked for, by range or by part.
func (e *exchange) wanted(o *Object) (from, to int64, part bool, err error) {
	if e.Query.Has("partNumber") {
		n, err := e.number("partNumber", 0)
		sizes := o.Parts
		if len(sizes) == 0 {
			sizes = []int64{o.Size}
		}
		if err != nil || n < 1 || n > len(sizes) {
			return 0, 0, true, refuse(http.StatusRequestedRangeNotSatisfiable, "InvalidPartNumber", "The requested partnumber is not satisfiable")
		}
		for _, size := range sizes[:n-1] {
			from += size
		}
		return from, from + sizes[n-1], true, nil
	}
	from, to, err = byteRange(e.Header.Get("Range"), o.Size)
	return from, to, false, err
}

// byteRange reads a Range header of one range. What is no such header is ignored (RFC 9110 §14.2).
func byteRange(header string, size int64) (from, to int64, err error) {
	spec, ok := strings.CutPrefix(header, "bytes=")
	first, last, dash := strings.Cut(spec, "-")
	if !ok || !dash || strings.Contains(spec, ",") {
		return 0, size, nil
	}
	if first == "" { // the last n bytes
		n, err := strconv.ParseInt(last, 10, 64)
		switch {
		case err != nil:
			return 0, size, nil
		case n == 0 || size == 0:
			return 0, 0, errRange
		}
		return max(0, size-n), size, nil
	}
	from, err = strconv.ParseInt(first, 10, 64)
	if err != nil {
		return 0, size, nil
	}
	to = size
	if last != "" {
		n, err := strconv.ParseInt(last, 10, 64)
		if err != nil || n < from {
			return 0, size, nil
		}
		to = min(size, n+1)
	}
	if from >= size {
		return 0, 0, errRange
	}
	return from, to, nil
}

func deleteObject(e *exchange) error {
	e.s.mu.Lock()
	defer e.s.mu.Unlock()
	b, err := e.bucket()
	if err != nil {
		return err
	}
	if err := b.delete(e.Key, e.Header.Get("If-Match"), e.s.o.NoConditions); err != nil {
		return err
	}
	e.w.WriteHeader(http.StatusNoContent)
	return nil
}

// delete removes what is there; that nothing is there is an error only where
// something of that ETag was expected.
func (b *bucket) delete(key, match string, anyway bool) error {
	o := b.objects[key]
	switch {
	case match == "" || anyway:
	case o == nil:
		return errNoSuchKey
	case !matches(match, o.ETag):
		return errPrecondition
	}
	b.remove(key)
	return nil
}

type tagging struct {
	XMLName struct{} `xml:"Tagging"`
	Tags    []tag    `xml:"TagSet>Tag"`
}

type tag struct{ Key, Value string }

func getTagging(e *exchange) error {
	o, err := e.object(e.Bucket, e.Key)
	if err != nil {
		return err
	}
	var doc tagging
	for name, value := range o.Tags {
		doc.Tags = append(doc.Tags, tag{name, value})
	}
	slices.SortFunc(doc.Tags, func(a, b tag) int { return strings.Compare(a.Key, b.Key) })
	return e.answer(doc)
}
