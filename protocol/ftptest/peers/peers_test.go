package peers_test

import (
	"testing"

	"github.com/ftpgate/ftpgate/protocol/ftptest/peers"
)

// TestPeersStart starts each, with and without TLS, and lets go of it.
func TestPeersStart(t *testing.T) {
	for _, name := range peers.Names() {
		t.Run(name, func(t *testing.T) {
			for _, secure := range []bool{false, true} {
				p := peers.Start(t, name, peers.Options{TLS: secure})
				if p.Addr == "" || p.User == "" || (p.Authority != nil) != secure {
					t.Errorf("%+v", p)
				}
			}
		})
	}
}
