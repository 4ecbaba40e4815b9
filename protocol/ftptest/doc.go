// Package ftptest is how this project tests FTP: a server in the test's own
// process, a raw client, and a runner of transcripts. A bug becomes a transcript
// first.
//
// # Server and client
//
//	srv := ftptest.Start(t, ftptest.Options{FS: fsys})
//	c := srv.Login("rw")                  // or "readonly", "dropbox", "anonymous"
//	c.Cmd(200, "TYPE I")
//	d := c.Passive()
//	c.Cmd(150, "STOR %s", "/a.txt")
//	d.Send("hello\n")
//	d.Close()
//	c.Want(226)
//
// Under TLS, with certificates of the test's own:
//
//	a := ftptest.NewAuthority(t)          // Options.Endpoint.TLS = a.TLS(nil)
//	config, tickets := a.TrustTLS(0)
//	c.AuthTLS(config)                     // before Login; then c.Private()
//	d.StartTLS(config)                    // after the 150
//
// Every call fails the test when it does not get what it waits for within
// Patience. The client also fails it on a reply that breaks the framing
// (RFC 959 §4.2): a bare CR or LF, a control character, a line without a code.
//
// When the test ends the server is closed, and goroutines and descriptors must be
// back at what they were before Start. They are counted for the whole
// process, so tests with a server do not run in parallel.
//
// # Transcripts
//
// A transcript is a text file that says who sends what. This one stores a file:
//
//	# Store and look. SEED R12.
//	# user: rw
//	# file: /old.txt "old\n"
//	C: EPSV
//	S: 229 Entering Extended Passive Mode (|||{port}|)
//	D: connect
//	C: STOR new.txt
//	S: 150 Opening ASCII mode data connection for new.txt
//	D< "one\n"
//	D: close
//	S: 226 Transfer complete.
//
// Its header sets the stage. A line "# word: ..." is a setting, every other
// line that begins with "#" is a comment:
//
//	# user: rw            log in as this user before the first step; none: do not (the
//	                      greeting is then the first S:)
//	# address: ::1        where the server listens; 127.0.0.1 if not given
//	# dir: /sub           make a directory; parents are made as well
//	# file: /a "text"     make a file, with the time 2001-02-03 04:05:06 UTC
//	# on_conflict: rename overwrite (the default), refuse or rename
//	# commit: lenient     strict is the default
//	# resume_window: 1h   hold cut uploads
//	# public_host: 1.2.3.4 what PASV announces
//	# limit: name=value   a field of pi.Limits: idle_timeout=50ms, max_connections=1
//	# fs: name            a filesystem that the calling test knows by this name
//
// The steps follow, in the order in which they happen. Text may be given as a Go
// string in quotes, where it holds bytes that a text file should not:
//
//	C: text       the client sends a command line; CRLF is added
//	C~ "bytes"    the client sends these bytes and nothing else
//	C! "bytes"    the same as urgent data: the last byte is marked (TCP urgent pointer)
//	C: (close)    the client closes the control connection
//	C: (reset)    the client resets it
//	S: text       the server sends this line; a reply of many lines has many S:
//	S: (closed)   the server closes the control connection
//	D: connect    the client connects to the port that PASV or EPSV gave
//	D: foreign    the same from another address: it must be closed without a byte
//	D: listen     the client listens; then C: knows {hostport} and {extended}
//	D: accept     the server's connection is accepted there
//	D< "bytes"    the client sends bytes on the data connection
//	D> "bytes"    the server sends these and then ends the data connection
//	D: close      the client ends it
//	D: reset      the client resets it
//	D: stored 5   so many bytes of the upload have arrived (STAT is asked until it says so)
//	D: gone       the server ends or resets it; what came before does not matter
//
// A digit makes further sessions: C2:, S2:, D2: and so on. They connect at
// their first step and send USER and PASS themselves. At the end each session that
// is still open sends QUIT, to which the very next reply must be 221: a transcript
// cannot overlook a reply.
//
// In S: and D> a few placeholders stand for what differs from run to run: {port},
// {hostport}, {time} (RFC 3659), {date} (LIST), {unique}, {n} (a number), and
// {/regexp/} where nothing else does. C: knows the last {port}.
//
// With Transcripts.Update the runner writes what the server really says into S: and
// D> lines that differ. "S: ?" and "D> ?" stand for an answer that is not
// known yet. Read the change before committing it.
package ftptest
