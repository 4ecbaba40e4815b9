// Package ftp is the wire vocabulary shared by the server and the client:
// replies, command lines, data addresses, directory entries as `ls -l` lines
// and as RFC 3659 facts, time values and quoted paths.
//
// It is pure. It knows no connections, sessions, storage or policy: the only
// thing it reads from is the io.Reader given to a LineReader. Nothing it writes
// can break the framing of the protocol, whatever names or texts it is given,
// and nothing it parses can make it panic or grow without bound.
//
//	reply.go, readreply.go   replies, as the server writes and the client reads them (RFC 959 §4.2)
//	error.go                 errors that are replies; what parsing can fail with
//	command.go               a command line split in verb and argument (RFC 959 §5.3)
//	line.go, telnet.go       lines of the control connection, without Telnet commands (RFC 854)
//	hostport.go              PORT and PASV addresses (RFC 959)
//	extended.go              EPRT and EPSV addresses (RFC 2428)
//	entry.go                 one directory entry
//	list.go, listparse*.go   LIST lines: Unix out; Unix, DOS, EPLF, NetWare and VMS in
//	facts.go, factsparse.go  MLST and MLSD lines (RFC 3659 §7)
//	time.go                  MDTM, MFMT and modify= time values (RFC 3659 §2.3)
//	quote.go                 quoted paths of 257 replies (RFC 959 Appendix II)
package ftp
