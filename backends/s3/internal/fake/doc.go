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
package fake
