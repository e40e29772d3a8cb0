package waits

import (
	"math"
	"testing"
	"time"
)

// now is the time by the server's clock in all tests: 2025-01-01T00:00:00Z.
var now = time.Unix(1735689600, 0)

func TestParseReadsEveryUnit(t *testing.T) {
	for _, tt := range []struct {
		text string
		unit Unit
		want time.Duration
	}{
		{"2", Seconds, 2 * time.Second},
		{"2.0", Seconds, 2 * time.Second},
		{"64.57", Seconds, 64570 * time.Millisecond},
		{"1735689600", Seconds, 1735689600 * time.Second},
		{" 7 ", Seconds, 7 * time.Second},
		{"1500", Millis, 1500 * time.Millisecond},
		{"0.5", Millis, 500 * time.Microsecond},
		{"4", Minutes, 4 * time.Minute},
		{"0.5", Minutes, 30 * time.Second},
		{"1e300", Minutes, math.MaxInt64},
		{"1735689660", Epoch, time.Minute},
		{"1735689660.25", Epoch, time.Minute + 250*time.Millisecond},
		{"5", Epoch, 0},
		{"1735689660250", EpochMillis, time.Minute + 250*time.Millisecond},
		{"1735689660", EpochMillis, 0},
		{"Wed, 01 Jan 2025 00:02:00 GMT", HTTPDate, 2 * time.Minute},
		{"Wednesday, 01-Jan-25 00:02:00 GMT", HTTPDate, 2 * time.Minute},
		{"Wed Jan  1 00:02:00 2025", HTTPDate, 2 * time.Minute},
		{"Wed, 01 Jan 2025 00:02:00 UTC", HTTPDate, 2 * time.Minute},
		{"Wed, 01 Jan 2025 01:02:00 +0100", HTTPDate, 2 * time.Minute},
		{"Wed, 1 Jan 2025 00:02:00 GMT", HTTPDate, 2 * time.Minute},
		{"Wed, 1 Jan 2025 00:02:00 UTC", Auto, 2 * time.Minute},
		{"Wed, 1 Jan 2025 01:02:00 +0100", HTTPDate, 2 * time.Minute},
		{"Wednesday, 1-Jan-25 00:02:00 GMT", Auto, 2 * time.Minute},
		{"Wed, 01 Jan 2025 00:01:60 GMT", HTTPDate, 2 * time.Minute},
		{"Wed Jan  1 00:01:60 2025", Auto, 2 * time.Minute},
		{"Tue, 31 Dec 2024 23:59:00 GMT", HTTPDate, 0},
		{"2025-01-01T00:03:00Z", ISO8601, 3 * time.Minute},
		{"2025-01-01T00:03Z", ISO8601, 3 * time.Minute},
		{"2025-01-01T00:03", ISO8601, 3 * time.Minute},
		{"2025-01-01T00:03:00.5Z", ISO8601, 3*time.Minute + 500*time.Millisecond},
		{"2025-01-01t01:03:00+01:00", ISO8601, 3 * time.Minute},
		{"2025-01-01 01:03:00+0100", ISO8601, 3 * time.Minute},
		{"20250101T000300Z", ISO8601, 3 * time.Minute},
		{"2025-01-02", ISO8601, 24 * time.Hour},
		{"3.957525076s", Span, 3957525076},
		{"1m30s", Span, 90 * time.Second},
		{"1d2h", Span, 26 * time.Hour},
		{"250ms", Span, 250 * time.Millisecond},
		{"12", Int, 12 * time.Second},
		{"0.25", Decimal, 250 * time.Millisecond},
	} {
		if got, ok := Parse(tt.text, tt.unit, now); !ok || got != tt.want {
			t.Errorf("Parse(%q, %s) = %v, %v, want %v", tt.text, tt.unit, got, ok, tt.want)
		}
	}
}

func TestMomentTellsTimesFromWaits(t *testing.T) {
	for _, tt := range []struct {
		text string
		unit Unit
		want time.Time // zero: none
	}{
		{"1735689660", Auto, now.Add(time.Minute)},
		{"1735689660", "", now.Add(time.Minute)},
		{"1735689660250", Auto, now.Add(time.Minute + 250*time.Millisecond)},
		{"1735689540", Epoch, now.Add(-time.Minute)},
		{"5", EpochMillis, time.Unix(0, 5e6)},
		{"Wed, 01 Jan 2025 00:02:00 GMT", Auto, now.Add(2 * time.Minute)},
		{"2025-01-01T00:03Z", ISO8601, now.Add(3 * time.Minute)},
		{"60", Auto, time.Time{}},
		{"1735689660", Seconds, time.Time{}},
		{"1735689660", Millis, time.Time{}},
		{"-1735689660", Epoch, time.Time{}},
		{"58s", Auto, time.Time{}},
		{"soon", Auto, time.Time{}},
		{"", Epoch, time.Time{}},
	} {
		if got, ok := Moment(tt.text, tt.unit); !got.Equal(tt.want) || ok == tt.want.IsZero() {
			t.Errorf("Moment(%q, %s) = %v, %v; want %v", tt.text, tt.unit, got.UTC(), ok, tt.want.UTC())
		}
	}
}

func TestAutoTellsTheFormByItsLook(t *testing.T) {
	for _, tt := range []struct {
		text string
		want time.Duration
	}{
		{"0", 0},
		{"2.5", 2500 * time.Millisecond},
		{"999999999", 999999999 * time.Second},
		{"1000000000", 0},
		{"1735689610", 10 * time.Second},
		{"1735689610.5", 10500 * time.Millisecond},
		{"1.73568961e9", 10 * time.Second},
		{"1735689610000", 10 * time.Second},
		{"1735689600000", 0},
		{"Wed, 01 Jan 2025 00:00:10 GMT", 10 * time.Second},
		{"2025-01-01T00:01Z", time.Minute},
		{"2025-01-01T00:00:10Z", 10 * time.Second},
		{"58s", 58 * time.Second},
	} {
		if got, ok := Parse(tt.text, "", now); !ok || got != tt.want {
			t.Errorf("Parse(%q) = %v, %v, want %v", tt.text, got, ok, tt.want)
		}
	}
}

