package config

import "github.com/hashicorp/hcl/v2/hclsyntax"

// throttle reads the throttle block; without one (nil) all defaults hold.
func (l *loader) throttle(b *hclsyntax.Block) Throttle {
	s := &section{l: l}
	if b != nil {
		s = l.open(b, blocks["throttle"], "")
	}
	x := Throttle{
		Failures: s.number("failures", 0, maxAttempts, DefaultFailures),
		Window:   s.duration("window", leastTimeout, DefaultWindow),
		Ban:      s.duration("ban", leastTimeout, DefaultBan),
		MaxDelay: s.duration("max_delay", 0, DefaultMaxDelay),
		Allow:    s.networks("allow", ""),
	}
	if x.MaxDelay > maxDelay {
		l.errorAt(s.at("max_delay"), "max_delay is too long", "Clients take a gateway that says nothing for longer than %s for dead.",
			formatDuration(maxDelay))
	}
	return x
}
