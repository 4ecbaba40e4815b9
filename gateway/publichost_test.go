package gateway

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/rs/zerolog"

	"github.com/ftpgate/ftpgate/gateway/config"
)

func host(text string) config.Host {
	if a, err := netip.ParseAddr(text); err == nil {
		return config.Host{Addr: a}
	}
	return config.Host{Name: text}
}

// listenerWith is a listener on all addresses; hosts are "network=host", or a host for the rest.
func listenerWith(hosts ...string) *config.Listener {
	l := &config.Listener{Name: "main", Address: netip.MustParseAddrPort("[::]:21")}
	for _, h := range hosts {
		network, to, ok := strings.Cut(h, "=")
		switch {
		case !ok:
			l.PublicHost = host(h)
		case to == "local":
			l.PublicHosts = append(l.PublicHosts, config.NetworkHost{Network: netip.MustParsePrefix(network)})
		default:
			l.PublicHosts = append(l.PublicHosts, config.NetworkHost{Network: netip.MustParsePrefix(network), Host: host(to)})
		}
	}
	return l
}

func newPublicHost(l *config.Listener, answers map[string]string) (*publicHost, *logBuffer) {
	log := &logBuffer{}
	h := &publicHost{listener: l, names: newNames(hostNames([]config.Listener{*l}), zerolog.Nop()), log: zerolog.New(log)}
	for name, a := range answers {
		h.names.resolved[name] = netip.MustParseAddr(a)
	}
	return h, log
}

// TestAnnounce: the smallest network that holds the client decides; "local", and a name that
// has no address yet, are the address that the client reached.
func TestAnnounce(t *testing.T) {
	local := netip.MustParseAddr("198.51.100.9")
	h, log := newPublicHost(
		listenerWith("10.1.2.0/24=10.9.9.9", "10.1.0.0/16=local", "10.0.0.0/8=inside.example", "11.0.0.0/8=unknown.example", "ftp.example"),
		map[string]string{"inside.example": "10.8.8.8", "ftp.example": "203.0.113.7"})
	for client, want := range map[string]string{
		"10.1.2.3": "10.9.9.9", "10.1.3.4": "198.51.100.9", "10.2.0.1": "10.8.8.8", "11.0.0.1": "198.51.100.9", "192.0.2.1": "203.0.113.7",
	} {
		if got := h.announce(local, netip.MustParseAddr(client)); got.String() != want {
			t.Errorf("%s is told %s, not %s", client, got, want)
		}
	}
	if log.String() != "" {
		t.Errorf("the log says\n%s", log)
	}
}

// TestPrivateAddressAnnounced: the first client on the internet that is told a private address is one
// line in the log; clients in private networks are none.
func TestPrivateAddressAnnounced(t *testing.T) {
	h, log := newPublicHost(listenerWith(), nil)
	local := netip.MustParseAddr("192.168.1.5")
	h.announce(local, netip.MustParseAddr("10.0.0.1"))
	h.announce(netip.MustParseAddr("198.51.100.9"), netip.MustParseAddr("203.0.113.1"))
	if log.String() != "" {
		t.Errorf("the log says\n%s", log)
	}
	for i := range 3 {
		h.announce(local, netip.AddrFrom4([4]byte{203, 0, 113, byte(i)}))
	}
	if got := log.String(); strings.Count(got, "\n") != 1 || !strings.Contains(got, "203.0.113.0") ||
		!strings.Contains(got, "192.168.1.5") || !strings.Contains(got, "set public_host") {
		t.Errorf("the log says\n%s", got)
	}
}

// TestWarnEarly: the log warns at the start if clients on the internet will be told a private
// address, as far as that is known then.
func TestWarnEarly(t *testing.T) {
	on := func(address string, l *config.Listener) *config.Listener {
		l.Address = netip.MustParseAddrPort(address)
		return l
	}
	from := func(networks string, l *config.Listener) *config.Listener {
		for n := range strings.FieldsSeq(networks) {
			l.AllowFrom = append(l.AllowFrom, netip.MustParsePrefix(n))
		}
		return l
	}
	names := map[string]string{"private.example": "172.16.0.1", "public.example": "203.0.113.7"}
	behindNAT, both := "172.17.0.2 100.64.0.1", "10.0.0.1 198.51.100.9"
	for i, x := range []struct {
		listener  *config.Listener
		own, warn string
	}{
		{listenerWith(), behindNAT, "172.17.0.2"},
		{listenerWith(), both, ""},
		{listenerWith(), "", ""}, // nothing is known
		{on("10.0.0.1:21", listenerWith()), both, "10.0.0.1"},
		{on("198.51.100.9:21", listenerWith()), both, ""},
		{on("127.0.0.1:21", listenerWith("10.0.0.1")), both, ""},
		{on("[fe80::1]:21", listenerWith()), both, ""}, // has no PASV
		{from("10.0.0.0/8 fc00::/7", listenerWith()), behindNAT, ""},
		{from("10.0.0.0/8 203.0.113.0/24", listenerWith()), behindNAT, "172.17.0.2"},
		{from("10.0.0.0/7", listenerWith()), behindNAT, "172.17.0.2"},
		{listenerWith("203.0.113.7"), behindNAT, ""},
		{listenerWith("10.0.0.1"), both, "10.0.0.1"},
		{listenerWith("private.example"), both, "172.16.0.1"},
		{listenerWith("public.example"), behindNAT, ""},
		{listenerWith("unknown.example"), behindNAT, "172.17.0.2"},
		{listenerWith("10.0.0.0/8=10.0.0.1", "203.0.113.7"), behindNAT, ""},
		{listenerWith("11.0.0.0/8=local", "203.0.113.7"), behindNAT, "172.17.0.2"},
		{listenerWith("0.0.0.0/0=203.0.113.7"), behindNAT, ""},
	} {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			h, log := newPublicHost(x.listener, names)
			var own []netip.Addr
			for a := range strings.FieldsSeq(x.own) {
				own = append(own, netip.MustParseAddr(a))
			}
			h.warnEarly(own)
			got := log.String()
			if (x.warn == "") != (got == "") || !strings.Contains(got, x.warn) {
				t.Errorf("the log says %q, want %q", got, x.warn)
			}
		})
	}
}

// TestPublicHostOfListener: what the configuration says is what PASV announces.
func TestPublicHostOfListener(t *testing.T) {
	r := run(t, zerolog.InfoLevel, func(c *config.Config) {
		l := &c.Listeners[0]
		l.PublicHost = host("203.0.113.7")
		l.PublicHosts = listenerWith("127.0.0.2/32=local", "127.0.0.3/32=192.0.2.3").PublicHosts
	})
	for from, want := range map[string]string{"127.0.0.1": "(203,0,113,7,", "127.0.0.2": "(127,0,0,1,", "127.0.0.3": "(192,0,2,3,"} {
		c, _ := r.dial(from)
		cmd(c, "USER alice")
		cmd(c, "PASS secret words")
		if got := cmd(c, "PASV"); !strings.Contains(got, want) {
			t.Errorf("%s is told %q", from, got)
		}
		if got := cmd(c, "EPSV"); !strings.Contains(got, "(|||") {
			t.Errorf("%s is told %q", from, got)
		}
	}
}
