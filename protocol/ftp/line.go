package ftp

import (
	"bytes"
	"io"
)

// idleBuffer is what an idle session holds. It takes most commands in one
// read; it grows only while a longer line is on its way.
const idleBuffer = 256

// maxEmptyReads bounds readers that return neither bytes nor an error.
const maxEmptyReads = 100

// LineReader reads the lines of a control connection and takes Telnet commands
// out of them (RFC 959 §3.2, RFC 854). LF ends a line, and one CR before it is
// dropped. Its memory never exceeds the limit given to NewLineReader by more
// than a few hundred bytes, whatever the peer sends. It is used by one
// goroutine at a time.
type LineReader struct {
	// Refuse, if set, is called from within ReadLine with the Telnet answer
	// that refuses an option the peer asked for or offered: IAC WONT x to
	// IAC DO x, IAC DONT x to IAC WILL x. The bytes are valid during the call.
	Refuse func(answer []byte)

	r     io.Reader
	limit int

	buf       []byte // small[:], or a larger one while a long line is on its way
	line, end int    // buf[line:end] is the unfinished line, already without Telnet commands
	raw, last int    // buf[raw:last] has been read but not looked at; end <= raw
	skip      bool   // the line is to be dropped: it is over-long
	telnet    telnetState

	small [idleBuffer]byte
}

// NewLineReader returns a reader of the lines of r. The limit, in bytes and at
// least 1, is for one line without its end and without Telnet commands.
func NewLineReader(r io.Reader, limit int) *LineReader {
	l := &LineReader{limit: max(limit, 1)}
	l.Reset(r)
	return l
}

// ReadLine returns the next line without its end; it is valid until the next
// call of any method.
//
// A line beyond the limit is dropped up to its LF and reported once, then, as
// ErrLineTooLong; the next call goes on with the line after it. An error of the
// underlying reader, such as a deadline, loses nothing: calling again goes on in
// mid-line. At the end of input an unfinished line is dropped and the error is
// io.EOF.
func (l *LineReader) ReadLine() ([]byte, error) {
	for {
		if line, ok, err := l.decode(); ok || err != nil {
			return line, err
		}
		if err := l.fill(); err != nil {
			if err == io.EOF {
				l.Discard()
			}
			return nil, err
		}
	}
}

// Buffered reports whether anything is held that no ReadLine has returned: whole lines or a part of one.
func (l *LineReader) Buffered() bool {
	return l.raw < l.last || l.line < l.end || l.skip || l.telnet.inside()
}

// Discard drops everything held, a part of a line included, as AUTH TLS demands
// of whatever was sent in the clear (THREATS: CVE-2011-0411).
func (l *LineReader) Discard() {
	l.buf = l.small[:]
	l.line, l.end, l.raw, l.last = 0, 0, 0, 0
	l.skip, l.telnet = false, telnetState{}
}

// Reset drops everything held and goes on with r: the same connection under TLS, for one.
func (l *LineReader) Reset(r io.Reader) {
	l.Discard()
	l.r = r
}

// decode moves bytes from raw to the line, in place, up to the end of a line.
// There is always room: nothing in raw becomes more than one byte.
func (l *LineReader) decode() (line []byte, ok bool, err error) {
	for l.raw < l.last {
		c := l.buf[l.raw]
		l.raw++
		switch {
		case l.telnet.inside() && l.inTelnet(c):
		case c == '\n':
			return l.finish()
		case c == telnetIAC:
			// It is stored as if it were text, and taken back if a command follows.
			l.telnet.step = telnetCommand
			if !l.skip {
				l.buf[l.end] = c
				l.end++
			}
		case !l.skip:
			l.buf[l.end] = c
			l.end++
			l.measure()
		}
	}
	return nil, false, nil
}

// measure gives up a line that cannot fit even if a CR is still to be dropped.
func (l *LineReader) measure() {
	if l.end-l.line > l.limit+1 {
		l.skip, l.end = true, l.line
	}
}

// finish takes the line at its LF and starts the next one behind it.
func (l *LineReader) finish() (line []byte, ok bool, err error) {
	line = bytes.TrimSuffix(l.buf[l.line:l.end:l.end], []byte{'\r'})
	tooLong := l.skip || len(line) > l.limit
	l.line, l.end, l.skip = l.raw, l.raw, false
	if tooLong {
		return nil, false, ErrLineTooLong
	}
	return line, true, nil
}

// fill reads once. All of raw has been looked at by then.
func (l *LineReader) fill() error {
	switch {
	case l.line == l.end:
		l.line, l.end = 0, 0
		if !l.skip {
			l.buf = l.small[:]
		}
	case l.end < len(l.buf):
	case l.line > 0:
		l.end = copy(l.buf, l.buf[l.line:l.end])
		l.line = 0
	default:
		// Beyond the limit there is room for a CR, an undecided IAC and one byte to read.
		larger := make([]byte, min(2*len(l.buf), l.limit+3))
		copy(larger, l.buf)
		l.buf = larger
	}
	l.raw, l.last = l.end, l.end
	for range maxEmptyReads {
		// An error that comes with bytes comes again without them.
		n, err := l.r.Read(l.buf[l.last:])
		if n > 0 {
			l.last += n
			return nil
		}
		if err != nil {
			return err
		}
	}
	return io.ErrNoProgress
}
