package fake

import (
	"crypto/md5"
	"encoding/base64"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"strings"
)

// Attributes are what a client may say about an object when it makes it.
type Attributes struct {
	ContentType  string
	Other        map[string]string // Cache-Control and the like, by header
	Metadata     map[string]string // by name in lower case
	Tags         map[string]string
	StorageClass string // "" is STANDARD
	ACL          string
	Encryption   string // "AES256", "aws:kms", or ""
	KMSKey       string
	CustomerKey  string // the MD5 of the key of SSE-C
}

var otherHeaders = []string{"Cache-Control", "Content-Disposition", "Content-Language", "Expires"}

const metaPrefix = "X-Amz-Meta-"

// maxMetadata bounds names and values together, in bytes.
const maxMetadata = 2 << 10

func attributesOf(h http.Header) (a Attributes, err error) {
	a = Attributes{
		ContentType: h.Get("Content-Type"), StorageClass: h.Get("X-Amz-Storage-Class"), ACL: h.Get("X-Amz-Acl"),
		Encryption: h.Get("X-Amz-Server-Side-Encryption"), KMSKey: h.Get("X-Amz-Server-Side-Encryption-Aws-Kms-Key-Id"),
		Other: make(map[string]string), Metadata: make(map[string]string),
	}
	if a.ContentType == "" {
		a.ContentType = "binary/octet-stream"
	}
	for _, name := range otherHeaders {
		if v := h.Get(name); v != "" {
			a.Other[name] = v
		}
	}
	// aws-chunked is the transfer's, the rest the object's.
	if enc := strings.Trim(strings.ReplaceAll(strings.ReplaceAll(h.Get("Content-Encoding"), "aws-chunked", ""), " ", ""), ","); enc != "" {
		a.Other["Content-Encoding"] = enc
	}
	size := 0
	for name, values := range h {
		if meta, ok := strings.CutPrefix(name, metaPrefix); ok {
			a.Metadata[strings.ToLower(meta)] = strings.Join(values, ",")
			size += len(meta) + len(values[0])
		}
	}
	if size > maxMetadata {
		return a, refuse(http.StatusBadRequest, "MetadataTooLarge", "Your metadata headers exceed the maximum allowed metadata size")
	}
	if a.Tags, err = tagsOf(h.Get("X-Amz-Tagging")); err != nil {
		return a, err
	}
	a.CustomerKey, err = customerKey(h, "X-Amz-")
	return a, err
}

func tagsOf(header string) (map[string]string, error) {
	q, err := url.ParseQuery(header)
	if err != nil || len(q) > 10 {
		return nil, refuse(http.StatusBadRequest, "InvalidTag", "The TagSet is not valid")
	}
	tags := make(map[string]string)
	for name, values := range q {
		tags[name] = values[0]
	}
	return tags, nil
}

// customerKey returns the MD5 of the key of SSE-C in a request, after a check
// that it is the key's. The prefix tells the object's key from that of a copy's source.
func customerKey(h http.Header, prefix string) (string, error) {
	prefix += "Server-Side-Encryption-Customer-"
	sum := h.Get(prefix + "Key-Md5")
	if h.Get(prefix+"Algorithm") == "" && sum == "" {
		return "", nil
	}
	key, err := base64.StdEncoding.DecodeString(h.Get(prefix + "Key"))
	if err != nil || len(key) != 32 || h.Get(prefix+"Algorithm") != "AES256" {
		return "", refuse(http.StatusBadRequest, "InvalidArgument", "The secret key was invalid for the specified algorithm.")
	}
	if real := md5.Sum(key); base64.StdEncoding.EncodeToString(real[:]) != sum {
		return "", refuse(http.StatusBadRequest, "InvalidArgument", "The calculated MD5 hash of the key did not match the hash that was provided.")
	}
	return sum, nil
}

// unlock checks the key that a request shows for an object of SSE-C.
func (o *Object) unlock(h http.Header, prefix string) error {
	sum, err := customerKey(h, prefix)
	switch {
	case err != nil:
		return err
	case sum == o.CustomerKey:
		return nil
	case sum == "":
		return refuse(http.StatusBadRequest, "InvalidRequest", "The object was stored using a form of Server Side Encryption. The correct parameters must be provided to retrieve the object.")
	case o.CustomerKey == "":
		return refuse(http.StatusBadRequest, "InvalidRequest", "The encryption parameters are not applicable to this object.")
	}
	return refuse(http.StatusForbidden, "AccessDenied", "Access Denied")
}

// opaque reports whether ETags are no MD5.
func (a Attributes) opaque() bool { return a.Encryption == "aws:kms" || a.CustomerKey != "" }

// showEncryption echoes how an object is encrypted.
func (e *exchange) showEncryption(a Attributes) {
	e.set("X-Amz-Server-Side-Encryption", a.Encryption)
	e.set("X-Amz-Server-Side-Encryption-Aws-Kms-Key-Id", a.KMSKey)
	if a.CustomerKey != "" {
		e.set("X-Amz-Server-Side-Encryption-Customer-Algorithm", "AES256")
		e.set("X-Amz-Server-Side-Encryption-Customer-Key-Md5", a.CustomerKey)
	}
}

// show writes the headers of an object's attributes.
func (e *exchange) show(a Attributes) {
	e.set("Content-Type", a.ContentType)
	for name, value := range a.Other {
		e.set(name, value)
	}
	for name, value := range a.Metadata {
		e.w.Header()[metaPrefix+name] = []string{value}
	}
	if len(a.Tags) > 0 {
		e.set("X-Amz-Tagging-Count", fmt.Sprint(len(a.Tags)))
	}
	if a.StorageClass != "STANDARD" {
		e.set("X-Amz-Storage-Class", a.StorageClass)
	}
	e.showEncryption(a)
}

// copied returns the attributes of a copy: those of the source, or of the request.
func (e *exchange) copied(source Attributes) (Attributes, error) {
	a, err := attributesOf(e.Header)
	if err != nil {
		return a, err
	}
	if e.Header.Get("X-Amz-Metadata-Directive") != "REPLACE" {
		a.ContentType, a.Other, a.Metadata = source.ContentType, source.Other, maps.Clone(source.Metadata)
	}
	if e.Header.Get("X-Amz-Tagging-Directive") != "REPLACE" {
		a.Tags = maps.Clone(source.Tags)
	}
	return a, nil
}
