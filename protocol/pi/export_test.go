package pi

// Verb is a row of the command table, as tests see it.
type Verb struct {
	Name        string
	Spoken      bool // has a handler
	BeforeLogin bool
	Needs       Rights
	Transfer    bool
}

// Verbs returns the command table.
func Verbs() map[string]Verb {
	all := make(map[string]Verb)
	for name, r := range newTable() {
		all[name] = Verb{Name: name, Spoken: r.handle != nil, BeforeLogin: r.beforeLogin, Needs: r.needs, Transfer: r.transfer}
	}
	return all
}

// AllRights is every right there is.
const AllRights = allRights

// ReplyTimeout is how long a client may leave its replies unread.
const ReplyTimeout = replyTimeout

// HashTurns is how many digests could be computed at once just now, by those who wait for a turn.
func (s *Server) HashTurns() int { return len(s.hashing) }

// SlotsTaken is how many sessions count against the limits.
func (s *Server) SlotsTaken() int {
	s.slots.mu.Lock()
	defer s.slots.mu.Unlock()
	return s.slots.all
}

// Queued is how many commands wait behind others, in all sessions.
func (s *Server) Queued() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for c := range s.sessions {
		c.mu.Lock()
		n += len(c.queue)
		c.mu.Unlock()
	}
	return n
}

// ResetCheck is how often a reader that waits looks for a reset.
const ResetCheck = resetCheck
