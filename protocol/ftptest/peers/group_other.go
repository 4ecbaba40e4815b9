//go:build !unix

package peers

import "os/exec"

func group(cmd *exec.Cmd) (kill func()) {
	return func() { _ = cmd.Process.Kill() } // it may have ended by itself
}
