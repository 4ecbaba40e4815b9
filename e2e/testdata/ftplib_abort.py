"""Aborts downloads in the middle and goes on in the same session."""
import ftplib
import sys

host, port = sys.argv[1], int(sys.argv[2])
ftp = ftplib.FTP(timeout=30)
ftp.connect(host, port)
ftp.login()
for _ in range(5):
    ftp.voidcmd("TYPE I")
    data, size = ftp.ntransfercmd("RETR large")
    assert size == 64 << 20, size
    got = data.recv(10_000)
    assert got
    reply = ftp.abort()  # ABOR as urgent data; reads one reply
    assert reply[:3] in ("426", "226", "225"), reply
    data.close()
    if reply.startswith("426"):
        assert ftp.getresp().startswith("226")
    assert ftp.pwd() == "/"
with open("tour-small", "wb") as f:
    ftp.retrbinary("RETR small", f.write)
ftp.quit()
print("all well")
