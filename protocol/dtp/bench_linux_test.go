package dtp

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// These benchmarks chose how bytes are copied. The client is a child process
// (this test binary again), so the CPU reported is the server's alone, softirqs
// of the loopback included. Files lie on a tmpfs. Run the alternatives with
//
//	go test -run '^$' -bench '(Retr|Stor)1GiB' -benchtime 1x -count 7 ./protocol/dtp
//	go test -run '^$' -bench '(Retr|Stor)1KiB' -benchtime 5000x -count 9 ./protocol/dtp
//
// Medians of 7 rounds in which the ways took turns, 2 virtual CPUs, Linux 6.18,
// other work on the machine (load 4 to 6): compare them with each other only.
//
//	RETR, server CPU s/GiB: transfer 0.29 (quartiles 0.29..0.30), blocking1G 0.28,
//	  sendfile1M 0.32, standard 0.37, sendfile1G 0.38, copy256K 0.38, copy1M 0.38
//	STOR, server CPU s/GiB: transfer 0.78 (0.73..0.82), standard 0.86, copy1M 0.86,
//	  copy256K 1.02, copy128K 1.11, splice64K 1.22, copy32K 1.38
//	RETR of 1 KiB with EPSV, 150 and 226, server CPU us: transfer 84, standard 85,
//	  sendfile1M 84, copy32K 83
//	STOR of 1 KiB: transfer 104, standard 100, copy32K 101, splice1M 109
//
// A thread that blocks in sendfile is no cheaper beyond the spread and would
// need one thread for each transfer. Larger socket buffers and a low-water mark
// made no difference beyond the spread; smaller ones cost. In the quiet first
// minutes transfer took 0.27 s/GiB for RETR.

const clientVariable = "DTP_BENCH_CLIENT"

func TestMain(m *testing.M) {
	if f := strings.Fields(os.Getenv(clientVariable)); len(f) > 0 {
		benchClient(f[0], f[1], f[2], f[3], f[4])
		return
	}
	os.Exit(m.Run())
}

// benchClient plays an FTP client of three verbs on a control connection.
func benchClient(addr, verb, size, count, path string) {
	var n int64
	var ops int
	fmt.Sscan(size, &n)
	fmt.Sscan(count, &ops)
	must := func(err error) {
		if err != nil {
			fmt.Fprintln(os.Stderr, "client:", err)
			os.Exit(1)
		}
	}
	control, err := net.Dial("tcp", addr)
	must(err)
	replies := bufio.NewReader(control)
	src, err := os.CreateTemp("/dev/shm", "dtp-client-")
	must(err)
	os.Remove(src.Name())
	must(fill(src, min(n, 256<<20)))
	buf := make([]byte, 1<<20)
	secure := strings.HasSuffix(verb, "+TLS")
	tickets := tls.NewLRUClientSessionCache(1)
	reply := func() string {
		line, err := replies.ReadString('\n')
		must(err)
		return strings.TrimSpace(line)
	}
	fmt.Println("ready")
	os.Stdin.Read(make([]byte, 1))
	for range ops {
		if strings.HasPrefix(verb, "STOR") {
			// Neither freeing the last file nor the first touch of memory, which is
			// dear on a virtual machine, is the server's work.
			if n >= 1<<20 {
				warm, err := os.CreateTemp("/dev/shm", "dtp-warm-")
				must(err)
				must(fill(warm, n))
				os.Remove(warm.Name())
				warm.Close()
			}
			os.Remove(path)
		}
		io.WriteString(control, "EPSV\r\n")
		data, err := net.Dial("tcp", reply())
		must(err)
		io.WriteString(control, verb+"\r\n")
		reply()
		if secure {
			data = tls.Client(data, &tls.Config{InsecureSkipVerify: true, ClientSessionCache: tickets, ServerName: "bench"})
		}
		if strings.HasPrefix(verb, "STOR") {
			for left := n; left > 0; {
				src.Seek(0, io.SeekStart)
				k, err := io.CopyN(data, src, min(left, 256<<20))
				must(err)
				left -= k
			}
			data.Close()
		} else {
			var got int64
			for {
				k, err := data.Read(buf)
				got += int64(k)
				if errors.Is(err, io.EOF) {
					break
				}
				must(err)
			}
			data.Close()
			if got != n {
				must(fmt.Errorf("%d bytes instead of %d", got, n))
			}
		}
		reply()
	}
	control.Close()
	fmt.Println("done")
}

