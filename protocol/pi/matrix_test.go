package pi_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/afero"

	"github.com/ftpgate/ftpgate/backends/memory"
	"github.com/ftpgate/ftpgate/protocol/ftp"
	"github.com/ftpgate/ftpgate/protocol/ftptest"
	"github.com/ftpgate/ftpgate/protocol/pi"
	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// probe is one way to use a verb, and what it takes.
type probe struct {
	before string      // a command that leads up to it, whatever that is answered
	line   string      // the command
	data   bool        // it uses a data connection
	reply  ftp.Code    // when it is allowed
	needs  []pi.Rights // any of these sets of rights; none: everybody may
}

func needs(alternatives ...pi.Rights) []pi.Rights { return alternatives }

// probes has an entry for every verb that is spoken. The tree has files /f and /g and a
// directory /d, all of them somebody else's.
var probes = map[string][]probe{
	"USER": {{line: "USER x", reply: 331}},
	"PASS": {{line: "PASS x", reply: 503}}, // without USER
	"ACCT": {{line: "ACCT x", reply: 202}},
	"CWD":  {{line: "CWD d", reply: 250, needs: needs(pi.List)}},
	"XCWD": {{line: "XCWD d", reply: 250, needs: needs(pi.List)}},
	"CDUP": {{line: "CDUP", reply: 250, needs: needs(pi.List)}},
	"XCUP": {{line: "XCUP", reply: 250, needs: needs(pi.List)}},
	"REIN": {{line: "REIN", reply: 220}},
	"QUIT": {{line: "QUIT", reply: 221}},

	"AUTH": {{line: "AUTH TLS", reply: 234}},
	"PBSZ": {{line: "PBSZ 0", reply: 503}}, // without AUTH
	"PROT": {{line: "PROT P", reply: 503}},
	"CCC":  {{line: "CCC", reply: 533}},

	"TYPE": {{line: "TYPE I", reply: 200}},
	"STRU": {{line: "STRU F", reply: 200}},
	"MODE": {{line: "MODE S", reply: 200}},
	"PASV": {{line: "PASV", reply: 227}},
	"PORT": {{line: "PORT 127,0,0,1,200,1", reply: 200}},
	"EPSV": {{line: "EPSV", reply: 229}},
	"EPRT": {{line: "EPRT |1|127.0.0.1|50000|", reply: 200}},

	"RETR": {{line: "RETR f", data: true, reply: 226, needs: needs(pi.Read)}},
	"STOR": {
		{line: "STOR new", data: true, reply: 226, needs: needs(pi.Create)},
		{line: "STOR f", data: true, reply: 226, needs: needs(pi.Create | pi.Overwrite)},
		{before: "REST 1", line: "STOR f", data: true, reply: 226, needs: needs(pi.Create | pi.Overwrite)},
	},
	"APPE": {
		{line: "APPE new", data: true, reply: 226, needs: needs(pi.Create)},
		{line: "APPE f", data: true, reply: 226, needs: needs(pi.Create | pi.Overwrite)},
		{before: "REST 1", line: "APPE f", data: true, reply: 226, needs: needs(pi.Create | pi.Overwrite)},
	},
	"STOU": {
		{line: "STOU", data: true, reply: 226, needs: needs(pi.Create)},
		{line: "STOU f", data: true, reply: 226, needs: needs(pi.Create)},
	},
	"ALLO": {{line: "ALLO 1", reply: 202}},
	"REST": {{line: "REST 1", reply: 350}},
	"ABOR": {{line: "ABOR", reply: 225}},
	"LIST": {
		{line: "LIST", data: true, reply: 226, needs: needs(pi.List)},
		{line: "LIST *", data: true, reply: 226, needs: needs(pi.List)},
		{line: "LIST f", data: true, reply: 226, needs: needs(pi.Look)},
	},
	"NLST": {
		{line: "NLST", data: true, reply: 226, needs: needs(pi.List)},
		{line: "NLST f", data: true, reply: 226, needs: needs(pi.Look)},
	},
	"MLSD": {{line: "MLSD", data: true, reply: 226, needs: needs(pi.List)}},

	"RNFR": {{line: "RNFR f", reply: 350, needs: needs(pi.Rename)}},
	"RNTO": {
		{before: "RNFR f", line: "RNTO new", reply: 250, needs: needs(pi.Rename | pi.Create)},
		{before: "RNFR f", line: "RNTO g", reply: 250, needs: needs(pi.Rename | pi.Create | pi.Overwrite)},
	},
	"DELE": {{line: "DELE f", reply: 250, needs: needs(pi.Delete)}},
	"MKD":  {{line: "MKD new", reply: 257, needs: needs(pi.Mkdir)}},
	"XMKD": {{line: "XMKD new", reply: 257, needs: needs(pi.Mkdir)}},
	"RMD":  {{line: "RMD d", reply: 250, needs: needs(pi.Rmdir)}},
	"XRMD": {{line: "XRMD d", reply: 250, needs: needs(pi.Rmdir)}},
	"PWD":  {{line: "PWD", reply: 257}},
	"XPWD": {{line: "XPWD", reply: 257}},

	"SIZE": {{line: "SIZE f", reply: 213, needs: needs(pi.Look)}},
	"MDTM": {
		{line: "MDTM f", reply: 213, needs: needs(pi.Look)},
		{line: "MDTM d", reply: 213, needs: needs(pi.Look, pi.List)},
		{line: "MDTM 20200101000000 f", reply: 213, needs: needs(pi.Touch)},
	},
	"MLST": {
		{line: "MLST f", reply: 250, needs: needs(pi.Look)},
		{line: "MLST d", reply: 250, needs: needs(pi.Look, pi.List)},
	},
	"HASH":    {{line: "HASH f", reply: 213, needs: needs(pi.Read)}},
	"MD5":     {{line: "MD5 f", reply: 251, needs: needs(pi.Read)}},
	"XCRC":    {{line: "XCRC f", reply: 250, needs: needs(pi.Read)}},
	"XMD5":    {{line: "XMD5 f", reply: 250, needs: needs(pi.Read)}},
	"XSHA":    {{line: "XSHA f", reply: 250, needs: needs(pi.Read)}},
	"XSHA1":   {{line: "XSHA1 f", reply: 250, needs: needs(pi.Read)}},
	"XSHA256": {{line: "XSHA256 f", reply: 250, needs: needs(pi.Read)}},
	"XSHA512": {{line: "XSHA512 f", reply: 250, needs: needs(pi.Read)}},
	"MFMT":    {{line: "MFMT 20200101000000 f", reply: 213, needs: needs(pi.Touch)}},
	"STAT": {
		{line: "STAT", reply: 211},
		{line: "STAT d", reply: 212, needs: needs(pi.List)},
		{line: "STAT f", reply: 213, needs: needs(pi.Look)},
	},
	"SITE": {
		{line: "SITE HELP", reply: 214},
		{line: "SITE CHMOD 600 f", reply: 200, needs: needs(pi.Chmod)},
		{line: "SITE UTIME 20200101000000 f", reply: 200, needs: needs(pi.Touch)},
		{line: "SITE UTIME f 20200101000000 20200101000000 20200101000000 UTC", reply: 200, needs: needs(pi.Touch)},
	},

	"FEAT": {{line: "FEAT", reply: 211}},
	"OPTS": {{line: "OPTS UTF8 ON", reply: 200}},
	"HELP": {{line: "HELP", reply: 214}},
	"SYST": {{line: "SYST", reply: 215}},
	"NOOP": {{line: "NOOP", reply: 200}},
	"CLNT": {{line: "CLNT x", reply: 200}},
}

