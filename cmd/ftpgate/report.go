package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/schollz/progressbar/v3"
)

// report tells people, or programs, what a verb of the client does. Its methods may be called at once by many.
type report struct {
	out, errOut io.Writer
	json        bool
	quiet       bool
	people      bool // errOut is a terminal

	mu     sync.Mutex
	bar    *progressbar.ProgressBar // nil: none
	total  int64                    // of the bar
	moved  int64
	begun  time.Time
	count  int   // failures
	broken error // of out
}

func newReport(out, errOut io.Writer, asJSON, quiet bool) *report {
	_, people := terminal(errOut)
	return &report{out: out, errOut: errOut, json: asJSON, quiet: quiet, people: people && !quiet && !asJSON}
}

// event is a line of --json.
type event struct {
	Event   string  `json:"event"` // "done", "skipped", "planned", "retry" or "error"
	Action  string  `json:"action,omitempty"`
	Path    string  `json:"path,omitempty"`
	Bytes   int64   `json:"bytes,omitempty"`
	Resumed int64   `json:"resumed_at,omitempty"`
	Seconds float64 `json:"seconds,omitempty"`
	Reason  string  `json:"reason,omitempty"`
	Error   string  `json:"error,omitempty"`
}

// print writes to standard output.
func (r *report) print(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	_, err := fmt.Fprintf(r.out, format, args...)
	r.wrote(err)
}

// object writes a line of JSON to standard output.
func (r *report) object(v any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	line, err := json.Marshal(v)
	if err == nil {
		_, err = r.out.Write(append(escapeControls(line), '\n'))
	}
	r.wrote(err)
}

// escapeControls escapes the control characters that JSON allows in texts, and terminals obey: DEL and C1.
func escapeControls(line []byte) []byte {
	var safe []byte
	for _, c := range string(line) {
		if c >= 0x7F && c < 0xA0 {
			safe = fmt.Appendf(safe, `\u%04x`, c)
		} else {
			safe = utf8.AppendRune(safe, c)
		}
	}
	return safe
}

// wrote keeps the first error of standard output; it makes the verb fail.
func (r *report) wrote(err error) {
	if err != nil && r.broken == nil {
		r.broken = err
		r.count++
		fmt.Fprintf(r.errOut, "ftpgate: %v\n", plain(err))
	}
}

// done tells of a thing that was done: to programs always, to people only the last line.
func (r *report) done(e event) {
	if r.json {
		r.object(e)
	}
}

// say writes a line to standard error, above the bar.
func (r *report) say(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.bar != nil {
		_ = r.bar.Clear() // it is drawn again with the next bytes
	}
	fmt.Fprintf(r.errOut, format+"\n", args...)
}

// warn tells of something that works and should not be so.
func (r *report) warn(format string, args ...any) {
	if !r.quiet {
		r.say("ftpgate: warning: "+format, args...)
	}
}

// note tells of trouble that may pass.
func (r *report) note(format string, args ...any) {
	switch {
	case r.json:
		r.object(event{Event: "retry", Error: fmt.Sprintf(format, args...)})
	case !r.quiet:
		r.say("ftpgate: "+format, args...)
	}
}

// once leaves the path out of an error of the server that is told of what ends with it.
func once(what string, err error) error {
	var p *fs.PathError
	if !errors.As(err, &p) || p.Path == "" || !strings.HasSuffix(what, p.Path) || strings.ToUpper(p.Op) != p.Op {
		return err
	}
	if text, ok := strings.CutPrefix(err.Error(), p.Op+" "+p.Path+": "); ok {
		return &reworded{p.Op + ": " + text, err}
	}
	return err
}

// reworded is an error with another text.
type reworded struct {
	text string
	error
}

func (r *reworded) Error() string { return r.text }
func (r *reworded) Unwrap() error { return r.error }

// failed tells that something could not be done.
func (r *report) failed(what string, err error) {
	r.mu.Lock()
	r.count++
	r.mu.Unlock()
	err = plain(once(what, err))
	switch {
	case r.json:
		r.object(event{Event: "error", Path: what, Error: err.Error()})
	case what == "":
		r.say("ftpgate: %v", err)
	default:
		r.say("ftpgate: %s: %v", printable(what), err)
	}
}

func (r *report) failures() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.count
}

// expect draws a bar for bytes that are to move.
func (r *report) expect(bytes int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.begun.IsZero() {
		r.begun = time.Now()
	}
	r.total += max(bytes, 0)
	if !r.people {
		return
	}
	if r.bar != nil {
		r.bar.ChangeMax64(max(r.total, 1))
		return
	}
	r.bar = progressbar.NewOptions64(max(r.total, 1),
		progressbar.OptionSetWriter(r.errOut), progressbar.OptionShowBytes(true), progressbar.OptionShowTotalBytes(true),
		progressbar.OptionUseIECUnits(true), progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionFullWidth(),
		progressbar.OptionSetPredictTime(true), progressbar.OptionClearOnFinish())
}

// mover is told of bytes as they move; nil if nobody looks, as counting costs the kernel's own ways of copying.
func (r *report) mover() func(n int64) {
	if !r.people {
		return nil
	}
	return func(n int64) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.moved += n
		if r.bar == nil {
			return
		}
		if r.moved > r.total { // more than was announced; the bar takes its end for the end of all
			r.total = r.moved
			r.bar.ChangeMax64(r.total + 1)
		}
		_ = r.bar.Set64(max(min(r.moved, r.total-1), 0)) // a terminal that is gone is no reason to stop
	}
}

// finish takes the bar away.
func (r *report) finish() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.bar != nil {
		_ = r.bar.Clear()
		r.bar = nil
	}
}
