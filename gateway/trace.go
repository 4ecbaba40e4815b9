package gateway

import (
	"errors"
	"net/netip"
	"time"

	"github.com/rs/zerolog"

	"github.com/ftpgate/ftpgate/auth"
	"github.com/ftpgate/ftpgate/protocol/dtp"
	"github.com/ftpgate/ftpgate/protocol/ftp"
	"github.com/ftpgate/ftpgate/protocol/pi"
)

// newTrace turns what the protocol reports into log lines: one for each start and end of a
// session, login and transfer, with session id, user and address; commands at level debug.
// What clients can bring about for nothing has a budget.
func newTrace(log zerolog.Logger) *pi.Trace {
	visits, refusals, failures := visitsBudget(), strangersBudget(), newFailureLog(log)
	with := func(e *zerolog.Event, i pi.SessionInfo) *zerolog.Event {
		e = e.Str("session", i.ID).Str("client", i.Remote.String())
		if i.User != "" {
			e = e.Str("user", clean(i.User))
		}
		return e
	}
	t := &pi.Trace{
		SessionStart: func(i pi.SessionInfo) {
			with(visits.event(log, zerolog.InfoLevel), i).Str("listener", i.Endpoint).Msg("connected")
		},
		SessionEnd: func(i pi.SessionInfo, d time.Duration, reason string) {
			for level, n := range failures.end(i.ID) { // never silently
				with(log.WithLevel(level), i).Int("not_shown", n).Msg("more has failed in this session than is shown")
			}
			e := log.Info()
			if i.User == "" {
				e = visits.event(log, zerolog.InfoLevel)
			}
			with(e, i).Dur("duration_ms", d).Str("reason", clean(reason)).Msg("disconnected")
		},
		Probe: func(i pi.SessionInfo, d time.Duration) {
			failures.end(i.ID)
			with(log.Debug(), i).Str("listener", i.Endpoint).Dur("duration_ms", d).Msg("connected and hung up without a word")
		},
		Refused: func(listener string, remote netip.AddrPort, reason string) {
			refusals.event(log, zerolog.WarnLevel).Str("listener", listener).Str("client", remote.String()).Str("reason", reason).Msg("connection refused")
		},
		Login: func(i pi.SessionInfo, user string, err error) {
			i.User = user
			var reply *ftp.Error
			switch {
			case err == nil:
				e := with(log.Info(), i).Str("listener", i.Endpoint)
				if i.TLS != "" {
					e = e.Str("tls", i.TLS)
				}
				e.Msg("logged in")
			case errors.As(err, &reply): // a limit, and no failure
				with(log.Warn(), i).Err(err).Msg("login refused")
			case errors.Is(err, auth.ErrDenied):
				with(log.Warn(), i).Msg("login refused")
			default:
				with(log.Error(), i).Err(err).Msg("login failed")
			}
		},
		Transfer: func(i pi.SessionInfo, x pi.TransferInfo) {
			e := log.Info()
			if x.Err != nil {
				e = failures.event(i.ID, zerolog.WarnLevel).AnErr("error", cleanError{x.Err})
				if s := (*dtp.StrangerError)(nil); errors.As(x.Err, &s) {
					e = e.Str("control", s.Waiting.String()).Str("data", s.Came.String()).Str("setting", "data_peers")
				}
			}
			e = with(e, i).Str("verb", x.Verb).Str("path", clean(x.Path)).Int64("bytes", x.Bytes)
			if x.Offset > 0 {
				e = e.Int64("offset", x.Offset)
			}
			if s := x.Duration.Seconds(); s > 0 {
				e = e.Int64("bytes_per_second", int64(float64(x.Bytes)/s))
			}
			e.Dur("duration_ms", x.Duration).Int("reply", int(x.Reply)).Str("outcome", string(x.Outcome)).Msg("transfer")
		},
		NotResumed: func(i pi.SessionInfo) {
			with(log.Info(), i).Msg("a data connection did not resume the TLS session (session_reuse)")
		},
		Failure: func(i pi.SessionInfo, c ftp.Command, code ftp.Code, err error) {
			var e *zerolog.Event
			switch {
			case errors.Is(err, dtp.ErrNoPort): // told once for all, see exhausted
				e = log.Debug()
			case errors.Is(err, dtp.ErrNotReady), code/100 == 5: // the client's mistake, most likely
				e = failures.event(i.ID, zerolog.InfoLevel)
			default:
				e = failures.event(i.ID, zerolog.WarnLevel)
			}
			with(e, i).Str("verb", c.Verb).Str("argument", clean(c.Arg)).Int("reply", int(code)).
				AnErr("error", cleanError{err}).Msg("command failed")
		},
		Panic: func(i pi.SessionInfo, c ftp.Command, v any, stack []byte) {
			with(failures.event(i.ID, zerolog.ErrorLevel), i).Str("verb", c.Verb).Str("argument", clean(c.Arg)).
				Interface("panic", v).Bytes("stack", stack).Msg("recovered from a panic; please report it")
		},
	}
	if log.GetLevel() <= zerolog.DebugLevel {
		t.Command = func(i pi.SessionInfo, c ftp.Command, r ftp.Reply) {
			with(log.Debug(), i).Str("verb", clean(c.Verb)).Str("argument", clean(c.Arg)).Int("reply", int(r.Code)).Msg("command")
		}
	}
	return t
}

// rejected logs data connections that no transfer waits for: somebody who is not the
// client, or a client whose two connections come from different addresses. Where only one
// client is waited for on the port, its address and the setting that would let it in are named.
func rejected(log zerolog.Logger, listener string) func(dtp.Rejection) {
	refusals := strangersBudget()
	return func(x dtp.Rejection) {
		e := refusals.event(log, zerolog.WarnLevel).Str("listener", listener).Str("port", x.Local.String()).Str("client", x.Peer.String())
		switch {
		case x.Err != nil:
			e.Err(x.Err).Str("setting", "proxy_protocol").Msg("data connection refused")
		case x.Waiting.IsValid():
			e.Str("control", x.Waiting.String()).Str("setting", "data_peers").
				Msg("data connection refused: another address is waited for there; if both are one client's, data_peers can name the network of both")
		default:
			e.Msg("data connection refused: no transfer of this address waits there")
		}
	}
}

// exhausted logs, every ten seconds at most, that no passive port was free.
func exhausted(log zerolog.Logger, listener string) func(*dtp.NoPortError) {
	log = log.Sample(&zerolog.BurstSampler{Burst: 1, Period: 10 * time.Second})
	return func(x *dtp.NoPortError) {
		e := log.Warn().Str("listener", listener).Str("client", x.Peer.String()).
			Int("ports", x.Ports).Int("reserved", x.Reserved).Int("resting", x.Resting)
		if x.Err != nil { // another program has the others, or descriptors ran out
			e.Err(x.Err).Msg("no passive port is free for this client, and another could not be opened")
			return
		}
		e.Str("setting", "passive_ports").
			Msg("no passive port is free for this client; a wider range lets more transfers of one address begin at once")
	}
}

// cleanError is an error whose text may repeat a client's path.
type cleanError struct{ error }

func (e cleanError) Error() string { return clean(e.error.Error()) }
