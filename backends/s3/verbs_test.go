package s3

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/afero"

	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// sample is text of a size, every 16 bytes of which are different.
func sample(seed string, size int) string {
	var b strings.Builder
	for i := 0; b.Len() < size; i++ {
		fmt.Fprintf(&b, "%-6s%09d\n", seed, i)
	}
	return b.String()[:size]
}

// storing uploads content in pieces, as a session does.
func storing(name string, flag int, from int64, content string) func(afero.Fs) error {
	return func(fsys afero.Fs) error {
		f, err := fsys.OpenFile(name, flag, vfs.NewFileMode)
		if err != nil {
			return err
		}
		if flag == vfs.ModeRestart {
			if _, err := f.Seek(from, io.SeekStart); err != nil {
				return errors.Join(err, vfs.Abort(f))
			}
		}
		for rest := content; rest != ""; {
			n := min(500, len(rest))
			if _, err := f.Write([]byte(rest[:n])); err != nil {
				closed := f.Close()
				if closed == nil {
					return fmt.Errorf("Close is nil after a Write that said %w", err)
				}
				return closed
			}
			rest = rest[n:]
		}
		return f.Close()
	}
}

func fetching(name string, from int64, want string) func(afero.Fs) error {
	return func(fsys afero.Fs) error {
		f, err := fsys.OpenFile(name, vfs.ModeRead, 0)
		if err != nil {
			return err
		}
		defer f.Close()
		if from > 0 {
			if _, err := f.Seek(from, io.SeekStart); err != nil {
				return err
			}
		}
		got, err := io.ReadAll(f)
		if !strings.HasPrefix(want, string(got)) {
			return fmt.Errorf("read wrong bytes: %.40q", got)
		}
		if err == nil && string(got) != want {
			return fmt.Errorf("%d bytes of %d and no error", len(got), len(want))
		}
		return err
	}
}

func listingOf(dir string, want ...string) func(afero.Fs) error {
	return func(fsys afero.Fs) error {
		d, err := vfs.Directories(fsys).OpenFile(dir, vfs.ModeRead, 0)
		if err != nil {
			return err
		}
		defer d.Close()
		var got []string
		for {
			batch, err := d.Readdir(2)
			for _, e := range batch {
				got = append(got, e.Name())
			}
			if err == io.EOF { //nolint:errorlint // it is io.EOF itself
				break
			}
			if err != nil {
				return err
			}
		}
		slices.Sort(got)
		if !slices.Equal(got, want) {
			return fmt.Errorf("listed %q", got)
		}
		return nil
	}
}

func files(pairs ...string) map[string]string {
	m := make(map[string]string)
	for i := 0; i < len(pairs); i += 2 {
		m[pairs[i]] = pairs[i+1]
	}
	return m
}

