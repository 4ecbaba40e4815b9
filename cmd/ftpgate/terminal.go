package main

import (
	"io"
	"os"

	"golang.org/x/term"
)

// defaultWidth is assumed where there is no terminal.
const defaultWidth = 80

// appearance says whether w wants colours (https://no-color.org), and how wide it is.
func appearance(w io.Writer) (color bool, width int) {
	fd, ok := terminal(w)
	if !ok {
		return false, defaultWidth
	}
	width, _, err := term.GetSize(fd)
	if err != nil || width < 20 {
		width = defaultWidth
	}
	return os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb", width
}

// terminal returns the descriptor behind a reader or writer, if it is a terminal.
func terminal(stream any) (fd int, ok bool) {
	f, ok := stream.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return 0, false
	}
	return int(f.Fd()), true
}
