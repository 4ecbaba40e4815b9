//go:build !unix

package ftptest

// Urgent skips the test: urgent data is sent on Unix only.
func (c *Client) Urgent(string) { c.t.Skip("ftptest: no urgent data here") }
