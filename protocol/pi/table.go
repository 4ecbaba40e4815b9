package pi

import (
	"context"
	"strings"

	"github.com/ftpgate/ftpgate/protocol/ftp"
	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// argument says what a verb takes.
type argument uint8

const (
	argNone         argument = iota // anything is 501
	argIgnored                      // anything is passed over
	argOptional                     // text, or nothing
	argText                         // text; missing or empty is 501
	argOptionalPath                 // a path; missing or empty is the working directory
	argPath                         // a path; missing or empty is 501
)

// keep says which one-shot state outlives a verb.
type keep uint8

const (
	keepUser    keep = 1 << iota // USER, until PASS
	keepRename                   // RNFR, until RNTO
	keepRestart                  // REST, until a transfer
	keepSize                     // ALLO, until a transfer

	keepTransfer = keepRestart | keepSize
	keepAll      = keepUser | keepRename | keepTransfer
)

// handler runs a verb with the floor held. It returns the final reply or
// an error; the only thing it may send itself is the 150 of a transfer.
type handler func(*session, context.Context, request) (ftp.Reply, error)

// row is one verb.
type row struct {
	verb   string
	rfc    string // specification and section
	help   string // its syntax, for HELP
	arg    argument
	needs  Rights // checked against the path argument before the handler runs
	handle handler

	on          func(*Endpoint) bool // where the verb exists, elsewhere it is 502; nil: everywhere
	beforeLogin bool                 // answered without login
	store       bool                 // touches storage or the password checker: runs on the worker
	transfer    bool                 // uses the data connection
	upload      bool                 // ... to receive; its name being taken or unfit is 553 (RFC 959 §5.4)
	names       bool                 // makes a name: taken or unfit is 553 as well
	file        bool                 // means a file: "name/" is not one
	overtakes   bool                 // answered at once while a transfer runs
	steady      bool                 // ABOR does not touch it
	barrier     bool                 // runs on the reader, with nothing else under way: it changes what is read
	secret      bool                 // the argument never reaches a log
	keeps       keep
	feat        func(*session) string // its line in FEAT; nil or "": none
}

// newTable makes the table of every verb there is, by name.
func newTable() map[string]*row {
	return index([]row{
		// Access control, RFC 959 §4.1.1
		{verb: "USER", rfc: "RFC 959 §4.1.1", help: "USER <sp> name", arg: argText, handle: (*session).user_, beforeLogin: true, store: true, steady: true},
		{verb: "PASS", rfc: "RFC 959 §4.1.1", help: "PASS <sp> password", arg: argOptional, handle: (*session).pass, beforeLogin: true, store: true, steady: true, secret: true},
		{verb: "ACCT", rfc: "RFC 959 §4.1.1", help: "ACCT <sp> account", arg: argText, handle: (*session).acct, secret: true},
		{verb: "CWD", rfc: "RFC 959 §4.1.1", help: "CWD <sp> directory", arg: argOptionalPath, needs: List, handle: (*session).cwd, store: true},
		{verb: "CDUP", rfc: "RFC 959 §4.1.1", help: "CDUP", needs: List, handle: (*session).cdup, store: true},
		{verb: "REIN", rfc: "RFC 959 §4.1.1", help: "REIN", handle: (*session).rein, beforeLogin: true},
		{verb: "QUIT", rfc: "RFC 959 §4.1.1", help: "QUIT", handle: (*session).bye, beforeLogin: true},
		{verb: "SMNT", rfc: "RFC 959 §4.1.1", arg: argText},

		// Protection, RFC 4217
		{verb: "AUTH", rfc: "RFC 4217 §4", help: "AUTH <sp> TLS", arg: argText, handle: (*session).auth_, on: withTLS, beforeLogin: true, barrier: true, feat: always("AUTH TLS")},
		{verb: "PBSZ", rfc: "RFC 4217 §8", help: "PBSZ <sp> 0", arg: argText, handle: (*session).pbsz, on: withTLS, beforeLogin: true, keeps: keepAll, feat: always("PBSZ")},
		{verb: "PROT", rfc: "RFC 4217 §9", help: "PROT <sp> P | C", arg: argText, handle: (*session).prot, on: withTLS, beforeLogin: true, keeps: keepAll, feat: always("PROT")},
		{verb: "CCC", rfc: "RFC 4217 §5", help: "CCC", handle: (*session).ccc, on: withTLS, beforeLogin: true},

		// Transfer parameters, RFC 959 §4.1.2
		{verb: "TYPE", rfc: "RFC 959 §3.1.1", help: "TYPE <sp> A [N] | I | L 8", arg: argText, handle: (*session).type_, keeps: keepTransfer},
		{verb: "STRU", rfc: "RFC 959 §3.1.2", help: "STRU <sp> F", arg: argText, handle: (*session).stru, keeps: keepTransfer},
		{verb: "MODE", rfc: "RFC 959 §3.4", help: "MODE <sp> S", arg: argText, handle: (*session).mode, keeps: keepTransfer},
		{verb: "PASV", rfc: "RFC 959 §4.1.2", help: "PASV", handle: (*session).pasv, on: withPassive, keeps: keepTransfer},
		{verb: "PORT", rfc: "RFC 959 §4.1.2", help: "PORT <sp> h1,h2,h3,h4,p1,p2", arg: argText, handle: (*session).port, on: withActive, keeps: keepTransfer},
		{verb: "EPSV", rfc: "RFC 2428 §3", help: "EPSV [<sp> 1 | 2 | ALL]", arg: argOptional, handle: (*session).epsv, on: withPassive, keeps: keepTransfer, feat: always("EPSV")},
		{verb: "EPRT", rfc: "RFC 2428 §2", help: "EPRT <sp> |family|address|port|", arg: argText, handle: (*session).eprt, on: withActive, keeps: keepTransfer, feat: always("EPRT")},

		// Transfers, RFC 959 §4.1.3
		{verb: "RETR", rfc: "RFC 959 §4.1.3", help: "RETR <sp> file", arg: argPath, needs: Read, handle: (*session).retr, store: true, transfer: true, file: true},
		{verb: "STOR", rfc: "RFC 959 §4.1.3", help: "STOR <sp> file", arg: argPath, needs: Create, handle: (*session).stor, store: true, transfer: true, upload: true, file: true},
		{verb: "APPE", rfc: "RFC 959 §4.1.3", help: "APPE <sp> file", arg: argPath, needs: Create, handle: (*session).appe, store: true, transfer: true, upload: true, file: true},
		{verb: "STOU", rfc: "RFC 1123 §4.1.2.9", help: "STOU [<sp> file]", arg: argOptionalPath, needs: Create, handle: (*session).stou, store: true, transfer: true, upload: true},
		{verb: "ALLO", rfc: "RFC 959 §4.1.3", help: "ALLO <sp> bytes [<sp> R <sp> bytes]", arg: argText, handle: (*session).allo, keeps: keepRestart},
		{verb: "REST", rfc: "RFC 3659 §5", help: "REST <sp> offset", arg: argText, handle: (*session).rest, keeps: keepSize, feat: always("REST STREAM")},
		{verb: "ABOR", rfc: "RFC 959 §4.1.3", help: "ABOR", handle: (*session).abor},
		{verb: "LIST", rfc: "RFC 959 §4.1.3", help: "LIST [<sp> -options] [<sp> path]", arg: argOptional, needs: List, handle: (*session).list, store: true, transfer: true},
		{verb: "NLST", rfc: "RFC 959 §4.1.3", help: "NLST [<sp> -options] [<sp> path]", arg: argOptional, needs: List, handle: (*session).nlst, store: true, transfer: true},
		{verb: "MLSD", rfc: "RFC 3659 §7", help: "MLSD [<sp> directory]", arg: argOptionalPath, needs: List, handle: (*session).mlsd, store: true, transfer: true},

		// Files and directories, RFC 959 §4.1.3
		{verb: "RNFR", rfc: "RFC 959 §4.1.3", help: "RNFR <sp> path", arg: argPath, needs: Rename, handle: (*session).rnfr, store: true},
		{verb: "RNTO", rfc: "RFC 959 §4.1.3", help: "RNTO <sp> path", arg: argPath, needs: Create, handle: (*session).rnto, store: true, names: true},
		{verb: "DELE", rfc: "RFC 959 §4.1.3", help: "DELE <sp> file", arg: argPath, needs: Delete, handle: (*session).dele, store: true, file: true},
		{verb: "MKD", rfc: "RFC 959 §4.1.3", help: "MKD <sp> directory", arg: argPath, needs: Mkdir, handle: (*session).mkd, store: true},
		{verb: "RMD", rfc: "RFC 959 §4.1.3", help: "RMD <sp> directory", arg: argPath, needs: Rmdir, handle: (*session).rmd, store: true},
		{verb: "PWD", rfc: "RFC 959 §4.1.3", help: "PWD", handle: (*session).pwd},

		// Facts and times
		{verb: "SIZE", rfc: "RFC 3659 §4", help: "SIZE <sp> file", arg: argPath, needs: Look, handle: (*session).size, store: true, file: true, feat: always("SIZE")},
		{verb: "MDTM", rfc: "RFC 3659 §3", help: "MDTM <sp> [YYYYMMDDHHMMSS <sp>] path", arg: argText, needs: Look, handle: (*session).mdtm, store: true, feat: always("MDTM")},
		{verb: "MLST", rfc: "RFC 3659 §7", help: "MLST [<sp> path]", arg: argOptionalPath, handle: (*session).mlst, store: true, feat: featMLST},
		{verb: "MFMT", rfc: "draft-somers-ftp-mfxx-04 §3", help: "MFMT <sp> YYYYMMDDHHMMSS <sp> path", arg: argText, needs: Touch, handle: (*session).mfmt, store: true, feat: featMFMT},
		{verb: "STAT", rfc: "RFC 959 §4.1.3", help: "STAT [<sp> path]", arg: argOptional, needs: List, handle: (*session).stat, store: true, overtakes: true, keeps: keepAll},

		// Digests; the handlers ask for the right to read, or that the file is one's own
		{verb: "HASH", rfc: "draft-bryan-ftpext-hash-02", help: "HASH <sp> file", arg: argPath, handle: (*session).hash, store: true, file: true, feat: featHASH},
		{verb: "MD5", rfc: "draft-twine-ftpmd5-00", help: "MD5 <sp> file", arg: argPath, handle: (*session).md5, store: true, file: true, feat: featHash("MD5", vfs.MD5)},
		{verb: "XCRC", rfc: "by custom", help: "XCRC <sp> file", arg: argText, handle: xhash(vfs.CRC32), store: true, feat: featHash("XCRC", vfs.CRC32)},
		{verb: "XMD5", rfc: "by custom", help: "XMD5 <sp> file", arg: argText, handle: xhash(vfs.MD5), store: true, feat: featHash("XMD5", vfs.MD5)},
		{verb: "XSHA", rfc: "by custom", help: "XSHA <sp> file", arg: argText, handle: xhash(vfs.SHA1), store: true, feat: featHash("XSHA", vfs.SHA1)},
		{verb: "XSHA1", rfc: "by custom", help: "XSHA1 <sp> file", arg: argText, handle: xhash(vfs.SHA1), store: true, feat: featHash("XSHA1", vfs.SHA1)},
		{verb: "XSHA256", rfc: "by custom", help: "XSHA256 <sp> file", arg: argText, handle: xhash(vfs.SHA256), store: true, feat: featHash("XSHA256", vfs.SHA256)},
		{verb: "XSHA512", rfc: "by custom", help: "XSHA512 <sp> file", arg: argText, handle: xhash(vfs.SHA512), store: true, feat: featHash("XSHA512", vfs.SHA512)},

		// Information
		{verb: "FEAT", rfc: "RFC 2389 §3", help: "FEAT", handle: (*session).feat, beforeLogin: true, keeps: keepAll},
		{verb: "OPTS", rfc: "RFC 2389 §4", help: "OPTS <sp> command [<sp> options]", arg: argText, handle: (*session).opts, beforeLogin: true, keeps: keepAll, feat: always("UTF8")},
		{verb: "HELP", rfc: "RFC 959 §4.1.3", help: "HELP [<sp> command]", arg: argOptional, handle: (*session).help, beforeLogin: true, keeps: keepAll},
		{verb: "SYST", rfc: "RFC 959 §4.1.3", help: "SYST", handle: (*session).syst, beforeLogin: true, keeps: keepAll},
		{verb: "NOOP", rfc: "RFC 959 §4.1.3", help: "NOOP", arg: argIgnored, handle: (*session).noop, beforeLogin: true, overtakes: true, keeps: keepAll},
		{verb: "CLNT", rfc: "by custom", help: "CLNT <sp> name", arg: argOptional, handle: (*session).clnt, beforeLogin: true, keeps: keepAll, feat: always("CLNT")},
		{verb: "SITE", rfc: "RFC 959 §4.1.3", help: "SITE <sp> CHMOD | UTIME | HELP", arg: argText, handle: (*session).site, store: true},

		// Known, and not spoken: 502.
		{verb: "ADAT", rfc: "RFC 2228 §3", arg: argText, beforeLogin: true},
		{verb: "MIC", rfc: "RFC 2228 §3", arg: argText, beforeLogin: true},
		{verb: "CONF", rfc: "RFC 2228 §3", arg: argText, beforeLogin: true},
		{verb: "ENC", rfc: "RFC 2228 §3", arg: argText, beforeLogin: true},
		{verb: "LANG", rfc: "RFC 2640 §4", arg: argOptional, beforeLogin: true},
		{verb: "HOST", rfc: "RFC 7151 §3", arg: argText, beforeLogin: true},
		{verb: "LPRT", rfc: "RFC 1639", arg: argText},
		{verb: "LPSV", rfc: "RFC 1639"},
		{verb: "MFCT", rfc: "draft-somers-ftp-mfxx-04 §4", arg: argText},
		{verb: "MFF", rfc: "draft-somers-ftp-mfxx-04 §5", arg: argText},
		{verb: "RANG", rfc: "draft-bryan-ftp-range-08", arg: argText},
		{verb: "COMB", rfc: "by custom", arg: argText},
		{verb: "CSID", rfc: "by custom", arg: argText, beforeLogin: true},
		{verb: "AVBL", rfc: "draft-peterson-streamlined-ftp-command-extensions-10", arg: argOptional},
		{verb: "DSIZ", rfc: "draft-peterson-streamlined-ftp-command-extensions-10", arg: argOptional},
		{verb: "RMDA", rfc: "draft-peterson-streamlined-ftp-command-extensions-10", arg: argText},
		{verb: "THMB", rfc: "draft-peterson-streamlined-ftp-command-extensions-10", arg: argText},
		{verb: "MAIL", rfc: "RFC 765", arg: argOptional},
		{verb: "MLFL", rfc: "RFC 765", arg: argOptional},
		{verb: "MSND", rfc: "RFC 765", arg: argOptional},
		{verb: "MSOM", rfc: "RFC 765", arg: argOptional},
		{verb: "MSAM", rfc: "RFC 765", arg: argOptional},
		{verb: "MRSQ", rfc: "RFC 765", arg: argOptional},
		{verb: "MRCP", rfc: "RFC 765", arg: argOptional},
		{verb: "XSEM", rfc: "RFC 737", arg: argOptional},
		{verb: "XSEN", rfc: "RFC 737", arg: argOptional},
	})
}

// synonyms are the verbs that RFC 1123 §4.1.3.1 and RFC 775 give a second name.
var synonyms = map[string]string{"XCWD": "CWD", "XCUP": "CDUP", "XMKD": "MKD", "XRMD": "RMD", "XPWD": "PWD"}

func index(rows []row) map[string]*row {
	m := make(map[string]*row, len(rows)+len(synonyms))
	for i := range rows {
		m[rows[i].verb] = &rows[i]
	}
	for x, verb := range synonyms {
		r := *m[verb]
		r.verb, r.feat = x, nil
		r.help = strings.Replace(r.help, verb, x, 1)
		m[x] = &r
	}
	return m
}

func withTLS(e *Endpoint) bool     { return e.TLS != nil }
func withActive(e *Endpoint) bool  { return !e.NoActive }
func withPassive(e *Endpoint) bool { return e.Passive != nil }

// has reports whether the verb is spoken at e.
func (r *row) has(e *Endpoint) bool { return r.handle != nil && (r.on == nil || r.on(e)) }

// always is the FEAT line of a verb that every account has.
func always(line string) func(*session) string {
	return func(*session) string { return line }
}
