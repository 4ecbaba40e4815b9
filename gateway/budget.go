package gateway

import (
	"sync"
	"time"

	"github.com/rs/zerolog"
	"golang.org/x/time/rate"
)

// budget bounds how many lines of a log clients can bring about. What it holds back is counted,
// and told with the next line that it lets through.
type budget struct {
	lines *rate.Limiter
	wider *rate.Limiter // a line needs leave of this one, too; may be nil

	mu     sync.Mutex
	hidden int // lines held back since the last one
}

// newBudget lets burst lines through at once, and then one every so often.
func newBudget(burst int, every time.Duration) *budget {
	return &budget{lines: rate.NewLimiter(rate.Every(every), burst)}
}

// strangersBudget is for what many clients together can bring about as often as they like.
func strangersBudget() *budget { return newBudget(50, 20*time.Millisecond) }

// visitsBudget is for the begin and end of sessions in which nobody has logged in, or not yet.
// A busy evening must fit: those lines are how a session is followed through the log.
func visitsBudget() *budget { return newBudget(visitsBurst, time.Second/visitsPerSecond) }

const (
	visitsBurst     = 1000
	visitsPerSecond = 200
)

// event begins a line; nil, which takes everything and writes nothing, if there is none to
// be: the log does not have this level, or the budget is spent.
func (b *budget) event(log zerolog.Logger, level zerolog.Level) *zerolog.Event {
	if log.GetLevel() > level {
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.lines.Allow() || b.wider != nil && !b.wider.Allow() {
		b.hidden++
		return nil
	}
	e := log.WithLevel(level)
	if b.hidden > 0 {
		e = e.Int("not_shown", b.hidden)
		b.hidden = 0
	}
	return e
}

const (
	// failureBurst and failureEvery are a session's lines about what failed, of each level:
	// enough for somebody's mistakes of an evening, and no way to fill a disk.
	failureBurst = 20
	failureEvery = 10 * time.Second
)

// failureLog is what sessions log about what failed. Each session has a budget of its own for
// each level: its client's mistakes do not hide what somebody has to look into. For
// mistakes (level info) there is one of all sessions as well, since a client can begin a new one.
type failureLog struct {
	log      zerolog.Logger
	mistakes *rate.Limiter

	mu      sync.Mutex
	budgets map[string]map[zerolog.Level]*budget // by session, from its first failure to its end
}

func newFailureLog(log zerolog.Logger) *failureLog {
	return &failureLog{log: log, mistakes: strangersBudget().lines, budgets: make(map[string]map[zerolog.Level]*budget)}
}

// event begins a line about a failure in a session.
func (f *failureLog) event(session string, level zerolog.Level) *zerolog.Event {
	if f.log.GetLevel() > level {
		return nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	levels := f.budgets[session]
	if levels == nil {
		levels = make(map[zerolog.Level]*budget)
		f.budgets[session] = levels
	}
	b := levels[level]
	if b == nil {
		b = newBudget(failureBurst, failureEvery)
		if level == zerolog.InfoLevel {
			b.wider = f.mistakes
		}
		levels[level] = b
	}
	return b.event(f.log, level)
}

// end forgets a session, and returns how many of its failures of each level were held back and
// have not been told of.
func (f *failureLog) end(session string) map[zerolog.Level]int {
	f.mu.Lock()
	defer f.mu.Unlock()
	var hidden map[zerolog.Level]int
	for level, b := range f.budgets[session] {
		if n := b.hidden; n > 0 {
			if hidden == nil {
				hidden = make(map[zerolog.Level]int)
			}
			hidden[level] = n
		}
	}
	delete(f.budgets, session)
	return hidden
}
