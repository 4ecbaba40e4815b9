package s3

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/ftpgate/ftpgate/backends/s3/internal/fake"
	"github.com/ftpgate/ftpgate/protocol/vfs"
)

var awkwardNames = []string{"a b", "a+b", "100%", "%2B", `"quoted"`, "it's", "a&b=c?d#e;f", "ü", "日本語", "~!@$^*()[]{}|:,<>", `back\slash`}

// TestRenameAwkward: every name survives the header that names the source of a copy.
func TestRenameAwkward(t *testing.T) {
	eachStore(t, func(t *testing.T, st *store) {
		fsys := st.backend(t).Open("", 0)
		for _, name := range awkwardNames {
			st.put(t, "d "+name+"/"+name, name)
			if err := fsys.Rename("/d "+name+"/"+name, "/moved"); err != nil {
				t.Errorf("rename %q: %v", name, err)
				continue
			}
			if got, _ := st.get(t, "moved"); got != name {
				t.Errorf("%q holds %q", name, got)
			}
			if err := fsys.Rename("/moved", "/d "+name+"/"+name+name); err != nil {
				t.Errorf("rename to %q: %v", name+name, err)
			}
			if got, _ := st.get(t, "d "+name+"/"+name+name); got != name {
				t.Errorf("%q holds %q", name+name, got)
			}
		}
	})
}

func TestRenameCost(t *testing.T) {
	st := newFake(t, fake.Options{})
	fsys := st.backend(t, cached5s).Open("", 0)
	st.put(t, "f.tmp", "content")
	if _, err := fsys.Stat("/f.tmp"); err != nil { // as RNFR does
		t.Fatal(err)
	}
	st.wire.Forget()
	if err := fsys.Rename("/f.tmp", "/f"); err != nil {
		t.Fatal(err)
	}
	if ops := st.wire.Ops(); !slices.Equal(ops, []string{"ListObjectsV2", "CopyObject", "HeadObject", "DeleteObject"}) {
		t.Errorf("it took %q", ops)
	}
	if keys := st.keys(t); !slices.Equal(keys, []string{"f"}) {
		t.Errorf("there are %q", keys)
	}
}

// TestRenameKeepsAttributes: also of an object that is copied in parts.
func TestRenameKeepsAttributes(t *testing.T) {
	eachStore(t, func(t *testing.T, st *store) {
		content := strings.Repeat("0123456789abcdef", 11<<20/16)
		_, err := st.direct.PutObject(t.Context(), &sdk.PutObjectInput{
			Bucket: &st.bucket, Key: aws.String(st.prefix + "f"), Body: strings.NewReader(content),
			ContentType: aws.String("text/x-test"), CacheControl: aws.String("no-cache"),
			Metadata: map[string]string{"color": "red"}, Tagging: aws.String("a=b&c=d+e"),
		})
		if err != nil {
			t.Fatal(err)
		}
		fsys := st.backend(t, func(o *Options) { o.CopyPart = 5 << 20 }).Open("", 0)
		st.wire.Forget()
		if err := fsys.Rename("/f", "/g"); err != nil {
			t.Fatal(err)
		}
		if n := st.wire.Count("UploadPartCopy"); n != 3 {
			t.Errorf("%d parts were copied", n)
		}
		if got, _ := st.get(t, "g"); got != content {
			t.Error("the content is another one")
		}
		h := st.head(t, "g")
		if aws.ToString(h.ContentType) != "text/x-test" || aws.ToString(h.CacheControl) != "no-cache" || h.Metadata["color"] != "red" {
			t.Errorf("it is %q, %q, %v", aws.ToString(h.ContentType), aws.ToString(h.CacheControl), h.Metadata)
		}
		if tags := st.tags(t, "g"); !slices.Equal(tags, []string{"a=b", "c=d e"}) {
			t.Errorf("it has the tags %q", tags)
		}
		if uploads := st.uploads(t); len(uploads) != 0 {
			t.Errorf("uploads linger: %q", uploads)
		}
	})
}

// tags returns those of an object, sorted.
func (st *store) tags(t testing.TB, key string) (tags []string) {
	t.Helper()
	out, err := st.direct.GetObjectTagging(t.Context(), &sdk.GetObjectTaggingInput{Bucket: &st.bucket, Key: aws.String(st.prefix + key)})
	if err != nil {
		t.Fatal(err)
	}
	for _, tag := range out.TagSet {
		tags = append(tags, aws.ToString(tag.Key)+"="+aws.ToString(tag.Value))
	}
	slices.Sort(tags)
	return tags
}

