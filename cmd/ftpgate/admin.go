package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/ftpgate/ftpgate/gateway"
	"github.com/ftpgate/ftpgate/gateway/config"
)

// adminTimeout is how long a running gateway may take to answer.
const adminTimeout = 10 * time.Second

// adminClient gives orders to the gateway that runs with a configuration.
type adminClient struct {
	name string // of the endpoint, for messages
	base string // URL
	http *http.Client
}

// newAdminClient reads the configuration for where orders are taken. Mistakes in it are printed.
func newAdminClient(cmd *cobra.Command, path string) (*adminClient, error) {
	c, ds := loadConfig(path)
	if c == nil {
		errOut := cmd.ErrOrStderr()
		color, width := appearance(errOut)
		if err := ds.Write(errOut, color, width); err != nil {
			return nil, failure{err}
		}
		return nil, failure{} // all is said
	}
	if c.Admin == nil {
		return nil, failure{fmt.Errorf(`%s has no admin block, so a running gateway takes no orders; add: admin { address = "127.0.0.1:8021" }`, path)}
	}
	return clientOf(c.Admin), nil
}

func clientOf(a *config.Admin) *adminClient {
	c := &adminClient{http: &http.Client{Timeout: adminTimeout}}
	network, address := "tcp", a.Address.String()
	c.base = "http://" + address
	if a.Socket != "" {
		network, address = "unix", a.Socket
		c.base = "http://localhost"
	}
	c.name = address
	c.http.Transport = &http.Transport{ // in particular, no proxy
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, address)
		},
		DisableKeepAlives: true,
	}
	return c
}

// maxAdminAnswer bounds what is read of an answer, in bytes.
const maxAdminAnswer = 16 << 20

// call sends one order and reads the answer into result.
func (c *adminClient) call(ctx context.Context, method, path string, result any) error {
	r, err := http.NewRequestWithContext(ctx, method, c.base+path, nil)
	if err != nil {
		return failure{err}
	}
	answer, err := c.http.Do(r)
	if err != nil {
		return failure{c.unreachable(err)}
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, maxAdminAnswer))
	if err != nil {
		return failure{fmt.Errorf("the answer of %s broke off: %w", c.name, err)}
	}
	if answer.StatusCode == http.StatusOK {
		if err := json.Unmarshal(text, result); err != nil {
			return failure{fmt.Errorf("what answers at %s is no ftpgate of this version", c.name)}
		}
		return nil
	}
	var refusal gateway.AdminError
	if json.Unmarshal(text, &refusal) != nil || refusal.Error == "" {
		return failure{fmt.Errorf("what answers at %s is no ftpgate of this version (%s)", c.name, answer.Status)}
	}
	return failure{errors.New(refusal.Error)}
}

// unreachable says what a failed connection usually means.
func (c *adminClient) unreachable(err error) error {
	switch {
	case errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, syscall.ENOENT):
		return fmt.Errorf("nothing takes orders at %s; does the gateway run, and with this configuration?", c.name)
	case errors.Is(err, syscall.EACCES):
		return fmt.Errorf("%s: permission denied; run this as the user that the gateway runs as, or as root", c.name)
	}
	return fmt.Errorf("%s does not answer: %w", c.name, err)
}
