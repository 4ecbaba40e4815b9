package ftpclient

import (
	"context"

	"github.com/ftpgate/ftpgate/protocol/ftp"
)

// Result is the answer to one command of a batch.
type Result struct {
	Reply ftp.Reply
	Err   error // *ftp.Error for 4xx and 5xx, else why there is no reply
}

// What may be on its way without a reply: servers read ahead only so far, and who
// sends more without reading waits for ever if the server does the same.
const (
	maxAhead      = 32
	maxAheadBytes = 4 << 10
)

// Batch sends small commands in groups without waiting for each reply. There is one result for
// each command. Later commands are sent whatever becomes of earlier ones. Commands that need a data connection,
// or that change what the connection is, are refused.
func (c *Conn) Batch(ctx context.Context, commands []ftp.Command) []Result {
	results := make([]Result, len(commands))
	if len(commands) == 0 {
		return results
	}
	e, err := c.begin(ctx)
	if err != nil {
		for i := range results {
			results[i].Err = pathError(commands[i].Verb, commands[i].Arg, err)
		}
		return results
	}
	defer e.end()
	for first := 0; first < len(commands); {
		first = e.group(commands, results, first)
	}
	return results
}

// group sends and reads as many commands from first on as may be on their way at once, and returns the next.
func (e *exchange) group(commands []ftp.Command, results []Result, first int) (next int) {
	var lines []string
	var sent []int // indices of what was sent
	size := 0
	for next = first; next < len(commands); next++ {
		line, err := e.c.batchLine(commands[next])
		if err != nil {
			results[next].Err = pathError(commands[next].Verb, commands[next].Arg, err)
			continue
		}
		if len(sent) > 0 && (!e.c.ahead || len(sent) == maxAhead || size+len(line) > maxAheadBytes) {
			break
		}
		lines, sent = append(lines, line), append(sent, next)
		size += len(line) + 2
	}
	if len(sent) == 0 {
		return next
	}
	for _, line := range lines {
		e.retypes(line)
	}
	replies, err := e.all(lines...)
	for k, i := range sent {
		command := commands[i]
		switch {
		case k >= len(replies):
			results[i].Err = pathError(command.Verb, command.Arg, err)
		case replies[k].Code >= 400:
			results[i] = Result{replies[k], refusal(command.Verb, command.Arg, replies[k])}
		default:
			results[i].Reply = replies[k]
		}
	}
	if err != nil {
		for i := next; i < len(results); i++ {
			results[i].Err = pathError(commands[i].Verb, commands[i].Arg, err)
		}
		return len(commands)
	}
	return next
}

func (c *Conn) batchLine(command ftp.Command) (string, error) {
	if err := quotable(command.Verb); err != nil {
		return "", err
	}
	return c.line(command.Verb, command.Arg)
}
