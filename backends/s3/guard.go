package s3

import (
	"fmt"
	"runtime/debug"
)

// guarded runs what a goroutine of a transfer is for. If that panics, the transfer fails
// with the reason and the place, and the gateway goes on with all the others.
func guarded(do func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("internal error, please report it: %v\n%s", v, debug.Stack())
		}
	}()
	return do()
}