func TestParseSaturatesWhatOverflows(t *testing.T) {
	for _, tt := range []struct {
		text string
		unit Unit
	}{
		{"9999999999999999999999", Seconds}, {"1e400", Seconds}, {"1e30", Millis}, {"1e30", Epoch}, {"1e300", EpochMillis},
		{"99999999999999999999", Auto}, {"9999999999999999h", Span}, {"99999999999d", Auto}, {"9999-12-31T00:00Z", ISO8601},
	} {
		if got, ok := Parse(tt.text, tt.unit, now); !ok || got != math.MaxInt64 {
			t.Errorf("Parse(%q, %s) = %v, %v, want the longest duration", tt.text, tt.unit, got, ok)
		}
	}
}

func TestAskPassesOverWhatIsBeyondReason(t *testing.T) {
	for _, tt := range []struct {
		text string
		unit Unit
		want time.Duration
		what Finding
	}{
		{"60", Auto, time.Minute, Found},
		{"0", Auto, 0, Found},
		{"1735689540", Auto, 0, Found},
		{"31622400", Auto, Longest, Found},
		{"31622401", Auto, 0, BeyondReason},
		{"366d", Span, Longest, Found},
		{"367d", Span, 0, BeyondReason},
		{"2147483647", Auto, 0, BeyondReason},
		{"2147483647", Seconds, 0, BeyondReason},
		{"1e300", Millis, 0, BeyondReason},
		{"9999-12-31T00:00Z", ISO8601, 0, BeyondReason},
		{"Fri, 01 Jan 2100 00:00:00 GMT", Auto, 0, BeyondReason},
		{"-5", Auto, 0, Nothing},
		{"soon", Auto, 0, Nothing},
		{"", Auto, 0, Nothing},
	} {
		if got, what := Ask(tt.text, tt.unit, now); got != tt.want || what != tt.what {
			t.Errorf("Ask(%q, %s) = %v, %v, want %v, %v", tt.text, tt.unit, got, what, tt.want, tt.what)
		}
	}
}

func TestAddSaturates(t *testing.T) {
	const most = time.Duration(math.MaxInt64)
	for _, tt := range []struct{ a, b, want time.Duration }{
		{0, 0, 0}, {1, 2, 3}, {most, 0, most}, {most, 1, most}, {1, most, most}, {most, most, most}, {most - 1, 1, most},
	} {
		if got := Add(tt.a, tt.b); got != tt.want {
			t.Errorf("Add(%d, %d) = %d, want %d", tt.a, tt.b, got, tt.want)
		}
	}
}

func TestParseTakesNonsenseForNothing(t *testing.T) {
	for _, unit := range Units() {
		for _, text := range []string{"", " ", "soon", "-1", "-0.5", "NaN", "Inf", "0x10", "1_000", "1,5", "-", ".", "e5", "1s2",
			"-3s", "3 fortnights", "2025-13-01T00:00Z", "Wed, 32 Jan 2025 00:00:00 GMT", "Wed, 01 Jan 2025 00:00:00 PST"} {
			if got, ok := Parse(text, unit, now); ok {
				t.Errorf("Parse(%q, %s) = %v, want nothing", text, unit, got)
			}
		}
	}
	if got, ok := Parse("2.5", Int, now); ok {
		t.Errorf("Parse(2.5, int) = %v, want nothing", got)
	}
	if got, ok := Parse("5", "fortnights", now); ok {
		t.Errorf("Parse(5, fortnights) = %v, want nothing", got)
	}
}

func TestCount(t *testing.T) {
	for _, tt := range []struct {
		text string
		unit Unit
		want float64
		ok   bool
	}{
		{"32", Int, 32, true},
		{"2.0", "", 2, true},
		{"0.5", "", 0, false},
		{"0.5", Decimal, 0.5, true},
		{"0.5", Auto, 0.5, true},
		{"-1", Int, 0, false},
		{"many", Int, 0, false},
		{"1e999", Int, math.MaxFloat64, true},
	} {
		if got, ok := Count(tt.text, tt.unit); ok != tt.ok || got != tt.want {
			t.Errorf("Count(%q, %q) = %v, %v, want %v, %v", tt.text, tt.unit, got, ok, tt.want, tt.ok)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, text := range []string{"2.0", "1735689600000", "Wed, 01 Jan 2025 00:02:00 GMT", "2025-01-01T00:03", "1m30s",
		"1e309", "-1"} {
		f.Add(text, int64(1735689600))
	}
	f.Fuzz(func(t *testing.T, text string, at int64) {
		now := time.Unix(at%1e11, 0)
		for _, unit := range Units() {
			got, ok := Parse(text, unit, now)
			if got < 0 || !ok && got != 0 {
				t.Errorf("Parse(%q, %s) = %v, %v", text, unit, got, ok)
			}
			wait, what := Ask(text, unit, now)
			if ok != (what != Nothing) || what != Found && wait != 0 || what == Found && wait != got || wait > Longest {
				t.Errorf("Ask(%q, %s) = %v, %v, and Parse gives %v, %v", text, unit, wait, what, got, ok)
			}
			if n, ok := Count(text, unit); n < 0 || math.IsNaN(n) || math.IsInf(n, 0) || !ok && n != 0 {
				t.Errorf("Count(%q, %s) = %v, %v", text, unit, n, ok)
			}
		}
	})
}
