package ftpclient

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"io/fs"
	"iter"
	"net"
	"net/url"
	"time"

	"github.com/ftpgate/ftpgate/protocol/ftp"
)

var errNotYet = errors.New("ftpclient: not built yet")

// Conn is one control connection; the package documentation has its states.
type Conn struct{}

// Dial connects, reads the greeting (a 120 is awaited) and, with Explicit, puts the connection
// under TLS. A port missing from the address is 21, or 990 with Implicit.
func Dial(ctx context.Context, address string, o Options) (*Conn, error) { return nil, errNotYet }

// Proxy returns a Dialer that goes through a proxy: socks5://[user:password@]host:port,
// http://... (CONNECT). forward, which may be nil, dials the proxy.
func Proxy(u *url.URL, forward Dialer) (Dialer, error) { return nil, errNotYet }

// Login sends USER, and as far as the server asks for them PASS and ACCT. After it come PBSZ and PROT P
// under TLS, FEAT, OPTS UTF8 ON where offered, and TYPE I. A refusal is ErrLogin, after
// which Login may be called again.
func (c *Conn) Login(ctx context.Context, user, password, account string) error { return errNotYet }

// Greeting is the 220 reply.
func (c *Conn) Greeting() ftp.Reply { return ftp.Reply{} }

// RemoteAddr is the peer of the control connection, LocalAddr its end here.
func (c *Conn) RemoteAddr() net.Addr { return nil }
func (c *Conn) LocalAddr() net.Addr  { return nil }

// TLS is the state of the control connection; ok is false in clear.
func (c *Conn) TLS() (state tls.ConnectionState, ok bool) { return state, false }

// Usable reports whether the connection is neither broken nor closed, as far as is known, and no transfer is going on.
func (c *Conn) Usable() bool { return false }

// Close says QUIT, waits at most a second for the answer, and closes the connection. A
// transfer that is going on is cut.
func (c *Conn) Close() error { return errNotYet }

// Features are the lines of FEAT (RFC 2389), asked for once by Login.
type Features struct {
	Lines []string // without the leading space, as the server wrote them; nil: the server does not know FEAT
}

// Has reports whether a feature is there, such as "MLST", "REST STREAM" or "AUTH TLS", in any case.
func (f Features) Has(name string) bool { return false }

// Param is what follows a feature's name: "type*;size*;" for MLST.
func (f Features) Param(name string) (param string, ok bool) { return "", false }

// Features asks FEAT, or remembers what it said.
func (c *Conn) Features(ctx context.Context) (Features, error) { return Features{}, errNotYet }

// Noop sends NOOP.
func (c *Conn) Noop(ctx context.Context) error { return errNotYet }

// Quote sends a raw command and returns its reply, whatever its code; the error tells only
// that there is no reply. Commands that need a data connection, that change its form or the login are refused.
func (c *Conn) Quote(ctx context.Context, line string) (ftp.Reply, error) {
	return ftp.Reply{}, errNotYet
}

// Result is the answer to one command of a batch.
type Result struct {
	Reply ftp.Reply
	Err   error // *ftp.Error for 4xx and 5xx, else why there is no reply
}

// Batch sends small commands in groups without waiting for each reply. There is one result for
// each command. Later commands are sent whatever becomes of earlier ones.
func (c *Conn) Batch(ctx context.Context, commands []ftp.Command) []Result { return nil }

// Entry is one entry of a listing, or what Stat found.
type Entry struct {
	Name      string        // never "", ".", ".." and never with a "/", but for Stat of the root
	Type      ftp.EntryType // TypeOther: not known, or special
	Size      int64         // -1: not known
	ModTime   time.Time     // UTC; zero: not known
	Precision time.Duration // of ModTime: a day, a minute, a second or less
	Mode      fs.FileMode   // permission bits
	HasMode   bool          // the server told them
	Perm      string        // what this user may do, in the letters of RFC 3659 §7.5.5
	Unique    string        // the same for the same object only (RFC 3659 §7.5.2)
	Owner     string
	Group     string
	Target    string // where a link leads
}

// IsDir reports whether e is a directory.
func (e Entry) IsDir() bool { return e.Type.IsDir() }

