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
//	collecting --Write, the part is not full--> collecting  (memory from the budget)
//	collecting --Write, the part is full--> multipart       (CreateMultipartUpload; the part is on its way)
//	collecting --Close--> published | discarded             (one PutObject)
//	multipart  --Write--> multipart                         (several parts on their way)
//	multipart  --Close--> published | discarded             (last part, wait for all, CompleteMultipartUpload)
//	any        --Abort, or Close after a failed Write--> discarded (requests cancelled, AbortMultipartUpload)
//
// What publishes says on which condition: that there is no object (ModeCreate), or
// still the one that is continued (ModeAppend, ModeRestart). If its answer is lost, one
// HEAD before Close returns tells whether the object is the one that was sent.
//
// PutObject has vfs.PublishTimeout from its last byte, CompleteMultipartUpload 30 s and 1 s for every
// 16 MiB, at most an hour. If the connection is given up before (ClientOptions.Timeout, or a
// proxy's 504), it is not sent again: HEADs follow until the object is there, the multipart
// upload has ended, or that time is over. A copy in parts is published in the same way.
//
// ModeAppend and ModeRestart look at the object when they are opened, and begin with the
// first byte or at Close: a head that is long enough for a part is copied by the store
// (UploadPartCopy), a shorter one is read and becomes the beginning of the first part.
//
// # The states of a download
//
//	seen      --Read--> streaming         (one GetObject: from 0 of the object as it is now, from anywhere else of the version that was seen)
//	streaming --Read--> streaming
//	streaming --the store is slower than the client--> parallel (ranges ahead, from the budget)
//	parallel  --no memory--> streaming
//	streaming, parallel --an error in mid-stream--> the same, from the offset reached, a bounded number of times
//	streaming, parallel --the ETag has changed--> failed (vfs.ErrTransient, never mixed bytes)
//
// What the metadata cache knows is opened as seen; anything else by the GetObject that is
// then streaming, from where it will be read (vfs.Offset).
package s3
