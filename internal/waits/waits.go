// Package waits reads the ways in which APIs write down how long to wait.
package waits

import (
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A Unit names the form of a text that tells a wait or a count.
type Unit string

const (
	Auto        Unit = "auto"        // told by the look of it; see Parse
	Seconds     Unit = "seconds"     // from now, may have decimals
	Millis      Unit = "millis"      // from now, may have decimals
	Minutes     Unit = "minutes"     // from now, may have decimals
	Epoch       Unit = "epoch"       // seconds since 1970, may have decimals
	EpochMillis Unit = "epochMillis" // milliseconds since 1970, may have decimals
	HTTPDate    Unit = "httpDate"    // RFC 9110, section 5.6.7, in all three forms
	ISO8601     Unit = "iso8601"     // with or without seconds; UTC where it has no zone
	Span        Unit = "duration"    // 3.9s, 1m30s, 2d
	Int         Unit = "int"         // whole seconds, or a whole count
	Decimal     Unit = "decimal"     // seconds, or a count, with decimals
)

// Where Auto draws the lines between numbers: below 10^9 (31 years) they are seconds from now; below 10^11 (the year
// 5138) seconds since 1970, from 2001-09-09 on; beyond that milliseconds since 1970, from 1973-03-03 on. A unit that
// is not told is never guessed from anything else: a bare 1500 is 1500 seconds.
const (
	leastEpoch       = 1e9
	leastEpochMillis = 1e11
)

// longest caps the texts that are looked at.
const longest = 128

// forever is what a wait saturates at.
const forever = time.Duration(math.MaxInt64)

// Longest is the longest wait that is believed. No API asks for more than a year: a longer one comes from a wrong clock or a
// wrong unit.
const Longest = 366 * 24 * time.Hour

// A Finding says what Ask found.
type Finding int

const (
	Nothing      Finding = iota // no wait
	BeyondReason                // a wait longer than Longest, which counts as none; somebody wanted to say one
	Found                       // a wait
)

// Units returns every unit, in the order in which the documentation lists them.
func Units() []Unit {
	return []Unit{Auto, Seconds, Millis, Minutes, Epoch, EpochMillis, HTTPDate, ISO8601, Span, Int, Decimal}
}

// Valid reports whether u is a unit. The empty one is: it means Auto.
func (u Unit) Valid() bool { return u == "" || slices.Contains(Units(), u) }

// Parse reads text as a wait that starts at now, which is the time by the clock of who wrote it. It is false for what is
// not a wait, such as a negative number of seconds; a time in the past is a wait of zero, and what is too long for a
// time.Duration is the longest one.
//
// Auto reads decimal numbers, HTTP dates, ISO 8601 and durations, and tells seconds from times since 1970 by magnitude.
func Parse(text string, u Unit, now time.Time) (time.Duration, bool) {
	wait, at, ok := parse(text, u)
	if !at.IsZero() {
		wait = until(at, now)
	}
	return wait, ok
}

// Ask is Parse for waits that are to be obeyed: one that is longer than Longest is not given.
func Ask(text string, u Unit, now time.Time) (time.Duration, Finding) {
	wait, ok := Parse(text, u, now)
	switch {
	case !ok:
		return 0, Nothing
	case wait > Longest:
		return 0, BeyondReason
	}
	return wait, Found
}

// Add adds two durations that are not negative and saturates.
func Add(a, b time.Duration) time.Duration {
	if a > forever-b {
		return forever
	}
	return a + b
}

// Moment reads text as a wait whose end it tells as a time, by the clock of who wrote it, such as an epoch or a date. It is
// false for what is not a wait, and for one that counts from now.
func Moment(text string, u Unit) (time.Time, bool) {
	_, at, ok := parse(text, u)
	return at, ok && !at.IsZero()
}

// parse reads text as a wait or, where it tells a time, as that.
func parse(text string, u Unit) (wait time.Duration, at time.Time, ok bool) {
	text = strings.TrimSpace(text)
	if text == "" || len(text) > longest {
		return 0, time.Time{}, false
	}
	switch u {
	case Auto, "":
		return parseAuto(text)
	case HTTPDate:
		at, ok = httpDate(text)
	case ISO8601:
		at, ok = iso8601(text)
	case Span:
		wait, ok = span(text)
	default:
		n, isNumber := number(text)
		if !isNumber || n < 0 || u == Int && n != math.Trunc(n) || !u.Valid() {
			return 0, time.Time{}, false
		}
		wait, at = fromNumber(n, u)
		ok = true
	}
	return wait, at, ok
}

func parseAuto(text string) (wait time.Duration, at time.Time, ok bool) {
	if n, ok := number(text); ok {
		u := EpochMillis
		switch {
		case n < leastEpoch:
			u = Seconds
		case n < leastEpochMillis:
			u = Epoch
		}
		wait, at = fromNumber(max(0, n), u)
		return wait, at, n >= 0
	}
	if at, ok = httpDate(text); ok {
		return 0, at, true
	}
	if at, ok = iso8601(text); ok {
		return 0, at, true
	}
	wait, ok = span(text)
	return wait, time.Time{}, ok
}

// Count reads text as a number of things. It is false for what is not one, such as a negative number, and for a fraction
// unless u is Decimal or Auto.
func Count(text string, u Unit) (float64, bool) {
	text = strings.TrimSpace(text)
	if len(text) > longest {
		return 0, false
	}
	n, ok := number(text)
	if !ok || n < 0 || n != math.Trunc(n) && u != Decimal && u != Auto {
		return 0, false
	}
	return n, true
}

// number reads a decimal number as JSON writes it, more leniently: a plus sign, leading zeros and an empty integer
// part are allowed. Unlike strconv.ParseFloat it knows no hexadecimal, no infinity and no NaN; what overflows is
// math.MaxFloat64.
func number(text string) (float64, bool) {
	for _, c := range []byte(text) {
		if !strings.ContainsRune("+-.eE0123456789", rune(c)) {
			return 0, false
		}
	}
	n, err := strconv.ParseFloat(text, 64)
	if err != nil && !math.IsInf(n, 0) {
		return 0, false
	}
	return max(-math.MaxFloat64, min(n, math.MaxFloat64)), true
}

func fromNumber(n float64, u Unit) (wait time.Duration, at time.Time) {
	switch u {
	case Millis:
		return nanos(n * 1e6), time.Time{}
	case Minutes:
		return nanos(n * 60e9), time.Time{}
	case Epoch:
		return 0, unix(n)
	case EpochMillis:
		return 0, unix(n / 1e3)
	default:
		return nanos(n * 1e9), time.Time{}
	}
}

// nanos rounds n nanoseconds to a duration and saturates.
func nanos(n float64) time.Duration {
	if n >= math.MaxInt64 {
		return forever
	}
	return time.Duration(math.Round(n))
}

// unix turns seconds since 1970 into a time, to the microsecond: a float64 of today's seconds holds no more. What lies
// beyond the year 33658 is cut to it: time.Time would overflow in the end, and until saturates long before.
func unix(n float64) time.Time {
	whole, fraction := math.Modf(min(n, 1e12))
	return time.Unix(int64(whole), int64(math.Round(fraction*1e6))*1e3)
}

// until is the time from now to t, zero in the past. Sub saturates.
func until(t, now time.Time) time.Duration { return max(0, t.Sub(now)) }

// httpDate also reads what some servers write: a numeric zone, UTC for GMT, a day of one digit (as in java.time's
// RFC_1123_DATE_TIME), and the leap second, which RFC 9110 allows and package time does not know.
func httpDate(text string) (time.Time, bool) {
	if s, ok := strings.CutSuffix(text, " UTC"); ok {
		text = s + " GMT"
	}
	var leap time.Duration
	if i := strings.Index(text, ":60"); i >= 3 && strings.Count(text[:i], ":") == 1 {
		text, leap = text[:i]+":59"+text[i+3:], time.Second
	}
	if t, err := http.ParseTime(text); err == nil {
		return t.Add(leap), true
	}
	for _, layout := range []string{"Mon, 2 Jan 2006 15:04:05 GMT", "Mon, 2 Jan 2006 15:04:05 -0700", "Monday, 2-Jan-06 15:04:05 GMT"} {
		if t, err := time.Parse(layout, text); err == nil {
			return t.Add(leap), true
		}
	}
	return time.Time{}, false
}

// iso8601 reads a date, a T or a space, a time and a zone. time.Parse accepts a fraction after the seconds by itself.
func iso8601(text string) (time.Time, bool) {
	text = strings.ToUpper(text)
	if len(text) > 10 && text[10] == ' ' {
		text = text[:10] + "T" + text[11:]
	}
	for _, clock := range []string{"2006-01-02T15:04:05", "2006-01-02T15:04", "20060102T150405"} {
		for _, zone := range []string{"Z07:00", "Z0700", "Z07", ""} {
			if t, err := time.Parse(clock+zone, text); err == nil {
				return t, true
			}
		}
	}
	t, err := time.Parse(time.DateOnly, text)
	return t, err == nil
}

// span reads what time.ParseDuration does, and days; unlike it, it saturates, and has no negative durations.
func span(text string) (time.Duration, bool) {
	var sum float64
	for text != "" {
		digits := len(text) - len(strings.TrimLeft(text, "0123456789."))
		n, ok := number(text[:digits])
		if !ok {
			return 0, false
		}
		text = text[digits:]
		letters := strings.IndexAny(text, "0123456789.")
		if letters < 0 {
			letters = len(text)
		}
		unit := nanosOf(text[:letters])
		if unit == 0 {
			return 0, false
		}
		sum += n * unit
		text = text[letters:]
	}
	return nanos(sum), true
}

// nanosOf is the length of a unit of a duration, zero for what is none.
func nanosOf(unit string) float64 {
	switch unit {
	case "ns":
		return 1
	case "us", "µs", "μs":
		return 1e3
	case "ms":
		return 1e6
	case "s":
		return 1e9
	case "m":
		return 60e9
	case "h":
		return 3600e9
	case "d":
		return 24 * 3600e9
	}
	return 0
}

// NumericDate reads a NumericDate (RFC 7519, section 2), also in milliseconds; zero: it is none.
func NumericDate(text string) time.Time {
	date, err := strconv.ParseFloat(text, 64)
	switch {
	case err != nil || !(date > 0):
		return time.Time{}
	case date > 1e11: // the year 5138, or milliseconds
		return time.UnixMilli(int64(min(date, 1e15)))
	}
	return time.Unix(int64(date), 0)
}
