// Package ftp is the storage contract on an upstream FTP server: what clients of the
// gateway do is done there over protocol/ftpclient.
//
// An upload goes to a temporary name in the directory of its target
// (temporary.go), and RNTO publishes it. Readers therefore see the old state until
// Close, and after whatever happens before it. The server must let a rename
// replace a file; Probe tells whether it does.
//
// No server can copy a file in a way that all have, so APPE and REST before STOR
// stream the head from the server and back to it under the temporary name. Nothing
// is kept in memory or on disk.
//
// A cut upload that is held stays under its temporary name (keep.go, held.go), and going
// on with it is staged from there like any other continuation, so that it is still there
// if that is cut, too. What is held is known to this process only.
//
// FTP has no condition for a rename. What must not exist, or must not have
// changed, is looked up just before, under a lock of this process (names.go): exact
// among all Backends of one Servers, and open to a race with those who change
// the server's files from elsewhere.
//
// What a refusal means is found out by looking, not by its text: servers
// answer 550 to everything (errors.go).
//
//	backend.go      Options, New; connections
//	fs.go           one operation after the other
//	directory.go    listings
//	download.go     RETR, and REST where a reader seeks
//	upload.go       the states of a file opened for writing
//	publish.go      the step that others see
//	keep.go         uploads that are cut and held
//	held.go         what is held, and what nobody needs any more
//	stage.go        the head that APPE and REST keep
//	temporary.go    names of uploads under way, and what killed gateways left
//	names.go        locks, and changes of what uploads and readers depend on
//	path.go         names of clients and of the server
//	errors.go       refusals as errors of the contract
//	probe.go        check --connect
package ftp
