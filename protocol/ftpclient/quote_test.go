package ftpclient_test

import (
	"strings"
	"testing"

	"github.com/ftpgate/ftpgate/protocol/ftp"
	"github.com/ftpgate/ftpgate/protocol/ftpclient"
)

// TestQuoteRefuses are commands that would bring client and server out of step, in disguise, one by one and in batches.
func TestQuoteRefuses(t *testing.T) {
	f := startFake(t, func(p *peer) {
		p.say("220 ready")
		p.rest()
	})
	c := f.login(patient())
	before := f.heard()
	for _, verb := range []string{
		"STOR", "stor /x", "RETR /x", " STOR /x", "\tSTOR /x", "ST\xff\xf4OR /x", "\xff\xf4\xff\xf2ABOR", "STOR\t/x",
		"RANG 0 5", "REST 5", "CPSV", "PASS x", "",
	} {
		if _, err := c.Quote(t.Context(), verb); err == nil {
			t.Errorf("Quote sends %q", verb)
		}
		verb, arg, _ := strings.Cut(verb, "|")
		if err := c.Batch(t.Context(), []ftp.Command{{Verb: verb, Arg: arg}})[0].Err; err == nil {
			t.Errorf("Batch sends %q", verb)
		}
	}
	if got := f.heard(); got != before {
		t.Errorf("it sent %q", got)
	}
	if r := c.Batch(t.Context(), []ftp.Command{{Verb: "SITE CHMOD 644", Arg: "/x"}})[0]; r.Reply.Code != 502 {
		t.Errorf("%v", r)
	}
}

// TestTypeIsSetAgain sends TYPE A. A transfer must not be converted by it.
func TestTypeIsSetAgain(t *testing.T) {
	for name, send := range map[string]func(c *ftpclient.Conn) error{
		"Quote": func(c *ftpclient.Conn) error { _, err := c.Quote(t.Context(), "type A"); return err },
		"Batch": func(c *ftpclient.Conn) error {
			return c.Batch(t.Context(), []ftp.Command{{Verb: "TYPE", Arg: "A"}})[0].Err
		},
		"Batch, one word": func(c *ftpclient.Conn) error { return c.Batch(t.Context(), []ftp.Command{{Verb: "TYPE A"}})[0].Err },
	} {
		s := startOwn(t, nil)
		c := s.dial(t, ftpclient.Options{})
		store(t, c, "/a", []byte("a\nb\n"))
		if err := send(c); err != nil {
			t.Fatal(err)
		}
		if got := retrieve(t, c, "/a", 0); string(got) != "a\nb\n" {
			t.Errorf("%s: %q", name, got)
		}
	}
}
