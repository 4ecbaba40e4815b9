// Package vfs is what the server asks of an afero.Fs beyond afero itself: the
// storage contract, paths, errors, facts about a tree, and the read-only
// boundary. It is the border between the protocol and every backend, and
// vfstest is the same contract as an executable suite.
//
// # The contract
//
// Names are absolute, slash-separated and clean ("/", "/a/b"); their bytes are
// whatever the client sent, without NUL, CR and LF. No backend ever sees a
// relative or unclean name.
//
//  1. Errors satisfy errors.Is with fs.ErrNotExist, fs.ErrExist,
//     fs.ErrPermission, fs.ErrInvalid, or a sentinel of this package. Their
//     text never holds a host path or a secret.
//  2. A file is opened in one of the modes below and in no other
//     (fs.ErrInvalid). Opening has no effect that Abort does not undo.
//  3. Close publishes, Abort discards, Keep holds; exactly one is called, once.
//     Published means whole, under its name, replacing what was there. Until
//     then, and after Abort, a crash or a lost client, readers see the old
//     state. Close returns nil only if the file is published. After a failed
//     Write, Close aborts and returns that error. CloseFree (FreeCloser) is a Close
//     that may take another name than the file's own.
//  4. Append and restart stage a copy of the existing head. If the base changed
//     since it was staged, Close fails with ErrTransient and publishes nothing.
//  5. ContextFs.WithContext is called once per command and handles keep that
//     context. Abort, Keep and publishing run on context.WithoutCancel, within
//     PublishTimeout, to which publishing may add for the size of the file.
//  6. Readdir(n) streams, unsorted: memory does not grow with the directory.
//     Removing a directory that is not empty fails with ErrNotEmpty; creating
//     below a file fails with ErrNotDir, below a missing directory with
//     fs.ErrNotExist (unless Properties.ImpliedDirs).
//  7. Rename: onto itself is a no-op; a file onto a file replaces it; anything
//     onto a directory, or a directory onto anything, is fs.ErrExist; a
//     directory into its own subtree, or anything from or to "/", is
//     fs.ErrInvalid.
//  8. A digest that is told (Hasher) is that of the file as it is now: one of an
//     older content is worse than none.
//
// # The states of a file opened for writing
//
//	staged --Write--> staged
//	staged --Close--> published   (nil: whole, under its name)
//	staged --Close--> discarded   (an error: the old state stands)
//	staged --CloseFree--> published or discarded, as by Close (FreeCloser in ModeCreate only;
//	                              nil: under its name, or the first free one of others)
//	staged --Abort--> discarded
//	staged --Keep---> held        (Resumer only; for its owner only)
//	held   --open ModeAppend or ModeRestart--> staged, from what was held
//	held   --published STOR, expiry, or a changed base--> gone
package vfs
