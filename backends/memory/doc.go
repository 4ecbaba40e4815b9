// Package memory is a filesystem in the gateway's own memory. It honours the
// storage contract of protocol/vfs in full, and everything in it is gone when
// the process ends.
//
// A Backend is one tree; Open gives each owner a view of it. The tree's lock
// guards names and attributes only: bytes live in reference-counted chunks that
// never change once published, so readers and writers copy without it, an open
// file keeps the version it was opened on, and APPE and REST share the head of
// the file they continue instead of copying it.
//
// Options.MaxSize bounds everything clients can make the backend hold:
// published, staged and held bytes, old versions that a reader still has open,
// and EntryCost for each name.
package memory
