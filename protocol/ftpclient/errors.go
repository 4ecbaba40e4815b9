package ftpclient

import "errors"

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
