package pi

import (
	"net/netip"
	"time"

	"github.com/ftpgate/ftpgate/protocol/ftp"
)

// SessionInfo names a session in every report.
type SessionInfo struct {
	ID       string         // unique among the sessions of this process
	Endpoint string         // name of the listener
	Local    netip.AddrPort // what the client reached; behind a proxy, the proxy's front
	Remote   netip.AddrPort // the client; behind a proxy, the one that its header names
	User     string         // empty before login
	TLS      string         // version and cipher suite of the control connection; empty: clear
}

// TransferInfo reports a transfer that has ended.
type TransferInfo struct {
	Verb     string // RETR, STOR, APPE, STOU, LIST, NLST or MLSD
	Path     string // virtual path; of an upload, the name it was stored under
	Bytes    int64  // moved over the data connection
	Offset   int64  // where it was restarted
	Duration time.Duration
	Reply    ftp.Code
	Outcome  Outcome
	Err      error // why it failed, with the storage's own cause; nil if it is complete
}

// Outcome is what became of a transfer.
type Outcome string

// The outcomes of a transfer.
const (
	Complete  Outcome = "complete"  // everything was sent, or the upload is published
	Held      Outcome = "held"      // an upload was cut; its owner can resume it
	Discarded Outcome = "discarded" // an upload failed; nothing of it remains
	Failed    Outcome = "failed"    // a download or listing ended early
)

// Trace receives what happens, as httptrace does for HTTP. Every field may be
// nil. Calls for one session do not overlap, except Transfer progress; a hook must
// not block. Texts may hold raw bytes sent by the client: the hook escapes them.
type Trace struct {
	SessionStart func(SessionInfo) // with the first line that the client sends, or with SessionEnd if it sent none
	SessionEnd   func(info SessionInfo, duration time.Duration, reason string)
	Probe        func(info SessionInfo, duration time.Duration)              // instead of both: the client hung up without a line
	Refused      func(endpoint string, remote netip.AddrPort, reason string) // no session was made
	Login        func(info SessionInfo, user string, err error)              // nil: logged in
	Command      func(info SessionInfo, c ftp.Command, reply ftp.Reply)      // secret arguments are removed
	Transfer     func(SessionInfo, TransferInfo)
	NotResumed   func(SessionInfo)                                                // a data connection with a TLS session of its own (ReuseLog)
	Failure      func(info SessionInfo, c ftp.Command, reply ftp.Code, err error) // a 4xx or 5xx that has a cause, unless Transfer has told of it
	Panic        func(info SessionInfo, c ftp.Command, value any, stack []byte)
}
