//go:build linux

package gateway

import (
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strings"
	"time"
)

// soakBig is the size of the file that enemies download: more than the buffers of
// a connection hold.
const soakBig = 8 << 20

// halfHello is the beginning of a TLS handshake that never comes further.
const halfHello = "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"

// attack is a kind of hostile client. It does what it does and returns when the server has got
// rid of it, or nil at once where leaving is part of the attack.
type attack struct {
	name string
	does func(*enemy) error
}

var attacks = []attack{
	{"silent", func(e *enemy) error { return e.only(e.plain, "") }},
	{"silent, implicit TLS", func(e *enemy) error { return e.only(e.implicit, "") }},
	{"half a handshake", halfHandshake},
	{"half, implicit TLS", func(e *enemy) error { return e.only(e.implicit, halfHello) }},
	{"clear text, implicit TLS", func(e *enemy) error { return e.only(e.implicit, "USER anonymous\r\n") }},
	{"handshakes", handshakes},
	{"dripping", dripping},
	{"unauthenticated garbage", func(e *enemy) error { return e.only(e.plain, strings.Repeat("garbage\r\n", 20)) }},
	{"random bytes", randomBytes},
	{"huge lines", hugeLines},
	{"connect and hang up", connectAndHangUp},
	{"guessing passwords", guessing},
	{"commands sent ahead", pipelined},
	{"replies never read", repliesNeverRead},
	{"ABOR floods", aborFlood},
	{"PASV and no connection", neverConnected},
	{"RETR never read", neverRead},
	{"STOR never sent", func(e *enemy) error { return stalledUpload(e, 0) }},
	{"STOR half sent", func(e *enemy) error { return stalledUpload(e, 100_000) }},
	{"no TLS on data", noDataHandshake},
	{"reset in mid-transfer", resetInTransfer},
}

// only connects, sends something, and waits.
func (e *enemy) only(at netip.AddrPort, text string) error {
	w, err := e.dial(at)
	if err != nil {
		return err
	}
	if _, err := io.WriteString(w, text); err != nil {
		return err
	}
	return w.dropped()
}

func halfHandshake(e *enemy) error {
	w, err := e.greeted()
	if err != nil {
		return err
	}
	if err := w.cmd("234", "AUTH TLS"); err != nil {
		return err
	}
	if _, err := io.WriteString(w, halfHello); err != nil {
		return err
	}
	return w.dropped()
}

// handshakes are whole, one after the other: they cost the server more than the client.
func handshakes(e *enemy) error {
	for range 5 {
		w, err := e.dial(e.implicit)
		if err != nil {
			return err
		}
		if err := errors.Join(w.secure(), w.want("220")); err != nil {
			return err
		}
		w.Close()
	}
	return nil
}

// dripping sends one byte after the other, and never the end of a line.
func dripping(e *enemy) error {
	dial := e.greeted
	if e.random.Uint64()%2 == 0 {
		dial = e.guest
	}
	w, err := dial()
	if err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- w.dropped() }()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			_, _ = w.Write([]byte{'a' + byte(e.random.Uint64()%26)}) // the reader finds out
		case err := <-ended:
			return err
		}
	}
}

func randomBytes(e *enemy) error {
	w, err := e.greeted()
	if err != nil {
		return err
	}
	b := make([]byte, 32<<10)
	e.random.Read(b)
	go w.Write(b) // the server may have had enough before the end
	return w.dropped()
}

// hugeLines: two with an end and a reply each, and one without. All of it has to come within the login timeout.
func hugeLines(e *enemy) error {
	w, err := e.greeted()
	if err != nil {
		return err
	}
	line := strings.Repeat("x", 512<<10)
	for range 2 {
		if err := w.say("%s", line); err != nil {
			return nil //nolint:nilerr // the server has had enough
		}
		switch reply, err := w.reply(); {
		case err != nil || strings.HasPrefix(reply, "421 Login timeout"):
			return w.dropped()
		case !strings.HasPrefix(reply, "500"):
			return fmt.Errorf("a huge line was answered %q", reply)
		}
	}
	_, _ = io.WriteString(w, line) // or a part of it
	return w.dropped()
}

func connectAndHangUp(e *enemy) error {
	for i := range 20 {
		at := e.plain
		if i%4 == 3 {
			at = e.implicit
		}
		w, err := e.dial(at)
		if err != nil {
			return err
		}
		if i%3 == 0 {
			w.Close()
		} else {
			w.reset()
		}
	}
	return nil
}

