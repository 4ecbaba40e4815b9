package probe

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"time"

	"github.com/ftpgate/ftpgate/protocol/ftp"
	"github.com/ftpgate/ftpgate/protocol/ftpclient"
)

// size of the file, in bytes.
const size = 10_000

// roundTrip stores a file, looks at it, fetches it, and deletes it.
func (p *probe) roundTrip(ctx context.Context, c *ftpclient.Conn) {
	switch {
	case !p.Write:
		p.tell("round trip", Note, "not tried", "whether files can be stored and fetched is not known", "leave out --read-only")
		return
	case p.User.Anonymous():
		p.tell("round trip", Note, "not tried", "whether files can be stored and fetched is not known", "give a user: ftpgate probe ftp://USER@HOST/")
		return
	}
	content := make([]byte, size)
	_, _ = rand.Read(content) // never fails
	name := "ftpgate-probe-" + rand.Text()[:10] + ".tmp"
	begun := time.Now()
	_, err := c.StoreFrom(ctx, name, bytes.NewReader(content))
	if err != nil {
		if !errors.As(err, new(*ftp.Error)) || errors.Is(err, ftpclient.ErrIncomplete) {
			_ = p.remove(ctx, c, name) // a part of it may be there, and that uploads fail is told below
		}
		if errors.Is(err, fs.ErrPermission) || refused(err, 550) {
			p.tell("round trip", Note, err.Error(), "this user may not store files here", "")
			return
		}
		mend := "look into the log of the server"
		if errors.Is(err, ftpclient.ErrQuota) {
			mend = "make room on the server, or give this user more of it"
		}
		p.tell("round trip", Problem, err.Error(), "uploads fail", mend)
		return
	}
	failed := p.back(ctx, c, name, content)
	took := time.Since(begun)
	removed := ""
	if err := p.remove(ctx, c, name); err != nil {
		p.tell("round trip", Note, fmt.Sprintf("%s stays there: %v", name, err), "this user may store files and not delete them", "delete it as somebody else")
	} else {
		removed = "; " + name + " is removed"
	}
	if !failed {
		p.tell("round trip", OK, fmt.Sprintf("%d bytes there and back in %s%s", size, milliseconds(took), removed), "", "")
	}
}

// cleanup is how long the removal of the file may take when the probe has been interrupted or the connection lost.
const cleanup = 5 * time.Second

// remove deletes the file, on another connection if this one is lost, also after an interruption.
func (p *probe) remove(ctx context.Context, c *ftpclient.Conn, name string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanup)
	defer cancel()
	if !c.Usable() {
		var err error
		if c, err = p.dial(ctx, p.URL.Address(), nil); err != nil {
			return err
		}
		defer c.Close()
	}
	err := c.Delete(ctx, name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

func refused(err error, code ftp.Code) bool {
	var e *ftp.Error
	return errors.As(err, &e) && e.Reply.Code == code
}

// skew is how far clocks may be apart before mirrors notice.
const skew = 2 * time.Minute

// back looks at the file and fetches it, whole and in part.
func (p *probe) back(ctx context.Context, c *ftpclient.Conn, name string, content []byte) (failed bool) {
	if e, err := c.Stat(ctx, name); err == nil && !e.ModTime.IsZero() {
		if apart := p.Now().Sub(e.ModTime).Abs(); apart > skew {
			p.tell("clock", Warning, fmt.Sprintf("a file that was just stored is %v old or early", apart.Round(time.Second)),
				"mirrors that compare times copy too much or too little", "let the server keep time by NTP, and tell times in UTC (RFC 3659)")
		} else {
			p.tell("clock", OK, "right to two minutes, and in UTC", "", "")
		}
	}
	for _, offset := range []int64{0, 1000} {
		got, err := fetch(ctx, c, name, offset)
		switch {
		case err != nil && offset == 0 && (errors.Is(err, fs.ErrPermission) || refused(err, 550)):
			p.tell("round trip", Note, err.Error(), "this user may store files and not fetch them", "")
			return true
		case err != nil && offset > 0:
			p.tell("resume", Warning, err.Error(), "transfers that break off begin again", "let the server accept REST")
		case err != nil:
			p.tell("round trip", Problem, err.Error(), "downloads fail", "look into the log of the server")
			return true
		case !bytes.Equal(got, content[offset:]):
			p.tell("round trip", Problem, fmt.Sprintf("%d bytes came back from offset %d, and not those that were stored", len(got), offset),
				"files are damaged", "look for what changes line ends, or offsets")
			return true
		case offset > 0:
			p.tell("resume", OK, "a transfer can begin in the middle", "", "")
		}
	}
	return false
}

func fetch(ctx context.Context, c *ftpclient.Conn, name string, offset int64) ([]byte, error) {
	d, err := c.Retrieve(ctx, name, offset)
	if err != nil {
		return nil, err
	}
	defer d.Close()
	return io.ReadAll(io.LimitReader(d, 2*size))
}
