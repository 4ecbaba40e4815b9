package ftptest

import (
	"net"
	"os"
	"runtime"
	"testing"
	"time"
)

// CheckLeaks counts goroutines and descriptors now and, when everything that the
// test has yet to start is cleaned up, again.
func CheckLeaks(t testing.TB) {
	t.Helper()
	// The first connection of a process opens descriptors that stay (epoll).
	if l, err := net.Listen("tcp", "127.0.0.1:0"); err == nil {
		l.Close()
	}
	goroutines, descriptors := runtime.NumGoroutine(), Descriptors()
	t.Cleanup(func() {
		if t.Failed() {
			return // what a failed test leaves behind says nothing
		}
		if !eventually(func() bool { return runtime.NumGoroutine() <= goroutines }) {
			stacks := make([]byte, 1<<20)
			stacks = stacks[:runtime.Stack(stacks, true)]
			t.Errorf("ftptest: %d goroutines, %d before\n%s", runtime.NumGoroutine(), goroutines, stacks)
		}
		if !eventually(func() bool { return Descriptors() <= descriptors }) {
			t.Errorf("ftptest: %d descriptors, %d before", Descriptors(), descriptors)
		}
	})
}

// Descriptors is how many descriptors this process has open; 0 where there is no /proc.
func Descriptors() int {
	names, _ := os.ReadDir("/proc/self/fd")
	return len(names)
}

// eventually asks until the answer is yes or Patience is over.
func eventually(ok func() bool) bool {
	deadline := time.Now().Add(Patience)
	for !ok() {
		if time.Now().After(deadline) {
			return false
		}
		time.Sleep(time.Millisecond)
	}
	return true
}

// Eventually fails the test if ok does not become true within Patience. It is for
// states that nothing signals.
func Eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	if !eventually(ok) {
		t.Fatalf("ftptest: waited in vain: %s", what)
	}
}
