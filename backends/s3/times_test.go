package s3

import (
	"bytes"
	"errors"
	"io/fs"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/ftpgate/ftpgate/backends/s3/internal/fake"
	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// TestMtimeFormat: the texts are what rclone writes for these times.
func TestMtimeFormat(t *testing.T) {
	for _, c := range []struct {
		at   time.Time
		text string
	}{
		{time.Unix(0, 0), "0"},
		{time.Unix(1136214245, 0), "1136214245"},
		{time.Unix(1136214245, 123456789), "1136214245.123456789"},
		{time.Unix(1136214245, 5), "1136214245.000000005"},
		{time.Unix(1, 500_000_000), "1.5"},
		{time.Unix(-1, 0), "-1"},
		{time.Unix(-2, 750_000_000), "-1.25"},
		{time.Unix(-1, 750_000_000), "-0.25"},
		{time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC), "253402300799"},
	} {
		if got := formatMtime(c.at); got != c.text {
			t.Errorf("%v is %q, want %q", c.at, got, c.text)
		}
		if got, ok := parseMtime(c.text); !ok || !got.Equal(c.at) {
			t.Errorf("%q is %v, %t", c.text, got, ok)
		}
	}
	for _, text := range []string{"", "-", ".5", "x", "1.x", "1.-5", "--1", "1e9", "99999999999999", "+1", " 1"} {
		if got, ok := parseMtime(text); ok {
			t.Errorf("%q is %v", text, got)
		}
	}
	if got, ok := parseMtime("1.1234567891"); !ok || !got.Equal(time.Unix(1, 123456789)) {
		t.Errorf("more digits than a nanosecond: %v, %t", got, ok)
	}
}

func TestChtimes(t *testing.T) {
	want := time.Date(2001, 2, 3, 4, 5, 6, 789_000_000, time.UTC)
	for _, part := range []int64{0, 5 << 20} {
		eachStore(t, func(t *testing.T, st *store) {
			content := make([]byte, 6<<20)
			_, err := st.direct.PutObject(t.Context(), &sdk.PutObjectInput{
				Bucket: &st.bucket, Key: aws.String(st.prefix + "f"), Body: bytes.NewReader(content),
				ContentType: aws.String("text/x-test"), Metadata: map[string]string{"color": "red"},
			})
			if err != nil {
				t.Fatal(err)
			}
			fsys := st.backend(t, cached5s, func(o *Options) { o.CopyPart = part }).Open("", 0)
			for _, at := range []time.Time{want.Add(time.Hour), want} {
				if err := fsys.Chtimes("/f", at, at); err != nil {
					t.Fatal(err)
				}
				if i, err := fsys.Stat("/f"); err != nil || !i.ModTime().Equal(at) || i.Size() != int64(len(content)) {
					t.Errorf("Stat: %v, %v", i, err)
				}
			}
			h := st.head(t, "f")
			if aws.ToString(h.ContentType) != "text/x-test" || h.Metadata["color"] != "red" || h.Metadata["mtime"] != "981173106.789" {
				t.Errorf("it is %q, %v", aws.ToString(h.ContentType), h.Metadata)
			}
		})
	}
}

func TestChtimesRefused(t *testing.T) {
	st := newFake(t, fake.Options{})
	st.put(t, "d/f", "")
	fsys := st.backend(t).Open("", 0)
	at := time.Unix(1, 0)
	for name, want := range map[string]error{"/none": fs.ErrNotExist, "/d": vfs.ErrUnsupported, "/": vfs.ErrUnsupported} {
		if err := fsys.Chtimes(name, at, at); !errors.Is(err, want) {
			t.Errorf("%q: %v", name, err)
		}
	}
}

