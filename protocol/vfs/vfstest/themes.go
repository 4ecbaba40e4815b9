package vfstest

// themes is the contract: one theme is one file.
var themes = []theme{
	modes,
	refusals,
	publishing,
	freeNames,
	lostUpdates,
	holding,
	renaming,
	listing,
	impliedDirs,
	attributes,
	digests,
	naming,
	cancelling,
	concurrency,
	interruption,
	quota,
}
