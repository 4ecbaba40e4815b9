// Package local is a storage backend over one directory of the host.
//
// # The jail
//
// Every directory on the way to a file is opened through os.Root, so neither
// ".." nor a symbolic link leaves the directory, whoever swaps links while a
// request runs. The last segment is then used relative to that descriptor and
// never followed by the kernel; a link there is read and resolved through
// os.Root again. Absolute links are refused as if they led outside. FIFOs,
// sockets and devices are never opened for their content.
//
// # Uploads
//
// A file being written lies in <root>/.ftpgate/ (mode 0700) and is renamed to
// its place by Close. The name .ftpgate, in any case and at any depth, does not
// exist for clients. Where the rename would cross a mount, or where the root
// itself cannot be written, the staged file lies in .ftpgate of the topmost
// directory above the target that can be used.
//
// A staged file is named
//
//	<process>-<number>
//	<process>-<number>-<owner>-<path>-<base>-<boot>-<kept>-<window>
//
// where process is random and stands for one Backend, which holds a lock on
// <process>.lock while it lives. The longer form is an upload by an owner who
// may resume: once its process is dead, or is 0 (Keep renamed it), the file is
// a held partial. All that is known about it is in its name, so every change of
// state is one rename and a crash leaves either state but nothing in between:
//
//	owner   hash of the owner
//	path    hash of the virtual path
//	base    fingerprint of the finished file when the upload opened, 0 for none
//	boot    the boot in which it was written
//	kept    how many bytes are known to be on the disk, x for none: all that counts after another boot
//	window  seconds for which it is held, counted from the last write
//
// What is held is known from an index in memory, filled by sweeps, so that no
// command reads a directory in which others have left thousands of partials.
// The file system stays the truth: an entry without its file is dropped. What
// another process on the same root keeps or leaves, if it dies while this one
// runs, is found by the next Sweep at the latest; until then it is not offered
// to its owner, and not removed when its finished file is replaced.
//
// Of one owner and path the partial that was written last is held, and of one
// owner the last 1000.
package local
