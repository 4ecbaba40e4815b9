// Package vfstest is the storage contract of package vfs as an executable
// suite. Every backend and composition runs it with a short test:
//
//	func TestContract(t *testing.T) {
//		vfstest.Run(t, vfstest.Backend{
//			New: func(t vfstest.TB) vfstest.Tree {
//				b := mybackend.New(t.TempDir())
//				return vfstest.Tree{Open: func(owner string) afero.Fs { return b.Open(owner, time.Hour) }}
//			},
//		})
//	}
//
// There is one file per theme and one function per clause. Each clause runs on
// a tree of its own. What a backend states in vfs.Properties decides what a
// clause demands: the thing itself, or the documented refusal. A bug found in
// one backend becomes a clause here first.
package vfstest
