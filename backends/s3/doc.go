// Package s3 is a bucket prefix as an afero.Fs that honours the storage contract (package vfs).
//
// An object is published only by an upload that ended cleanly; until then the old
// object is untouched. Nothing is ever spooled to a disk, and the memory of all
// transfers of the process comes from one Budget.
//
// # Names and keys
//
// "/a/b" is the key prefix+"a/b" and, as a directory, everything below
// prefix+"a/b/". A directory exists by what is below it, or by a marker: an empty
// object whose key ends in "/". An object and a directory of one name may both
// exist; plain names mean the object first, and Directories gives a view
// whose names mean directories only. Names that are not UTF-8, and those whose key would be longer
// than 1,024 bytes or hold a segment that S3 clients resolve ("." or ".."), are vfs.ErrBadName.
//
// # The states of an upload
//
//	collecting --Write, the part is not full--> collecting  (memory from the budget, chunk by chunk)
//	collecting --Write, a part is full--> multipart         (CreateMultipartUpload; the part is on its way)
//	collecting --Close--> published | discarded             (one PutObject)
//	multipart  --Write--> multipart                         (several parts on their way)
//	multipart  --Close--> published | discarded             (last part, wait for all, CompleteMultipartUpload)
//	any        --Abort, or Close after a failed Write--> discarded (requests cancelled, AbortMultipartUpload)
//
// A PutObject or CompleteMultipartUpload whose answer was lost is settled by one HEAD
// before Close returns. APPE and REST begin in a third way: the head is copied by the
// server (UploadPartCopy) when the first byte is written or the file is closed.
//
// # The states of a download
//
//	new       --Read--> streaming         (one GetObject from the offset of Seek)
//	streaming --S3 is slower than the client--> parallel (ranges ahead, from the budget)
//	any       --an error in mid-stream--> the same, from the offset reached, a bounded number of times
//	any       --the ETag has changed--> failed (vfs.ErrTransient, never mixed bytes)
package s3
