package fake

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/textproto"
	"strconv"
	"strings"
)

// body is a request's body that came whole and was what its checksums say.
type body struct {
	content content
	digests *digests
}

// readBody takes the body of a PutObject or UploadPart. An error that is no
// apiError is a client that went away.
func (e *exchange) readBody() (body, error) {
	d := newDigests(e.Header)
	size := e.r.ContentLength
	if decoded := e.Header.Get("X-Amz-Decoded-Content-Length"); decoded != "" {
		n, err := strconv.ParseInt(decoded, 10, 64)
		if err != nil || n < 0 {
			return body{}, refuse(http.StatusBadRequest, "InvalidArgument", "x-amz-decoded-content-length is no number")
		}
		size = n
	}
	if size < 0 {
		return body{}, refuse(http.StatusLengthRequired, "MissingContentLength", "You must provide the Content-Length HTTP header.")
	}
	if size > e.s.o.MaxPutSize {
		return body{}, errTooLarge
	}
	source := io.Reader(e.r.Body)
	var chunked *chunkedReader
	if strings.HasPrefix(e.Header.Get("X-Amz-Content-Sha256"), "STREAMING-") {
		chunked = &chunkedReader{r: bufio.NewReader(e.r.Body)}
		source = chunked
	}
	content, err := e.collect(io.TeeReader(source, d), size)
	if err != nil {
		return body{}, err
	}
	if content.size() != size {
		return body{}, refuse(http.StatusBadRequest, "IncompleteBody", "You did not provide the number of bytes specified by the Content-Length HTTP header")
	}
	var trailer http.Header
	if chunked != nil {
		trailer = chunked.trailer
	}
	return body{content, d}, d.verify(e.Header, trailer)
}

// collect reads to the end, into memory or into oblivion.
func (e *exchange) collect(r io.Reader, size int64) (content, error) {
	if e.s.o.Discard {
		n, err := io.Copy(io.Discard, r)
		if err != nil || n == 0 {
			return nil, err
		}
		return zeros(n), nil
	}
	data := make([]byte, 0, min(size, e.s.o.MaxPutSize)+1)
	for {
		n, err := r.Read(data[len(data):cap(data)])
		data = data[:len(data)+n]
		switch {
		case errors.Is(err, io.EOF) && err == io.EOF: //nolint:errorlint // a wrapped one is an unexpected end
			return bytesOf(data), nil
		case err != nil:
			return nil, err
		case len(data) == cap(data):
			return nil, refuse(http.StatusBadRequest, "IncompleteBody", "The request body is longer than announced")
		}
	}
}

// chunkedReader decodes aws-chunked: chunks of "SIZE;chunk-signature=...", and a
// trailer of headers. Signatures are not looked at.
type chunkedReader struct {
	r       *bufio.Reader
	rest    int64
	begun   bool
	trailer http.Header
}

func (c *chunkedReader) Read(p []byte) (int, error) {
	for c.rest == 0 {
		if c.trailer != nil {
			return 0, io.EOF
		}
		if err := c.header(); err != nil {
			return 0, err
		}
	}
	n, err := c.r.Read(p[:min(int64(len(p)), c.rest)])
	c.rest -= int64(n)
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

func (c *chunkedReader) header() error {
	lines := textproto.NewReader(c.r)
	if c.begun {
		if line, err := lines.ReadLine(); err != nil || line != "" {
			return c.bad(err)
		}
	}
	c.begun = true
	line, err := lines.ReadLine()
	if err != nil {
		return c.bad(err)
	}
	size, _, _ := strings.Cut(line, ";")
	if c.rest, err = strconv.ParseInt(size, 16, 64); err != nil {
		return refuse(http.StatusBadRequest, "InvalidRequest", fmt.Sprintf("a chunk begins with %q", line))
	}
	if c.rest > 0 {
		return nil
	}
	trailer, err := lines.ReadMIMEHeader()
	if err != nil && (err != io.EOF || len(trailer) > 0) { // without a trailer there may be no last line
		return c.bad(err)
	}
	c.trailer = http.Header(trailer)
	if c.trailer == nil {
		c.trailer = make(http.Header)
	}
	return nil
}

// bad tells a client that is gone from one that does not know the format.
func (*chunkedReader) bad(err error) error {
	if err == nil {
		return refuse(http.StatusBadRequest, "InvalidRequest", "a chunk is longer than it says")
	}
	return err
}
