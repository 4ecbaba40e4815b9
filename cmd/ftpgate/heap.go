package main

import (
	"context"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"sync"
	"time"
)

// How much garbage may lie about before it is collected.
const (
	heapEvery    = 250 * time.Millisecond
	heapHeadroom = 16 << 20 // as little as that costs nothing worth mentioning
	leastPercent = 5
)

// boundHeap keeps the garbage of the process in bounds until the returned function is called.
//
// The runtime lets the heap double before it collects: collecting costs what it has to scan, and so
// it takes no more than a fixed share of the work. But most of what a gateway holds is bytes on their
// way (transfer_memory) or files in memory, which are never scanned. To double them saves
// nothing and takes as much memory again. So what may be added is as much as there is to scan.
//
// A GOGC or GOMEMLIMIT in the environment stands.
func boundHeap(ctx context.Context) (stop func()) {
	if os.Getenv("GOGC") != "" || os.Getenv("GOMEMLIMIT") != "" {
		return func() {}
	}
	ctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	wg.Go(func() {
		tick := time.NewTicker(heapEvery)
		defer tick.Stop()
		now := usualPercent
		for {
			samples := []metrics.Sample{{Name: "/gc/heap/live:bytes"}, {Name: "/gc/scan/total:bytes"}}
			metrics.Read(samples)
			if p := heapPercent(samples[0].Value.Uint64(), samples[1].Value.Uint64()); p != now {
				debug.SetGCPercent(p)
				now = p
			}
			select {
			case <-tick.C:
			case <-ctx.Done():
				return
			}
		}
	})
	return func() { cancel(); wg.Wait() }
}

const usualPercent = 100 // the runtime's own

// heapPercent is by how much the heap may grow until it is collected, if so much of it is live
// and so much has to be scanned (GOGC).
func heapPercent(live, scan uint64) int {
	headroom := max(scan, heapHeadroom)
	if live <= headroom {
		return usualPercent
	}
	return max(int(headroom*usualPercent/live), leastPercent)
}
