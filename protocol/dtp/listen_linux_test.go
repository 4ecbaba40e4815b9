package dtp

import (
	"io"
	"net"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// Telnet Synch as clients send it before ABOR: the last byte urgent. All of it
// must arrive in line, in order, through the real listener.
func TestUrgentByteArrivesInLine(t *testing.T) {
	for _, at := range []string{"127.0.0.1:0", "[::1]:0", ":0"} {
		t.Run(at, func(t *testing.T) {
			leavesNothing(t)
			l, err := Listen(t.Context(), "tcp", at)
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			plainTCP(t, l.(*net.TCPListener))
			client, err := net.Dial("tcp", l.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer client.Close()
			server, err := l.Accept()
			if err != nil {
				t.Fatal(err)
			}
			defer server.Close()
			control(client.(*net.TCPConn), func(fd int) {
				if err := unix.Sendto(fd, []byte("\xff\xf4\xff"), unix.MSG_OOB, nil); err != nil {
					t.Error(err)
				}
			})
			io.WriteString(client, "\xf2ABOR\r\n")
			server.SetDeadline(time.Now().Add(patience))
			got := make([]byte, 10)
			if _, err := io.ReadFull(server, got); err != nil || string(got) != "\xff\xf4\xff\xf2ABOR\r\n" {
				t.Errorf("%q, %v", got, err)
			}
		})
	}
}

func TestEstablished(t *testing.T) {
	for _, c := range []struct {
		name string
		end  func(*net.TCPConn)
	}{
		{"FIN", func(c *net.TCPConn) { c.CloseWrite() }},
		{"close", func(c *net.TCPConn) { c.Close() }},
		{"RST", func(c *net.TCPConn) { c.SetLinger(0); c.Close() }},
	} {
		t.Run(c.name, func(t *testing.T) {
			leavesNothing(t)
			server, client := connected(t)
			if !Established(server) {
				t.Error("not established")
			}
			io.WriteString(client, "unread bytes change nothing")
			if !Established(server) || Dead(server) {
				t.Error("not established")
			}
			c.end(client)
			eventually(t, "not established", func() bool { return !Established(server) })
			if Dead(server) != (c.name == "RST") {
				t.Errorf("dead: %t", Dead(server))
			}
			server.Close()
			if Established(server) {
				t.Error("a closed connection is established")
			}
		})
	}
}

// plainTCP fails if Go has made it a Multipath TCP listener.
func plainTCP(t *testing.T, l *net.TCPListener) {
	t.Helper()
	raw, err := l.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	raw.Control(func(fd uintptr) {
		if p, err := unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_PROTOCOL); err != nil || p != unix.IPPROTO_TCP {
			t.Errorf("protocol %d, %v", p, err)
		}
	})
}

func TestPassiveListenersArePlainTCP(t *testing.T) {
	leavesNothing(t)
	plainTCP(t, reserve(t, newPassive(t, PassiveOptions{}), local1, local1).listener.ln)
}
