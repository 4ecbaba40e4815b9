"""A tour through what ftplib can do. Leaves the tree as empty as it was."""
import ftplib
import io
import sys

host, port, user, password, mode = sys.argv[1], int(sys.argv[2]), *sys.argv[3:6]


def session(encoding="utf-8"):
    ftp = ftplib.FTP(timeout=30, encoding=encoding)
    ftp.connect(host, port)
    ftp.login(user, password)
    ftp.set_pasv(mode == "passive")
    return ftp


def refused(call, *args, code="550"):
    try:
        call(*args)
    except ftplib.all_errors as e:
        assert str(e).startswith(code), f"{args}: {e}, want {code}"
        return
    raise AssertionError(f"{args} was not refused")


def get(ftp, name, rest=None):
    out = io.BytesIO()
    ftp.retrbinary("RETR " + name, out.write, rest=rest)
    return out.getvalue()


def put(ftp, name, content, rest=None, verb="STOR"):
    return ftp.storbinary(f"{verb} {name}", io.BytesIO(content), rest=rest)


ftp = session()
assert "UTF8" in ftp.sendcmd("FEAT")
assert ftp.nlst() == []

# Directories: quotes are doubled in replies, names come back as they were made.
assert ftp.mkd('a "quoted" dir') == '/a "quoted" dir'
ftp.cwd('a "quoted" dir')
assert ftp.pwd() == '/a "quoted" dir'
refused(ftp.mkd, '/a "quoted" dir')

# Files: bytes, offsets, appending.
content = bytes(range(256)) * 4000
for name, size in (("empty", 0), ("one", 1), ("large", len(content))):
    put(ftp, name, content[:size])
    assert get(ftp, name) == content[:size], name
    assert ftp.size(name) == size
assert get(ftp, "large", rest=1_000_000) == content[1_000_000:]
assert get(ftp, "large", rest=len(content)) == b""
refused(get, ftp, "large", len(content) + 1, code="554")
put(ftp, "large", b"tail", rest=500_000)  # keeps the head, drops the rest
assert get(ftp, "large") == content[:500_000] + b"tail"
put(ftp, "one", b"+more", verb="APPE")
assert get(ftp, "one") == content[:1] + b"+more"

# Text: converted when the client asks for it.
ftp.storlines("STOR text", io.BytesIO(b"first\nsecond\n"))
assert get(ftp, "text") == b"first\nsecond\n"
lines = []
ftp.retrlines("RETR text", lines.append)
assert lines == ["first", "second"], lines

# Unique names.
reply = put(ftp, "", b"unique", verb="STOU").split()[-1]
assert get(ftp, reply.rstrip(".")) == b"unique", reply

# Times.
ftp.sendcmd("MFMT 20010203040506 text")
assert ftp.sendcmd("MDTM text") == "213 20010203040506"
ftp.sendcmd("MDTM 20020304050607 text")
facts = dict(ftp.mlsd(facts=["type", "size", "modify"]))
assert facts["text"] == {"type": "file", "size": "13", "modify": "20020304050607"}, facts["text"]
assert {"empty", "one", "large", "text"} <= set(facts)
assert sorted(facts) == sorted(ftp.nlst()), (facts, ftp.nlst())
long = []
ftp.dir(long.append)
assert any(line.endswith("Mar 04  2002 text") for line in long), long

# Renaming and removing.
ftp.rename("text", "/moved text")
assert ftp.sendcmd("MDTM /moved text") == "213 20020304050607"
refused(ftp.rename, "text", "other")
refused(ftp.rename, "/moved text", '/a "quoted" dir', code="553")
refused(ftp.rmd, '/a "quoted" dir')
refused(ftp.delete, '/a "quoted" dir')
refused(ftp.rmd, "/moved text")
refused(ftp.cwd, "/nowhere")
refused(ftp.size, "/nowhere")
refused(ftp.retrbinary, "RETR /nowhere", print)
refused(ftp.retrbinary, "RETR /", print)
refused(ftp.nlst, "/nowhere")
refused(ftp.sendcmd, "GIBBERISH", code="500")
refused(ftp.sendcmd, "SIZE", code="501")
refused(ftp.sendcmd, "RNTO x", code="503")
refused(ftp.storbinary, "STOR /nowhere/x", io.BytesIO(b"x"))
for name in ftp.nlst():
    ftp.delete(name)
ftp.cwd("..")
ftp.rmd('a "quoted" dir')
ftp.delete("moved text")

# Names are bytes: what a Latin-1 client stores, it finds again. (What cannot
# be UTF-8 is kept as it is.)
other = session(encoding="latin-1")
put(other, "gr\xfc\xdfe.txt", b"latin")
assert other.nlst() == ["gr\xfc\xdfe.txt"]
assert get(other, "gr\xfc\xdfe.txt") == b"latin"
other.delete("gr\xfc\xdfe.txt")
other.quit()

# A second transfer needs a data connection of its own; many in a row work.
for i in range(30):
    put(ftp, "again", b"%d" % i)
    assert get(ftp, "again") == b"%d" % i
ftp.delete("again")
assert ftp.nlst() == []
assert ftp.quit().startswith("221")
print("all well")
