// Package transfer moves files between a server and this machine: whole or not at all, again
// from where it broke off, several at once.
//
//	fetch.go   one download: a temporary file, renamed when whole
//	send.go    one upload
//	times.go   the times of uploads, many at once
//	names.go   which names of a server may become local names
//	stdin_*.go waiting for standard input ends with the context
//	lock_*.go  two processes do not write one temporary file
//	each.go    several at once
package transfer
