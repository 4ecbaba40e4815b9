package ftp

// The Telnet commands that matter here (RFC 854).
const (
	telnetSE   = 240 // end of subnegotiation; also the first command there is
	telnetSB   = 250 // subnegotiation
	telnetWILL = 251
	telnetWONT = 252
	telnetDO   = 253
	telnetDONT = 254
	telnetIAC  = 255 // interpret as command
)

type telnetStep uint8

const (
	telnetText    telnetStep = iota
	telnetCommand            // after IAC
	telnetOption             // after IAC WILL, WONT, DO or DONT
	telnetSub                // inside IAC SB
	telnetSubIAC             // after IAC inside IAC SB
)

// telnetState is where in a Telnet command the input stands; it survives reads that end anywhere.
type telnetState struct {
	step telnetStep
	verb byte // for telnetOption
}

func (t *telnetState) inside() bool { return t.step != telnetText }

// inTelnet takes the next byte of a Telnet command. It reports false if c is text after all.
//
// IAC IAC is the byte 0xFF. IAC before a byte that is no command at all stands
// for itself: it is a name in Latin-1 from a client that does not double it.
// An LF always ends the line, except as an option's number; a subnegotiation
// that is still open there takes its line with it, as part of that line is lost.
func (l *LineReader) inTelnet(c byte) bool {
	t := &l.telnet
	switch t.step {
	case telnetCommand:
		t.step = telnetText
		switch {
		case c == telnetIAC:
			if !l.skip {
				l.measure()
			}
			return true
		case c < telnetSE:
			return false
		case c == telnetSB:
			t.step = telnetSub
		case c >= telnetWILL:
			t.step, t.verb = telnetOption, c
		}
		if !l.skip {
			l.end-- // the IAC was no text
		}
	case telnetOption:
		t.step = telnetText
		l.refuse(t.verb, c)
	case telnetSub, telnetSubIAC:
		switch {
		case c == '\n':
			t.step = telnetText
			l.skip, l.end = true, l.line
			return false
		case t.step == telnetSubIAC && c == telnetSE:
			t.step = telnetText
		case t.step == telnetSub && c == telnetIAC:
			t.step = telnetSubIAC
		default:
			t.step = telnetSub
		}
	}
	return true
}

// refuse answers a request for or an offer of an option. WONT and DONT need no answer.
func (l *LineReader) refuse(verb, option byte) {
	if l.Refuse == nil {
		return
	}
	switch verb {
	case telnetDO:
		l.Refuse([]byte{telnetIAC, telnetWONT, option})
	case telnetWILL:
		l.Refuse([]byte{telnetIAC, telnetDONT, option})
	}
}
