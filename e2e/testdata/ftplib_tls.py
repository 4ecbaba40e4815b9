"""Explicit or implicit TLS with ftplib, with and without session reuse."""
import ftplib
import io
import socket
import ssl
import sys

host, port, ca, user, password, mode, version, reuse, refused = sys.argv[1], int(sys.argv[2]), *sys.argv[3:10]


class Client(ftplib.FTP_TLS):
    """ftplib never resumes; this is how people teach it to."""

    def ntransfercmd(self, cmd, rest=None):
        conn, size = ftplib.FTP.ntransfercmd(self, cmd, rest)
        if self._prot_p:
            session = self.sock.session if reuse == "reuse" else None
            conn = self.context.wrap_socket(conn, server_hostname=self.host, session=session)
            self.resumed.append(conn.session_reused)
        return conn, size


context = ssl.create_default_context(cafile=ca)
if version == "1.2":
    context.maximum_version = ssl.TLSVersion.TLSv1_2
else:
    context.minimum_version = ssl.TLSVersion.TLSv1_3
ftp = Client(context=context, timeout=30)
ftp.resumed = []
if mode == "implicit":
    ftp.host, ftp.port = host, port
    raw = socket.create_connection((host, port), 30)
    ftp.af = raw.family
    ftp.sock = context.wrap_socket(raw, server_hostname=host)
    ftp.file = ftp.sock.makefile("r", encoding=ftp.encoding)
    ftp.welcome = ftp.getresp()
else:
    ftp.connect(host, port)
    ftp.auth()
ftp.login(user, password)
ftp.prot_p()
assert ftp.sock.version() == "TLSv" + version, ftp.sock.version()

large = bytes(range(256)) * 8000
if refused == "refused":
    for call in (lambda: ftp.storbinary("STOR refused", io.BytesIO(b"x")), lambda: ftp.retrbinary("RETR refused", print), ftp.nlst):
        try:
            call()
        except (ftplib.Error, OSError, EOFError) as e:
            print(e)
        else:
            raise AssertionError("not refused")
        break
    print("all well")
    sys.exit()

for round in range(5):
    for name, content in (("empty", b""), ("small", b"text\r\n"), ("large", large)):
        ftp.storbinary("STOR " + name, io.BytesIO(content))
        out = io.BytesIO()
        ftp.retrbinary("RETR " + name, out.write)
        assert out.getvalue() == content, name
    assert sorted(ftp.nlst()) == ["empty", "large", "small"], ftp.nlst()
ftp.storlines("STOR text", io.BytesIO(b"first\nsecond\n"))
lines = []
ftp.retrlines("RETR text", lines.append)
assert lines == ["first", "second"], lines
if reuse == "reuse":
    assert all(ftp.resumed), ftp.resumed
for name in ftp.nlst():
    ftp.delete(name)
assert ftp.quit().startswith("221")
print("all well")
