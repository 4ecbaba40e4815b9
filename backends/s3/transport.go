package s3

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"os"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
)

// transport is the HTTP client of o.
func (o ClientOptions) transport() (*awshttp.BuildableClient, error) {
	proxy, err := o.proxy()
	if err != nil {
		return nil, err
	}
	roots, err := o.roots()
	if err != nil {
		return nil, err
	}
	dial := quietDialer{connect: o.ConnectTimeout, silence: o.Timeout}.withDefaults()
	// The SDK's read timeout does not know that a request may still be on its way out.
	return awshttp.NewBuildableClient().WithReadTimeout(0).WithTransportOptions(func(t *http.Transport) {
		t.Proxy = proxy
		t.OnProxyConnectResponse = proxyAnswer
		t.DialContext = dial.dial
		t.TLSHandshakeTimeout = dial.connect
		t.MaxIdleConns, t.MaxIdleConnsPerHost, t.MaxConnsPerHost = 0, idleConnections, 0
		t.ReadBufferSize, t.WriteBufferSize = readBuffer, writeBuffer
		t.DisableCompression = true // an object comes as it is
		// One HTTP/2 connection for all transfers would be slower than many of HTTP/1.1.
		t.ForceAttemptHTTP2, t.TLSNextProto = false, map[string]func(string, *tls.Conn) http.RoundTripper{}
		if roots != nil {
			t.TLSClientConfig.RootCAs = roots
		}
	}), nil
}

// proxy is the proxy of a request, be it ours or the environment's.
func (o ClientOptions) proxy() (func(*http.Request) (*url.URL, error), error) {
	proxy := http.ProxyFromEnvironment
	if o.Proxy != "" {
		u, err := url.Parse(o.Proxy)
		if err != nil {
			return nil, errors.New("http_proxy is no URL") // which may hold a password
		}
		proxy = http.ProxyURL(u)
	}
	return func(r *http.Request) (*url.URL, error) {
		if neverProxied(r.URL.Hostname()) {
			return nil, nil
		}
		return proxy(r)
	}, nil
}

// errProxyRefuses: the proxy wants a password, or nobody to go where the request goes.
var errProxyRefuses = errors.New("the proxy refuses the connection")

// proxyAnswer is asked what a proxy's answer to CONNECT means.
func proxyAnswer(_ context.Context, _ *url.URL, _ *http.Request, answer *http.Response) error {
	switch s := answer.StatusCode; {
	case s == http.StatusOK:
		return nil
	case s < http.StatusInternalServerError:
		return fmt.Errorf("%w: %s", errProxyRefuses, answer.Status)
	}
	return fmt.Errorf("the proxy does not reach the storage: %s", answer.Status)
}

// amazonLocal are the IPv6 addresses at which EC2 and EKS give out credentials.
var amazonLocal = netip.MustParsePrefix("fd00:ec2::/32")

// neverProxied reports whether a host is this machine, or one of the services that give out
// credentials to it, which are asked in the clear: whoever is in between could take them.
func neverProxied(host string) bool {
	addr, err := netip.ParseAddr(host)
	return isLoopback(host) || err == nil && (addr.IsLinkLocalUnicast() || amazonLocal.Contains(addr))
}

// roots are the certificate authorities of the system and of CAFile.
func (o ClientOptions) roots() (*x509.CertPool, error) {
	if o.CAFile == "" {
		return nil, nil
	}
	pem, err := os.ReadFile(o.CAFile)
	if err != nil {
		return nil, fmt.Errorf("ca_file cannot be read: %w", err)
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("ca_file %s holds no certificate in PEM", o.CAFile)
	}
	return pool, nil
}
