// Package probe is a doctor for FTP servers: it tries what clients do, one thing after the
// other, and says of each what it found, what that means and how to mend it.
//
//	probe.go    the order of things
//	connect.go  names, greeting, features, latency, IPv6
//	tls.go      versions and certificate
//	data.go     passive and active data connections, session reuse
//	files.go    a small file there and back
package probe
