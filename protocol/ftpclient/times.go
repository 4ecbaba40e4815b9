package ftpclient

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/ftpgate/ftpgate/protocol/ftp"
)

func parseSize(text string) (int64, error) {
	n, err := strconv.ParseUint(text, 10, 63)
	if err != nil {
		return 0, fmt.Errorf("%w: %q is no size", ErrProtocol, text)
	}
	return int64(n), nil
}

func (c *Conn) timeOf(r Result) (time.Time, error) {
	if r.Err != nil {
		return time.Time{}, r.Err
	}
	text, err := value(r.Reply)
	if err != nil {
		return time.Time{}, err
	}
	t, err := ftp.ParseTime(text)
	if err != nil {
		return time.Time{}, fmt.Errorf("%w: %q is no time", ErrProtocol, text)
	}
	return c.fromServer(t), nil
}

// fromServer is the moment that the server means by a time of RFC 3659.
func (c *Conn) fromServer(t time.Time) time.Time {
	if !c.o.LocalTimes || c.o.TimeZone == nil || t.IsZero() {
		return t
	}
	return time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), c.o.TimeZone).UTC()
}

// stamp is a moment as the server means it, without a fraction.
func (c *Conn) stamp(t time.Time) string {
	if c.o.LocalTimes && c.o.TimeZone != nil {
		_, offset := t.In(c.o.TimeZone).Zone()
		t = t.Add(time.Duration(offset) * time.Second)
	}
	return ftp.FormatTime(t.Truncate(time.Second))
}

// ModTime asks MDTM (RFC 3659 §3).
func (c *Conn) ModTime(ctx context.Context, path string) (time.Time, error) {
	r, err := c.do(ctx, "MDTM", path)
	if err != nil {
		return time.Time{}, err
	}
	return c.timeOf(result("MDTM", path, r))
}

// SetModTime sets the time of a file: by MFMT (draft-somers-ftp-mfxx), MDTM with a time, or SITE UTIME, whichever the
// server knows; errors.ErrUnsupported if none. What is smaller than a second is left out.
func (c *Conn) SetModTime(ctx context.Context, path string, t time.Time) error {
	f, err := c.Features(ctx)
	if err != nil {
		return pathError("MFMT", path, err)
	}
	first := 0
	if !f.Has("MFMT") && f.Lines != nil {
		first = 1
	}
	if way, ok := c.wayToSetTimes(); ok {
		first = way
	}
	for i := first; i < waysToSetTimes; i++ {
		way := c.timeCommand(i, FileTime{path, t})
		_, err = c.want(ctx, way.Verb, way.Arg)
		if err == nil {
			c.mu.Lock()
			c.utime = i + 1
			c.mu.Unlock()
			return nil
		}
		// A server that knows MDTM without a time takes the time for a part of the name.
		if i == 0 && !errors.Is(err, errors.ErrUnsupported) || !isRefusal(err) {
			return err
		}
	}
	return pathError("MFMT", path, errors.Join(errors.ErrUnsupported, err))
}

// FileTime is a file and the time that it is to have.
type FileTime struct {
	Path string
	Time time.Time
}

// SetModTimes is SetModTime for many files, without waiting for each reply. There is one error for each.
func (c *Conn) SetModTimes(ctx context.Context, files []FileTime) []error {
	errs := make([]error, len(files))
	next := 0
	for ; next < len(files); next++ {
		if _, ok := c.wayToSetTimes(); ok {
			break
		}
		errs[next] = c.SetModTime(ctx, files[next].Path, files[next].Time)
	}
	way, _ := c.wayToSetTimes()
	commands := make([]ftp.Command, 0, len(files)-next)
	for _, f := range files[next:] {
		commands = append(commands, c.timeCommand(way, f))
	}
	for i, r := range c.Batch(ctx, commands) {
		errs[next+i] = r.Err
	}
	return errs
}

// waysToSetTimes is how many ways there are, best first.
const waysToSetTimes = 4

// timeCommand is the command of a way.
func (c *Conn) timeCommand(way int, f FileTime) ftp.Command {
	verb := [waysToSetTimes]string{"MFMT", "MDTM", "SITE UTIME", "SITE UTIME"}[way]
	if way < waysToSetTimes-1 {
		return ftp.Command{Verb: verb + " " + c.stamp(f.Time), Arg: f.Path}
	}
	utc := ftp.FormatTime(f.Time.Truncate(time.Second))
	return ftp.Command{Verb: verb, Arg: fmt.Sprintf("%s %s %s %s UTC", f.Path, utc, utc, utc)}
}

func (c *Conn) wayToSetTimes() (way int, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.utime - 1, c.utime > 0
}