// TestChtimesRace: a version that somebody stores meanwhile is not overwritten with the old one.
func TestChtimesRace(t *testing.T) {
	st := newFake(t, fake.Options{})
	st.put(t, "f", "one")
	fsys := st.backend(t).Open("", 0)
	// The store has read the old version already, so only the condition on the target can tell.
	st.wire.Inject(fake.Fault{Op: "CopyObject", Times: 1, Effect: func(r *http.Request, next http.RoundTripper) (*http.Response, error) {
		st.put(t, "f", "two")
		return fake.Strip("X-Amz-Copy-Source-If-Match")(r, next)
	}})
	at := time.Unix(1, 0)
	if err := fsys.Chtimes("/f", at, at); err != nil {
		t.Errorf("chtimes: %v", err)
	}
	if got, _ := st.get(t, "f"); got != "two" {
		t.Errorf("it holds %q", got)
	}
	if n := st.wire.Count("CopyObject"); n != 2 {
		t.Errorf("it took %d copies", n)
	}
	if i, err := fsys.Stat("/f"); err != nil || !i.ModTime().Equal(at) {
		t.Errorf("Stat: %v, %v", i, err)
	}
}

// TestTimeStaysInListings: a time that this gateway knows is shown by listings too, also
// after a rename.
func TestTimeStaysInListings(t *testing.T) {
	eachStore(t, func(t *testing.T, st *store) {
		st.put(t, "d/f", "content")
		fsys := st.backend(t, cached5s).Open("", 0)
		at := time.Unix(981173106, 0)
		listed := func(dir, name string) {
			t.Helper()
			d, err := fsys.Open(dir)
			if err != nil {
				t.Fatal(err)
			}
			defer d.Close()
			entries, err := d.Readdir(-1)
			if err != nil || len(entries) != 1 || entries[0].Name() != name || !entries[0].ModTime().Equal(at) {
				t.Errorf("%s lists %v, %v", dir, entries, err)
			}
		}
		if err := fsys.Chtimes("/d/f", at, at); err != nil {
			t.Fatal(err)
		}
		listed("/d", "f")
		if err := fsys.Rename("/d/f", "/d/g"); err != nil {
			t.Fatal(err)
		}
		listed("/d", "g")
		if err := fsys.Rename("/d", "/e"); err != nil {
			t.Fatal(err)
		}
		listed("/e", "g")
		if i, err := fsys.Stat("/e/g"); err != nil || !i.ModTime().Equal(at) {
			t.Errorf("Stat: %v, %v", i, err)
		}
	})
}

// TestTurnsOfTimes: MFMT, which looks now and copies later, and DELE wait for whoever else works on the
// object: an upload between look and copy would be lost, and a deletion undone.
func TestTurnsOfTimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, newBubble(t, fake.Options{NoConditions: true}))
		r.store.put(t, "f", "old")
		for _, do := range []func() error{
			func() error { return r.fs.Chtimes("/f", time.Time{}, time.Unix(1e9, 0)) },
			func() error { return r.fs.Remove("/f") },
		} {
			done, err := r.b.turns.take(t.Context(), r.fs.o.Prefix+"f")
			if err != nil {
				t.Fatal(err)
			}
			r.wire.Forget()
			ended := make(chan error, 1)
			go func() { ended <- do() }()
			synctest.Wait()
			select {
			case err := <-ended:
				t.Errorf("it did not wait: %v", err)
			default:
			}
			for _, op := range r.wire.Ops() {
				if op == "CopyObject" || op == "DeleteObject" {
					t.Errorf("asked %s", op)
				}
			}
			done()
			if err := <-ended; err != nil {
				t.Error(err)
			}
		}
	})
}

// TestTimeOfPartsIsSet: an object in parts that was not copied onto itself is not taken for its copy, though
// both have the same ETag.
func TestTimeOfPartsIsSet(t *testing.T) {
	for what, effect := range map[string]fake.Effect{"not done": fake.Reset(), "done": fake.LoseAnswer()} {
		st := newFake(t, fake.Options{MinPartSize: leastPart})
		st.putParts(t, "f", "seed")
		fsys := st.backend(t, func(o *Options) { o.CopyPart, o.minPart = faultPart, leastPart }).Open("", 0)
		st.wire.Inject(fake.Fault{Op: "CompleteMultipartUpload", Effect: effect})
		err := fsys.Chtimes("/f", time.Time{}, time.Unix(1e9, 0))
		i, statErr := fsys.Stat("/f")
		if statErr != nil {
			t.Fatal(statErr)
		}
		if set := i.ModTime().Equal(time.Unix(1e9, 0)); set != (err == nil) || set != (what == "done") {
			t.Errorf("%s: it says %v, and the time is %v", what, err, i.ModTime())
		}
	}
}
