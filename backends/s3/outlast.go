package s3

import (
	"context"
	"errors"
	"sync"
	"time"
)

// An upload that is cut must not be aborted before the store is done with what it has got: a part
// that it stores after the abort is in no listing. What may still be carried out is waited
// for, but not for long, since somebody waits for the end of the command. If that was too
// short, the abort is repeated.
const (
	cutPatience = 600 * time.Millisecond
	lateAborts  = 2
	latePause   = 75 * time.Millisecond
)

// outlast makes a request that the store may carry out although nobody waits for it any
// more. When the upload is cut, it goes on for cutPatience, unless end says that the store
// cannot have all of it. It reports whether the store may still be at it afterwards.
func (u *upload) outlast(end func() (sent bool), do func(ctx context.Context) error) (late bool, err error) {
	if err := u.why(); err != nil {
		return false, err
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(u.ctx))
	defer cancel()
	defer context.AfterFunc(u.ctx, func() {
		if end() {
			time.AfterFunc(cutPatience, cancel)
		} else {
			cancel()
		}
	})()
	err = do(ctx)
	return lostAnswer(err) && end(), err
}

// atOnce is the end of a request that has no body.
func atOnce() (sent bool) { return true }

var errCut = errors.New("the upload was cut")

// partBody is the body of a part. When the upload is cut, either all of it has been given
// away, or its end never is.
type partBody struct {
	*body
	mu       sync.Mutex
	all, cut bool
}

func (s *partBody) Read(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cut && s.off < s.c.size {
		return 0, errCut
	}
	n, err := s.body.Read(p)
	s.all = s.all || s.off == s.c.size
	return n, err
}

// end ends what can be read, and reports whether that was all, in this attempt or before.
func (s *partBody) end() (sent bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cut = true
	return s.all
}
