//go:build !unix

package s3

func mapMemory(size int) []byte { return make([]byte, size) }

func unmapMemory([]byte) {}
