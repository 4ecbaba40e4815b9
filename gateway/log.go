package gateway

import (
	"io"
	"os"
	"strconv"
	"time"

	"github.com/rs/zerolog"
	"golang.org/x/term"

	"github.com/ftpgate/ftpgate/gateway/config"
)

// NewLog makes the log that a configuration asks for: lines for a person when w is
// a terminal or the format says so, JSON otherwise.
func NewLog(w io.Writer, c config.Log) zerolog.Logger {
	level, err := zerolog.ParseLevel(c.Level)
	if err != nil || c.Level == "" {
		level = zerolog.InfoLevel
	}
	format := c.Format
	f, isFile := w.(*os.File)
	terminal := isFile && term.IsTerminal(int(f.Fd()))
	if format == "" && terminal {
		format = config.LogConsole
	}
	if format == config.LogConsole {
		w = zerolog.ConsoleWriter{Out: w, TimeFormat: time.DateTime, NoColor: !terminal}
	}
	return zerolog.New(w).Level(level).With().Timestamp().Logger()
}

// maxLogged is how much of a client's text a log line shows, in bytes.
const maxLogged = 512

// clean makes text that a client chose safe for a log: printable, on one line,
// of bounded length. Bytes that are not UTF-8 show as \xNN.
func clean(text string) string {
	cut := len(text) > maxLogged
	if cut {
		text = text[:maxLogged]
	}
	plain := true
	for _, c := range []byte(text) {
		if c < 0x20 || c >= 0x7f || c == '\\' {
			plain = false
			break
		}
	}
	if !plain {
		q := strconv.AppendQuote(nil, text)
		text = string(q[1 : len(q)-1])
	}
	if cut {
		text += "..."
	}
	return text
}
