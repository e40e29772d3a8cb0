package skew

import (
	"net/http"
	"testing"
	"time"
)

func TestSkewIsDateAgainstTheMiddle(t *testing.T) {
	sent := time.Unix(1700000000, 0)
	header := http.Header{"Date": {sent.Add(90 * time.Second).UTC().Format(http.TimeFormat)}}
	ahead, precision, ok := Measure(header, sent, sent.Add(4*time.Second))
	if want := 88 * time.Second; !ok || ahead != want || precision != 3*time.Second {
		t.Errorf("90 s after a request that took 4 s: %s within %s, want %s within 3s", ahead, precision, want)
	}
}

func TestACorrectionThatWasReplacedIsNotReplacedAgain(t *testing.T) {
	var s Clock
	s.Replace(0, time.Minute)
	s.Replace(0, time.Hour)
	if got, want := s.Get(), time.Minute; got != want {
		t.Errorf("after a second call replaced what is not in force any more: %s, want %s", got, want)
	}
}
