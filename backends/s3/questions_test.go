package s3

import (
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

const mib = 1 << 20

type serverQuestion struct {
	name    string
	ask     func(a *asker) string
	want    string
	versity string // if it differs
}

var serverQuestions = slices.Concat(conditionQuestions, multipartQuestions, copyQuestions, readQuestions, listQuestions, keyQuestions)

var conditionQuestions = []serverQuestion{
	{name: "create what is new", ask: func(a *asker) string { return a.putIf("f", "", "*") }, want: "ok"},
	{name: "create what exists", ask: func(a *asker) string {
		a.put(a.t, "f", "old")
		return a.putIf("f", "", "*") + ", " + a.content("f")
	}, want: "412 PreconditionFailed, old"},
	{name: "replace what is unchanged", ask: func(a *asker) string { return a.putIf("f", a.put(a.t, "f", "old"), "") }, want: "ok"},
	{name: "replace what has changed", ask: func(a *asker) string {
		etag := a.put(a.t, "f", "old")
		a.put(a.t, "f", "other")
		return a.putIf("f", etag, "") + ", " + a.content("f")
	}, want: "412 PreconditionFailed, other"},
	{name: "replace what is gone", ask: func(a *asker) string { return a.putIf("f", `"5eb63bbbe01eeed093cb22bb8f5acdc3"`, "") }, want: "404 NoSuchKey"},
	{name: "delete what is unchanged", ask: func(a *asker) string {
		return a.remove("f", a.put(a.t, "f", "old")) + ", " + a.content("f")
	}, want: "ok, nothing"},
	{name: "delete what has changed", ask: func(a *asker) string {
		etag := a.put(a.t, "f", "old")
		a.put(a.t, "f", "other")
		return a.remove("f", etag) + ", " + a.content("f")
	}, want: "412 PreconditionFailed, other"},
	{name: "delete what is gone, conditionally", ask: func(a *asker) string { return a.remove("f", `"5eb63bbbe01eeed093cb22bb8f5acdc3"`) }, want: "404 NoSuchKey", versity: "ok"},
	{name: "delete what is gone", ask: func(a *asker) string { return a.remove("f", "") }, want: "ok"},
}

var multipartQuestions = []serverQuestion{
	{name: "multipart", ask: func(a *asker) string {
		id := a.begin("f")
		p1, p2 := a.part("f", id, 1, 5*mib), a.part("f", id, 2, 3)
		before := a.content("f")
		out := a.complete("f", id, "", "", p1, p2)
		h := a.head(a.t, "f")
		return fmt.Sprintln(before, out, *h.ContentLength, h.Metadata, *h.ContentType, strings.HasSuffix(*h.ETag, `-2"`), a.uploads(a.t))
	}, want: "nothing ok 5242883 map[mtime:12.5] text/plain true []\n"},
	{name: "unequal parts", ask: func(a *asker) string {
		id := a.begin("f")
		return a.complete("f", id, "", "", a.part("f", id, 1, 5*mib), a.part("f", id, 2, 6*mib), a.part("f", id, 3, 5*mib+1), a.part("f", id, 4, 1))
	}, want: "ok"},
	{name: "part numbers with gaps", ask: func(a *asker) string {
		id := a.begin("f")
		return a.complete("f", id, "", "", a.part("f", id, 2, 5*mib), a.part("f", id, 7, 1))
	}, want: "ok"},
	{name: "small part", ask: func(a *asker) string {
		id := a.begin("f")
		return a.complete("f", id, "", "", a.part("f", id, 1, mib), a.part("f", id, 2, 1))
	}, want: "400 EntityTooSmall"},
	{name: "empty last part", ask: func(a *asker) string {
		id := a.begin("f")
		return a.complete("f", id, "", "", a.part("f", id, 1, 5*mib), a.part("f", id, 2, 0))
	}, want: "ok"},
	{name: "only an empty part", ask: func(a *asker) string {
		id := a.begin("f")
		return a.complete("f", id, "", "", a.part("f", id, 1, 0))
	}, want: "ok"},
	{name: "no parts", ask: func(a *asker) string { return a.complete("f", a.begin("f"), "", "") }, want: "400 MalformedXML"},
	{name: "parts out of order", ask: func(a *asker) string {
		id := a.begin("f")
		p1, p2 := a.part("f", id, 1, 5*mib), a.part("f", id, 2, 5*mib)
		return a.complete("f", id, "", "", p2, p1)
	}, want: "400 InvalidPartOrder"},
	{name: "wrong ETag of a part", ask: func(a *asker) string {
		id := a.begin("f")
		p := a.part("f", id, 1, 10)
		p.ETag = aws.String(`"5eb63bbbe01eeed093cb22bb8f5acdc3"`)
		return a.complete("f", id, "", "", p)
	}, want: "400 InvalidPart"},
	{name: "complete twice", ask: func(a *asker) string {
		id := a.begin("f")
		p := a.part("f", id, 1, 10)
		return a.complete("f", id, "", "", p) + ", " + a.complete("f", id, "", "", p)
	}, want: "ok, 404 NoSuchUpload", versity: "ok, ok"},
	{name: "complete what was aborted", ask: func(a *asker) string {
		id := a.begin("f")
		p := a.part("f", id, 1, 10)
		abort := func() string {
			_, err := a.direct.AbortMultipartUpload(a.t.Context(), &sdk.AbortMultipartUploadInput{Bucket: &a.bucket, Key: a.key("f"), UploadId: id})
			return outcome(err)
		}
		return abort() + ", " + a.complete("f", id, "", "", p) + ", " + abort()
	}, want: "ok, 404 NoSuchUpload, 404 NoSuchUpload"},
	{name: "complete onto what exists", ask: func(a *asker) string {
		id := a.begin("f")
		p := a.part("f", id, 1, 10)
		a.put(a.t, "f", "old")
		return a.complete("f", id, "", "*", p) + ", " + a.content("f") + fmt.Sprint(a.uploads(a.t))
	}, want: "412 PreconditionFailed, old[f]"},
	{name: "complete onto what is unchanged", ask: func(a *asker) string {
		id := a.begin("f")
		p := a.part("f", id, 1, 3)
		return a.complete("f", id, a.put(a.t, "f", "old"), "", p) + ", " + a.content("f")
	}, want: "ok, bbb"},
	{name: "complete onto what has changed", ask: func(a *asker) string {
		id := a.begin("f")
		p := a.part("f", id, 1, 3)
		etag := a.put(a.t, "f", "old")
		a.put(a.t, "f", "other")
		return a.complete("f", id, etag, "", p) + ", " + a.content("f")
	}, want: "412 PreconditionFailed, other"},
	{name: "complete onto what is gone", ask: func(a *asker) string {
		id := a.begin("f")
		return a.complete("f", id, `"5eb63bbbe01eeed093cb22bb8f5acdc3"`, "", a.part("f", id, 1, 3))
	}, want: "404 NoSuchKey"},
	{name: "list parts", ask: func(a *asker) string {
		id := a.begin("f")
		a.part("f", id, 1, 3)
		a.part("f", id, 4, 5)
		out, err := a.direct.ListParts(a.t.Context(), &sdk.ListPartsInput{Bucket: &a.bucket, Key: a.key("f"), UploadId: id})
		if err != nil {
			return outcome(err)
		}
		s := ""
		for _, p := range out.Parts {
			s += fmt.Sprint(*p.PartNumber, ":", *p.Size, " ")
		}
		return s
	}, want: "1:3 4:5 "},
	{name: "list uploads", ask: func(a *asker) string {
		a.begin("f")
		a.begin("d/g")
		a.begin("d/g")
		return fmt.Sprint(a.uploads(a.t))
	}, want: "[d/g d/g f]"},
}

var copyQuestions = []serverQuestion{
	{name: "copy", ask: func(a *asker) string {
		a.put(a.t, "f", "content")
		return a.copy("f", "g", nil) + ", " + a.content("g")
	}, want: "ok, content"},
	{name: "copy nothing", ask: func(a *asker) string { return a.copy("f", "g", nil) }, want: "404 NoSuchKey"},
	{name: "copy what has changed", ask: func(a *asker) string {
		a.put(a.t, "f", "content")
		return a.copy("f", "g", func(in *sdk.CopyObjectInput) { in.CopySourceIfMatch = aws.String(`"5eb63bbbe01eeed093cb22bb8f5acdc3"`) }) + ", " + a.content("g")
	}, want: "412 PreconditionFailed, nothing"},
	{name: "copy onto what exists, exclusively", ask: func(a *asker) string {
		a.put(a.t, "f", "content")
		a.put(a.t, "g", "old")
		return a.copy("f", "g", func(in *sdk.CopyObjectInput) { in.IfNoneMatch = aws.String("*") }) + ", " + a.content("g")
	}, want: "412 PreconditionFailed, old", versity: "ok, content"},
	{name: "copy onto itself", ask: func(a *asker) string {
		a.put(a.t, "f", "content")
		return a.copy("f", "f", nil)
	}, want: "400 InvalidRequest"},
	{name: "copy onto itself with metadata", ask: func(a *asker) string {
		etag := a.put(a.t, "f", "content")
		out := a.copy("f", "f", func(in *sdk.CopyObjectInput) {
			in.MetadataDirective, in.Metadata, in.CopySourceIfMatch = types.MetadataDirectiveReplace, map[string]string{"mtime": "3"}, &etag
		})
		h := a.head(a.t, "f")
		return fmt.Sprintln(out, h.Metadata, *h.ETag == etag)
	}, want: "ok map[mtime:3] true\n"},
	{name: "copy keeps metadata", ask: func(a *asker) string {
		id := a.begin("f")
		a.complete("f", id, "", "", a.part("f", id, 1, 3))
		out := a.copy("f", "g", nil)
		h := a.head(a.t, "g")
		return fmt.Sprint(out, " ", h.Metadata, *h.ContentType)
	}, want: "ok map[mtime:12.5]text/plain"},
	{name: "a part that is a copy", ask: func(a *asker) string {
		etag := a.put(a.t, "f", strings.Repeat("x", 6*mib))
		id := a.begin("f")
		p1, out := a.copyPart("f", id, 1, "f", "bytes=0-5242879", etag)
		return out + ", " + a.complete("f", id, etag, "", p1, a.part("f", id, 2, 3)) + fmt.Sprint(" ", *a.head(a.t, "f").ContentLength)
	}, want: "ok, ok 5242883"},
	{name: "a part that copies what has changed", ask: func(a *asker) string {
		a.put(a.t, "f", "x")
		_, out := a.copyPart("f", a.begin("f"), 1, "f", "", `"5eb63bbbe01eeed093cb22bb8f5acdc3"`)
		return out
	}, want: "412 PreconditionFailed"},
	{name: "a part that copies nothing", ask: func(a *asker) string {
		_, out := a.copyPart("f", a.begin("f"), 1, "f", "", "")
		return out
	}, want: "404 NoSuchKey"},
	{name: "a part that copies too much", ask: func(a *asker) string {
		a.put(a.t, "f", "x")
		_, out := a.copyPart("f", a.begin("f"), 1, "f", "bytes=0-1", "")
		return out
	}, want: "400 InvalidArgument"},
	{name: "a key that needs escaping is copied", ask: func(a *asker) string {
		const name = "a b+c%d?e&f=ü"
		a.put(a.t, name, "content")
		out, err := a.direct.CopyObject(a.t.Context(), &sdk.CopyObjectInput{Bucket: &a.bucket, Key: a.key("g"), CopySource: aws.String(a.bucket + "/" + a.prefix + "a%20b%2Bc%25d%3Fe%26f%3D%C3%BC")})
		_ = out
		return outcome(err) + ", " + a.content("g")
	}, want: "ok, content"},
}

var readQuestions = []serverQuestion{
	{name: "range", ask: func(a *asker) string { a.put(a.t, "f", "0123456789"); return a.rangeOf("f", "bytes=3-5") }, want: `"345" bytes 3-5/10 ok`},
	{name: "open range", ask: func(a *asker) string { a.put(a.t, "f", "0123456789"); return a.rangeOf("f", "bytes=7-") }, want: `"789" bytes 7-9/10 ok`},
	{name: "long range", ask: func(a *asker) string { a.put(a.t, "f", "0123456789"); return a.rangeOf("f", "bytes=7-99") }, want: `"789" bytes 7-9/10 ok`},
	{name: "range at the end", ask: func(a *asker) string { a.put(a.t, "f", "0123456789"); return a.rangeOf("f", "bytes=10-") }, want: "416 InvalidRange"},
	{name: "range of nothing", ask: func(a *asker) string { a.put(a.t, "f", ""); return a.rangeOf("f", "bytes=0-99") }, want: "416 InvalidRange"},
	{name: "read what is unchanged", ask: func(a *asker) string { return a.readIf("f", a.put(a.t, "f", "x"), "") }, want: "ok"},
	{name: "read what has changed", ask: func(a *asker) string {
		a.put(a.t, "f", "x")
		return a.readIf("f", `"5eb63bbbe01eeed093cb22bb8f5acdc3"`, "")
	}, want: "412 PreconditionFailed"},
	{name: "read unless unchanged", ask: func(a *asker) string { return a.readIf("f", "", a.put(a.t, "f", "x")) }, want: "304 NotModified"},
	{name: "read nothing, conditionally", ask: func(a *asker) string { return a.readIf("f", `"5eb63bbbe01eeed093cb22bb8f5acdc3"`, "") }, want: "404 NoSuchKey"},
}

var listQuestions = []serverQuestion{
	{name: "list", ask: func(a *asker) string {
		for _, k := range []string{"a", "b/1", "b/2", "b/sub/3", "b-c", "c"} {
			a.put(a.t, k, "")
		}
		return a.list("", "/", "", 1000) + "\n" + a.list("b/", "/", "", 1000) + "\n" + a.list("", "", "", 1000)
	}, want: "a b-c c +b/\nb/1 b/2 +b/sub/\na b-c b/1 b/2 b/sub/3 c"},
	{name: "list in pages", ask: func(a *asker) string {
		for _, k := range []string{"a", "b/1", "b/2", "b/3", "c", "d/1", "d/2", "e"} {
			a.put(a.t, k, "")
		}
		return a.list("", "/", "", 2)
	}, want: "a +b/\nc +d/\ne"},
	{name: "list after", ask: func(a *asker) string {
		for _, k := range []string{"a", "b/1", "b/2", "c"} {
			a.put(a.t, k, "")
		}
		return a.list("", "/", "a", 1000) + "\n" + a.list("", "", "b/1", 1000)
	}, want: "c +b/\nb/2 c"},
	{name: "list nothing", ask: func(a *asker) string { return a.list("none/", "/", "", 1000) }, want: ""},
	{name: "marker", ask: func(a *asker) string {
		a.put(a.t, "d/", "")
		a.put(a.t, "d/f", "x")
		return a.list("", "/", "", 1000) + "\n" + a.list("d/", "/", "", 1000) + "\n" + a.remove("d/f", "") + "\n" + a.list("", "/", "", 1000)
	}, want: "+d/\nd/ d/f\nok\n+d/"},
	{name: "the last object goes", ask: func(a *asker) string {
		a.put(a.t, "d/f", "x")
		return a.remove("d/f", "") + "\n" + a.list("", "/", "", 1000)
	}, want: "ok\n"},
}

var keyQuestions = []serverQuestion{
	{name: "object and prefix", ask: func(a *asker) string {
		a.put(a.t, "f", "x")
		_, err := a.direct.PutObject(a.t.Context(), &sdk.PutObjectInput{Bucket: &a.bucket, Key: a.key("f/g"), Body: strings.NewReader("y")})
		return outcome(err)
	}, want: "ok", versity: "409 ObjectParentIsFile"},
	{name: "object below an object", ask: func(a *asker) string {
		a.put(a.t, "f/g", "x")
		_, err := a.direct.PutObject(a.t.Context(), &sdk.PutObjectInput{Bucket: &a.bucket, Key: a.key("f"), Body: strings.NewReader("y")})
		return outcome(err)
	}, want: "ok", versity: "409 ExistingObjectIsDirectory"},
	{name: "head below an object", ask: func(a *asker) string {
		a.put(a.t, "f", "x")
		_, err := a.direct.HeadObject(a.t.Context(), &sdk.HeadObjectInput{Bucket: &a.bucket, Key: a.key("f/g")})
		return outcome(err)
	}, want: "404 NotFound"},
	{name: "head of a prefix", ask: func(a *asker) string {
		a.put(a.t, "d/g", "x")
		_, err := a.direct.HeadObject(a.t.Context(), &sdk.HeadObjectInput{Bucket: &a.bucket, Key: a.key("d")})
		_, err2 := a.direct.HeadObject(a.t.Context(), &sdk.HeadObjectInput{Bucket: &a.bucket, Key: a.key("d/")})
		return outcome(err) + ", " + outcome(err2)
	}, want: "404 NotFound, 404 NotFound"},
	{name: "delete a prefix", ask: func(a *asker) string {
		a.put(a.t, "d/g", "x")
		return a.remove("d", "") + ", " + a.remove("d/", "") + ", " + a.content("d/g")
	}, want: "ok, ok, x", versity: "ok, 400 ErrDirectoryNotEmpty, x"},
	{name: "marker of a directory with files", ask: func(a *asker) string {
		a.put(a.t, "d/g", "x")
		a.put(a.t, "d/", "")
		return a.remove("d/", "") + ", " + a.content("d/g")
	}, want: "ok, x"},
	{name: "double slash", ask: func(a *asker) string {
		_, err := a.direct.PutObject(a.t.Context(), &sdk.PutObjectInput{Bucket: &a.bucket, Key: a.key("d//g"), Body: strings.NewReader("y")})
		return outcome(err) + " " + fmt.Sprint(a.keys(a.t))
	}, want: "ok [d//g]", versity: "ok [d/g]"},
	{name: "long segment", ask: func(a *asker) string {
		_, err := a.direct.PutObject(a.t.Context(), &sdk.PutObjectInput{Bucket: &a.bucket, Key: a.key(strings.Repeat("n", 300)), Body: strings.NewReader("y")})
		return outcome(err)
	}, want: "ok", versity: "409 ExistingObjectIsDirectory"},
	{name: "long key", ask: func(a *asker) string {
		_, err := a.direct.PutObject(a.t.Context(), &sdk.PutObjectInput{Bucket: &a.bucket, Key: a.key(strings.Repeat("n/", 600) + "n"), Body: strings.NewReader("y")})
		return outcome(err)
	}, want: "400 KeyTooLongError", versity: "ok"},
	{name: "encoded names", ask: func(a *asker) string {
		for _, name := range []string{"%41 b+c", "\x01 \x1b\x7f"} {
			if _, err := a.direct.PutObject(a.t.Context(), &sdk.PutObjectInput{Bucket: &a.bucket, Key: a.key(name)}); err != nil {
				return outcome(err)
			}
		}
		out, err := a.direct.ListObjectsV2(a.t.Context(), &sdk.ListObjectsV2Input{Bucket: &a.bucket, Prefix: &a.prefix, EncodingType: types.EncodingTypeUrl})
		if err != nil {
			return outcome(err)
		}
		s := string(out.EncodingType)
		for _, o := range out.Contents {
			s += " " + strings.TrimPrefix(*o.Key, a.prefix)
		}
		return s
	}, want: "url %01+%1B%7F %2541+b%2Bc", versity: " \ufffd \ufffd\x7f %41 b+c"},
}
