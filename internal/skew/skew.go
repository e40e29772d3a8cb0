// Package skew knows how far the clock of a server is ahead of this one, by the Date of its responses, and when tokens are corrected
// by that. It must never know a token, nor decide that one is minted anew.
package skew

import (
	"net/http"
	"sync/atomic"
	"time"

	"github.com/seed-363d07a3/jwtbearer/internal/httpfield"
)

// Noticed is how far clocks differ, beyond the error of the measurement, before that is worth a word: less is nobody's reason to refuse
// a token.
const Noticed = 5 * time.Second

const (
	most = 24 * time.Hour   // more is a wrong Date rather than a wrong clock
	slow = 15 * time.Second // a response that took longer says too little about the clock
)

// A Clock is the correction of the time in tokens: how far the clock of an API is ahead of this one. It begins with zero and
// changes only when a token was refused, or while it is not zero. Each token remembers the correction that it was made with,
// so of many calls whose tokens were refused at once only one corrects. A Clock is safe for concurrent use.
type Clock struct{ applied atomic.Int64 } // nanoseconds

// Get returns the correction in force.
func (s *Clock) Get() time.Duration { return time.Duration(s.applied.Load()) }

// Now is the time for a new token.
func (s *Clock) Now() time.Time { return time.Now().Add(s.Get()) }

// Replace puts one correction in the place of another, unless that one was replaced before.
func (s *Clock) Replace(old, correction time.Duration) {
	s.applied.CompareAndSwap(int64(old), int64(correction))
}

// Refused learns from a response that refused a token which was made with the correction used.
func (s *Clock) Refused(used time.Duration, header http.Header, sent, received time.Time) {
	if ahead, precision, ok := Measure(header, sent, received); ok {
		s.Replace(used, corrected(used, ahead, precision, precision+Noticed))
	}
}

// Accepted learns from a response that accepted the token. It looks at it only while there is a correction.
func (s *Clock) Accepted(header http.Header, sent, received time.Time) {
	applied := s.Get()
	if applied == 0 {
		return
	}
	if ahead, precision, ok := Measure(header, sent, received); ok {
		s.Replace(applied, corrected(applied, ahead, precision, precision))
	}
}

// corrected returns the correction that a measurement asks for where applied is in force, which may be off by the tolerance.
func corrected(applied, ahead, precision, tolerance time.Duration) time.Duration {
	switch {
	case ahead.Abs() > most || (ahead-applied).Abs() <= tolerance:
		return applied
	case ahead.Abs() <= precision:
		return 0
	}
	return ahead
}

// Measure compares a response's Date (RFC 9110, section 6.6.1) with the middle of the exchange. ok is false where the
// answer does not tell.
func Measure(header http.Header, sent, received time.Time) (ahead, precision time.Duration, ok bool) {
	took, date := received.Sub(sent), DateOf(header)
	if took > slow || date.IsZero() {
		return 0, 0, false
	}
	return date.Sub(sent.Add(took / 2)), took/2 + time.Second, true
}

// DateOf is a response's Date; zero where there is none, or a cache kept the response since.
func DateOf(header http.Header) time.Time {
	if header.Get("Age") != "" {
		return time.Time{}
	}
	date, err := http.ParseTime(httpfield.Value(header, "Date"))
	if err != nil {
		return time.Time{}
	}
	return date
}
