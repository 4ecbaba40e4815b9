package pi

import "time"

// crewLinger is how long a goroutine of the crew waits for more work.
const crewLinger = time.Second

// crew runs the workers of sessions (see dispatch.go). A goroutine that has run one is kept for a
// moment: its stack has grown to what storage needs, which is a tenth of the cost of a
// small file on an object store. What it lacks is started, so nobody waits.
type crew struct {
	work chan func()
	stop <-chan struct{} // closed when nobody is to crewLinger any more
}

func newCrew(stop <-chan struct{}) *crew { return &crew{work: make(chan func()), stop: stop} }

// do runs f in a goroutine.
func (c *crew) do(f func()) {
	select {
	case c.work <- f:
	default:
		go c.member(f)
	}
}

func (c *crew) member(f func()) {
	idle := time.NewTimer(crewLinger)
	defer idle.Stop()
	for {
		f()
		idle.Reset(crewLinger)
		select {
		case f = <-c.work:
		case <-idle.C:
			return
		case <-c.stop:
			return
		}
	}
}
