// Package auth decides who a client is: credentials go in, an identity comes
// out. It knows no protocol and no storage, and holds no rights; whoever asks
// maps the identity to an account.
//
// A [Portal] asks its checkers in order. Passwords are compared in one place,
// the [Comparer], which keeps two promises:
//
//   - A failed login is answered no earlier than the dearest known hash takes,
//     whether the user exists, may log in from there, or has a cheaper hash.
//     Every failure costs exactly one comparison and has one text, so neither
//     clock nor words tell which names exist (THREATS 12).
//   - At most GOMAXPROCS comparisons run at once and the queue before them is
//     bounded, so logins can be refused but cannot take the machine.
//
// The [Throttle] stands before both: it delays those who fail, and bans the
// addresses that go on (THREATS 13).
package auth
