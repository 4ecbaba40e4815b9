//go:build unix

package s3

import "golang.org/x/sys/unix"

// mapMemory returns size bytes from outside of the heap, or from the heap if there are none.
func mapMemory(size int) []byte {
	b, err := unix.Mmap(-1, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		return make([]byte, size)
	}
	return b
}

// unmapMemory gives b back. Of what is from the heap, the collector takes care.
func unmapMemory(b []byte) {
	_ = unix.Munmap(b)
}
