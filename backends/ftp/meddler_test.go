package ftp

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/ftpgate/ftpgate/protocol/ftptest"
)

// meddler stands between a Backend and its server, answers commands in the server's place, and knows what
// was asked. Data connections go past it: the server is on the same address.
type meddler struct {
	mu      sync.Mutex
	rewrite func(line string) string                          // before the server gets it; nil: as it is. Set before the first connection
	sent    []string                                          // the commands that came, by all connections
	answer  func(line string) (reply string, whole, cut bool) // with m.mu held. whole: reply is all; else the server is asked, too. cut: then the connection ends
}

// between returns options with a meddler before the server. Commands are not sent ahead, so replies
// can be put in between.
func (u *upstream) between(t *testing.T) (*meddler, Options) {
	t.Helper()
	m := &meddler{}
	o := u.options()
	o.Address = ftptest.Serve(t, func(conn net.Conn) { m.serve(conn, u.address) })
	o.Client.Sequential = true
	return m, o
}

func (m *meddler) serve(client net.Conn, address string) {
	defer client.Close()
	server, err := net.Dial("tcp", address)
	if err != nil {
		return
	}
	var back sync.WaitGroup
	defer back.Wait()
	defer server.Close()
	back.Go(func() {
		_, _ = io.Copy(client, server) // who waits for a reply finds out
		client.Close()
	})
	lines := bufio.NewScanner(client)
	for lines.Scan() {
		line := lines.Text()
		m.mu.Lock()
		m.sent = append(m.sent, line)
		reply, whole, cut := "", false, false
		if m.answer != nil {
			reply, whole, cut = m.answer(line)
		}
		m.mu.Unlock()
		if m.rewrite != nil {
			line = m.rewrite(line)
		}
		if !whole {
			fmt.Fprintf(server, "%s\r\n", line)
		}
		if reply != "" {
			fmt.Fprintf(client, "%s\r\n", reply)
		}
		if cut {
			return
		}
	}
}

// set has an answer given from now on, and forgets what was sent.
func (m *meddler) set(answer func(line string) (reply string, whole, cut bool)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.answer, m.sent = answer, nil
}

// count is how many commands with a verb came since set.
func (m *meddler) count(verb string) (n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, line := range m.sent {
		if line == verb || strings.HasPrefix(line, verb+" ") {
			n++
		}
	}
	return n
}

// commands are the verbs that came since set, but for some.
func (m *meddler) commands(but ...string) (verbs []string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, line := range m.sent {
		if verb, _, _ := strings.Cut(line, " "); !slices.Contains(but, verb) {
			verbs = append(verbs, verb)
		}
	}
	return verbs
}
