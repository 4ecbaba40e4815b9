// Package ftpclient is an FTP and FTPS client.
//
//	c, err := ftpclient.Dial(ctx, "ftp.example.org:21", ftpclient.Options{Security: ftpclient.Explicit})
//	err = c.Login(ctx, "user", "password", "")
//	for e, err := range c.List(ctx, "/pub") { ... }
//	d, err := c.Retrieve(ctx, "/pub/file", 0)
//	_, err = io.Copy(w, d)                    // nil: the whole file, and the server has said so
//	err = d.Close()
//	err = c.Close()
//
// # The states of a Conn
//
// A Conn is one control connection. It serves one caller at a time; who wants more at
// once takes connections from a Pool. Calls from several goroutines wait for one
// another, and calls during a transfer fail with ErrBusy. A Download, an Upload and a listing are for one goroutine; what ends
// them from another is their context, or Close of the Conn. List and NameList of a name with *, ?, [], {} or ~ change the
// working directory meanwhile, which a relative path of another goroutine would notice.
//
//	greeted      --Login: nil--> ready          (TYPE I, FEAT known, PROT P under TLS)
//	greeted      --Login: refused--> greeted    (try another password)
//	ready        --Retrieve, Store, List ...: nil--> transferring
//	transferring --end of data and a final reply, whatever it says--> ready
//	transferring --Abort, a failure: the server is in step again--> ready
//	transferring --Abort, a failure: it is not, within 5 s--> broken
//	transferring --ctx ends--> aborted         (ABOR has been sent)
//	aborted      --next call: in step again--> ready
//	aborted      --next call: not within 5 s--> broken
//	ready        --ctx ends while a small command waits for its reply--> owed
//	owed         --next call: the reply has come--> ready
//	owed         --next call: not within 5 s--> broken
//	any          --ctx ends within Login, while a CWD, TYPE, OPTS or raw command waits, or between RNFR and RNTO--> broken
//	any          --a reply against the protocol, 421, a lost connection, ReplyTimeout--> broken
//	any          --Close--> closed
//
// Replies that the server refuses something with (4xx, 5xx) change nothing of this. A
// broken Conn has no socket left and every call fails with ErrBroken; Usable tells.
//
// # The states of a transfer
//
// A Download or an Upload is one transfer on one data connection.
//
//	open      --data--> open
//	open      --end of data (Download), Close (Upload)--> ended   (FIN has been seen, or sent)
//	ended     --2xx--> complete
//	ended     --4xx, 5xx, no reply--> failed
//	open      --error, stall, TLS without close_notify--> failed  (the server's reply, if there is one, is the error)
//	open      --Abort, ctx ends, Close (Download)--> failed       (RST; ABOR)
//
// In clear, the end of data is FIN, which a server that fails may send as well: with a 226 after it nobody can tell from the
// transfer alone. Who knows the size compares it.
//
// Only complete is success: io.EOF of a Download, and nil from Close of an Upload, come
// after the end of data and the final reply have both been seen, in whichever order they
// came, and for an upload without a reset of the data connection. Everything else is an error for which errors.Is(err, ErrIncomplete) holds. An
// Upload that is not closed but aborted ends with RST and without close_notify, so that the
// server cannot take what it has for the whole file.
//
// # Contexts
//
// The context of a call bounds all of it; that of Retrieve, Store and the like bounds the
// transfer to its end. When it ends, what is going on returns at once with its cause. A
// transfer then ends with ABOR, and the next call brings the connection back in step, for at most
// five seconds. A small command that leaves nothing behind on the connection (DELE, SIZE, MLST ...) is left to
// itself: the server may have done it or not, and the next call first reads its reply, for at most five seconds as well.
// Of the others nobody knows what they have changed, so the connection is closed. A server that sends just enough not to stall is bounded by the
// context alone.
//
// # What the server is trusted with
//
// Nothing but its answers. Lines, replies and listings are bounded (Options). Data
// connections go to the peer of the control connection, whatever address PASV announces, to no port of another
// service, and are accepted from nobody else. Replies that came before TLS was up are not believed.
// A reply that nobody asked for, or that cannot be the answer to its command (226 to DELE, 250 to EPSV), breaks the
// connection: from there on each answer would be taken for that of the next command.
// Names in listings that hold "/" or are "." or ".." are dropped. A listing may be as long as its lines and
// MaxEntries allow; what holds one (RemoveAll, FS) or a tree's directories (Walk) is bounded to 128 MiB. RemoveAll believes no
// server that something is a directory and not a link to one. (Somebody who puts a link in a directory's
// place between its DELE and its listing gets the link followed: FTP has no way to prevent that.) What callers
// give is refused before anything is sent if it holds CR, LF or NUL.
//
// # Round trips
//
// Commands are sent ahead of their replies where the protocol allows it and the server
// answered FEAT, as those that do cope with it in practice: what follows a login, EPSV and
// the command that uses it, and batches of small commands. Never sent ahead: a command that
// destroys something if the one before it fails (STOR after REST), and anything
// during a transfer. Options.Sequential turns it off.
//
// So a small file costs two round trips, one for EPSV with its command and one for the data connection, which brings the
// 150, the data and the 226, and under TLS one more for a resumed handshake. EPSV for the next file, sent during the transfer or just
// behind its end, would spare one of the two, but only vsftpd and ftpgate wait with it until the transfer is over. Tried with an
// upload and EPSV right behind its FIN: proftpd answers "450 EPSV: data transfer in progress", pyftpdlib answers 229 and never ends the
// transfer, and pure-ftpd answers "500 Unknown command" if it has not seen the FIN yet. Who wants more takes more connections (Pool).
//
//	dial.go, tls.go, proxy.go     connecting: TLS, SOCKS5 and HTTP proxies, PROXY header
//	login.go, features.go         USER, PASS, ACCT; FEAT
//	conn.go, reply.go, command.go the control connection: one exchange and its replies
//	pairing.go                    which reply belongs to which command
//	close.go                      QUIT; NOOP while idle
//	batch.go, quote.go            many small commands at once; raw ones
//	transfer.go                   from a command to an open data connection
//	passive.go, active.go         EPSV, PASV; EPRT, PORT
//	data.go, datatls.go           one data connection: stalls, cancelling, TLS
//	handshake.go                  its TLS handshake, while the server answers
//	retrieve.go, store.go         Download, Upload
//	abort.go                      ABOR, and being in step again
//	list.go, walk.go, entry.go    MLSD, LIST, NLST
//	stat.go, times.go, hash.go    MLST, SIZE, MDTM, MFMT; HASH and its forerunners
//	change.go, remove.go          RNFR, DELE, MKD, RMD, SITE CHMOD, SITE CPFR
//	errors.go                     replies as errors
//	pool.go, fs.go                many connections; io/fs
package ftpclient
