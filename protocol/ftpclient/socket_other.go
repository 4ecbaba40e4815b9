//go:build !unix

package ftpclient

// readable reports false: it is not known here how to look without waiting.
func readable(uintptr) bool { return false }

// hasFailed reports false: it is not known here how to ask.
func hasFailed(uintptr) bool { return false }
