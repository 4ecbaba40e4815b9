package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"time"

	"github.com/ftpgate/ftpgate/auth"
	"github.com/ftpgate/ftpgate/gateway/config"
)

// Lifted is the answer of the admin endpoint to a DELETE of bans.
type Lifted struct {
	Lifted int `json:"lifted"` // how many
}

// AdminError is its answer when something is wrong.
type AdminError struct {
	Error string `json:"error"`
}

// Whoever reaches the admin endpoint may give orders, so no request of it takes long.
const (
	adminTimeout   = 10 * time.Second
	adminMaxHeader = 16 << 10 // bytes
)

// newAdmin makes the server of the admin endpoint: JSON over HTTP, on loopback or a
// Unix socket.
//
//	GET    /bans             every ban
//	DELETE /bans             lift all of them
//	DELETE /bans/{network}   lift one, named by an address or as /bans names it
func (g *Gateway) newAdmin() *http.Server {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /bans", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, BanList{g.throttle.Bans()})
	})
	mux.HandleFunc("DELETE /bans", func(w http.ResponseWriter, _ *http.Request) {
		n := 0
		for _, b := range g.throttle.Bans() {
			n += g.lift(b.Network)
		}
		answer(w, http.StatusOK, Lifted{n})
	})
	mux.HandleFunc("DELETE /bans/{network...}", func(w http.ResponseWriter, r *http.Request) {
		name := r.PathValue("network")
		network, err := auth.ParseNetwork(name)
		if err != nil {
			answer(w, http.StatusBadRequest, AdminError{fmt.Sprintf("%q: %v", clean(name), err)})
			return
		}
		n := g.lift(network)
		if n == 0 {
			answer(w, http.StatusNotFound, AdminError{auth.Ban{Network: network}.Name() + " is not banned"})
			return
		}
		answer(w, http.StatusOK, Lifted{n})
	})
	var handler http.Handler = mux
	if g.config.Admin.Socket == "" {
		handler = onlyFromHere(mux)
	}
	return &http.Server{
		Handler: handler, ReadTimeout: adminTimeout, WriteTimeout: adminTimeout, IdleTimeout: adminTimeout,
		MaxHeaderBytes: adminMaxHeader,
	}
}

// lift lifts one ban and returns how many that were.
func (g *Gateway) lift(n netip.Prefix) int {
	if !g.throttle.Lift(n) {
		return 0
	}
	g.log.Info().Str("network", auth.Ban{Network: n}.Name()).Msg("ban lifted by the administrator")
	g.bans.note()
	return 1
}

// onlyFromHere refuses what a web page in a browser on this machine can send: a
// request for another host, whose name was made to mean loopback (DNS
// rebinding), or one that names the page it comes from.
func onlyFromHere(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host := r.Host
		if h, _, err := net.SplitHostPort(host); err == nil {
			host = h
		}
		addr, err := netip.ParseAddr(strings.Trim(host, "[]"))
		if err != nil && host != "localhost" || err == nil && !addr.IsLoopback() || r.Header.Get("Origin") != "" {
			answer(w, http.StatusForbidden, AdminError{"this is not for browsers"})
			return
		}
		next.ServeHTTP(w, r)
	})
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // whoever has gone misses it
}

// listenAdmin opens the admin endpoint. A socket that another process has left
// behind is replaced.
func listenAdmin(ctx context.Context, c *config.Admin) (net.Listener, error) {
	if c.Socket == "" {
		return new(net.ListenConfig).Listen(ctx, "tcp", c.Address.String())
	}
	if err := removeStaleSocket(ctx, c.Socket); err != nil {
		return nil, err
	}
	l, err := new(net.ListenConfig).Listen(ctx, "unix", c.Socket)
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(c.Socket, 0o600); err != nil {
		l.Close()
		return nil, err
	}
	return l, nil
}

func removeStaleSocket(ctx context.Context, path string) error {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case info.Mode().Type() != fs.ModeSocket:
		return fmt.Errorf("%s is there and is not a socket", path)
	}
	if conn, err := new(net.Dialer).DialContext(ctx, "unix", path); err == nil {
		conn.Close()
		return fmt.Errorf("another ftpgate takes orders at %s", path)
	}
	return os.Remove(path)
}
