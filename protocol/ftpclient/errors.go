package ftpclient

import (
	"errors"
	"io/fs"
	"strings"

	"github.com/ftpgate/ftpgate/protocol/ftp"
)

// Errors of this package. Refusals of the server are *ftp.Error, mostly within an
// *fs.PathError whose Op is the verb: errors.As finds it. Where its code and text tell,
// errors.Is holds for fs.ErrNotExist, fs.ErrExist, fs.ErrPermission, errors.ErrUnsupported, ErrNotEmpty,
// ErrQuota or ErrLogin.
var (
	// ErrBroken: the connection is gone, or out of step and was closed. The error that
	// broke it came from an earlier call.
	ErrBroken = errors.New("ftpclient: the control connection is no longer usable")
	// ErrBusy: a transfer is going on; close or abort it first.
	ErrBusy = errors.New("ftpclient: a transfer is going on")
	// ErrIncomplete: a transfer ended without both the end of data and a good final reply.
	ErrIncomplete = errors.New("ftpclient: transfer incomplete")
	// ErrAborted: Abort was called, or a Download closed before its end.
	ErrAborted = errors.New("ftpclient: transfer aborted")
	// ErrStalled: no byte moved for StallTimeout.
	ErrStalled = errors.New("ftpclient: the data connection stalled")
	// ErrProtocol: the server sent what no server may send.
	ErrProtocol = errors.New("ftpclient: the server broke the protocol")
	// ErrTimeout: no reply within ReplyTimeout, or no connection within ConnectTimeout.
	ErrTimeout = errors.New("ftpclient: the server did not answer in time")
	// ErrBadName: a name, credential or command holds CR, LF or NUL, or cannot be encoded.
	ErrBadName = errors.New("ftpclient: CR, LF, NUL or a character that the encoding does not have")
	// ErrNoTLS: Explicit was asked for and the server refused AUTH TLS or PROT P.
	ErrNoTLS = errors.New("ftpclient: the server refused TLS")
	// ErrTooLong: a reply or a listing passed its bound.
	ErrTooLong = errors.New("ftpclient: reply or listing too long")
	// ErrLogin: user, password or account was refused.
	ErrLogin = errors.New("ftpclient: login refused")
	// ErrNotEmpty: a directory to be removed has entries.
	ErrNotEmpty = errors.New("ftpclient: directory not empty")
	// ErrQuota: no space, or not for this user.
	ErrQuota = errors.New("ftpclient: no space left")
)

// pathError adds what was asked for.
func pathError(verb, path string, err error) error {
	if path == "" {
		return &worded{verb + ": " + err.Error(), err}
	}
	return &fs.PathError{Op: verb, Path: path, Err: err}
}

// refusal is a reply as an error.
func refusal(verb, path string, r ftp.Reply) error {
	// What a server says may end on a terminal.
	lines := make([]string, len(r.Lines))
	for i, line := range r.Lines {
		lines[i] = strings.Map(printable, line)
	}
	err := &ftp.Error{Reply: ftp.Reply{Code: r.Code, Lines: lines}}
	if cause := meaning(r, path); cause != nil {
		err.Cause = meant{cause}
	}
	if verb == "" {
		return err
	}
	return pathError(verb, path, err)
}

// meant is what a reply means, found by errors.Is. It says nothing, since the reply has said it.
type meant struct{ err error }

func (meant) Error() string { return "" }

func (m meant) Unwrap() error { return m.err }

func printable(c rune) rune {
	if c < ' ' || 0x7F <= c && c < 0xA0 {
		return '?'
	}
	return c
}

// meanings are what servers write with a 550 or 553, in lower case; the first that fits counts.
// Those that say nothing ("550 Failed to open file.") have no meaning.
var meanings = []struct {
	text string
	err  error
}{
	{"could not create file", nil}, // vsftpd, whatever the reason
	{"not empty", ErrNotEmpty},
	{"no such", fs.ErrNotExist},
	{"not found", fs.ErrNotExist},
	{"does not exist", fs.ErrNotExist},
	{"doesn't exist", fs.ErrNotExist},
	{"not exist", fs.ErrNotExist},
	{"cannot find", fs.ErrNotExist},
	{"can't find", fs.ErrNotExist},
	{"check for file existence", fs.ErrNotExist}, // pure-ftpd
	{"exists", fs.ErrExist},
	{"already exist", fs.ErrExist},
	{"permission", fs.ErrPermission},
	{"denied", fs.ErrPermission},
	{"not allowed", fs.ErrPermission},
	{"not permitted", fs.ErrPermission},
	{"forbidden", fs.ErrPermission},
	{"read-only", fs.ErrPermission},
	{"quota", ErrQuota},
	{"no space", ErrQuota},
	{"disk full", ErrQuota},
}

// meaning is what a refusal means, as far as its code and text tell, without the name that some servers repeat in
// it; nil if they do not.
func meaning(r ftp.Reply, path string) error {
	switch r.Code {
	case 500, 502, 504:
		return errors.ErrUnsupported
	case 452, 552:
		return ErrQuota
	case 530, 532:
		return fs.ErrPermission
	case 521:
		return fs.ErrExist // of MKD (RFC 1123 §4.1.2.9 has it in FTP's older drafts)
	case 450, 550, 553, 501:
	default:
		return nil
	}
	text := strings.Join(r.Lines, " ")
	if path != "" {
		text = strings.ReplaceAll(text, path, "")
	}
	text = strings.ToLower(text)
	for _, m := range meanings {
		if strings.Contains(text, m.text) {
			return m.err
		}
	}
	if r.Code == 553 {
		return fs.ErrPermission // "file name not allowed"
	}
	return nil
}
