package jwtbearer

import (
	"net/http"
	"sync/atomic"
	"time"

	"github.com/seed-363d07a3/jwtbearer/internal/httpfield"
)

const (
	skewNoticed = 5 * time.Second  // beyond the error of the measurement: less is nobody's reason to refuse a token
	skewMost    = 24 * time.Hour   // more is a wrong Date rather than a wrong clock
	slowAnswer  = 15 * time.Second // an answer that took longer says too little about the clock
)

// A skew is the correction of the time in tokens: how far the clock of an API is ahead of this one. It begins with zero and
// changes only when a token was refused, or while it is not zero. Each token remembers the correction that it was made with,
// so of many calls whose tokens were refused at once only one corrects. A skew is safe for concurrent use.
type skew struct{ applied atomic.Int64 } // nanoseconds

func (s *skew) get() time.Duration { return time.Duration(s.applied.Load()) }

// now is the time for a new token.
func (s *skew) now() time.Time { return time.Now().Add(s.get()) }

// replace puts one correction in the place of another, unless that one was replaced before.
func (s *skew) replace(old, correction time.Duration) {
	s.applied.CompareAndSwap(int64(old), int64(correction))
}

// refused learns from an answer that refused a token which was made with the correction used.
func (s *skew) refused(used time.Duration, header http.Header, sent, received time.Time) {
	if ahead, precision, ok := measureSkew(header, sent, received); ok {
		s.replace(used, corrected(used, ahead, precision, precision+skewNoticed))
	}
}

// accepted learns from an answer that accepted the token. It looks at it only while there is a correction.
func (s *skew) accepted(header http.Header, sent, received time.Time) {
	applied := s.get()
	if applied == 0 {
		return
	}
	if ahead, precision, ok := measureSkew(header, sent, received); ok {
		s.replace(applied, corrected(applied, ahead, precision, precision))
	}
}

// corrected returns the correction that a measurement asks for where applied is in force, which may be off by the tolerance.
func corrected(applied, ahead, precision, tolerance time.Duration) time.Duration {
	switch {
	case ahead.Abs() > skewMost || (ahead-applied).Abs() <= tolerance:
		return applied
	case ahead.Abs() <= precision:
		return 0
	}
	return ahead
}

// measureSkew compares an answer's Date (RFC 9110, section 6.6.1) with the middle of the exchange. ok is false where the
// answer does not tell.
func measureSkew(header http.Header, sent, received time.Time) (ahead, precision time.Duration, ok bool) {
	took, date := received.Sub(sent), dateOf(header)
	if took > slowAnswer || date.IsZero() {
		return 0, 0, false
	}
	return date.Sub(sent.Add(took / 2)), took/2 + time.Second, true
}

// dateOf is an answer's Date; zero where there is none, or a cache kept the answer since.
func dateOf(header http.Header) time.Time {
	if header.Get("Age") != "" {
		return time.Time{}
	}
	date, err := http.ParseTime(httpfield.Value(header, "Date"))
	if err != nil {
		return time.Time{}
	}
	return date
}
