package pi

import (
	"context"
	"errors"
	"io/fs"
	"strings"
	"unicode/utf8"

	"github.com/ftpgate/ftpgate/auth"
	"github.com/ftpgate/ftpgate/protocol/dtp"
	"github.com/ftpgate/ftpgate/protocol/ftp"
	"github.com/ftpgate/ftpgate/protocol/vfs"
)

var (
	errDenied = &fs.PathError{Op: "access", Err: fs.ErrPermission}

	// errNoClient: the data arrived, but nobody is left to be told so (strict commit).
	errNoClient = errors.New("control connection closed before the upload could be published")
)

// replyTo is the one map from error to reply. The client is told its own path and a
// bland reason; the cause goes to the trace. What is not in the map is 451.
func replyTo(err error, c *command) ftp.Reply {
	var reply *ftp.Error
	if errors.As(err, &reply) {
		return reply.Reply
	}
	code, text := codeFor(err, c.row)
	if c.row != nil {
		switch c.row.verb {
		case "HASH":
			code = hashCode(err, code)
		case "USER", "PASS": // RFC 959 §5.4 has no other code for what may work later
			if code == 450 {
				code, text = 421, "You cannot be logged in at the moment, try again later; closing control connection."
			}
		}
	}
	if c.Arg != "" && c.row != nil && (c.row.arg == argPath || c.row.arg == argOptionalPath) && code >= 550 {
		text = shown(c.Arg) + ": " + text
	}
	return ftp.Reply{Code: code, Lines: []string{text}}
}

func codeFor(err error, r *row) (ftp.Code, string) {
	// RFC 959 §5.4 has 553 (name not allowed) only for verbs that make a name.
	name := ftp.Code(550)
	if r != nil && (r.upload || r.names) {
		name = 553
	}
	var peer *dtp.PeerError
	var stranger *dtp.StrangerError
	var none *vfs.NoDigestError
	switch is := func(target error) bool { return errors.Is(err, target) }; {
	// The data connection.
	case is(dtp.ErrNotReady):
		return 425, "Use PASV, EPSV, PORT or EPRT first."
	case is(dtp.ErrNoPort):
		return 425, "No passive port is free for your address, try again in a few seconds."
	case is(dtp.ErrPeerGone):
		return 425, "The data connection was closed before the transfer began."
	case is(dtp.ErrTargetBusy):
		return 425, "An earlier transfer still holds your port, use another one or try again in a minute."
	case errors.As(err, &stranger): // whose address it was is not this client's business
		return 425, "No data connection came from the address of your control connection; one from another address was refused."
	case is(errNoData):
		return 425, "Can't open data connection."
	case is(dtp.ErrForeignPeer):
		return 501, "The data address must be the address of the control connection."
	case is(dtp.ErrLowPort):
		return 504, "Ports below 1024 are refused."
	case is(dtp.ErrHandshake):
		return 522, "TLS handshake on the data connection failed."
	case is(errNotResumed):
		return 522, "TLS session reuse is required on data connections."
	case is(dtp.ErrStalled):
		return 426, "Data connection stalled; transfer aborted."
	case errors.As(err, &peer):
		return 426, "Data connection closed; transfer aborted."
	case is(errAborted):
		return 426, "Transfer aborted."
	case is(errControlLost), is(errNoClient):
		return 426, "Control connection lost; transfer aborted."
	case is(errShutdown):
		return 426, "Server is shutting down; transfer aborted."

	// Arguments.
	case is(ftp.ErrNetworkProtocol):
		return 522, "Network protocol not supported, use (1,2)"
	case is(ftp.ErrSyntax):
		return 501, "Syntax error in argument."

	// Identity.
	case is(auth.ErrBanned):
		return 421, "Too many failed logins from your address, try again later."
	case is(auth.ErrDenied):
		return 530, "Login incorrect."
	case is(auth.ErrBusy):
		return 421, "Too many logins at once, try again in a moment."

	// Storage.
	case errors.As(err, &none):
		text := "No " + none.Algorithm.String() + " is stored with this file, and none is computed here."
		if none.Stored != 0 {
			text += " It has " + none.Stored.String() + "."
		}
		return 550, text
	case is(fs.ErrNotExist):
		return 550, "No such file or directory."
	case is(vfs.ErrIsDir):
		return 550, "Is a directory."
	case is(vfs.ErrNotDir):
		return 550, "Not a directory."
	case is(vfs.ErrNotEmpty):
		return 550, "Directory not empty."
	case is(vfs.ErrNotRegular):
		return 550, "Not a regular file."
	case is(fs.ErrExist):
		return name, "Already exists."
	case is(vfs.ErrBadName):
		return name, "File name not allowed."
	case is(errNameDenied):
		return 553, "File name not allowed."
	case is(errTooLarge):
		return 552, "The file is larger than allowed."
	case is(vfs.ErrQuota):
		return 552, "Storage quota exceeded."
	case is(vfs.ErrNoSpace):
		return 452, "No space left on storage."
	case is(vfs.ErrBusy):
		return 450, "This name is in use by another transfer or command, try again later."
	case is(vfs.ErrTransient):
		return 450, "Temporarily unavailable, try again."
	case is(vfs.ErrUnsupported):
		return 504, "Not supported by this storage."
	case is(fs.ErrPermission):
		return 550, "Permission denied."
	case is(fs.ErrInvalid):
		return name, "Not possible."
	case is(context.DeadlineExceeded):
		return 450, "Storage did not answer in time, try again."
	}
	return 451, "Requested action aborted: local error in processing."
}

// hashCode is the code for HASH where draft-bryan-ftpext-hash-02 §3.5 has one of its own.
func hashCode(err error, code ftp.Code) ftp.Code {
	var none *vfs.NoDigestError
	switch is := func(target error) bool { return errors.Is(err, target) }; {
	case errors.As(err, &none):
		return 556 // policy: no file is fetched to be hashed
	case is(errDenied):
		return 552
	case is(vfs.ErrIsDir):
		return 553
	case is(vfs.ErrNotRegular), is(fs.ErrPermission):
		return 551
	}
	return code
}

// shown is a client's text as a reply may repeat it: without what a terminal could take for
// a control sequence. (ftp.Reply replaces the other control characters.)
func shown(text string) string {
	return strings.Map(func(r rune) rune {
		if r == utf8.RuneError || 0x80 <= r && r < 0xa0 {
			return '?'
		}
		return r
	}, text)
}

// worthLogging tells a failure that somebody may look into, or that shows a client's
// mistake, from a plain answer to a plain question.
func worthLogging(err error) bool {
	var reply *ftp.Error
	if errors.As(err, &reply) {
		code := reply.Reply.Code
		return reply.Cause != nil || code == 500 || code == 501
	}
	return err != error(errDenied) && !errors.Is(err, auth.ErrDenied)
}
