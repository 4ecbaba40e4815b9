package gateway

import (
	"errors"
	"net/netip"
	"time"

	"github.com/rs/zerolog"

	"github.com/ftpgate/ftpgate/auth"
	"github.com/ftpgate/ftpgate/protocol/ftp"
	"github.com/ftpgate/ftpgate/protocol/pi"
)

// newTrace turns what the protocol reports into log lines: one for each start and end of a
// session, login and transfer, with session id, user and address; commands at level debug.
func newTrace(log zerolog.Logger) *pi.Trace {
	strangers := sampled(log)
	with := func(e *zerolog.Event, i pi.SessionInfo) *zerolog.Event {
		e = e.Str("session", i.ID).Str("client", i.Remote.String())
		if i.User != "" {
			e = e.Str("user", clean(i.User))
		}
		return e
	}
	t := &pi.Trace{
		SessionStart: func(i pi.SessionInfo) {
			with(log.Info(), i).Str("listener", i.Endpoint).Msg("connected")
		},
		SessionEnd: func(i pi.SessionInfo, d time.Duration, reason string) {
			with(log.Info(), i).Dur("duration_ms", d).Str("reason", clean(reason)).Msg("disconnected")
		},
		Probe: func(i pi.SessionInfo, d time.Duration) {
			with(log.Debug(), i).Str("listener", i.Endpoint).Dur("duration_ms", d).Msg("connected and hung up without a word")
		},
		Refused: func(listener string, remote netip.AddrPort, reason string) {
			strangers.Warn().Str("listener", listener).Str("client", remote.String()).Str("reason", reason).Msg("connection refused")
		},
		Login: func(i pi.SessionInfo, user string, err error) {
			i.User = user
			var reply *ftp.Error
			switch {
			case err == nil:
				e := with(log.Info(), i)
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
				e = log.Warn().AnErr("error", cleanError{x.Err})
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
			e := log.Info()
			switch {
			case code/100 == 4 || code == 0:
				e = log.Warn()
			case code == 500 || code == 501: // a client may make mistakes as fast as it can type
				e = strangers.Info()
			}
			with(e, i).Str("verb", c.Verb).Str("argument", clean(c.Arg)).Int("reply", int(code)).
				AnErr("error", cleanError{err}).Msg("command failed")
		},
		Panic: func(i pi.SessionInfo, c ftp.Command, v any, stack []byte) {
			with(log.Error(), i).Str("verb", c.Verb).Str("argument", clean(c.Arg)).
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

// sampled is log for what strangers can bring about as often as they like: a burst of
// lines a second, no more.
func sampled(log zerolog.Logger) zerolog.Logger {
	return log.Sample(&zerolog.BurstSampler{Burst: 50, Period: time.Second})
}

// rejected logs data connections that no transfer waits for: somebody who is not the
// client, or a client whose two connections come from different addresses.
func rejected(log zerolog.Logger, listener string) func(local, peer netip.AddrPort) {
	log = sampled(log)
	return func(local, peer netip.AddrPort) {
		log.Warn().Str("listener", listener).Str("port", local.String()).Str("client", peer.String()).
			Msg("data connection refused: no transfer of this address waits there")
	}
}

// cleanError is an error whose text may repeat a client's path.
type cleanError struct{ error }

func (e cleanError) Error() string { return clean(e.error.Error()) }