var faultyVerbs = []verb{
	{name: "STOR small", before: files("d/f", "old"), do: storing("/d/f", vfs.ModeReplace, 0, sample("new", smallFile)), after: files("d/f", sample("new", smallFile))},
	{name: "STOR new", do: storing("/d/f", vfs.ModeCreate, 0, sample("new", smallFile)), after: files("d/f", sample("new", smallFile))},
	{name: "STOR parts", parts: true, before: files("d/f", "old"), do: storing("/d/f", vfs.ModeReplace, 0, sample("new", largeFile)), after: files("d/f", sample("new", largeFile))},
	{name: "STOR new parts", parts: true, do: storing("/d/f", vfs.ModeCreate, 0, sample("new", largeFile)), after: files("d/f", sample("new", largeFile))},
	{name: "APPE small", before: files("d/f", sample("old", smallFile)), do: storing("/d/f", vfs.ModeAppend, 0, sample("new", smallFile)), after: files("d/f", sample("old", smallFile)+sample("new", smallFile))},
	{name: "APPE new", do: storing("/d/f", vfs.ModeAppend, 0, sample("new", smallFile)), after: files("d/f", sample("new", smallFile))},
	{name: "APPE parts", parts: true, before: files("d/f", sample("old", largeFile)), do: storing("/d/f", vfs.ModeAppend, 0, sample("new", mediumFile)), after: files("d/f", sample("old", largeFile)+sample("new", mediumFile))},
	{name: "REST small", before: files("d/f", sample("old", smallFile)), do: storing("/d/f", vfs.ModeRestart, 100, sample("new", 900)), after: files("d/f", sample("old", 100)+sample("new", 900))},
	{name: "REST parts", parts: true, before: files("d/f", sample("old", largeFile)), do: storing("/d/f", vfs.ModeRestart, mediumFile, sample("new", largeFile)), after: files("d/f", sample("old", mediumFile)+sample("new", largeFile))},
	{name: "RETR", before: files("d/f", sample("old", largeFile)), do: fetching("/d/f", 0, sample("old", largeFile)), after: files("d/f", sample("old", largeFile))},
	{name: "REST and RETR", before: files("d/f", sample("old", largeFile)), do: fetching("/d/f", 1000, sample("old", largeFile)[1000:]), after: files("d/f", sample("old", largeFile))},
	{name: "LIST", before: files("d/a", "", "d/b/f", "", "d/c", "x"), do: listingOf("/d", "a", "b", "c"), after: files("d/a", "", "d/b/f", "", "d/c", "x")},
	{name: "SIZE", before: files("d/f", "12345"), do: func(f afero.Fs) error {
		info, err := f.Stat("/d/f")
		if err == nil && info.Size() != 5 {
			err = fmt.Errorf("the size is %d", info.Size())
		}
		return err
	}, after: files("d/f", "12345")},
	{name: "CWD", before: files("d/e/f", "x"), do: func(f afero.Fs) error {
		_, err := vfs.Directories(f).Stat("/d/e")
		return err
	}, after: files("d/e/f", "x")},
	{name: "MFMT", before: files("d/f", "12345"), do: func(f afero.Fs) error {
		at := time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC)
		return f.Chtimes("/d/f", at, at)
	}, after: files("d/f", "12345")},
	{name: "DELE", before: files("d/f", "x", "d/g", "y"), do: func(f afero.Fs) error { return f.Remove("/d/f") }, after: files("d/g", "y")},
	{name: "MKD", do: func(f afero.Fs) error { return f.Mkdir("/d", vfs.NewDirMode) }, after: files("d/", "")},
	{name: "RMD", before: files("d/", "", "f", "x"), do: func(f afero.Fs) error { return vfs.Directories(f).Remove("/d") }, after: files("f", "x")},
	{name: "RNTO", before: files("d/f", "x", "d/g", "y"), do: func(f afero.Fs) error { return f.Rename("/d/f", "/d/h") },
		after: files("d/g", "y", "d/h", "x"), between: is(files("d/f", "x", "d/g", "y", "d/h", "x"))},
	{name: "RNTO over", before: files("d/f", "new", "d/g", "old"), do: func(f afero.Fs) error { return f.Rename("/d/f", "/d/g") },
		after: files("d/g", "new"), between: is(files("d/f", "new", "d/g", "new"))},
	{name: "RNTO exclusive", before: files("d/f", "x", "d/g", "y"), do: func(f afero.Fs) error { return vfs.RenameExclusive(f, "/d/f", "/d/h") },
		after: files("d/g", "y", "d/h", "x"), between: is(files("d/f", "x", "d/g", "y", "d/h", "x"))},
	{name: "RNTO parts", parts: true, before: files("d/f", sample("old", largeFile), "d/g", "y"), do: func(f afero.Fs) error { return f.Rename("/d/f", "/d/h") },
		after:   files("d/g", "y", "d/h", sample("old", largeFile)),
		between: is(files("d/f", sample("old", largeFile), "d/g", "y", "d/h", sample("old", largeFile)))},
	{name: "RNTO exclusive parts", parts: true, before: files("d/f", sample("old", largeFile), "d/g", "y"),
		do:      func(f afero.Fs) error { return vfs.RenameExclusive(f, "/d/f", "/d/h") },
		after:   files("d/g", "y", "d/h", sample("old", largeFile)),
		between: is(files("d/f", sample("old", largeFile), "d/g", "y", "d/h", sample("old", largeFile)))},
	{name: "RNTO directory", before: files("d/a", "1", "d/e/b", "2", "d/e/c", "3", "f", "x"), do: func(f afero.Fs) error { return f.Rename("/d", "/n") },
		after: files("n/", "", "n/a", "1", "n/e/b", "2", "n/e/c", "3", "f", "x"), between: halfRenamed},
	{name: "LIST pages", before: files("d/a", "", "d/b/f", "", "d/c", "x", "d/e", "", "d/g", ""), do: listingOf("/d", "a", "b", "c", "e", "g"),
		after: files("d/a", "", "d/b/f", "", "d/c", "x", "d/e", "", "d/g", ""), options: func(o *Options) { o.PageSize = 2 }},
	{name: "LIST and REST and RETR", before: files("d/f", sample("old", largeFile)), do: func(f afero.Fs) error {
		if err := listingOf("/d", "f")(f); err != nil {
			return err
		}
		return fetching("/d/f", 1000, sample("old", largeFile)[1000:])(f)
	}, after: files("d/f", sample("old", largeFile)), options: func(o *Options) { o.MetadataCache = time.Minute }},
}

func is(state map[string]string) func(map[string]string) bool {
	return func(left map[string]string) bool { return maps.Equal(left, state) }
}

// halfRenamed: every file is whole under the old name or the new one, and no old one
// is gone before all are copied.
func halfRenamed(left map[string]string) bool {
	content := files("a", "1", "e/b", "2", "e/c", "3")
	copied, gone := 0, 0
	for name, want := range content {
		if old, ok := left["d/"+name]; !ok {
			gone++
		} else if old != want {
			return false
		}
		if now, ok := left["n/"+name]; ok && now == want {
			copied++
		} else if ok {
			return false
		}
	}
	return left["f"] == "x" && (gone == 0 || copied == len(content))
}
