package ftpclient

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"time"
)

// Proxy returns a Dialer that goes through a proxy: socks5://[user:password@]host:port
// (RFC 1928, 1929; names are resolved there) or http://[user:password@]host:port (CONNECT,
// RFC 9110 §9.3.6). forward, which may be nil, dials the proxy.
func Proxy(u *url.URL, forward Dialer) (Dialer, error) {
	if forward == nil {
		forward = &net.Dialer{}
	}
	p := &proxyDialer{forward: forward, address: u.Host, user: u.User}
	port := "1080"
	switch u.Scheme {
	case "socks5", "socks5h":
		p.handshake = p.socks5
	case "http":
		p.handshake = p.httpConnect
		port = "80"
	default:
		return nil, fmt.Errorf("ftpclient: no proxy of kind %q: socks5 and http are", u.Scheme)
	}
	if u.Port() == "" {
		p.address = net.JoinHostPort(u.Hostname(), port)
	}
	return p, nil
}

type proxyDialer struct {
	forward   Dialer
	address   string
	user      *url.Userinfo
	handshake func(conn net.Conn, address string) error
}

// DialContext implements Dialer. The connection is the one to the proxy, unwrapped.
func (p *proxyDialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := p.forward.DialContext(ctx, network, p.address)
	if err != nil {
		return nil, fmt.Errorf("ftpclient: proxy %s: %w", p.address, InWords(err))
	}
	if err := within(ctx, conn, func() error { return p.handshake(conn, address) }); err != nil {
		conn.Close()
		return nil, fmt.Errorf("ftpclient: proxy %s: %w", p.address, InWords(err))
	}
	return conn, nil
}

// within runs f, which reads from and writes to conn, and ends that when ctx ends.
func within(ctx context.Context, conn net.Conn, f func() error) error {
	cut := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(cut)
		conn.SetDeadline(past)
	})
	err := f()
	if !stop() {
		<-cut
		return context.Cause(ctx)
	}
	conn.SetDeadline(time.Time{})
	return err
}

// SOCKS5's bytes (RFC 1928, RFC 1929).
const (
	socksVersion      = 5
	socksNoAuth       = 0
	socksPassword     = 2
	socksPasswordForm = 1
	socksConnect      = 1
	socksIPv4         = 1
	socksName         = 3
	socksIPv6         = 4
)

func (p *proxyDialer) socks5(conn net.Conn, address string) error {
	host, port, err := splitPort(address)
	if err != nil {
		return err
	}
	hello := []byte{socksVersion, 1, socksNoAuth}
	if p.user != nil {
		hello = []byte{socksVersion, 2, socksNoAuth, socksPassword}
	}
	var b [4]byte
	if err := ask(conn, hello, b[:2]); err != nil {
		return err
	}
	switch {
	case b[0] != socksVersion:
		return errors.New("it is not a SOCKS5 proxy")
	case b[1] == socksNoAuth:
	case b[1] == socksPassword && p.user != nil:
		name := p.user.Username()
		password, _ := p.user.Password()
		if len(name) > 255 || len(password) > 255 {
			return errors.New("its user or password is too long")
		}
		login := append([]byte{socksPasswordForm, byte(len(name))}, name...)
		login = append(append(login, byte(len(password))), password...)
		if err := ask(conn, login, b[:2]); err != nil {
			return err
		}
		if b[1] != 0 {
			return errors.New("it refuses user and password")
		}
	default:
		return errors.New("it wants another login")
	}
	request := []byte{socksVersion, socksConnect, 0}
	if ip, err := netip.ParseAddr(host); err == nil && ip.Unmap().Is4() {
		request = append(append(request, socksIPv4), ip.Unmap().AsSlice()...)
	} else if err == nil {
		request = append(append(request, socksIPv6), ip.AsSlice()...)
	} else if len(host) <= 255 {
		request = append(append(request, socksName, byte(len(host))), host...)
	} else {
		return errors.New("the host's name is too long")
	}
	request = append(request, byte(port>>8), byte(port))
	if err := ask(conn, request, b[:4]); err != nil {
		return err
	}
	if b[1] != 0 {
		return fmt.Errorf("it cannot connect (SOCKS5 reply %d)", b[1])
	}
	var bound int
	switch b[3] {
	case socksIPv4:
		bound = 4
	case socksIPv6:
		bound = 16
	case socksName:
		if _, err := io.ReadFull(conn, b[:1]); err != nil {
			return err
		}
		bound = int(b[0])
	default:
		return errors.New("it answers with an unknown kind of address")
	}
	_, err = io.CopyN(io.Discard, conn, int64(bound)+2)
	return err
}

// ask writes, and reads exactly len(answer) bytes: what follows is the server's.
func ask(conn net.Conn, question, answer []byte) error {
	if _, err := conn.Write(question); err != nil {
		return err
	}
	_, err := io.ReadFull(conn, answer)
	return err
}

func splitPort(address string) (host string, port uint16, err error) {
	host, text, err := net.SplitHostPort(address)
	if err != nil {
		return "", 0, err
	}
	n, err := strconv.ParseUint(text, 10, 16)
	return host, uint16(n), err
}

// maxConnectHeader bounds what a proxy may answer to CONNECT.
const maxConnectHeader = 8 << 10

func (p *proxyDialer) httpConnect(conn net.Conn, address string) error {
	var b bytes.Buffer
	fmt.Fprintf(&b, "CONNECT %s HTTP/1.1\r\nHost: %s\r\n", address, address)
	if p.user != nil {
		password, _ := p.user.Password()
		login := base64.StdEncoding.EncodeToString([]byte(p.user.Username() + ":" + password))
		fmt.Fprintf(&b, "Proxy-Authorization: Basic %s\r\n", login)
	}
	b.WriteString("\r\n")
	if _, err := conn.Write(b.Bytes()); err != nil {
		return err
	}
	// Byte by byte: what follows the header is the server's greeting.
	b.Reset()
	var one [1]byte
	for !bytes.HasSuffix(b.Bytes(), []byte("\r\n\r\n")) {
		if b.Len() == maxConnectHeader {
			return errors.New("its answer is too long")
		}
		if _, err := io.ReadFull(conn, one[:]); err != nil {
			return err
		}
		b.WriteByte(one[0])
	}
	r, err := http.ReadResponse(bufio.NewReader(&b), &http.Request{Method: http.MethodConnect})
	if err != nil {
		return err
	}
	r.Body.Close()
	if r.StatusCode/100 != 2 {
		return fmt.Errorf("it refuses to connect: %q", r.Status)
	}
	return nil
}

// writeProxyHeader sends a PROXY header of version 1 (haproxy's proxy-protocol.txt §2.1).
func writeProxyHeader(ctx context.Context, conn net.Conn, source netip.AddrPort) error {
	destination := addrPort(conn.RemoteAddr())
	from := source.Addr().Unmap().WithZone("")
	header := "PROXY UNKNOWN\r\n"
	if to := destination.Addr(); to.IsValid() && to.Is4() == from.Is4() {
		family := "TCP6"
		if from.Is4() {
			family = "TCP4"
		}
		header = fmt.Sprintf("PROXY %s %s %s %d %d\r\n", family, from, to.WithZone(""), source.Port(), destination.Port())
	}
	return within(ctx, conn, func() error {
		_, err := io.WriteString(conn, header)
		return err
	})
}
