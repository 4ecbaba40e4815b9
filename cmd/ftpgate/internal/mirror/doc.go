// Package mirror makes one tree like another, from a server to this machine or back.
//
//	tree.go    what there is on either side
//	plan.go    what is to be done: no side is touched, all is decided here
//	hash.go    the part of that which needs the content of files
//	run.go     doing it
package mirror