func fill(f *os.File, n int64) error {
	b := make([]byte, 1<<20)
	for i := range b {
		b[i] = byte(i * 7)
	}
	for n > 0 {
		k, err := f.Write(b[:min(n, int64(len(b)))])
		if err != nil {
			return err
		}
		n -= int64(k)
	}
	return nil
}

func cpuTime() time.Duration {
	var u syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// copier is one way to move a file.
type copier func(c *net.TCPConn, f *os.File) error

// benchTransfers serves b.N transfers of size bytes.
func benchTransfers(b *testing.B, verb string, size int64, move copier) {
	ln, err := Listen(b.Context(), "tcp4", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer ln.Close()
	passive := NewPassive(PassiveOptions{})
	defer passive.Close()
	file, err := os.CreateTemp("/dev/shm", "dtp-server-")
	if err != nil {
		b.Skip(err)
	}
	defer file.Close()
	path := file.Name()
	defer os.Remove(path)
	if strings.HasPrefix(verb, "RETR") {
		err = fill(file, size)
	}
	if err != nil {
		b.Fatal(err)
	}

	child := exec.Command("/proc/self/exe")
	child.Env = append(os.Environ(), fmt.Sprintf("%s=%s %s %d %d %s", clientVariable, ln.Addr(), verb, size, b.N, path))
	child.Stderr = os.Stderr
	in, _ := child.StdinPipe()
	out, _ := child.StdoutPipe()
	if err := child.Start(); err != nil {
		b.Fatal(err)
	}
	control, err := ln.Accept()
	if err != nil {
		b.Fatal(err)
	}
	defer control.Close()
	said := bufio.NewReader(out)
	said.ReadString('\n')
	b.SetBytes(size)
	b.ReportAllocs()
	b.ResetTimer()
	cpu := cpuTime()
	in.Write([]byte{'\n'})
	if err := benchServe(b.Context(), control, passive, path, move); err != nil {
		b.Fatal(err)
	}
	cpu = cpuTime() - cpu
	b.StopTimer()
	if size >= 1<<20 {
		b.ReportMetric(cpu.Seconds()/float64(b.N)/float64(size)*(1<<30), "cpu-s/GiB")
	} else {
		b.ReportMetric(float64(cpu.Microseconds())/float64(b.N), "cpu-us/op")
	}
	if err := child.Wait(); err != nil {
		b.Fatal(err)
	}
}

// benchServe is the least a session does for the transfers of one client.
func benchServe(ctx context.Context, control net.Conn, passive *Passive, path string, move copier) error {
	channel := NewChannel(passive, AddrPort(control.LocalAddr()), AddrPort(control.RemoteAddr()))
	defer channel.Reset()
	line := make([]byte, 64)
	var at netip.AddrPort
	for {
		n, err := control.Read(line)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		switch verb := string(line[:4]); verb {
		case "EPSV":
			if at, err = channel.Passive(); err != nil {
				return err
			}
			control.Write(append(at.AppendTo(line[:0]), "\r\n"...))
		case "RETR", "STOR":
			mode := os.O_RDONLY
			if verb == "STOR" {
				mode = os.O_WRONLY | os.O_CREATE | os.O_TRUNC
			}
			f, err := os.OpenFile(path, mode, 0o600)
			if err != nil {
				return err
			}
			c, err := channel.Open(ctx)
			if err != nil {
				return err
			}
			io.WriteString(control, "150\r\n")
			if err := move(c, f); err != nil {
				return fmt.Errorf("%s: %w", verb, err)
			}
			f.Close()
			io.WriteString(control, "226\r\n")
		default:
			return fmt.Errorf("%q", line[:n])
		}
	}
}

// The way of this package.

func sendTransfer(c *net.TCPConn, f *os.File) error {
	t := Transfer{Conn: c, Stall: time.Minute}
	defer t.Close()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	return t.Send(ctx, f, f)
}

func receiveTransfer(c *net.TCPConn, f *os.File) error {
	t := Transfer{Conn: c, Stall: time.Minute}
	defer t.Close()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	return t.Receive(ctx, f, f)
}

// The alternatives.

// plain hides what io.Copy would shortcut.
type plainReader struct{ io.Reader }
type plainWriter struct{ io.Writer }

func copying(size int) copier {
	buf := make([]byte, size)
	return func(c *net.TCPConn, f *os.File) error {
		defer c.Close()
		var err error
		if flags, _ := unix.FcntlInt(f.Fd(), unix.F_GETFL, 0); flags&unix.O_ACCMODE == unix.O_RDONLY {
			_, err = io.CopyBuffer(plainWriter{c}, plainReader{f}, buf)
		} else {
			_, err = io.CopyBuffer(plainWriter{f}, plainReader{c}, buf)
		}
		return err
	}
}

// standard is what net and os do by themselves: sendfile, splice.
func standard(c *net.TCPConn, f *os.File) error {
	defer c.Close()
	var err error
	if flags, _ := unix.FcntlInt(f.Fd(), unix.F_GETFL, 0); flags&unix.O_ACCMODE == unix.O_RDONLY {
		_, err = c.ReadFrom(f)
	} else {
		_, err = f.ReadFrom(c)
	}
	return err
}

// netpollSendfile waits in the runtime's poller.
func netpollSendfile(chunk int) copier {
	return func(c *net.TCPConn, f *os.File) error {
		defer c.Close()
		raw, err := c.SyscallConn()
		if err != nil {
			return err
		}
		var fault error
		err = raw.Write(func(fd uintptr) bool {
			for {
				n, err := unix.Sendfile(int(fd), int(f.Fd()), nil, chunk)
				if err == unix.EAGAIN {
					return false
				}
				if n <= 0 {
					fault = err
					return true
				}
			}
		})
		if err == nil {
			err = fault
		}
		return err
	}
}

// blockingSendfile lets a thread wait in the kernel.
func blockingSendfile(chunk int) copier {
	return func(c *net.TCPConn, f *os.File) error {
		defer c.Close()
		d, err := c.File() // a duplicate; both are blocking from here on
		if err != nil {
			return err
		}
		defer d.Close()
		fd, from := int(d.Fd()), int(f.Fd())
		for {
			n, err := unix.Sendfile(fd, from, nil, chunk)
			if n <= 0 {
				return err
			}
		}
	}
}

// spliced receives through a pipe.
func spliced(pipeSize int) copier {
	return func(c *net.TCPConn, f *os.File) error {
		defer c.Close()
		raw, err := c.SyscallConn()
		if err != nil {
			return err
		}
		var p [2]int
		if err := unix.Pipe2(p[:], unix.O_CLOEXEC|unix.O_NONBLOCK); err != nil {
			return err
		}
		defer unix.Close(p[0])
		defer unix.Close(p[1])
		unix.FcntlInt(uintptr(p[1]), unix.F_SETPIPE_SZ, pipeSize)
		var fault error
		err = raw.Read(func(fd uintptr) bool {
			for {
				n, err := unix.Splice(int(fd), nil, p[1], nil, pipeSize, unix.SPLICE_F_NONBLOCK)
				if err == unix.EAGAIN {
					return false
				}
				if n <= 0 {
					fault = err
					return true
				}
				for n > 0 {
					k, err := unix.Splice(p[0], nil, int(f.Fd()), nil, int(n), 0)
					if err != nil {
						fault = err
						return true
					}
					n -= k
				}
			}
		})
		if err == nil {
			err = fault
		}
		return err
	}
}

// buffered changes the socket's buffer before the copying.
func buffered(option, size int, then copier) copier {
	return func(c *net.TCPConn, f *os.File) error {
		control(c, func(fd int) { unix.SetsockoptInt(fd, unix.SOL_SOCKET, option, size) })
		return then(c, f)
	}
}

// lowWater wakes the receiver only for so many bytes (or the end).
func lowWater(size int, then copier) copier {
	return func(c *net.TCPConn, f *os.File) error {
		control(c, func(fd int) { unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVLOWAT, size) })
		return then(c, f)
	}
}

type way struct {
	name string
	move copier
}

var sendWays = []way{
	{"transfer", sendTransfer},
	{"standard", standard},
	{"sendfile64K", netpollSendfile(64 << 10)},
	{"sendfile1M", netpollSendfile(1 << 20)},
	{"sendfile4M", netpollSendfile(4 << 20)},
	{"sendfile1G", netpollSendfile(1 << 30)},
	{"blocking1M", blockingSendfile(1 << 20)},
	{"blocking1G", blockingSendfile(1 << 30)},
	{"copy32K", copying(32 << 10)},
	{"copy256K", copying(256 << 10)},
	{"copy1M", copying(1 << 20)},
	{"sendfile1M-snd256K", buffered(unix.SO_SNDBUF, 128<<10, netpollSendfile(1<<20))},
	{"sendfile1M-snd1M", buffered(unix.SO_SNDBUF, 512<<10, netpollSendfile(1<<20))},
	{"sendfile1M-snd8M", buffered(unix.SO_SNDBUF, 4<<20, netpollSendfile(1<<20))},
}

var receiveWays = []way{
	{"transfer", receiveTransfer},
	{"standard", standard},
	{"splice64K", spliced(64 << 10)},
	{"splice256K", spliced(256 << 10)},
	{"splice1M", spliced(1 << 20)},
	{"copy32K", copying(32 << 10)},
	{"copy128K", copying(128 << 10)},
	{"copy256K", copying(256 << 10)},
	{"copy1M", copying(1 << 20)},
	{"splice1M-lowat256K", lowWater(256<<10, spliced(1<<20))},
	{"splice1M-lowat512K", lowWater(512<<10, spliced(1<<20))},
	{"splice1M-lowat1M", lowWater(1<<20, spliced(1<<20))},
	{"copy1M-lowat512K", lowWater(512<<10, copying(1<<20))},
	{"splice1M-rcv256K", buffered(unix.SO_RCVBUF, 128<<10, spliced(1<<20))},
	{"splice1M-rcv1M", buffered(unix.SO_RCVBUF, 512<<10, spliced(1<<20))},
	{"splice1M-rcv8M", buffered(unix.SO_RCVBUF, 4<<20, spliced(1<<20))},
	{"copy256K-rcv1M", buffered(unix.SO_RCVBUF, 512<<10, copying(256<<10))},
}

func benchWays(b *testing.B, verb string, size int64, ways []way) {
	for _, w := range ways {
		b.Run(w.name, func(b *testing.B) { benchTransfers(b, verb, size, w.move) })
	}
}

func BenchmarkRetr1GiB(b *testing.B) { benchWays(b, "RETR", 1<<30, sendWays) }
func BenchmarkStor1GiB(b *testing.B) { benchWays(b, "STOR", 1<<30, receiveWays) }
func BenchmarkRetr1KiB(b *testing.B) { benchWays(b, "RETR", 1<<10, sendWays) }
func BenchmarkStor1KiB(b *testing.B) { benchWays(b, "STOR", 1<<10, receiveWays) }
