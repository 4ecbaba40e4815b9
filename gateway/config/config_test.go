package config

import (
	"crypto/tls"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestLoadFillsEverything(t *testing.T) {
	c, ds := load("testdata/valid.hcl", testChecks, testMachine)
	if len(ds) > 0 {
		t.Fatal(ds)
	}
	dropbox := func(user string) Backend {
		return Backend{Kind: "local", Name: "dropbox", PerUser: true,
			Local: &Local{Root: "/srv/dropbox/" + user, Create: true, FileMode: 0o660, DirMode: 0o770, Sync: true}}
	}
	want := &Config{
		StateDir: "/var/lib/ftpgate",
		Listeners: []Listener{
			{
				Name:         "main",
				Address:      netip.MustParseAddrPort("[::]:2121"),
				PassivePorts: PortRange{20000, 20099},
				PublicHost:   Host{Addr: netip.MustParseAddr("203.0.113.7")},
				DefaultType:  DefaultASCII,
				ActiveMode:   true,
				SourcePort:   20,
				Banner:       "Welcome to the archive.\nBe kind = be quick.",
			},
			{
				Name:         "inner",
				Address:      netip.MustParseAddrPort("127.0.0.1:0"),
				PassivePorts: PortRange{21000, 21099},
				PublicHost:   Host{Name: "ftp.example.org"},
				PublicHosts: []NetworkHost{
					{netip.MustParsePrefix("10.1.2.3/32"), Host{Name: "inside.example.org."}},
					{netip.MustParsePrefix("10.1.0.0/16"), Host{Addr: netip.MustParseAddr("192.0.2.7")}},
					{netip.MustParsePrefix("192.168.0.0/16"), Host{Addr: netip.MustParseAddr("192.168.1.5")}},
					{netip.MustParsePrefix("10.0.0.0/8"), Host{}},
					{netip.MustParsePrefix("0.0.0.0/0"), Host{Addr: netip.MustParseAddr("203.0.113.8")}},
				},
				DefaultType: DefaultBinary,
				AllowFrom:   []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("::1/128")},
				DenyFrom:    []netip.Prefix{netip.MustParsePrefix("10.0.0.13/32")},

				ProxyProtocol: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::1/128")},
				DataPeers:     []netip.Prefix{netip.MustParsePrefix("203.0.113.0/24"), netip.MustParsePrefix("192.0.2.7/32")},
				TLS: &TLS{
					Mode: TLSImplicit, Require: RequireData, CertFile: "/etc/ftpgate/cert.pem", KeyFile: "testdata/keys/key.pem",
					MinVersion: tls.VersionTLS13, CipherSuites: []uint16{tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256},
					SessionReuse: ReuseRequire, AllowTruncation: true,
					ClientCA: "/etc/ftpgate/clients.pem", ClientCert: ClientCertRequired,
				},
			},
		},
		Throttle: Throttle{7, time.Minute, 24 * time.Hour, 0, []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}},
		Admin:    &Admin{Address: netip.MustParseAddrPort("[::1]:8021")},
		Limits: Limits{50, 7, 2, 4096, 30 * time.Second, 90 * time.Minute, 10 * time.Second, 2 * time.Minute, 0,
			Rates{1 << 30, 1e9, 1 << 20, 1 << 10}, 300, 100, 32 << 20},
		Log: Log{Level: "debug", Format: LogJSON},
		Anonymous: &Anonymous{
			Names: []string{"anonymous", "ftp", "guest"},
			Filesystem: Backend{Kind: "local", Name: "mirror",
				Local: &Local{Root: "/srv/mirror", FileMode: DefaultFileMode, DirMode: DefaultDirMode}},
		},
		Users: []User{
			{
				Name: "scanner", PasswordHash: "$2b$hunter2", Filesystem: dropbox("scanner"), Access: DropBox,
				OnConflict: Rename, Commit: Lenient, ResumeWindow: 24 * time.Hour, RequireTLS: RequireNone,
				AllowFrom: []netip.Prefix{netip.MustParsePrefix("192.168.0.0/16"), netip.MustParsePrefix("2001:db8::1/128"),
					netip.MustParsePrefix("10.0.0.0/8")},
				DenyNames: []string{"*.php", ".*"}, MaxUpload: 1 << 30, MaxSessions: 3, Rates: Rates{2 << 20, 3 << 20, 1 << 20, 4 << 10},
			},
			{
				Name: "alice", PasswordHash: "$2b$hunter2", Access: ReadWrite, OnConflict: Overwrite, Commit: Strict,
				Rates:      Rates{SessionDownload: 1 << 20, SessionUpload: 1 << 10},
				Filesystem: Backend{Kind: "memory", Name: "my scratch", Memory: &Memory{MaxSize: 3 << 20}},
				RequireTLS: RequireData,
			},
			{
				Name: "device", ClientName: "device-7.example.org", Filesystem: dropbox("device"), Access: DropBox,
				OnConflict: Refuse, Commit: Strict, RequireTLS: RequireNone,
				Rates: Rates{SessionDownload: 1 << 20, SessionUpload: 1 << 10},
			},
			{
				// THREATS 19: what a name holds is never evaluated again
				Name: "${user.name}%", PasswordHash: "$2b$hunter2", Filesystem: dropbox("${user.name}%"), Access: ReadOnly,
				OnConflict: Overwrite, Commit: Strict, RequireTLS: RequireNone,
				Rates: Rates{SessionDownload: 1 << 20, SessionUpload: 1 << 10},
			},
			{
				Name: "archivist", PasswordHash: "$2b$hunter2", Access: ReadWrite, OnConflict: Overwrite, Commit: Strict,
				Rates: Rates{SessionDownload: 1 << 20, SessionUpload: 1 << 10}, RequireTLS: RequireNone,
				Filesystem: Backend{Kind: "s3", Name: "archive", PerUser: true, S3: &S3{
					Bucket: "acme-archive", Prefix: "ftp/archivist/", Region: "eu-west-1", Endpoint: "https://s3.example.org", PathStyle: true,
					AccessKeyID: "AKIA", SecretAccessKey: "hunter2", SessionToken: "hunter2",
					AssumeRole:   &AssumeRole{RoleARN: "arn:aws:iam::123456789012:role/ftp", ExternalID: "hunter2", SessionName: "ftp-archivist"},
					StorageClass: "STANDARD_IA", Encryption: "aws:kms", KMSKey: "alias/ftp", ACL: "private",
					Checksum: "CRC32C", SignPayload: SignNever, Tags: map[string]string{"source": "ftp"},
					Metadata: map[string]string{"uploaded-by": "archivist"}, RequesterPays: true,
					PartSize: 16 << 20, Concurrency: 8, Uniform: true, ReadAhead: 32 << 20,
					ListPage: 500, MetadataCache: 0, ModTime: ModTimeMetadata, CopyPart: 512 << 20, RenameLimit: 1000,
					Proxy: "http://u:hunter2@proxy:3128", CAFile: "/etc/ftpgate/s3-ca.pem",
					ConnectTimeout: 5 * time.Second, Timeout: 2 * time.Minute, MaxRetries: 0,
				}},
			},
			{
				Name: "press", PasswordHash: "$2b$hunter2", Access: ReadWrite, OnConflict: Overwrite, Commit: Strict,
				Rates: Rates{SessionDownload: 1 << 20, SessionUpload: 1 << 10}, RequireTLS: RequireNone,
				Filesystem: Backend{Kind: "ftp", Name: "press", PerUser: true, FTP: &FTP{
					Address: "10.0.0.7:2121", User: "scanner", Password: "hunter2", TLS: UpstreamImplicit, TLSVerify: true, TLSName: "press.example.org",
					CAFile: "/etc/ftpgate/press-ca.pem", Active: true, Root: "/out/press", MaxConnections: 3, Encoding: "windows-1252", TimeZone: time.UTC, LocalTimes: true, TemporaryPrefix: ".gateway-",
					ConnectTimeout: 5 * time.Second, Timeout: 2 * time.Minute, StallTimeout: 30 * time.Second,
				}},
			},
			{
				Name: "own", PasswordHash: "$2b$hunter2", Access: ReadWrite, OnConflict: Overwrite, Commit: Strict,
				Rates: Rates{SessionDownload: 1 << 20, SessionUpload: 1 << 10}, RequireTLS: RequireNone,
				Filesystem: Backend{Kind: "ftp", Name: "own", FTP: &FTP{
					Address: "device", Passthrough: true, TLS: UpstreamExplicit, TLSVerify: true, Root: "/", MaxConnections: 8,
					ConnectTimeout: 10 * time.Second, Timeout: time.Minute, StallTimeout: time.Minute,
				}},
			},
		},
	}
	if !reflect.DeepEqual(c, want) {
		t.Errorf("got:\n%+v\nwant:\n%+v", c, want)
	}
	if s := c.Users[1].Filesystem.String(); s != "backend.memory.my scratch" {
		t.Errorf("the backend is called %q", s)
	}
}

