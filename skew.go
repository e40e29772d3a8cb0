package jwtbearer

import (
	"net/http"
	"sync"
	"time"
)

const (
	skewNoticed = 5 * time.Second  // beyond the error of the measurement: less is nobody's reason to refuse a token
	skewMost    = 24 * time.Hour   // more is a wrong Date rather than a wrong clock
	slowAnswer  = 15 * time.Second // an answer that took longer says too little about the clock
)

// A skew is how far the clock of an API is ahead of this one. It is measured on every answer, but corrects the time of
// tokens only after one was refused.
type skew struct {
	mu      sync.Mutex
	applied time.Duration
}

// now is the time for a new token.
func (s *skew) now() time.Time { return time.Now().Add(s.get()) }

func (s *skew) get() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.applied
}

func (s *skew) set(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.applied = d
}

// observe corrects a correction that is in force by what an answer that accepted the token tells.
func (s *skew) observe(measured, precision time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch off := (measured - s.applied).Abs(); {
	case s.applied == 0 || off <= precision:
	case measured.Abs() <= precision+skewNoticed:
		s.applied = 0
	case measured.Abs() <= skewMost:
		s.applied = measured
	}
}

// measureSkew compares an answer's Date (RFC 9110, section 6.6.1) with the middle of the exchange. ok is false where the
// answer does not tell.
func measureSkew(header http.Header, sent, received time.Time) (skew, precision time.Duration, ok bool) {
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
	date, err := http.ParseTime(header.Get("Date"))
	if err != nil {
		return time.Time{}
	}
	return date
}

// skewToBlame tells whether an answer that refused a token shows a clock that explains it.
func skewToBlame(header http.Header, sent, received time.Time) (time.Duration, bool) {
	d, precision, ok := measureSkew(header, sent, received)
	return d, ok && d.Abs() > precision+skewNoticed && d.Abs() <= skewMost
}
