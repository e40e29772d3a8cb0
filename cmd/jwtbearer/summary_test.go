package main

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/seed-363d07a3/jwtbearer"
)

func TestPercentilesAreTimesThatWereMeasured(t *testing.T) {
	hundred := make([]time.Duration, 100)
	for i, n := range rand.Perm(100) {
		hundred[i] = time.Duration(n+1) * time.Millisecond
	}
	for _, test := range []struct {
		name string
		all  []time.Duration
		want percentiles
	}{
		{"nothing", nil, percentiles{}},
		{"one", []time.Duration{7}, percentiles{7, 7, 7, 7}},
		{"two", []time.Duration{9, 7}, percentiles{7, 9, 9, 9}},
		{"1 to 100 ms", hundred, percentiles{50 * time.Millisecond, 90 * time.Millisecond, 99 * time.Millisecond, 100 * time.Millisecond}},
	} {
		if got := percentilesOf(test.all); got != test.want {
			t.Errorf("percentiles of %s = %+v, want %+v", test.name, got, test.want)
		}
	}
}

func TestShortKeepsThreeDigits(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0s", 17: "17ns", 1234: "1.23µs", 12345678: "12.3ms", 123456789: "123ms", 1234567890: "1.23s",
		12345 * time.Millisecond: "12.3s", 123456 * time.Millisecond: "2m3s",
	} {
		if got := short(d); got != want {
			t.Errorf("short(%d) = %q, want %q", d, got, want)
		}
	}
}

func TestSummaryTellsWhatThereIs(t *testing.T) {
	s := &summary{
		Requests: 100, Done: 10, OK: 7, Failed: 3, Elapsed: 2 * time.Second, Statuses: map[string]int{"200": 7, "401": 2, "no answer": 1},
		Calls: percentilesOf([]time.Duration{time.Second}), Answers: percentilesOf([]time.Duration{time.Millisecond}),
		Stats: jwtbearer.Stats{Attempts: 12, Throttles: 2, Waited: 1500 * time.Millisecond, Minted: 4, Reused: 8, Refused: 2,
			Skew: -90 * time.Second, Rate: 4.987},
		Errors: []failureLine{{"401", 2, "token refused"}, {"no answer", 1, "reset\nand gone"}},
	}
	var b strings.Builder
	if err := s.table(&b); err != nil {
		t.Fatal(err)
	}
	want := `requests  10 of 100, 9 answered, in 2s, 4.5 per second
outcome   7 ok, 3 failed (200: 7, 401: 2, no answer: 1)
calls     p50 1s  p90 1s  p99 1s  max 1s
answers   p50 1ms  p90 1ms  p99 1ms  max 1ms
attempts  12, of which 2 were throttled
waited    1.5s in line and between attempts, all calls together
tokens    4 minted, 8 reused, 2 refused, their times moved by -1m30s to fit the API's clock
learnt    4.99 requests per second
error     2 times, first: token refused
error     once: reset; and gone
`
	if got := b.String(); got != want {
		t.Errorf("summary:\n%s\nwant:\n%s", got, want)
	}
}

func TestTokensThatAreFetchedAreNotToldToBeReusedNever(t *testing.T) {
	if got, want := tokenList(jwtbearer.Stats{Attempts: 100, Minted: 1, Exchanges: 1}), "1 minted, 1 fetched by exchange"; got != want {
		t.Errorf("tokens of 100 attempts with an exchange: %q, want %q", got, want)
	}
}

func TestDigitsNeedNoExponent(t *testing.T) {
	for x, want := range map[float64]string{1912.4: "1910", 123456: "123000", 88.66: "88.7", 100: "100", 4.987: "4.99", 0.0000123456: "0.0000123"} {
		if got := digits(x); got != want {
			t.Errorf("digits(%v) = %s, want %s", x, got, want)
		}
	}
}

func TestSummaryOfNothingDividesByNothing(t *testing.T) {
	s := &summary{Requests: 5}
	var b strings.Builder
	if err := s.table(&b); err != nil || !strings.Contains(b.String(), "0 of 5 in 0s, 0.0 per second") ||
		!strings.Contains(b.String(), "nothing was answered") {
		t.Errorf("summary: %q, %v", b.String(), err)
	}
}
