package s3

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/spf13/afero"

	"github.com/ftpgate/ftpgate/backends/s3/internal/fake"
	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// shows lists a directory: files, and directories with a slash.
func shows(t *testing.T, fsys afero.Fs, dir string) (names []string) {
	t.Helper()
	d, err := fsys.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	for {
		entries, err := d.Readdir(100)
		for _, e := range entries {
			name := e.Name()
			if e.IsDir() {
				name += "/"
				if !e.ModTime().Equal(directoryDate) {
					t.Errorf("the directory %q is of %v", name, e.ModTime())
				}
			}
			names = append(names, name)
		}
		if err == io.EOF { //nolint:errorlint // it is io.EOF itself
			slices.Sort(names)
			return names
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// TestListing: objects and prefixes of one name both show, markers and what no path
// leads to do not, and names come out as they went in.
func TestListing(t *testing.T) {
	eachStore(t, func(t *testing.T, st *store) {
		fsys := st.backend(t).Open("", 0)
		for _, key := range []string{"d/", "d/file", "d/sub/x", "d/sub/y", "d/marked/", "d/a+b %2F", "d/\"q\"", "d/ü&<>"} {
			st.put(t, key, "")
		}
		want := []string{"\"q\"", "a+b %2F", "file", "marked/", "sub/", "ü&<>"}
		if st.can.objectAndPrefix {
			for _, key := range []string{"d/sub", "d//deep", "d/./x", "d/../x"} {
				st.put(t, key, "")
			}
			want = append(want, "sub")
		}
		if st.can.anyName {
			st.put(t, "d/\x01", "")
			want = append(want, "\x01")
		}
		slices.Sort(want)
		if got := shows(t, fsys, "/d"); !slices.Equal(got, want) {
			t.Errorf("it lists %q, want %q", got, want)
		}
		if got := shows(t, fsys, "/"); !slices.Equal(got, []string{"d/"}) {
			t.Errorf("the root lists %q", got)
		}
		if got := shows(t, fsys, "/d/marked"); len(got) != 0 {
			t.Errorf("an empty directory lists %q", got)
		}
	})
}

// TestListingCost: one request before the first entry, one for each page, the next
// one while a page is read, and none for an entry.
func TestListingCost(t *testing.T) {
	st := newFake(t, fake.Options{})
	for i := range 25 {
		st.put(t, fmt.Sprintf("d/%02d", i), "")
	}
	fsys := st.backend(t, func(o *Options) { o.PageSize = 10 }).Open("", 0)
	release := make(chan struct{})
	st.wire.Inject(fake.Fault{Op: "ListObjectsV2", Skip: 1, Effect: fake.Hold(release)})
	d, err := fsys.(vfs.DirectoryView).Directories().Open("/d")
	if err != nil {
		t.Fatal(err)
	}
	first, err := d.Readdir(10)
	if len(first) != 10 || err != nil {
		t.Fatalf("the first page: %d entries, %v", len(first), err)
	}
	until(t, "the second page is asked for", func() bool { return st.wire.Count("ListObjectsV2") == 2 })
	close(release)
	rest, err := d.Readdir(-1)
	if len(rest) != 15 || err != nil {
		t.Errorf("the rest: %d entries, %v", len(rest), err)
	}
	if err := d.Close(); err != nil {
		t.Error(err)
	}
	if ops := st.wire.Ops(); !slices.Equal(ops, []string{"ListObjectsV2", "ListObjectsV2", "ListObjectsV2"}) {
		t.Errorf("it took %q", ops)
	}
}

// until waits for a condition that other goroutines bring about.
func until(t *testing.T, what string, is func() bool) {
	t.Helper()
	for begin := time.Now(); !is(); time.Sleep(time.Millisecond) {
		if time.Since(begin) > 10*time.Second {
			t.Fatalf("never: %s", what)
		}
	}
}

// TestListingEnds: closing a directory ends the request for the next page.
func TestListingEnds(t *testing.T) {
	st := newFake(t, fake.Options{})
	for i := range 3 {
		st.put(t, fmt.Sprintf("%02d", i), "")
	}
	fsys := st.backend(t, func(o *Options) { o.PageSize = 1 }).Open("", 0)
	st.wire.Inject(fake.Fault{Op: "ListObjectsV2", Skip: 1, Effect: fake.Hang()})
	d, err := fsys.Open("/")
	if err != nil {
		t.Fatal(err)
	}
	until(t, "the second page is asked for", func() bool { return st.wire.Running() == 1 })
	if err := d.Close(); err != nil {
		t.Error(err)
	}
	if n := st.wire.Running(); n != 0 {
		t.Errorf("%d requests go on", n)
	}
	if err := d.Close(); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("a second Close: %v", err)
	}
}

// TestListingFails: an error in the middle comes after the entries before it.
func TestListingFails(t *testing.T) {
	st := newFake(t, fake.Options{})
	for i := range 3 {
		st.put(t, fmt.Sprintf("%02d", i), "")
	}
	fsys := st.backend(t, func(o *Options) { o.PageSize = 2 }).Open("", 0)
	st.wire.Inject(fake.Fault{Op: "ListObjectsV2", Skip: 1, Effect: fake.Refuse(503, "SlowDown")})
	d, err := fsys.Open("/")
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if got, err := d.Readdir(5); len(got) != 2 || err != nil {
		t.Errorf("the first page: %d, %v", len(got), err)
	}
	for range 2 {
		if got, err := d.Readdir(5); len(got) != 0 || !errors.Is(err, vfs.ErrTransient) {
			t.Errorf("the second page: %d, %v", len(got), err)
		}
	}
}

// TestRepeatedPrefix: a store that repeats a prefix at the end of a page on the next one.
func TestRepeatedPrefix(t *testing.T) {
	st := newFake(t, fake.Options{})
	d := st.prefix + "d/"
	st.wire.Inject(fake.Fault{Op: "ListObjectsV2", Effect: answers(
		pageOf("1", d+"a/", d+"b/"), pageOf("2", d+"b/", d+"b"), pageOf("3", d+"b/", d+"c/"), pageOf("4", d+"c/"), pageOf("", d+"c/"))})
	if got := shows(t, st.backend(t).Open("", 0), "/d"); !slices.Equal(got, []string{"a/", "b", "b/", "c/"}) {
		t.Errorf("it lists %q", got)
	}
}

// TestMetadataTimes: listings show the time in the metadata where that is asked for.
func TestMetadataTimes(t *testing.T) {
	st := newFake(t, fake.Options{})
	st.put(t, "plain", "")
	_, err := st.direct.PutObject(t.Context(), &sdk.PutObjectInput{
		Bucket: &st.bucket, Key: aws.String(st.prefix + "timed"), Metadata: map[string]string{"mtime": "981173106.789012345"},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := time.Date(2001, 2, 3, 4, 5, 6, 789_012_345, time.UTC)
	for _, metadata := range []bool{false, true} {
		fsys := st.backend(t, func(o *Options) { o.MetadataTimes = metadata }).Open("", 0)
		st.wire.Forget()
		d, err := fsys.Open("/")
		if err != nil {
			t.Fatal(err)
		}
		entries, err := d.Readdir(-1)
		if err != nil || len(entries) != 2 {
			t.Fatalf("%d entries, %v", len(entries), err)
		}
		if got := entries[1].ModTime().Equal(want); got != metadata {
			t.Errorf("with metadata %t the time is %v", metadata, entries[1].ModTime())
		}
		if n := st.wire.Count("HeadObject"); (n > 0) != metadata {
			t.Errorf("with metadata %t it took %d HEADs", metadata, n)
		}
		_ = d.Close()
		if i, err := fsys.Stat("/timed"); err != nil || !i.ModTime().Equal(want) {
			t.Errorf("Stat: %v, %v", i, err)
		}
	}
}

// TestFractionsOfSeconds: some stores list fractions of seconds, which a HEAD has not.
func TestFractionsOfSeconds(t *testing.T) {
	st := newFake(t, fake.Options{})
	st.put(t, "f", "")
	st.wire.Inject(fake.Fault{Op: "ListObjectsV2", Effect: func(r *http.Request, next http.RoundTripper) (*http.Response, error) {
		resp, err := next.RoundTrip(r)
		if err != nil {
			return nil, err
		}
		defer resp.Body.Close()
		b, err := io.ReadAll(resp.Body)
		if !bytes.Contains(b, []byte(".000Z</LastModified>")) {
			t.Errorf("there is no time in %s", b)
		}
		b = bytes.ReplaceAll(b, []byte(".000Z"), []byte(".789Z"))
		resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader(b)), int64(len(b))
		return resp, err
	}})
	fsys := st.backend(t).Open("", 0)
	d, err := fsys.Open("/")
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	entries, err := d.Readdir(-1)
	if err != nil || len(entries) != 1 {
		t.Fatalf("%d entries, %v", len(entries), err)
	}
	if i, err := fsys.Stat("/f"); err != nil || !i.ModTime().Equal(entries[0].ModTime()) {
		t.Errorf("it is listed with %v, Stat says %v, %v", entries[0].ModTime(), i.ModTime(), err)
	}
}
