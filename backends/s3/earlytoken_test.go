package s3

import (
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	"github.com/ftpgate/ftpgate/backends/s3/internal/fake"
)

// gated is a body that ends only when it may.
type gated struct {
	io.Reader
	may  <-chan struct{}
	rest io.Reader
}

func (g *gated) Read(p []byte) (int, error) {
	n, err := g.Reader.Read(p)
	if err == io.EOF { //nolint:errorlint // it is io.EOF itself
		<-g.may
		return g.rest.Read(p)
	}
	return n, err
}

func (g *gated) Close() error { return nil }

// slowPages answers with pages of which the keys come when they may: may[token] is for the page
// of a token. It notes the tokens asked for.
type slowPages struct {
	mu    sync.Mutex
	asked []string
	pages map[string]string
	may   map[string]chan struct{}
}

func (s *slowPages) effect(r *http.Request, _ http.RoundTripper) (*http.Response, error) {
	token := r.URL.Query().Get("continuation-token")
	s.mu.Lock()
	s.asked = append(s.asked, token)
	s.mu.Unlock()
	begin, rest, _ := strings.Cut(s.pages[token], "<Contents>")
	var body io.ReadCloser = io.NopCloser(strings.NewReader(s.pages[token]))
	if may := s.may[token]; may != nil {
		body = &gated{strings.NewReader(begin), may, strings.NewReader("<Contents>" + rest)}
	}
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Request: r, Body: body, ContentLength: -1}, nil
}

func (s *slowPages) sees(tokens ...string) func() bool {
	return func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		return slices.Equal(s.asked, tokens)
	}
}

// TestEarlyToken: the next page is asked for before the keys of a page have come, and no further
// one before it is its turn.
func TestEarlyToken(t *testing.T) {
	st := newFake(t, fake.Options{})
	d := st.prefix + "d/"
	s := &slowPages{
		pages: map[string]string{"": pageOf("1", d+"0"), "1": pageOf("2", d+"1"), "2": pageOf("3", d+"2"), "3": pageOf("", d+"3")},
		may:   map[string]chan struct{}{"": make(chan struct{}), "1": make(chan struct{}), "2": make(chan struct{})},
	}
	st.wire.Inject(fake.Fault{Op: "ListObjectsV2", Effect: s.effect})
	opened := make(chan *listing, 1)
	go func() {
		f, err := st.backend(t).Open("", 0).Open("/d")
		if err != nil {
			t.Error(err)
		}
		l, _ := f.(*listing)
		opened <- l
	}()
	until(t, "the second page is asked for", s.sees("", "1"))
	close(s.may[""])
	l := <-opened
	if l == nil {
		t.Fatal("no listing")
	}
	until(t, "the third page is asked for", s.sees("", "1", "2"))
	close(s.may["1"])
	close(s.may["2"])
	<-l.next.done
	<-l.next.next.done
	if !s.sees("", "1", "2")() { // two pages have come, and nobody has taken one
		t.Errorf("it asks for %q", s.asked)
	}
	if all, err := l.Readdirnames(-1); err != nil || !slices.Equal(all, []string{"0", "1", "2", "3"}) {
		t.Errorf("it lists %q, %v", all, err)
	}
	if err := l.Close(); err != nil || !s.sees("", "1", "2", "3")() {
		t.Errorf("it asked for %q, %v", s.asked, err)
	}
}

// TestEarlyTokenOfAnother: a page that is asked for twice may name another token, and that one counts.
func TestEarlyTokenOfAnother(t *testing.T) {
	st := newFake(t, fake.Options{})
	d := st.prefix + "d/"
	s := &slowPages{pages: map[string]string{"": pageOf("new", d+"0"), "new": pageOf("", d+"1"), "old": pageOf("", d+"wrong")}}
	cut, _, _ := strings.Cut(pageOf("old", d+"0"), "</Contents>")
	st.wire.Inject(fake.Fault{Op: "ListObjectsV2", Times: 1, Effect: func(r *http.Request, _ http.RoundTripper) (*http.Response, error) {
		body := io.NopCloser(io.MultiReader(strings.NewReader(cut), iotest.ErrReader(io.ErrUnexpectedEOF)))
		return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Request: r, Body: body, ContentLength: -1}, nil
	}})
	st.wire.Inject(fake.Fault{Op: "ListObjectsV2", Effect: s.effect})
	if got := shows(t, st.backend(t, func(o *Options) { o.Client = st.stubborn() }).Open("", 0), "/d"); !slices.Equal(got, []string{"0", "1"}) {
		t.Errorf("it lists %q", got)
	}
	if st.wire.Count("ListObjectsV2") < 3 {
		t.Error("no page was asked for twice")
	}
}

// TestEarlyTokenRefused: a store that does not take a token before the page that names it has
// come is asked again then.
func TestEarlyTokenRefused(t *testing.T) {
	st := newFake(t, fake.Options{})
	d := st.prefix + "d/"
	s := &slowPages{
		pages: map[string]string{"": pageOf("1", d+"0"), "1": pageOf("2", d+"1"), "2": pageOf("", d+"2")},
		may:   map[string]chan struct{}{"": make(chan struct{})},
	}
	first := s.may[""]
	st.wire.Inject(fake.Fault{Op: "ListObjectsV2", Effect: func(r *http.Request, next http.RoundTripper) (*http.Response, error) {
		if r.URL.Query().Get("continuation-token") == "1" {
			select {
			case <-first:
			default:
				defer close(first)
				const body = "<Error><Code>InvalidArgument</Code><Message>The continuation token provided is incorrect</Message></Error>"
				return &http.Response{StatusCode: http.StatusBadRequest, Header: http.Header{}, Request: r, Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body))}, nil
			}
		}
		return s.effect(r, next)
	}})
	if got := shows(t, st.backend(t).Open("", 0), "/d"); !slices.Equal(got, []string{"0", "1", "2"}) {
		t.Errorf("it lists %q", got)
	}
}

// TestTokenWatch: a token is told once and whole, or not at all.
func TestTokenWatch(t *testing.T) {
	token := "<NextContinuationToken>a/b+c==</NextContinuationToken>"
	for what, c := range map[string]struct {
		body string
		want []string
	}{
		"ahead of the keys":  {"<A>" + token + "<Contents>" + token, []string{"a/b+c=="}},
		"behind long ones":   {strings.Repeat("<Contents>", tokenWithin/5) + "<Contents>" + token, nil},
		"none":               {"<A></A>", nil},
		"an empty one":       {"<NextContinuationToken></NextContinuationToken>", nil},
		"one with an entity": {"<NextContinuationToken>a&amp;b</NextContinuationToken>", nil},
		"half a one":         {"<NextContinuationToken>abc", nil},
	} {
		for _, size := range []int{1, 7, 4096, 1 << 20} {
			var told []string
			w := &tokenWatch{ReadCloser: io.NopCloser(strings.NewReader(c.body)), tell: func(token string) { told = append(told, token) }}
			read := 0
			p := make([]byte, size)
			for {
				n, err := w.Read(p)
				if read += n; err != nil {
					if !errors.Is(err, io.EOF) {
						t.Error(err)
					}
					break
				}
			}
			if size == 1<<20 && what == "behind long ones" {
				continue // it is at hand
			}
			if !slices.Equal(told, c.want) || read != len(c.body) {
				t.Errorf("%s, %d bytes at a time: told %q, read %d", what, size, told, read)
			}
		}
	}
}
