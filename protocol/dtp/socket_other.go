//go:build !linux

package dtp

import (
	"context"
	"net"
	"syscall"
)

// Established is not known here: true.
func Established(*net.TCPConn) bool { return true }

// Dead is not known here: the next read or write finds out.
func Dead(*net.TCPConn) bool { return false }

// peerGone is not known here: the transfer finds out.
func peerGone(*net.TCPConn) bool { return false }

// acknowledgeAtOnce is not possible here: some handshakes take a little longer.
func acknowledgeAtOnce(*net.TCPConn) {}

// unacknowledged is not known here.
func unacknowledged(syscall.RawConn) int64 { return 0 }

func discardUnread(*net.TCPConn) {}

func dialControl(context.Context, string, string, syscall.RawConn) error { return nil }
