package pi

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// A goroutine of the crew takes the next work too, nobody waits for one, and none stays for
// long or beyond the server.
func TestCrew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stop := make(chan struct{})
		c := newCrew(stop)
		var wg sync.WaitGroup
		done := make(chan struct{}, 10)
		work := func() {
			defer wg.Done()
			done <- struct{}{}
			time.Sleep(time.Millisecond)
		}
		start := time.Now()
		for range 5 {
			wg.Add(1)
			c.do(work)
		}
		wg.Wait()
		if took := time.Since(start); took != time.Millisecond || len(done) != 5 {
			t.Errorf("%d of five at once took %v", len(done), took)
		}
		synctest.Wait()
		idle := make(chan func())
		for range 5 {
			select {
			case c.work <- func() { <-idle }:
			default:
				t.Fatal("a goroutine that has nothing to do did not stay")
			}
		}
		close(idle)
		time.Sleep(2 * crewLinger)
		synctest.Wait()
		select {
		case c.work <- func() {}:
			t.Error("one is still there")
		default:
		}
		wg.Add(1)
		c.do(work)
		wg.Wait()
		close(stop)
		synctest.Wait()
		select {
		case c.work <- func() {}:
			t.Error("one is there after the end of the server")
		default:
		}
	})
}
