package fake

import (
	"encoding/base64"
	"encoding/xml"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"sort"
	"strings"
)

func listBuckets(e *exchange) error {
	e.s.mu.Lock()
	defer e.s.mu.Unlock()
	type named struct{ Name, CreationDate string }
	doc := struct {
		XMLName struct{} `xml:"ListAllMyBucketsResult"`
		Buckets []named  `xml:"Buckets>Bucket"`
	}{}
	for name := range e.s.buckets {
		doc.Buckets = append(doc.Buckets, named{name, stamp(e.s.now())})
	}
	slices.SortFunc(doc.Buckets, func(a, b named) int { return strings.Compare(a.Name, b.Name) })
	return e.answer(doc)
}

func createBucket(e *exchange) error {
	e.s.CreateBucket(e.Bucket)
	e.set("Location", "/"+e.Bucket)
	return nil
}

func headBucket(e *exchange) error {
	e.s.mu.Lock()
	defer e.s.mu.Unlock()
	_, err := e.bucket()
	e.set("X-Amz-Bucket-Region", "us-east-1")
	return err
}

func getBucketLocation(e *exchange) error {
	return e.answer(struct {
		XMLName struct{} `xml:"LocationConstraint"`
	}{})
}

type listedObject struct {
	Key, LastModified, ETag string
	Size                    int64
	StorageClass            string
	ChecksumAlgorithm       []string `xml:",omitempty"`
	ChecksumType            string   `xml:",omitempty"`
}

type listedPrefix struct{ Prefix string }

type listing struct {
	XMLName                             struct{} `xml:"ListBucketResult"`
	Name, Prefix                        string
	StartAfter, Delimiter, EncodingType string `xml:",omitempty"`
	ContinuationToken                   string `xml:",omitempty"`
	NextContinuationToken               string `xml:",omitempty"`
	KeyCount, MaxKeys                   int
	IsTruncated                         bool
	Contents                            []listedObject
	CommonPrefixes                      []listedPrefix
}

// escape writes a key as the request wants it.
func (e *exchange) escape(key string) string {
	if e.Query.Get("encoding-type") != "url" {
		return key
	}
	return strings.ReplaceAll(url.QueryEscape(key), "%2F", "/")
}

func listObjects(e *exchange) error {
	limit, err := e.number("max-keys", 1000)
	if err != nil {
		return err
	}
	q := e.Query
	prefix, delimiter := q.Get("prefix"), q.Get("delimiter")
	doc := listing{
		Name: e.Bucket, Prefix: e.escape(prefix), StartAfter: e.escape(q.Get("start-after")), Delimiter: e.escape(delimiter),
		EncodingType: q.Get("encoding-type"), ContinuationToken: q.Get("continuation-token"), MaxKeys: min(limit, 1000),
	}
	// Everything up to after has been seen, and, if it is a common prefix, everything below it.
	after := q.Get("start-after")
	if token := q.Get("continuation-token"); token != "" {
		raw, err := base64.StdEncoding.DecodeString(token)
		if err != nil {
			return refuse(http.StatusBadRequest, "InvalidArgument", "The continuation token provided is incorrect")
		}
		after = string(raw)
	}
	e.s.mu.Lock()
	defer e.s.mu.Unlock()
	b, err := e.bucket()
	if err != nil {
		return err
	}
	last := ""
	for i := firstAfter(b.keys, prefix, after, delimiter); i < len(b.keys) && strings.HasPrefix(b.keys[i], prefix); {
		if doc.KeyCount == doc.MaxKeys {
			doc.IsTruncated = doc.MaxKeys > 0
			break
		}
		key := b.keys[i]
		doc.KeyCount++
		last = key
		if common, ok := rolledUp(key, prefix, delimiter); ok {
			last = common
			doc.CommonPrefixes = append(doc.CommonPrefixes, listedPrefix{e.escape(common)})
			i = skip(b.keys, common)
			continue
		}
		i++
		o := b.objects[key]
		entry := listedObject{e.escape(key), stamp(o.Modified), o.ETag, o.Size, "STANDARD", nil, ""}
		if o.StorageClass != "" {
			entry.StorageClass = o.StorageClass
		}
		for _, name := range checksumNames {
			if o.Checksums[name] != "" {
				entry.ChecksumAlgorithm, entry.ChecksumType = append(entry.ChecksumAlgorithm, name), o.ChecksumType
			}
		}
		doc.Contents = append(doc.Contents, entry)
	}
	if doc.IsTruncated {
		doc.NextContinuationToken = base64.StdEncoding.EncodeToString([]byte(last))
	}
	return e.answer(doc)
}

