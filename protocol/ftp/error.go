package ftp

import "errors"

// What parsing can fail with. Which reply each becomes is for the caller to say.
var (
	// ErrEmpty: the command line is empty (500).
	ErrEmpty = errors.New("ftp: empty command line")
	// ErrSyntax: the text is not what its grammar allows (500 for a command line, 501 for an argument).
	ErrSyntax = errors.New("ftp: syntax error")
	// ErrLineTooLong: a line passed the limit of its LineReader and was dropped as a whole (500).
	ErrLineTooLong = errors.New("ftp: line too long")
	// ErrReplyTooLong: a reply passed the limit given to ReadReply.
	ErrReplyTooLong = errors.New("ftp: reply too long")
	// ErrNetworkProtocol: EPRT or EPSV named a network protocol other than IPv4 and IPv6 (522, RFC 2428 §2).
	ErrNetworkProtocol = errors.New("ftp: network protocol not supported")
	// ErrNotListing: a line of a listing describes no entry ("total 12", a banner, a format unknown here).
	ErrNotListing = errors.New("ftp: not a directory entry")
)

// Error is a reply that reports a failure. The reply goes to the peer; the
// cause, which may hold what the peer must not see, goes to the log.
type Error struct {
	Reply Reply
	Cause error
}

// Errorf returns an error that is answered with code and the formatted text; see Replyf.
func Errorf(code Code, format string, args ...any) *Error {
	return &Error{Reply: Replyf(code, format, args...)}
}

// Because returns a copy of e with its cause.
func (e *Error) Because(cause error) *Error {
	return &Error{Reply: e.Reply, Cause: cause}
}

// Error gives the reply's code and text, then the cause if that says anything. It is for logs, never for the peer.
func (e *Error) Error() string {
	if e.Cause == nil || e.Cause.Error() == "" {
		return e.Reply.String()
	}
	return e.Reply.String() + ": " + e.Cause.Error()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Cause }
