//go:build !unix

package dtp

import (
	"context"
	"net/netip"
	"syscall"
)

// shareSource does nothing here: one connection at a time comes from a source port.
func shareSource(context.Context, string, string, syscall.RawConn) error { return nil }

// bind finds nothing out here: the first transfer does.
func bind(netip.AddrPort) error { return nil }
