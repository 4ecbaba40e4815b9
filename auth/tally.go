package auth

import (
	"container/list"
	"time"
)

// tally counts the failures of the last window by key, for maxTallied keys at
// most: the one that has failed least recently makes room. Times are those of
// the caller's clock and never go back.
type tally[K comparable] struct {
	window time.Duration
	keep   int // times remembered of one key
	keys   map[K]*list.Element
	order  *list.List // of *failures[K], the least recent first
}

type failures[K comparable] struct {
	key   K
	times []time.Duration // oldest first
}

func newTally[K comparable](window time.Duration, keep int) tally[K] {
	return tally[K]{window: window, keep: keep, keys: make(map[K]*list.Element), order: list.New()}
}

// count returns how many failures of key the window holds.
func (t *tally[K]) count(key K, now time.Duration) int {
	e := t.keys[key]
	if e == nil {
		return 0
	}
	f := e.Value.(*failures[K])
	old := 0
	for old < len(f.times) && now-f.times[old] >= t.window {
		old++
	}
	if f.times = f.times[old:]; len(f.times) == 0 {
		t.forget(key)
	}
	return len(f.times)
}

// add notes a failure of key and returns how many the window now holds.
func (t *tally[K]) add(key K, now time.Duration) int {
	t.count(key, now) // drops what is old
	e := t.keys[key]
	if e == nil {
		if len(t.keys) >= maxTallied {
			t.forget(t.order.Front().Value.(*failures[K]).key)
		}
		e = t.order.PushBack(&failures[K]{key: key})
		t.keys[key] = e
	}
	t.order.MoveToBack(e)
	f := e.Value.(*failures[K])
	if len(f.times) >= t.keep {
		f.times = f.times[1:]
	}
	f.times = append(f.times, now)
	return len(f.times)
}

func (t *tally[K]) forget(key K) {
	if e := t.keys[key]; e != nil {
		t.order.Remove(e)
		delete(t.keys, key)
	}
}