// guessing is done at the account of the client that behaves, from many addresses: each is banned before long.
func guessing(e *enemy) error {
	e.from = netip.AddrFrom4([4]byte{127, 2, byte(e.random.Uint64()), 1 + byte(e.random.Uint64()%250)})
	for range 50 {
		w, err := e.dial(e.plain)
		if err != nil {
			return err
		}
		line, err := w.reply()
		if err != nil {
			return err
		}
		if strings.HasPrefix(line, "421 Too many failed logins") {
			return w.dropped() // banned
		}
		for {
			if err := w.say("USER alice"); err != nil {
				break
			}
			if line, _ := w.reply(); !strings.HasPrefix(line, "331") {
				break
			}
			if err := w.say("PASS %x", e.random.Uint64()); err != nil {
				break
			}
			if line, _ := w.reply(); !strings.HasPrefix(line, "530") {
				if !strings.HasPrefix(line, "421") {
					return fmt.Errorf("a guess was answered %q", line)
				}
				break // busy, or banned
			}
		}
		w.Close()
	}
	return errors.New("it is not banned")
}

// pipelined sends hundreds of commands ahead, each of which has its reply.
func pipelined(e *enemy) error {
	const n = 400
	w, err := e.guest()
	if err != nil {
		return err
	}
	sent := make(chan error, 1)
	go func() {
		_, err := io.WriteString(w, strings.Repeat("PWD\r\nSIZE big\r\n", n/2))
		sent <- err
	}()
	for range n / 2 {
		if err := errors.Join(w.want("257"), w.want("213")); err != nil {
			return err
		}
	}
	return errors.Join(<-sent, w.cmd("221", "QUIT"), w.dropped())
}

// repliesNeverRead are those of a flood, until the server takes no more; then it leaves. (The timer that
// would end it is half a minute: TestReplyTimeout.)
func repliesNeverRead(e *enemy) error {
	w, err := e.guest()
	if err != nil {
		return err
	}
	lines := []byte(strings.Repeat("STAT\r\nFEAT\r\n", 1000))
	for range 1000 {
		w.SetWriteDeadline(time.Now().Add(time.Second))
		if _, err := w.Write(lines); err != nil {
			w.reset()
			return nil
		}
	}
	return errors.New("the server has read it all")
}

// aborFlood aborts listings, each several times: every command has its reply.
func aborFlood(e *enemy) error {
	w, err := e.guest()
	if err != nil {
		return err
	}
	for range 20 {
		d, err := w.data()
		if err != nil {
			return err
		}
		if err := w.say("LIST\r\nABOR\r\nABOR\r\nABOR\r\nPWD"); err != nil {
			return err
		}
		replies := 0
		for last := ""; !strings.HasPrefix(last, "257"); replies++ {
			if last, err = w.reply(); err != nil {
				return err
			}
			if strings.HasPrefix(last, "150") {
				replies--
			}
		}
		if replies != 5 {
			return fmt.Errorf("%d replies to 5 commands", replies)
		}
		d.Close()
	}
	return errors.Join(w.cmd("221", "QUIT"), w.dropped())
}

// neverConnected has the server wait for a data connection, and then leaves a port reserved.
func neverConnected(e *enemy) error {
	w, err := e.guest()
	if err != nil {
		return err
	}
	if _, err := w.reserve(); err != nil {
		return err
	}
	if err := w.cmd("425", "RETR big"); err != nil {
		return err
	}
	if _, err := w.reserve(); err != nil {
		return err
	}
	return w.dropped()
}

func neverRead(e *enemy) error {
	w, err := e.guest()
	if err != nil {
		return err
	}
	if _, err := w.transfer("RETR big"); err != nil {
		return err
	}
	return errors.Join(w.want("426"), w.dropped())
}

func stalledUpload(e *enemy, bytes int) error {
	w, err := e.mallory()
	if err != nil {
		return err
	}
	d, err := w.transfer(fmt.Sprintf("STOR f%x", e.random.Uint64()))
	if err != nil {
		return err
	}
	if _, err := io.WriteString(d, strings.Repeat("x", bytes)); err != nil {
		return err
	}
	return errors.Join(w.want("426"), w.dropped())
}

func noDataHandshake(e *enemy) error {
	w, err := e.greeted()
	if err != nil {
		return err
	}
	if err := errors.Join(w.cmd("234", "AUTH TLS"), w.secure(), w.cmd("331", "USER anonymous"), w.cmd("230", "PASS x"),
		w.cmd("200", "PBSZ 0"), w.cmd("200", "PROT P")); err != nil {
		return err
	}
	if _, err := w.transfer("RETR big"); err != nil {
		return err
	}
	return errors.Join(w.want("522"), w.dropped())
}

// resetInTransfer resets data or control connection, of uploads and downloads.
func resetInTransfer(e *enemy) error {
	for i := range 4 {
		dial, line := e.guest, "RETR big"
		if i%2 == 1 {
			dial, line = e.mallory, fmt.Sprintf("STOR f%x", e.random.Uint64())
		}
		w, err := dial()
		if err != nil {
			return err
		}
		d, err := w.transfer(line)
		if err != nil {
			return err
		}
		if i%2 == 1 {
			_, err = io.WriteString(d, strings.Repeat("x", 10_000))
		} else {
			_, err = io.CopyN(io.Discard, d, 10_000)
		}
		if err != nil {
			return err
		}
		if i < 2 {
			d.reset()
			if err := w.want("426"); err != nil {
				return err
			}
		}
		w.reset()
	}
	return nil
}
