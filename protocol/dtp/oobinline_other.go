//go:build !unix

package dtp

import "syscall"

// listenControl does nothing here: urgent data is not received in line.
func listenControl(_, _ string, _ syscall.RawConn) error { return nil }
