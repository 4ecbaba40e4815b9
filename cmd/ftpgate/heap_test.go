package main

import (
	"context"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"testing"

	"github.com/ftpgate/ftpgate/protocol/ftptest"
)

// TestHeapPercent: a heap grows by what there is to scan or by the headroom, and at most doubles.
func TestHeapPercent(t *testing.T) {
	const mib = 1 << 20
	for _, x := range []struct {
		live, scan uint64
		want       int
	}{
		{0, 0, 100},
		{2 * mib, 1 * mib, 100},
		{16 * mib, 1 * mib, 100},
		{80 * mib, 4 * mib, 20},      // transfers
		{2000 * mib, 20 * mib, 5},    // files in memory: 100 MiB
		{2000 * mib, 500 * mib, 25},  // and very many of them
		{500 * mib, 400 * mib, 80},   // sessions
		{100 * mib, 1000 * mib, 100}, // stacks and globals are scanned, too
	} {
		if got := heapPercent(x.live, x.scan); got != x.want {
			t.Errorf("%d MiB live, %d to scan: %d, want %d", x.live/mib, x.scan/mib, got, x.want)
		}
	}
}

// TestBoundHeap: a large heap that nobody has to scan is not let double.
func TestBoundHeap(t *testing.T) {
	t.Setenv("GOGC", "")
	t.Setenv("GOMEMLIMIT", "")
	defer debug.SetGCPercent(debug.SetGCPercent(usualPercent))
	ballast := make([]byte, 256<<20)
	debug.FreeOSMemory() // the collector has seen it
	stop := boundHeap(t.Context())
	ftptest.Eventually(t, "a bound of the heap", func() bool {
		gogc := []metrics.Sample{{Name: "/gc/gogc:percent"}}
		metrics.Read(gogc)
		return gogc[0].Value.Uint64() <= 20
	})
	stop()
	runtime.KeepAlive(ballast)
	t.Setenv("GOGC", "100")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	boundHeap(ctx)() // does nothing, and ends
}
