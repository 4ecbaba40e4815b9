// Package e2e holds the tests that start the real binary and talk to it over
// the wire, and the benchmarks that do so.
//
// cutpoint_test.go and bench_test.go need nothing but Go. The tests behind the
// build tag e2e (`make e2e`) drive installed clients: curl, lftp, ncftp, tnftp,
// wget, openssl and Python's ftplib. A missing one is skipped with a message; with
// E2E_REQUIRE=1 or CI=true it is a failure.
package e2e
