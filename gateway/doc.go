// Package gateway wires a configuration into a running gateway: it opens the
// backends, maps identities to accounts (the realm), starts a server for the listeners,
// and writes the log.
//
// # Where to find what
//
//	gateway.go     New, Serve, Shutdown: the life of the whole
//	backends.go    one open storage for each distinct backend of the configuration
//	realm.go       identity -> account: filesystem, rights, conflict and commit rules
//	share.go       what the sessions of a user have together: their number, bandwidth
//	admit.go       who may connect: bans, and the networks of a listener
//	publichost.go  what PASV announces to which client
//	names.go       DNS names of PASV, resolved again and again
//	bans.go        the file that keeps bans over a restart
//	admin.go       the admin endpoint: orders to the running gateway
//	tls.go         certificates and what else a listener needs for TLS, read again when they change
//	log.go         the log: format, level, escaping
//	trace.go       what the protocol reports, as log lines
//
// # Life
//
//	New (backends open, nothing listens) -> Listen -> Serve -> Shutdown -> closed
package gateway
