package s3

import (
	"sync"

	sdk "github.com/aws/aws-sdk-go-v2/service/s3"
)

// Clients share connections and credentials between backends that ask the same store
// in the same way: those of many users of one bucket.
type Clients struct {
	mu  sync.Mutex
	all map[ClientOptions]*sdk.Client
}

// Get returns the client for o, making it if need be.
func (c *Clients) Get(o ClientOptions) (*sdk.Client, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if client := c.all[o]; client != nil {
		return client, nil
	}
	client, err := NewClient(o)
	if err != nil {
		return nil, err
	}
	if c.all == nil {
		c.all = make(map[ClientOptions]*sdk.Client)
	}
	c.all[o] = client
	return client, nil
}