// TestRenameInterrupted: whatever goes wrong, the file is under one of its names, or under both.
func TestRenameInterrupted(t *testing.T) {
	for _, c := range []struct {
		what    string
		part    int64
		fault   fake.Fault
		want    error // nil: it succeeds
		oldname bool
		newname bool
	}{
		{"the copy is refused", 0, fake.Fault{Op: "CopyObject", Effect: fake.Refuse(503, "SlowDown")}, vfs.ErrTransient, true, false},
		{"an error in a success", 0, fake.Fault{Op: "CopyObject", Effect: fake.Refuse(200, "InternalError")}, vfs.ErrTransient, true, false},
		{"the answer to the copy is lost", 0, fake.Fault{Op: "CopyObject", Effect: fake.LoseAnswer()}, nil, false, true},
		{"the deletion is refused", 0, fake.Fault{Op: "DeleteObject", Effect: fake.Refuse(403, "AccessDenied")}, fs.ErrPermission, true, true},
		{"a part is refused", 5 << 20, fake.Fault{Op: "UploadPartCopy", Skip: 1, Effect: fake.Refuse(503, "SlowDown")}, vfs.ErrTransient, true, false},
		{"an error in the success of the completion", 5 << 20, fake.Fault{Op: "CompleteMultipartUpload", Effect: fake.Refuse(200, "InternalError")}, vfs.ErrTransient, true, false},
		{"the answer to the completion is lost", 5 << 20, fake.Fault{Op: "CompleteMultipartUpload", Effect: fake.LoseAnswer()}, nil, false, true},
	} {
		t.Run(c.what, func(t *testing.T) {
			st := newFake(t, fake.Options{})
			content := strings.Repeat("x", 6<<20)
			st.put(t, "old", content)
			fsys := st.backend(t, func(o *Options) { o.CopyPart = c.part }).Open("", 0)
			st.wire.Inject(c.fault)
			if err := fsys.Rename("/old", "/new"); !errors.Is(err, c.want) {
				t.Errorf("rename: %v, want %v", err, c.want)
			}
			for name, want := range map[string]bool{"old": c.oldname, "new": c.newname} {
				if got, ok := st.get(t, name); ok != want || ok && got != content {
					t.Errorf("%q is there: %t, %d bytes", name, ok, len(got))
				}
			}
			if uploads := st.uploads(t); len(uploads) != 0 {
				t.Errorf("uploads linger: %q", uploads)
			}
		})
	}
}

// TestRenameChanged: a source that changes meanwhile is not lost.
func TestRenameChanged(t *testing.T) {
	st := newFake(t, fake.Options{})
	st.put(t, "f", "one")
	fsys := st.backend(t, cached5s).Open("", 0)
	if _, err := fsys.Stat("/f"); err != nil {
		t.Fatal(err)
	}
	st.put(t, "f", "two, which the cache does not know")
	if err := fsys.Rename("/f", "/g"); err != nil {
		t.Errorf("a change before the copy: %v", err)
	}
	if got, _ := st.get(t, "g"); !strings.HasPrefix(got, "two") {
		t.Errorf("it holds %q", got)
	}
	st.wire.Inject(fake.Fault{Op: "DeleteObject", Times: 1, Effect: fake.Before(func() { st.put(t, "g", "three") })})
	if err := fsys.Rename("/g", "/h"); !errors.Is(err, vfs.ErrTransient) {
		t.Errorf("a change between copy and deletion: %v", err)
	}
	if got, _ := st.get(t, "g"); got != "three" {
		t.Errorf("what was stored meanwhile is %q", got)
	}
}

