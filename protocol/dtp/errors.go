package dtp

import "errors"

var (
	// ErrNoPort says that every passive port is reserved or resting for this
	// peer, or that none could be opened (the cause is wrapped then). It passes.
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

// PeerError is a failure of the network side of a transfer: a reset, a broken
// pipe, an unreachable host.
type PeerError struct{ Err error }

func (e *PeerError) Error() string { return "dtp: data connection: " + e.Err.Error() }

// Unwrap gives the cause.
func (e *PeerError) Unwrap() error { return e.Err }
