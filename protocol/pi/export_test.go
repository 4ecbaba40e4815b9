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