// who is a column of the matrix.
type who struct {
	name     string
	access   pi.Access
	nobody   bool // not logged in
	guest    bool
	readOnly bool // the filesystem is, whatever the rights
}

func everybody() []who {
	all := []who{
		{name: "not logged in", nobody: true},
		{name: "anonymous", access: pi.ReadOnly, guest: true, readOnly: true},
		{name: "read-only", access: pi.ReadOnly},
		{name: "drop-box", access: pi.DropBox},
		{name: "read-write", access: pi.ReadWrite},
		{name: "nothing at all"},
		// A mistake in the rights of a guest must not be enough.
		{name: "read-write on a read-only filesystem", access: pi.ReadWrite, readOnly: true},
	}
	for right := pi.Rights(1); right&pi.AllRights != 0; right <<= 1 {
		all = append(all,
			who{name: fmt.Sprintf("all but right %#x", right), access: pi.Access{All: pi.AllRights &^ right}},
			who{name: fmt.Sprintf("only right %#x", right), access: pi.Access{All: right}})
	}
	return all
}

// may says what the matrix expects.
func (w who) may(p probe) bool {
	if len(p.needs) == 0 {
		return true
	}
	const changes = pi.AllRights &^ (pi.List | pi.Look | pi.Read)
	return slices.ContainsFunc(p.needs, func(r pi.Rights) bool {
		return w.access.All.Has(r) && !(w.readOnly && r&changes != 0)
	})
}

