package vfs

import "context"

type offsetKey struct{}

// ReadingFrom says that what is opened with this context will be read from an offset, in
// bytes, as REST before RETR asks for. It is a hint for a filesystem where opening a file asks
// for its content: Seek tells the offset all the same.
func ReadingFrom(ctx context.Context, offset int64) context.Context {
	return context.WithValue(ctx, offsetKey{}, offset)
}

// Offset is what ReadingFrom has said, or else 0.
func Offset(ctx context.Context) int64 {
	offset, _ := ctx.Value(offsetKey{}).(int64)
	return offset
}