// TestRenameExclusiveRace: somebody takes the name between the look and the copy.
func TestRenameExclusiveRace(t *testing.T) {
	for _, part := range []int64{0, 5 << 20} {
		st := newFake(t, fake.Options{})
		st.put(t, "f", strings.Repeat("x", 6<<20))
		fsys := st.backend(t, func(o *Options) { o.CopyPart = part }).Open("", 0)
		op := "CopyObject"
		if part > 0 {
			op = "CompleteMultipartUpload"
		}
		st.wire.Inject(fake.Fault{Op: op, Effect: fake.Before(func() { st.put(t, "g", "theirs") })})
		if err := vfs.RenameExclusive(fsys, "/f", "/g"); !errors.Is(err, fs.ErrExist) {
			t.Errorf("rename: %v", err)
		}
		if got, _ := st.get(t, "g"); got != "theirs" {
			t.Errorf("theirs is %.10q", got)
		}
		if _, ok := st.get(t, "f"); !ok {
			t.Error("ours is gone")
		}
	}
}

// TestRenameWithoutConditions: where the store refuses conditions, the look has to do.
func TestRenameWithoutConditions(t *testing.T) {
	st := newFake(t, fake.Options{})
	st.put(t, "f", "content")
	st.put(t, "taken", "")
	fsys := st.backend(t).Open("", 0)
	st.wire.Inject(fake.Fault{When: conditional, Effect: fake.Refuse(501, "NotImplemented")})
	if err := vfs.RenameExclusive(fsys, "/f", "/taken"); !errors.Is(err, fs.ErrExist) {
		t.Errorf("onto a file: %v", err)
	}
	if err := vfs.RenameExclusive(fsys, "/f", "/g"); err != nil {
		t.Errorf("rename: %v", err)
	}
	if keys := st.keys(t); !slices.Equal(keys, []string{"g", "taken"}) {
		t.Errorf("there are %q", keys)
	}
}

func TestRenameDirectory(t *testing.T) {
	eachStore(t, func(t *testing.T, st *store) {
		fsys := st.backend(t, cached5s).Open("", 0)
		want := []string{"new/"}
		for i := range 40 {
			key := fmt.Sprintf("%d/%02d", i%4, i)
			st.put(t, "p/old/"+key, key)
			want = append(want, "new/"+key)
		}
		st.put(t, "p/old/empty/", "")
		st.put(t, "p/older", "")
		want = append(want, "new/empty/", "p/older")
		st.wire.Forget()
		if err := fsys.Rename("/p/old", "/new"); err != nil {
			t.Fatal(err)
		}
		keys := st.keys(t)
		keys = slices.DeleteFunc(keys, func(key string) bool { return strings.HasSuffix(key, "/") && !slices.Contains(want, key) }) // a file system's
		slices.Sort(want)
		if slices.Sort(keys); !slices.Equal(keys, want) {
			t.Errorf("there are %q, want %q", keys, want)
		}
		if got, _ := st.get(t, "new/3/39"); got != "3/39" {
			t.Errorf("a file holds %q", got)
		}
		if h := st.head(t, "new/"); strings.Contains(h.Metadata[renamingKey], "old") {
			t.Errorf("the marker says %v", h.Metadata)
		}
		copied := false
		for i, op := range slices.Backward(st.wire.Ops()) {
			if copied = copied || op == "CopyObject"; copied && op == "DeleteObject" {
				t.Errorf("request %d deletes before all is copied", i)
			}
		}
	})
}

func TestRenameDirectoryRefused(t *testing.T) {
	st := newFake(t, fake.Options{})
	for _, key := range []string{"d/f", "e/g", "file"} {
		st.put(t, key, "")
	}
	fsys := st.backend(t, func(o *Options) { o.RenameLimit = 1 }).Open("", 0)
	before := st.keys(t)
	for _, c := range []struct {
		from, to string
		want     error
	}{
		{"/d", "/e", fs.ErrExist},
		{"/d", "/file", fs.ErrExist},
		{"/d", "/d/sub", fs.ErrInvalid},
		{"/none", "/x", fs.ErrNotExist},
		{"/file", "/e", fs.ErrExist},
		{"/d", "/caf\xe9", vfs.ErrBadName},
		{"/d", "/" + strings.Repeat("x", maxKey-len(st.prefix)-1), vfs.ErrBadName},
	} {
		if err := fsys.Rename(c.from, c.to); !errors.Is(err, c.want) {
			t.Errorf("%s to %.10s: %v, want %v", c.from, c.to, err, c.want)
		}
	}
	if after := st.keys(t); !slices.Equal(before, after) {
		t.Errorf("%q became %q", before, after)
	}
	st.put(t, "d/g", "")
	if err := fsys.Rename("/d", "/x"); !errors.Is(err, vfs.ErrUnsupported) {
		t.Errorf("too many: %v", err)
	}
}

