// Package remote turns what somebody types into connections: URLs of FTP servers, credentials
// for them, TLS options, and retries when a server or the network is out of sorts.
//
//	url.go           ftp://, ftps://, ftpes:// (RFC 1738 §3.2)
//	credentials.go   from URL, environment, netrc or prompt
//	netrc.go         the format of ~/.netrc
//	site.go          one server: connections that are logged in
//	retry.go         what is worth another try, and when
package remote
