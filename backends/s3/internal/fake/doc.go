// Package fake is an S3 server in the test's process, and a wire on which
// requests are counted and go wrong.
//
// Server keeps buckets in memory and answers as Amazon's S3 does, as far as this
// project asks: objects with conditional headers, copies, multipart uploads,
// listings, checksums, encryption by headers, tags. Requests are path-style and
// must carry a signature, which is not verified.
//
// Wire is an http.RoundTripper between a client and any server: the fake, or a
// real one.
//
// # What is different elsewhere
//
// TestServers of package s3 asks the same questions of every server. versitygw
// 1.8.0 on a file system answers like the fake, but for this:
//
//   - There is no object "a" beside an object "a/b": 409 ObjectParentIsFile or
//     ExistingObjectIsDirectory.
//   - "a//b" is the key "a/b"; segments are at most 255 bytes long (409
//     ExistingObjectIsDirectory beyond), keys are as long as they like.
//   - Deleting the marker of a directory that is not empty is 400 ErrDirectoryNotEmpty.
//   - encoding-type=url is ignored, and the answer does not claim it; names with control
//     characters arrive as U+FFFD.
//   - If-None-Match on CopyObject is ignored: it replaces what exists.
//   - Deleting what is gone under If-Match is a success, not 404 NoSuchKey.
//   - Completing an upload again is a success. (Amazon's does so for a while; the
//     fake never does, which is the harder case.)
//
// And the fake differs from Amazon's S3 in this: no versions, no locks, no
// policies; an upload that lost a condition at its end stays until it is
// aborted; nothing is eventually anything.
package fake
