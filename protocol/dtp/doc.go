// Package dtp is the data transfer process of RFC 959 §2.3: one data
// connection, one transfer. It knows no users and no storage.
//
// # The states of a channel
//
// A Channel is one session's data connection while it is being set up.
//
//	idle     --Passive--> reserved   (PASV, EPSV: a port waits for this peer)
//	idle     --Active---> target     (PORT, EPRT: an address is noted, nothing is sent)
//	reserved --Passive--> reserved   (the old reservation ends)
//	reserved --Active---> target     (the old reservation ends)
//	target   --Passive--> reserved
//	reserved --Open-----> idle       (the connection, or why there is none)
//	target   --Open-----> idle       (the connection, or why there is none)
//	any      --Reset----> idle
//
// Both ways the peer of the data connection must be the peer of the control
// connection, so the gateway can neither be aimed at a third party (the bounce
// attack, RFC 2577 §3) nor hand a file to whoever connects first (port theft).
//
// # The states of a reservation
//
// Passive listeners are long-lived and shared by all sessions; what a session
// holds is a Reservation: the right of one peer to one connection on one port. At
// most one reservation exists for each (port, peer). A peer is an address or,
// where PassiveOptions.Pools lists it, the whole network that the address is in.
//
//	reserved --a connection of the peer--> accepted  (the pair is free again)
//	accepted --Accept--> over             (the session has the connection)
//	accepted --Release--> over            (the connection is closed)
//	reserved --Release--> over            (the pair is doubtful, then free again)
//	reserved --ctx of Accept ends--> over (the pair rests, then is free again)
//
// A connection that no reservation waits for is closed without a byte. One that is on its way
// when its reservation ends would be taken for the next one's: an upload would end empty. So
// a pair rests when somebody has waited in vain, and is doubtful, which is used only when there is no
// other, when nobody has: clients that set up a connection and do not use it must not use up the ports.
//
// # The states of a connection that has come
//
// Connections from a load balancer (Proxies) begin with a PROXY header, and the
// address in it is the peer's. Nobody else's first bytes are looked at: what they
// claim is the content of a file, or a command that does not exist.
//
//	came  --not from a proxy--> known             (by its own address)
//	came  --from a proxy--> asked                 (a goroutine reads the header)
//	came  --from a proxy, too many asked--> closed
//	asked --addresses--> known                    (by the source address of the header)
//	asked --LOCAL, UNKNOWN--> known               (by its own address: it is the proxy itself)
//	asked --garbage, end, timeout, Close--> closed
//	known --its peer has a reservation--> accepted
//	known --none--> closed
//
// Only the peer comes from the header. The listener is keyed by the local address
// that the control connection really has: a proxy that forwards both connections
// reaches the gateway at one address. The destination in the header is what the
// client sees, and what PASV tells it. The header is read to its last byte and not
// one further, so that all that follows is there for TLS and for the kernel to
// copy, and nothing wraps the connection.
//
// # The states of a transfer
//
// A Transfer is the copying on a data connection that stands.
//
//	new     --Secure: nil------------> new, under TLS
//	new     --Send, Receive: nil-----> whole
//	new     --Send, Receive: error---> cut
//	whole   --Close--> closed by FIN: the peer sees the end of the file
//	new,cut --Close--> closed by RST: the peer cannot take what it has for a whole file
//
// # How bytes are copied
//
// Between a connection and an *os.File the kernel copies (sendfile, splice),
// with everything else a pooled buffer does; which, and in what pieces, was
// decided by the benchmarks of this package. The network is always tried
// before anything is prepared for waiting, so a small file costs no timer, no
// watcher of the context and no goroutine. A long and busy upload waits by
// itself, outside of the runtime's poller (direct_linux.go).
package dtp
