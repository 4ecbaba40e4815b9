package main

import (
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ftpgate/ftpgate/auth"
	"github.com/ftpgate/ftpgate/gateway"
)

// configured writes a configuration with this admin address.
func configured(t *testing.T, admin string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "c.hcl")
	text := "listener \"main\" { address = \":2121\" }\nbackend \"memory\" \"m\" {}\nanonymous { filesystem = backend.memory.m }\n"
	if admin != "" {
		text += "admin { address = \"" + admin + "\" }\n"
	}
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestBanCommandLine(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "none.sock")
	without, gone := configured(t, ""), configured(t, "unix:"+socket)
	// tcpmux: nothing listens there, and the kernel never gives a port below 1024 to a listener of another test,
	// as it may with one that was just closed.
	const closed = "127.0.0.1:1"
	other := httptest.NewServer(http.NotFoundHandler())
	defer other.Close()
	for _, x := range []struct {
		args string
		code int
		says string
	}{
		{"ban", exitUsage, "say list or lift"},
		{"ban list x", exitUsage, "ban list --help"},
		{"ban lift", exitUsage, "name one address, or say --all"},
		{"ban lift --all 192.0.2.1", exitUsage, "name one address, or say --all"},
		{"ban lift nobody", exitUsage, `"nobody": it is neither an address nor a network`},
		{"ban list -c " + without, exitFailure, "has no admin block"},
		{"ban list -c " + without + ".not", exitFailure, "No such file"},
		{"ban list -c " + gone, exitFailure, "nothing takes orders at " + socket},
		{"ban lift --all -c " + configured(t, closed), exitFailure, "nothing takes orders at " + closed},
		{"ban list -c " + configured(t, other.Listener.Addr().String()), exitFailure, "is no ftpgate of this version (404 Not Found)"},
	} {
		code, out, errOut := ftpgate(t, "", strings.Fields(x.args)...)
		if code != x.code || !strings.Contains(errOut, x.says) || out != "" {
			t.Errorf("ftpgate %s: exit code %d, want %d and %q in:\n%s%s", x.args, code, x.code, x.says, out, errOut)
		}
	}
}

// What the endpoint says is printed for people, and what it is asked is what it knows.
func TestBanAsksTheGateway(t *testing.T) {
	var asked string
	bans := []auth.Ban{
		{Network: netip.MustParsePrefix("192.0.2.1/32"), Failures: 10, Since: time.Date(2026, 1, 2, 3, 4, 5, 0, time.Local), Until: time.Date(2026, 1, 2, 4, 4, 5, 0, time.Local)},
		{Network: netip.MustParsePrefix("2001:db8::/64"), Failures: 11},
	}
	socket := filepath.Join(t.TempDir(), "a.sock")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = r.Method + " " + r.URL.Path
		switch {
		case r.Method == http.MethodGet:
			json.NewEncoder(w).Encode(gateway.BanList{Bans: bans})
		case r.URL.Path == "/bans/192.0.2.9/32":
			w.WriteHeader(http.StatusNotFound)
			json.NewEncoder(w).Encode(gateway.AdminError{Error: "192.0.2.9 is not banned"})
		default:
			json.NewEncoder(w).Encode(gateway.Lifted{Lifted: 1})
		}
	}))
	s.Listener.Close()
	s.Listener = l
	s.Start()
	defer s.Close()
	path := configured(t, "unix:"+socket)
	for _, x := range []struct {
		args, asked string
		code        int
		says        string
	}{
		{"list", "GET /bans", exitOK, "192.0.2.1      10        2026-01-02 03:04:05  2026-01-02 04:04:05\n2001:db8::/64  11        "},
		{"lift 192.0.2.1", "DELETE /bans/192.0.2.1/32", exitOK, "Lifted 1 ban.\n"},
		{"lift 2001:db8::1", "DELETE /bans/2001:db8::/64", exitOK, "Lifted 1 ban.\n"},
		{"lift --all", "DELETE /bans", exitOK, "Lifted 1 ban.\n"},
		{"lift 192.0.2.9", "DELETE /bans/192.0.2.9/32", exitFailure, "ftpgate: 192.0.2.9 is not banned\n"},
	} {
		code, out, errOut := ftpgate(t, "", append(strings.Fields("ban "+x.args), "-c", path)...)
		if code != x.code || asked != x.asked || !strings.Contains(out+errOut, x.says) {
			t.Errorf("ban %s: exit code %d, asked %q, said\n%s%s", x.args, code, asked, out, errOut)
		}
	}
	bans = nil
	if code, out, _ := ftpgate(t, "", "ban", "list", "-c", path); code != exitOK || out != "Nobody is banned.\n" {
		t.Errorf("%d %s", code, out)
	}
}