// rolledUp returns the common prefix that stands for key.
func rolledUp(key, prefix, delimiter string) (string, bool) {
	if delimiter == "" {
		return "", false
	}
	i := strings.Index(key[len(prefix):], delimiter)
	if i < 0 {
		return "", false
	}
	return key[:len(prefix)+i+len(delimiter)], true
}

// firstAfter returns the index of the first key to look at.
func firstAfter(keys []string, prefix, after, delimiter string) int {
	i := sort.SearchStrings(keys, prefix)
	if after == "" || after < prefix {
		return i
	}
	if strings.HasPrefix(after, prefix) {
		if common, ok := rolledUp(after, prefix, delimiter); ok && common == after {
			return max(i, skip(keys, common))
		}
	}
	j := sort.SearchStrings(keys, after)
	if j < len(keys) && keys[j] == after {
		j++
	}
	return max(i, j)
}

// skip returns the index of the first key behind those that begin with prefix.
func skip(keys []string, prefix string) int {
	return sort.Search(len(keys), func(i int) bool { return keys[i] > prefix && !strings.HasPrefix(keys[i], prefix) })
}

type listedUpload struct{ Key, UploadId, StorageClass, Initiated string }

func listUploads(e *exchange) error {
	limit, err := e.number("max-uploads", 1000)
	if err != nil {
		return err
	}
	q := e.Query
	doc := struct {
		XMLName                           struct{} `xml:"ListMultipartUploadsResult"`
		Bucket, Prefix                    string
		KeyMarker, UploadIdMarker         string `xml:",omitempty"`
		NextKeyMarker, NextUploadIdMarker string `xml:",omitempty"`
		EncodingType, Delimiter           string `xml:",omitempty"`
		MaxUploads                        int
		IsTruncated                       bool
		Upload                            []listedUpload
		CommonPrefixes                    []listedPrefix
	}{
		Bucket: e.Bucket, Prefix: e.escape(q.Get("prefix")), KeyMarker: e.escape(q.Get("key-marker")), UploadIdMarker: q.Get("upload-id-marker"),
		EncodingType: q.Get("encoding-type"), MaxUploads: min(limit, 1000),
	}
	e.s.mu.Lock()
	defer e.s.mu.Unlock()
	b, err := e.bucket()
	if err != nil {
		return err
	}
	var all []*upload
	for _, u := range b.uploads {
		after := u.key > q.Get("key-marker") || u.key == q.Get("key-marker") && q.Get("upload-id-marker") != "" && u.id > q.Get("upload-id-marker")
		if strings.HasPrefix(u.key, q.Get("prefix")) && (after || q.Get("key-marker") == "") {
			all = append(all, u)
		}
	}
	slices.SortFunc(all, func(a, b *upload) int {
		if c := strings.Compare(a.key, b.key); c != 0 {
			return c
		}
		return strings.Compare(a.id, b.id)
	})
	for _, u := range all {
		if len(doc.Upload) == doc.MaxUploads {
			doc.IsTruncated = true
			break
		}
		doc.Upload = append(doc.Upload, listedUpload{e.escape(u.key), u.id, "STANDARD", stamp(u.began)})
		doc.NextKeyMarker, doc.NextUploadIdMarker = e.escape(u.key), u.id
	}
	if !doc.IsTruncated {
		doc.NextKeyMarker, doc.NextUploadIdMarker = "", ""
	}
	return e.answer(doc)
}

type deletion struct {
	Quiet  bool
	Object []struct{ Key, ETag string }
}

type deleted struct{ Key string }

type undeleted struct{ Key, Code, Message string }

func deleteObjects(e *exchange) error {
	var req deletion
	if err := xml.NewDecoder(e.r.Body).Decode(&req); err != nil || len(req.Object) == 0 || len(req.Object) > 1000 {
		return errMalformed
	}
	e.s.mu.Lock()
	defer e.s.mu.Unlock()
	b, err := e.bucket()
	if err != nil {
		return err
	}
	var doc struct {
		XMLName struct{}    `xml:"DeleteResult"`
		Deleted []deleted   `xml:"Deleted"`
		Errors  []undeleted `xml:"Error"`
	}
	for _, o := range req.Object {
		if err := b.delete(o.Key, o.ETag, e.s.o.NoConditions); err != nil {
			api, _ := errors.AsType[*apiError](err) // delete has no others
			doc.Errors = append(doc.Errors, undeleted{o.Key, api.code, api.message})
		} else if !req.Quiet {
			doc.Deleted = append(doc.Deleted, deleted{o.Key})
		}
	}
	return e.answer(doc)
}