// TestPermissionMatrix tries every verb as everybody. What is refused must have changed nothing.
func TestPermissionMatrix(t *testing.T) {
	verbs := pi.Verbs()
	for verb := range probes {
		if !verbs[verb].Spoken {
			t.Errorf("%s is not in the table", verb)
		}
	}
	for _, w := range everybody() {
		t.Run(w.name, func(t *testing.T) {
			m := matrix{t: t, who: w}
			m.server = ftptest.Start(t, ftptest.Options{
				Account: m.account, Limits: pi.Limits{MaxConnectionsPerIP: 1000},
				Endpoint: pi.Endpoint{TLS: ftptest.NewAuthority(t).TLS(nil)},
			})
			for name, v := range verbs {
				ways := probes[name]
				switch {
				case !v.Spoken:
					ways = []probe{{line: name + " x", reply: 502}}
				case len(ways) == 0:
					t.Errorf("%s has no entry in the permission matrix", name)
				case v.Needs != 0 && !slices.ContainsFunc(ways, func(p probe) bool {
					return slices.ContainsFunc(p.needs, func(r pi.Rights) bool { return r.Has(v.Needs) })
				}):
					t.Errorf("%s needs %#x, of which the matrix knows nothing", name, v.Needs)
				}
				for _, p := range ways {
					m.try(v, p)
				}
			}
		})
	}
}

type matrix struct {
	t      *testing.T
	who    who
	server *ftptest.Server
	tree   afero.Fs // of the last login
}

func (m *matrix) account(string) *pi.Account {
	m.tree = memory.New(memory.Options{}).Open("somebody", 0)
	s := ftptest.Setup{}
	for _, e := range []string{"f", "g"} {
		s.File("/"+e, "text")
	}
	s.Dir("/d")
	if err := s.Populate(m.tree); err != nil {
		m.t.Error(err)
	}
	a := &pi.Account{User: "x", FS: m.tree, Access: m.who.access, Anonymous: m.who.guest}
	if m.who.readOnly {
		a.FS = vfs.ReadOnly(a.FS)
	}
	return a
}

// try does one cell of the matrix on a connection of its own.
func (m *matrix) try(v pi.Verb, p probe) {
	m.t.Helper()
	c := m.server.Dial()
	defer c.Close()
	c.Want(220)
	before := "nobody has logged in"
	if !m.who.nobody {
		c.Login("x")
		before = snapshot(m.t, m.tree)
	}
	if p.before != "" {
		c.Send(p.before)
		c.Reply()
	}
	var d *ftptest.Data
	if p.data && !m.who.nobody {
		d = c.Passive()
	}
	c.Send(p.line)
	got := c.Reply()
	if got.Code == 150 {
		if strings.Contains("STOR STOU APPE", v.Name) {
			d.Send("new")
			d.Close()
		} else {
			d.Receive()
		}
		got = c.Reply()
	}
	switch {
	case m.who.nobody && !v.BeforeLogin:
		if got.Code != 530 {
			m.t.Errorf("%s: %s, want 530", p.line, got)
		}
	case m.who.nobody || m.who.may(p):
		if got.Code != p.reply {
			m.t.Errorf("%s: %s, want %d", p.line, got, p.reply)
		}
		return
	case m.who.readOnly && (got.Code == 350 || got.Code == 504): // RNFR only asks; storage says what it cannot do
	case v.Name == "HASH" && got.Code == 552: // its draft has this code for it
	case got.Code != 550 && got.Code != 553 && got.Code != 503:
		m.t.Errorf("%s: %s, want a refusal", p.line, got)
	}
	if m.who.nobody {
		if m.tree != nil {
			m.t.Errorf("%s: somebody has logged in", p.line)
		}
	} else if after := snapshot(m.t, m.tree); after != before {
		m.t.Errorf("%s was refused and left\n%s\nof\n%s", p.line, after, before)
	}
}

// snapshot writes down a tree: names, modes, times and contents.
func snapshot(t testing.TB, fsys afero.Fs) string {
	t.Helper()
	var b strings.Builder
	var walk func(dir string)
	walk = func(dir string) {
		f, err := fsys.Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		entries, err := f.Readdir(-1)
		f.Close()
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			p := vfs.Join(dir, e.Name())
			fmt.Fprintf(&b, "%s %v %s", p, e.Mode(), e.ModTime().UTC().Format(time.RFC3339Nano))
			if e.IsDir() {
				b.WriteString("\n")
				walk(p)
				continue
			}
			text, err := afero.ReadFile(fsys, p)
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(&b, " %q\n", text)
		}
	}
	walk("/")
	return b.String()
}