// Info returns e as a fs.FileInfo whose Sys is the Entry. Unknown sizes are 0, unknown permissions 0644 or 0755.
func (e Entry) Info() fs.FileInfo { return nil }

// DirEntry returns e as a fs.DirEntry.
func (e Entry) DirEntry() fs.DirEntry { return fs.FileInfoToDirEntry(e.Info()) }

// List streams a directory, by MLSD or else by LIST. "" is the working directory. An error
// comes last. Leaving the loop early aborts the transfer. Within the loop the connection is busy.
func (c *Conn) List(ctx context.Context, path string) iter.Seq2[Entry, error] { return nil }

// NameList streams the names of a directory, by NLST, without the directory.
func (c *Conn) NameList(ctx context.Context, path string) iter.Seq2[string, error] { return nil }

// WalkEntry is an entry below the root of a Walk.
type WalkEntry struct {
	Path string // with the root before it
	Entry
}

// Walk streams a tree: everything in a directory, then everything in its
// subdirectories. Links are not followed. The error of one directory is yielded with its
// path and the walk goes on. Within the loop the connection is busy.
func (c *Conn) Walk(ctx context.Context, root string) iter.Seq2[WalkEntry, error] { return nil }

// Stat asks for one entry: by MLST, or else by SIZE, MDTM and CWD.
func (c *Conn) Stat(ctx context.Context, path string) (Entry, error) { return Entry{}, errNotYet }

// Download is one RETR; the package documentation has its states.
type Download struct{}

var (
	_ io.ReadCloser = (*Download)(nil)
	_ io.WriterTo   = (*Download)(nil)
)

// Retrieve starts a download at an offset (REST). The context bounds it to its end.
func (c *Conn) Retrieve(ctx context.Context, path string, offset int64) (*Download, error) {
	return nil, errNotYet
}

// Read reads data. io.EOF means the end of data and a good final reply; a transfer that ends otherwise is ErrIncomplete.
func (d *Download) Read(b []byte) (int, error) { return 0, errNotYet }

// WriteTo copies what is left, by splice where the kernel can.
func (d *Download) WriteTo(w io.Writer) (int64, error) { return 0, errNotYet }

// Close is nil if the transfer is complete. Before its end it aborts it, and is ErrAborted.
func (d *Download) Close() error { return errNotYet }

// Abort ends the transfer; it does nothing after its end. The error tells that the connection is broken.
func (d *Download) Abort() error { return errNotYet }

// Upload is one STOR, APPE or STOU; the package documentation has its states.
type Upload struct{}

var (
	_ io.WriteCloser = (*Upload)(nil)
	_ io.ReaderFrom  = (*Upload)(nil)
)

// Store starts an upload (STOR) at an offset (REST), which the server has accepted (150) when it returns.
func (c *Conn) Store(ctx context.Context, path string, offset int64) (*Upload, error) {
	return nil, errNotYet
}

// Append starts an upload to the end of a file (APPE).
func (c *Conn) Append(ctx context.Context, path string) (*Upload, error) { return nil, errNotYet }

// StoreUnique starts an upload under a name of the server's choice (STOU); path, a hint, may be "".
func (c *Conn) StoreUnique(ctx context.Context, path string) (*Upload, error) { return nil, errNotYet }

// StoreFrom uploads all of r, and is nil when the server has all of it. It spares a round trip by sending before the
// server has accepted.
func (c *Conn) StoreFrom(ctx context.Context, path string, r io.Reader) (int64, error) {
	return 0, errNotYet
}

// Write sends data.
func (u *Upload) Write(b []byte) (int, error) { return 0, errNotYet }

// ReadFrom sends all of r, by sendfile where the kernel can.
func (u *Upload) ReadFrom(r io.Reader) (int64, error) { return 0, errNotYet }

// Close ends the data and waits for the final reply. nil means that the server has all of it. After
// a failed Write it aborts and returns that error.
func (u *Upload) Close() error { return errNotYet }

// Abort discards the upload as far as the server lets it: many keep what had come. It does
// nothing after Close. The error tells that the connection is broken.
func (u *Upload) Abort() error { return errNotYet }

