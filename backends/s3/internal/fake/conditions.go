package fake

import (
	"net/http"
	"strings"
	"time"
)

// matches reports whether an ETag is among those of a header.
func matches(header, etag string) bool {
	for tag := range strings.SplitSeq(header, ",") {
		tag = strings.TrimSpace(tag)
		if tag == "*" || strings.Trim(tag, `"`) == strings.Trim(etag, `"`) {
			return true
		}
	}
	return false
}

// mayWrite checks the conditions of a write to what is stored now (nil: nothing).
func (e *exchange) mayWrite(now *Object) error {
	if e.s.o.NoConditions {
		return nil
	}
	if none := e.Header.Get("If-None-Match"); none != "" {
		if none != "*" {
			return refuse(http.StatusNotImplemented, "NotImplemented", "A header you provided implies functionality that is not implemented")
		}
		if now != nil {
			return errPrecondition
		}
	}
	if match := e.Header.Get("If-Match"); match != "" {
		switch {
		case now == nil:
			return errNoSuchKey
		case !matches(match, now.ETag):
			return errPrecondition
		}
	}
	return nil
}

// mayRead checks the conditions of a read (RFC 9110 §13.2.2). The prefix is
// that of the headers of a copy's source, or empty.
func (e *exchange) mayRead(o *Object, prefix string) error {
	get := func(name string) string { return e.Header.Get(prefix + name) }
	date := func(name string) (time.Time, bool) {
		at, err := http.ParseTime(get(name))
		return at, err == nil
	}
	if match := get("If-Match"); match != "" {
		if !matches(match, o.ETag) {
			return errPrecondition
		}
	} else if at, ok := date("If-Unmodified-Since"); ok && o.Modified.After(at) {
		return errPrecondition
	}
	unchanged := error(errNotModified)
	if prefix != "" {
		unchanged = errPrecondition
	}
	if none := get("If-None-Match"); none != "" {
		if matches(none, o.ETag) {
			return unchanged
		}
	} else if at, ok := date("If-Modified-Since"); ok && !o.Modified.After(at) {
		return unchanged
	}
	return nil
}