// TestTLSDefaults: with a certificate a tls block is complete.
func TestTLSDefaults(t *testing.T) {
	c, ds := loadText(t, `
		state_dir = "/var"
		listener "main" {
		  address = ":21"
		  tls {
		    cert_file = "/c"
		    key_file  = "/k"
		  }
		}
		backend "memory" "m" {}
		anonymous { filesystem = backend.memory.m }
	`)
	if c == nil || len(ds) > 0 {
		t.Fatal(ds)
	}
	want := TLS{
		Mode: TLSExplicit, Require: RequireLogin, CertFile: "/c", KeyFile: "/k", MinVersion: tls.VersionTLS12, SessionReuse: ReuseLog,
	}
	if got := *c.Listeners[0].TLS; !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestDefaults(t *testing.T) {
	c, ds := loadText(t, `
		listener "main" { address = "0.0.0.0:21" }
		backend "memory" "m" {}
		anonymous { filesystem = backend.memory.m }
		user "box" {
		  password_hash = "$2b$x"
		  filesystem    = backend.memory.m
		  access        = "drop-box"
		}
	`)
	if c == nil {
		t.Fatal(ds)
	}
	m := Backend{Kind: "memory", Name: "m", Memory: &Memory{MaxSize: DefaultMemorySize}}
	want := &Config{
		Listeners: []Listener{{Name: "main", Address: netip.MustParseAddrPort("0.0.0.0:21"), DefaultType: DefaultBinary, ActiveMode: true}},
		Limits: Limits{DefaultMaxConnections, DefaultMaxConnectionsPerIP, DefaultLoginAttempts, DefaultCommandLine,
			DefaultLoginTimeout, DefaultIdleTimeout, DefaultDataTimeout, DefaultStallTimeout, DefaultShutdownTimeout, Rates{}, 0, 0, DefaultTransferMemory},
		Throttle:  Throttle{DefaultFailures, DefaultWindow, DefaultBan, DefaultMaxDelay, nil},
		Log:       Log{Level: "info"},
		Anonymous: &Anonymous{Names: []string{"anonymous", "ftp"}, Filesystem: m},
		Users: []User{{Name: "box", PasswordHash: "$2b$x", Filesystem: m, Access: DropBox, OnConflict: Refuse,
			Commit: Strict, RequireTLS: RequireNone}},
	}
	if !reflect.DeepEqual(c, want) {
		t.Errorf("got:\n%+v\nwant:\n%+v", c, want)
	}
}

// A backend that depends on user.name is evaluated for each of its users.
func TestPerUserBackends(t *testing.T) {
	c, ds := loadText(t, `
		listener "main" { address = ":21" }
		backend "local" "homes" { root = "/srv/${user.name}" }
		anonymous { filesystem = backend.local.homes }
		user "a" {
		  password_hash = "$2b$x"
		  filesystem    = backend.local.homes
		}
		user "b" {
		  password_hash = "$2b$x"
		  filesystem    = backend.local.homes
		}
	`)
	if c == nil {
		t.Fatal(ds)
	}
	for _, x := range []struct {
		b    Backend
		root string
	}{
		{c.Anonymous.Filesystem, "/srv/anonymous"}, {c.Users[0].Filesystem, "/srv/a"}, {c.Users[1].Filesystem, "/srv/b"},
	} {
		if x.b.Local.Root != x.root || !x.b.PerUser {
			t.Errorf("%+v, want root %s per user", x.b.Local, x.root)
		}
	}
}

// The mistakes of a backend that depends on the user are reported once.
func TestPerUserMistakesAreReportedOnce(t *testing.T) {
	_, ds := loadText(t, `
		state_dir = "/var"
		listener "main" { address = ":21" }
		backend "local" "homes" {
		  root   = "/srv/${user.name}"
		  create = "perhaps"
		}
		user "a" {
		  password_hash = "$2b$x"
		  filesystem    = backend.local.homes
		}
		user "b" {
		  password_hash = "$2b$x"
		  filesystem    = backend.local.homes
		}
	`)
	if len(ds) != 1 {
		t.Errorf("%d diagnostics: %v", len(ds), ds)
	}
}

func TestDiagnosticString(t *testing.T) {
	_, ds := loadText(t, "listener \"main\" {\n  adress = \"hunter2\"\n}\n")
	var lines []string
	for _, d := range ds {
		lines = append(lines, d.String())
	}
	all := strings.Join(lines, "\n")
	if !strings.Contains(all, `test.hcl:2:3: Unknown attribute "adress": There is no such attribute here. Did you mean "address"?`) ||
		strings.Contains(all, sentinel) {
		t.Error(all)
	}
	if errors, warnings := ds.Count(); errors != 2 || warnings != 2 {
		t.Errorf("%d errors, %d warnings: %s", errors, warnings, all)
	}
}

func TestColor(t *testing.T) {
	_, ds := loadText(t, "state_dir = 7\n")
	var b strings.Builder
	if err := ds.Write(&b, true, 80); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(b.String(), "\x1b[31mError\x1b[0m") {
		t.Errorf("no colour: %q", b.String())
	}
}

func TestNesting(t *testing.T) {
	for _, s := range []string{"[", "!", "-", "{a=", "(", "1?1:", "[for a in ", "b {\n", "\"${", "\"%{if true}"} {
		text := strings.Repeat(s, 250_000/len(s))
		if !strings.HasPrefix(s, "b") {
			text = "a = " + text
		}
		if c, _ := loadText(t, text); c != nil {
			t.Errorf("%q is a configuration", s)
		}
	}
}

func TestLargeFile(t *testing.T) {
	_, ds := loadText(t, "# "+strings.Repeat("x", 1<<20))
	if len(ds) != 1 || !strings.Contains(ds[0].Detail, "1 MiB") {
		t.Error(ds)
	}
}

func TestEphemeralPorts(t *testing.T) {
	r, ok := ephemeralPorts()
	if _, err := os.Stat("/proc/sys/net/ipv4/ip_local_port_range"); err != nil {
		t.Skip("not Linux")
	}
	if !ok || r.First == 0 || r.First > r.Last {
		t.Errorf("%v, %v", r, ok)
	}
}

// The example that comes with ftpgate must load anywhere.
func TestExample(t *testing.T) {
	m := testMachine
	m.getenv = func(name string) (string, bool) {
		t.Errorf("the example asks for the environment variable %s", name)
		return "", false
	}
	c, ds := load("../../config.hcl.example", Checks{}, m)
	if len(ds) > 0 {
		t.Errorf("%v", ds)
	}
	if c == nil || len(c.Users) == 0 || c.Anonymous == nil {
		t.Errorf("%+v", c)
	}
}

func loadText(t testing.TB, text string) (*Config, Diagnostics) {
	t.Helper()
	name := filepath.Join(t.TempDir(), "test.hcl")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return load(name, testChecks, testMachine)
}
