package ftp

import (
	"fmt"
	"strconv"
	"strings"
)

// Code is a reply code. Codes are written as numbers, as the RFCs do.
type Code int

// codeUnusable is sent for a Code that has not three digits: a defect of the
// caller must not become a defect of the framing.
const codeUnusable Code = 451

// Reply is one reply of the control connection (RFC 959 §4.2). Lines hold the
// text without codes and line ends; more than one make a multi-line reply, none
// the code alone. Lines of FEAT and MLST begin with one space by the caller.
type Reply struct {
	Code  Code
	Lines []string
}

// Replyf returns a reply of one line. Without args the format is the text
// itself, so that a text from elsewhere is never taken for a format.
func Replyf(code Code, format string, args ...any) Reply {
	if len(args) > 0 {
		format = fmt.Sprintf(format, args...)
	}
	return Reply{Code: code, Lines: []string{format}}
}

// Append appends the wire form to b: "ddd text" or "ddd-first", inner lines,
// "ddd last", each ended by CRLF. Text cannot break the framing: every C0
// control character and DEL goes out as "?", the byte 0xFF is doubled (Telnet
// IAC, RFC 854), and an inner line that starts with a digit is moved right by
// one space.
func (r Reply) Append(b []byte) []byte {
	code := r.Code
	if code < 100 || code > 999 {
		code = codeUnusable
	}
	last := len(r.Lines) - 1
	if last < 0 {
		b = strconv.AppendInt(b, int64(code), 10)
		return append(b, " \r\n"...)
	}
	for i, line := range r.Lines {
		switch {
		case i == last:
			b = strconv.AppendInt(b, int64(code), 10)
			b = append(b, ' ')
		case i == 0:
			b = strconv.AppendInt(b, int64(code), 10)
			b = append(b, '-')
		case line != "" && isDigit(line[0]):
			b = append(b, ' ')
		}
		b = appendText(b, line)
		b = append(b, '\r', '\n')
	}
	return b
}

// leadC1 is the first of the two bytes that encode U+0080 to U+00BF.
const leadC1 = 0xC2

// appendText appends text as it may stand on the control connection.
func appendText(b []byte, text string) []byte {
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c < ' ' || c == 0x7F:
			b = append(b, '?')
		case c == leadC1 && i+1 < len(text) && 0x80 <= text[i+1] && text[i+1] < 0xA0:
			b = append(b, '?')
			i++
		case c == telnetIAC:
			b = append(b, telnetIAC, telnetIAC)
		default:
			b = append(b, c)
		}
	}
	return b
}

// String gives code and text as one string with lines joined by "\n", for logs
// and tests. It is not escaped.
func (r Reply) String() string {
	return strconv.Itoa(int(r.Code)) + " " + strings.Join(r.Lines, "\n")
}
