package fake

import (
	"net/http"
	"net/url"
	"strings"
)

// Call is what one request asks for.
type Call struct {
	Op     string // as the API names it: "PutObject"; "" if it is none that we know
	Bucket string
	Key    string
	Query  url.Values
	Header http.Header
}

// CallOf reads a path-style request.
func CallOf(r *http.Request) Call {
	c := Call{Query: r.URL.Query(), Header: r.Header}
	c.Bucket, c.Key, _ = strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	switch {
	case c.Bucket == "":
		c.Op = map[string]string{http.MethodGet: "ListBuckets"}[r.Method]
	case c.Key == "":
		c.Op = bucketOp(r.Method, c.Query)
	default:
		c.Op = objectOp(r.Method, c.Query, c.Header.Get("X-Amz-Copy-Source") != "")
	}
	return c
}

func bucketOp(method string, q url.Values) string {
	switch method {
	case http.MethodHead:
		return "HeadBucket"
	case http.MethodPut:
		return "CreateBucket"
	case http.MethodPost:
		if q.Has("delete") {
			return "DeleteObjects"
		}
	case http.MethodGet:
		switch {
		case q.Get("list-type") == "2":
			return "ListObjectsV2"
		case q.Has("uploads"):
			return "ListMultipartUploads"
		case q.Has("location"):
			return "GetBucketLocation"
		}
	}
	return ""
}

func objectOp(method string, q url.Values, copies bool) string {
	upload := q.Has("uploadId")
	switch method {
	case http.MethodHead:
		return "HeadObject"
	case http.MethodGet:
		switch {
		case upload:
			return "ListParts"
		case q.Has("tagging"):
			return "GetObjectTagging"
		}
		return "GetObject"
	case http.MethodDelete:
		if upload {
			return "AbortMultipartUpload"
		}
		return "DeleteObject"
	case http.MethodPost:
		switch {
		case q.Has("uploads"):
			return "CreateMultipartUpload"
		case upload:
			return "CompleteMultipartUpload"
		}
	case http.MethodPut:
		switch {
		case upload && copies:
			return "UploadPartCopy"
		case upload:
			return "UploadPart"
		case q.Has("tagging"), q.Has("acl"):
			return ""
		case copies:
			return "CopyObject"
		}
		return "PutObject"
	}
	return ""
}
