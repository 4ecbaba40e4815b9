package peers

import (
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

func pureftpd(t testing.TB, p *peer) []string {
	server := binary(t, "pure-ftpd", "usr/sbin/pure-ftpd")
	tool := binary(t, "pure-ftpd", "usr/bin/pure-pw")
	users := p.file(t, "passwd", fmt.Sprintf("%s:%s:%d:%d::%s/./::::::::::::\n", p.User, hash, nobody, nobody, p.Root))
	db := filepath.Join(p.work, "passwd.pdb")
	if out, err := exec.Command(tool, "mkdb", db, "-f", users).CombinedOutput(); err != nil {
		t.Fatalf("peers: pure-pw: %v\n%s", err, out)
	}
	argv := []string{
		server, "-S", "127.0.0.1," + p.port, "-l", "puredb:" + db, "-A", "-E", "-H", "-c", "200", "-C", "200", "-u", "1",
		"-L", "1000000:10",
	}
	if p.o.TLS {
		argv = append(argv, "-Y", "1", "-2", p.cert+","+p.cert)
	}
	return argv
}

func proftpd(t testing.TB, p *peer) []string {
	server := binary(t, "proftpd-core", "usr/sbin/proftpd")
	users := p.file(t, "passwd", fmt.Sprintf("%s:%s:%d:%d::%s:/bin/sh\n", p.User, hash, nobody, nobody, p.Root))
	conf := fmt.Sprintf(`ServerName peer
ServerType standalone
DefaultServer on
Port %s
DefaultAddress 127.0.0.1
UseIPv6 off
SocketBindTight on
RequireValidShell off
AuthUserFile %s
AuthOrder mod_auth_file.c
DefaultRoot ~
AllowOverwrite on
AllowStoreRestart on
AllowRetrieveRestart on
UseReverseDNS off
PidFile %s/pid
ScoreboardFile none
SystemLog %[3]s/syslog
User nobody
Group nogroup
Umask 022
DelayEngine off
WtmpLog off
TransferLog none
`, p.port, users, p.work)
	modules := filepath.Join(filepath.Dir(server), "../lib/proftpd")
	if _, err := os.Stat(modules); err == nil {
		load := "ModulePath " + modules + "\n"
		for _, name := range []string{"mod_tls", "mod_copy", "mod_digest"} {
			if _, err := os.Stat(filepath.Join(modules, name+".so")); err == nil && (p.o.TLS || name != "mod_tls") {
				load += "LoadModule " + name + ".c\n"
			}
		}
		conf = load + conf
	}
	if p.o.TLS {
		options := "NoSessionReuseRequired"
		if p.o.RequireReuse {
			options = ""
		}
		conf += fmt.Sprintf("TLSEngine on\nTLSECCertificateFile %s\nTLSECCertificateKeyFile %[1]s\nTLSRequired off\n", p.cert)
		if options != "" {
			conf += "TLSOptions " + options + "\n"
		}
	}
	return []string{server, "-n", "-q", "-c", p.file(t, "proftpd.conf", conf)}
}

// vsftpd asks the machine's accounts for everyone but the anonymous user. That one may not write to the root, and
// has to be an account whose home exists, which nobody's does not.
func vsftpd(t testing.TB, p *peer) []string {
	server := binary(t, "vsftpd", "usr/sbin/vsftpd")
	p.User, p.Password, p.Dir = "anonymous", "bench@", "/dir"
	check(t, os.Chown(p.Root, 0, 0))
	p.Root = filepath.Join(p.Root, "dir")
	check(t, os.Mkdir(p.Root, 0o755))
	account, err := user.Lookup("bin")
	check(t, err)
	uid, err := strconv.Atoi(account.Uid)
	check(t, err)
	check(t, os.Chown(p.Root, uid, -1))
	empty := filepath.Join(p.work, "empty")
	check(t, os.Mkdir(empty, 0o555))
	conf := []string{
		"listen=YES", "listen_address=127.0.0.1", "listen_port=" + p.port, "background=NO",
		"anonymous_enable=YES", "local_enable=NO", "ftp_username=" + account.Username, "nopriv_user=nobody", "anon_root=" + filepath.Dir(p.Root), "no_anon_password=NO",
		"write_enable=YES", "anon_upload_enable=YES", "anon_mkdir_write_enable=YES", "anon_other_write_enable=YES",
		"anon_world_readable_only=NO", "anon_umask=022", "mdtm_write=YES", "secure_chroot_dir=" + empty,
		"max_clients=0", "max_per_ip=0", "seccomp_sandbox=NO", "delay_failed_login=0", "delay_successful_login=0",
	}
	if p.o.TLS {
		conf = append(conf, "ssl_enable=YES", "allow_anon_ssl=YES", "rsa_cert_file="+p.cert, "rsa_private_key_file="+p.cert)
		reuse := "NO"
		if p.o.RequireReuse {
			reuse = "YES"
		}
		conf = append(conf, "require_ssl_reuse="+reuse, "ssl_ciphers=HIGH") // its own choice is for RSA keys
	}
	return []string{server, p.file(t, "vsftpd.conf", strings.Join(conf, "\n")+"\n")}
}

func pyftpdlib(t testing.TB, p *peer) []string {
	python := "/usr/bin/python3"
	if err := exec.Command(python, "-c", "import pyftpdlib, OpenSSL").Run(); err != nil {
		python = "python3"
		if err := exec.Command(python, "-c", "import pyftpdlib, OpenSSL").Run(); err != nil {
			missing(t, p.Name, "python3 has no pyftpdlib or no pyOpenSSL")
		}
	}
	handler := "FTPHandler"
	if p.o.TLS {
		handler = "TLS_FTPHandler"
	}
	code := fmt.Sprintf(`from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import FTPHandler, TLS_FTPHandler
from pyftpdlib.servers import FTPServer
import logging; logging.basicConfig(level=logging.WARNING)
a = DummyAuthorizer(); a.add_user(%q, %q, %q, perm="elradfmwMT")
h = %s; h.authorizer = a; h.certfile = %q
FTPServer(("127.0.0.1", %s), h).serve_forever()
`, p.User, p.Password, p.Root, handler, p.cert, p.port)
	return []string{python, p.file(t, "run.py", code)}
}
