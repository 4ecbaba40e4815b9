package s3

import (
	"fmt"
	"runtime/debug"
)

// guard runs do, and makes a panic of it an error with the stack: in a goroutine of its
// own nothing else would keep it from ending the process, and with it every session.
func guard(do func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("panic in a goroutine of a transfer: %v\n%s", v, debug.Stack())
		}
	}()
	return do()
}
