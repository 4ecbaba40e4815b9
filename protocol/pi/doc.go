// Package pi is the protocol interpreter: the server's end of the control
// connection (RFC 959 §2.2), with its command table, sessions and replies.
//
// # Where to find what
//
// table.go lists every verb once: where it is specified, what argument it
// takes, which rights it needs, and its handler. FEAT, HELP, gating, log
// redaction, the permission matrix and a coverage test derive from it.
// Handlers live in files named after the specification that defines them
// (rfc959_*.go, rfc2389.go, rfc2428.go, rfc3659.go, rfc4217.go, hash.go, mfmt.go, site.go), those of
// LIST, NLST and MLSD in listing.go.
// A handler returns its reply or an error; errors.go is the one map from error
// to reply. session.go is a session from greeting to goodbye, reader.go what it hears, dispatch.go
// what becomes of that. transfer.go fixes the order of every transfer; constraints.go and pace.go
// hold what an account limits beyond its rights. tls.go says how TLS on data connections
// is bound to the control connection's.
//
// # A session: a reader and a worker
//
// The reader goroutine owns the control connection and never calls storage.
// Commands that touch storage, transfers included, run on the session's one
// worker goroutine, which exists only while it has something to do. All session
// state but the few fields under session.mu belongs to whoever holds the floor:
//
//	idle --command without storage--> the reader runs it --> idle
//	idle --command with storage-----> working (a worker holds the floor)
//	working --command---------------> it waits in the queue, in order
//	working --queue empty-----------> idle
//	working --ABOR------------------> the running command (but not PASS) is cancelled;
//	                                  the ABOR waits its turn: 426, then 226
//	working --NOOP, STAT------------> during a transfer, after its 150 and with
//	                                  nothing waiting: at once; else, and with a
//	                                  path, it waits its turn
//	working --QUIT------------------> it waits its turn; nothing more is read
//	working --end of control--------> the running command is cancelled, the
//	                                  queue is dropped
//	working --queue full------------> nothing more is read until it has room; an
//	                                  ABOR in what is unread waits, a reset ends
//	                                  the session as below
//	any     --AUTH------------------> the reader waits until it is idle, answers, and
//	                                  begins the handshake; what it had read is dropped
//	any     --221 or 421 written----> ended
//
// NOOP and STAT overtake only a transfer whose 150 is out. There the client
// expects them (RFC 959 §4.1.3). Before that, and during a command such as
// a long rename, a reply out of order would be taken by a pipelining client for
// the reply to the earlier command, so they wait. ABOR, QUIT and a lost client
// take effect at once in both cases.
//
// # The order of a transfer
//
//	rights -> open (no side effects) or first page of the listing ->
//	data connection -> 150 -> TLS handshake (PROT P) -> bytes -> end of data ->
//	publish -> 226
//
// so that a missing file is a clean 550, and a client that never connects
// leaves nothing behind. Strict commit: between end of data and publishing the
// control connection must still stand (session.present); the upload
// of a client that is gone is held or discarded, never published.
package pi