// Name is what the server called a StoreUnique file; "" if it did not tell. Valid after Close, and often before.
func (u *Upload) Name() string { return "" }

// Rename renames (RNFR, RNTO).
func (c *Conn) Rename(ctx context.Context, from, to string) error { return errNotYet }

// Delete removes a file (DELE).
func (c *Conn) Delete(ctx context.Context, path string) error { return errNotYet }

// MakeDir makes a directory (MKD) and returns the path that the server tells, or else path.
func (c *Conn) MakeDir(ctx context.Context, path string) (string, error) { return "", errNotYet }

// MakeDirAll makes a directory and its parents; those that are there already are no error.
func (c *Conn) MakeDirAll(ctx context.Context, path string) error { return errNotYet }

// RemoveDir removes an empty directory (RMD).
func (c *Conn) RemoveDir(ctx context.Context, path string) error { return errNotYet }

// RemoveAll removes a file, or a directory with all that is in it. Links are removed, not followed. A path that does not exist is no error.
func (c *Conn) RemoveAll(ctx context.Context, path string) error { return errNotYet }

// Size asks SIZE (RFC 3659 §4).
func (c *Conn) Size(ctx context.Context, path string) (int64, error) { return 0, errNotYet }

// ModTime asks MDTM (RFC 3659 §3).
func (c *Conn) ModTime(ctx context.Context, path string) (time.Time, error) {
	return time.Time{}, errNotYet
}

// SetModTime sets the time of a file: by MFMT, MDTM with a time, or SITE UTIME, whichever the
// server knows; errors.ErrUnsupported if none.
func (c *Conn) SetModTime(ctx context.Context, path string, t time.Time) error { return errNotYet }

// Hashes lists the algorithms that Hash can ask for, best first: "SHA-512", "SHA-256", "SHA-1", "MD5", "CRC32".
func (c *Conn) Hashes(ctx context.Context) ([]string, error) { return nil, errNotYet }

// Hash asks the server for the digest of a file, by HASH, XSHA256, XMD5 and the like.
func (c *Conn) Hash(ctx context.Context, path, algorithm string) ([]byte, error) {
	return nil, errNotYet
}

// Chmod sets permission bits (SITE CHMOD).
func (c *Conn) Chmod(ctx context.Context, path string, mode fs.FileMode) error { return errNotYet }

// Copy copies on the server (SITE CPFR and CPTO, or SITE COPY); errors.ErrUnsupported if it cannot.
func (c *Conn) Copy(ctx context.Context, from, to string) error { return errNotYet }

// WorkingDir asks PWD. ChangeDir sends CWD; it moves what relative paths mean.
func (c *Conn) WorkingDir(ctx context.Context) (string, error)   { return "", errNotYet }
func (c *Conn) ChangeDir(ctx context.Context, path string) error { return errNotYet }

// Pool keeps connections for use by many. The zero value with a Dial is usable.
type Pool struct {
	Dial        func(ctx context.Context) (*Conn, error) // connects and logs in
	MaxOpen     int                                      // connections at once, used and idle; Get waits; 0: no limit
	MaxIdle     int                                      // kept while unused; 0: 4
	IdleTimeout time.Duration                            // after which an unused one is closed; 0: 60 s
	CheckAfter  time.Duration                            // unused for so long, it is asked NOOP before it is given out; 0: 5 s
}

// Get returns a connection that is logged in, an idle one or a new one. It belongs to the caller until Put.
func (p *Pool) Get(ctx context.Context) (*Conn, error) { return nil, errNotYet }

// Put gives a connection back, usable or not; one that is not, or too many, is closed.
func (p *Pool) Put(c *Conn) {}

// Close closes the idle connections, and later those that are given back.
func (p *Pool) Close() error { return errNotYet }

// Source is where FS takes connections from: a Pool, or Single.
type Source interface {
	Get(ctx context.Context) (*Conn, error)
	Put(c *Conn)
}

// FS shows a directory of the server as a fs.FS, which also is a fs.ReadDirFS and fs.StatFS. A file takes a
// connection from its first Read until its end or Close.
func FS(ctx context.Context, s Source, root string) fs.FS { return nil }
