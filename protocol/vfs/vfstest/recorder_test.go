package vfstest

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
)

// recorder is a TB that notes failures instead of failing.
type recorder struct {
	*testing.T
	mu       sync.Mutex
	failures []string
	cleanups []func()
}

func (r *recorder) Errorf(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.failures = append(r.failures, fmt.Sprintf(format, args...))
}

func (r *recorder) Fatalf(format string, args ...any) {
	r.Errorf(format, args...)
	runtime.Goexit()
}

func (r *recorder) Cleanup(f func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.cleanups = append(r.cleanups, f)
}

// record runs check as a test of its own and returns how it failed.
func record(t *testing.T, check func(TB)) []string {
	r := &recorder{T: t}
	done := make(chan struct{})
	go func() { // Fatalf ends its goroutine
		defer close(done)
		defer func() {
			if p := recover(); p != nil {
				r.Errorf("panic: %v", p)
			}
		}()
		check(r)
	}()
	<-done
	for _, f := range slices.Backward(r.cleanups) {
		f()
	}
	return r.failures
}

// find returns the clause called "theme/clause".
func find(t *testing.T, name string) clause {
	t.Helper()
	themeName, clauseName, _ := strings.Cut(name, "/")
	for _, th := range themes {
		for _, c := range th.clauses {
			if th.name == themeName && c.name == clauseName {
				return c
			}
		}
	}
	t.Fatalf("there is no clause %q", name)
	return clause{}
}
