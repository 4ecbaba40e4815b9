package main

import (
	"fmt"
	"io"

	"github.com/ftpgate/ftpgate/gateway"
)

// printProbes says what works in each object store and upstream server, and what does not. failed counts
// those in which something does not.
func printProbes(w io.Writer, all []gateway.Probed) (failed int, err error) {
	if len(all) == 0 {
		_, err := fmt.Fprintln(w, "There is no object store and no upstream server to connect to.")
		return 0, err
	}
	for _, p := range all {
		if p.Failed() {
			failed++
		}
		if _, err := fmt.Fprintf(w, "\n%s\n", p.Backend); err != nil {
			return 0, err
		}
		for _, f := range p.Findings {
			state, detail := "ok", ""
			switch {
			case f.Err != nil:
				state, detail = "FAILED", ": "+plain(f.Err).Error()
			case f.Limit != "":
				state, detail = "limited", ": "+f.Limit
			}
			if _, err := fmt.Fprintf(w, "  %-8s %s%s\n", state, f.Step, detail); err != nil {
				return 0, err
			}
			if f.Mend != "" {
				if _, err := fmt.Fprintf(w, "           %s\n", f.Mend); err != nil {
					return 0, err
				}
			}
		}
	}
	_, err = fmt.Fprintln(w)
	return failed, err
}
