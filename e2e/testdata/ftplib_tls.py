"""Does what it is told in one session under TLS, with ftplib. Says "all well" at the end.

The argument is JSON: host, port, ca, user, password, mode (explicit or implicit), version,
reuse (whether to resume the TLS session), operations (lists of what, file here, path there).
"""
import ftplib
import json
import socket
import ssl
import sys

want = json.loads(sys.argv[1])


class Client(ftplib.FTP_TLS):
    """ftplib never resumes; this is how people teach it to."""

    def ntransfercmd(self, cmd, rest=None):
        conn, size = ftplib.FTP.ntransfercmd(self, cmd, rest)
        if self._prot_p:
            conn = self.context.wrap_socket(conn, server_hostname=self.host, session=self.sock.session)
            assert conn.session_reused, "not resumed"
        return conn, size


context = ssl.create_default_context(cafile=want["ca"])
context.minimum_version = context.maximum_version = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}[want["version"]]
ftp = (Client if want["reuse"] else ftplib.FTP_TLS)(context=context, timeout=30)
if want["mode"] == "implicit":
    ftp.host, ftp.port = want["host"], want["port"]
    raw = socket.create_connection((ftp.host, ftp.port), 30)
    ftp.af = raw.family
    ftp.sock = context.wrap_socket(raw, server_hostname=ftp.host)
    ftp.file = ftp.sock.makefile("r", encoding=ftp.encoding)
    ftp.welcome = ftp.getresp()
else:
    ftp.connect(want["host"], want["port"])
    ftp.auth()
ftp.login(want["user"], want["password"])
ftp.prot_p()
assert ftp.sock.version() == "TLSv" + want["version"], ftp.sock.version()
ftp.pwd()
for what, here, there in want["operations"]:
    if what in ("put", "put text"):
        with open(here, "rb") as f:
            (ftp.storbinary if what == "put" else ftp.storlines)("STOR " + there, f)
        continue
    with open(here, "wb") as f:
        if what == "get":
            ftp.retrbinary("RETR " + there, f.write)
        elif what == "get text":
            ftp.retrlines("RETR " + there, lambda line: f.write(line.encode() + b"\n"))
        else:
            f.write("".join(name + "\n" for name in ftp.nlst(there)).encode())
assert ftp.quit().startswith("221")
print("all well")
