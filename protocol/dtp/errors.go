package dtp

import (
	"errors"
	"fmt"
	"net/netip"
)

var (
	// ErrNoPort says that every passive port is reserved or resting for this
	// peer, or that none could be opened. It passes. It is a *NoPortError.
	ErrNoPort = errors.New("dtp: no passive port is free")
	// ErrForeignPeer refuses a target that is not the control connection's peer
	// (RFC 2577 §3).
	ErrForeignPeer = errors.New("dtp: the target is not the peer of the control connection")
	// ErrLowPort refuses a target port below 1024 (RFC 2577 §3).
	ErrLowPort = errors.New("dtp: the target port is below 1024")
	// ErrNotReady says that no data connection was set up before the transfer.
	ErrNotReady = errors.New("dtp: no data connection is set up")
	// ErrPeerGone says that the peer closed its connection before the transfer
	// began and had sent nothing.
	ErrPeerGone = errors.New("dtp: the peer closed the data connection before the transfer")
	// ErrTargetBusy says that the fixed SourcePort has a connection to the target
	// already, or had one a moment ago.
	ErrTargetBusy = errors.New("dtp: an earlier connection holds the pair of ports")
	// ErrStalled says that not one byte moved for a whole stall interval.
	ErrStalled = errors.New("dtp: the data connection stalled")
)

// NoPortError tells why Reserve found no port.
type NoPortError struct {
	Local    netip.Addr // where the ports are
	Peer     netip.Addr // who wanted one
	Ports    int        // in the range; 0: any number
	Reserved int        // of those, held for this peer
	Resting  int        // of those, resting for this peer
	Err      error      // why one of the others could not be opened; nil: there is none
}

func (e *NoPortError) Error() string {
	text := fmt.Sprintf("%v: of %d, %d are reserved for this client and %d rest", ErrNoPort, e.Ports, e.Reserved, e.Resting)
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

// Is makes it ErrNoPort.
func (e *NoPortError) Is(target error) bool { return target == ErrNoPort }

// Unwrap gives the cause, if there is one.
func (e *NoPortError) Unwrap() error { return e.Err }

// StrangerError is the end of a wait for a passive connection during which one came
// from an address that it was not waited for from.
type StrangerError struct {
	Waiting netip.Addr // the peer of the control connection
	Came    netip.Addr // who came instead, the last of them
	Err     error      // why the wait ended
}

func (e *StrangerError) Error() string {
	return fmt.Sprintf("dtp: no data connection from %s, but one from %s: %v", e.Waiting, e.Came, e.Err)
}

// Unwrap gives why the wait ended.
func (e *StrangerError) Unwrap() error { return e.Err }

// PeerError is a failure of the network side of a transfer: a reset, a broken
// pipe, an unreachable host.
type PeerError struct{ Err error }

func (e *PeerError) Error() string { return "dtp: data connection: " + e.Err.Error() }

// Unwrap gives the cause.
func (e *PeerError) Unwrap() error { return e.Err }