// TestRenameDirectoryAgain: cut anywhere, nothing is lost, and the same command given
// again ends it.
func TestRenameDirectoryAgain(t *testing.T) {
	const files = 12
	content := func(i int) string { return fmt.Sprintf("content %d", i) }
	for _, op := range []string{"PutObject", "CopyObject", "DeleteObject"} {
		for skip := range files + 1 {
			st := newFake(t, fake.Options{})
			for i := range files {
				st.put(t, fmt.Sprintf("old/%d", i), content(i))
			}
			fsys := st.backend(t, cached5s).Open("", 0)
			ctx, cancel := context.WithCancel(t.Context())
			cut := st.wire.Inject(fake.Fault{Op: op, Skip: skip, Effect: fake.Before(cancel)})
			err := vfs.WithContext(ctx, fsys).Rename("/old", "/new")
			if cut() > 0 && op != "PutObject" && skip < files && !errors.Is(err, context.Canceled) {
				t.Errorf("%s %d: cut, it says %v", op, skip, err)
			}
			st.wire.Heal()
			st.wire.CloseIdleConnections() // see connect
			for i := range files {
				_, old := st.get(t, fmt.Sprintf("old/%d", i))
				got, moved := st.get(t, fmt.Sprintf("new/%d", i))
				if !old && (!moved || got != content(i)) {
					t.Errorf("%s %d: file %d is lost", op, skip, i)
				}
			}
			if err != nil {
				if err := fsys.Rename("/old", "/new"); err != nil {
					t.Errorf("%s %d: again: %v", op, skip, err)
				}
			}
			if n := len(st.keys(t)); n != files+1 {
				t.Errorf("%s %d: there are %q", op, skip, st.keys(t))
			}
			cancel()
		}
	}
}

// TestRenameDirectoryChanged: files that come or change meanwhile are not lost.
func TestRenameDirectoryChanged(t *testing.T) {
	st := newFake(t, fake.Options{})
	for i := range 3 {
		st.put(t, fmt.Sprintf("old/%d", i), "one")
	}
	fsys := st.backend(t).Open("", 0)
	st.wire.Inject(fake.Fault{Op: "DeleteObject", Times: 1, Effect: fake.Before(func() {
		for i := range 3 {
			st.put(t, fmt.Sprintf("old/%d", i), "two")
		}
		st.put(t, "old/late", "two")
	})})
	if err := fsys.Rename("/old", "/new"); !errors.Is(err, vfs.ErrTransient) {
		t.Errorf("rename: %v", err)
	}
	for _, name := range []string{"old/0", "old/1", "old/2", "old/late"} {
		if got, _ := st.get(t, name); got != "two" {
			t.Errorf("%q holds %q", name, got)
		}
	}
}

// TestRenameExclusiveTurns: where the store ignores conditions, the sessions of one
// gateway do not lose each other's files all the same.
func TestRenameExclusiveTurns(t *testing.T) {
	st := newFake(t, fake.Options{NoConditions: true})
	fsys := st.backend(t).Open("", 0)
	const sessions = 8
	results := make(chan error, sessions)
	for i := range sessions {
		st.put(t, fmt.Sprint(i), "content")
	}
	for i := range sessions {
		go func() { results <- vfs.RenameExclusive(fsys, fmt.Sprintf("/%d", i), "/target") }()
	}
	succeeded := 0
	for range sessions {
		switch err := <-results; {
		case err == nil:
			succeeded++
		case !errors.Is(err, fs.ErrExist):
			t.Error(err)
		}
	}
	if n := len(st.keys(t)); succeeded != 1 || n != sessions {
		t.Errorf("%d succeeded, and %d files are left", succeeded, n)
	}
}

// TestRenameSaysItOnce: the message of a failed rename names it once.
func TestRenameSaysItOnce(t *testing.T) {
	st := newFake(t, fake.Options{})
	st.put(t, "a", "1")
	st.put(t, "b", "2")
	err := vfs.RenameExclusive(st.backend(t).Open("", 0), "/a", "/b")
	if want := "rename /a /b: file already exists"; err == nil || err.Error() != want {
		t.Errorf("it says %v, want %s", err, want)
	}
}
