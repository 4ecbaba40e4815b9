//go:build unix

package ftptest

import "golang.org/x/sys/unix"

// Urgent sends bytes with the TCP urgent pointer on the last one, as clients send the
// Telnet Synch before ABOR (RFC 959 §4.1.3).
func (c *Client) Urgent(b string) {
	c.t.Helper()
	raw, err := c.Conn.SyscallConn()
	if err != nil {
		c.t.Fatalf("ftptest: %v", err)
	}
	raw.Write(func(fd uintptr) bool {
		err = unix.Sendto(int(fd), []byte(b), unix.MSG_OOB, nil)
		return err != unix.EAGAIN
	})
	if err != nil {
		c.t.Fatalf("ftptest: sending urgent data: %v", err)
	}
}
