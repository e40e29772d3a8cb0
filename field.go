package jwtbearer

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/seed-363d07a3/jwtbearer/internal/waits"
)

// How much of one header field of a response is read, whoever carried it. A field that means something is far shorter, and net/http
// lets a server send megabytes.
const (
	fieldBytes = 8 << 10 // of all its lines together
	fieldLines = 64
)

// fieldValues are the values of a response's header field, one a line, without spaces around them. Every field of a response that
// is parsed is read here, or by fieldValue. What is beyond the bounds is ignored: a line that crosses fieldBytes ends before the
// list member that does (RFC 9110, section 5.6.1), so that no number is read that was cut.
func fieldValues(header http.Header, name string) []string {
	lines := header.Values(name)
	if len(lines) == 0 {
		return nil // as most fields are in most responses
	}
	lines = lines[:min(len(lines), fieldLines)]
	values := make([]string, 0, len(lines))
	left := fieldBytes
	for _, line := range lines {
		if len(line) > left {
			line = line[:left]
			line = line[:max(strings.LastIndexByte(line, ','), 0)]
			return append(values, strings.TrimSpace(line))
		}
		left -= len(line)
		values = append(values, strings.TrimSpace(line))
	}
	return values
}

// fieldValue is the first line of a response's header field that has one value. It is empty where that is longer than fieldBytes.
func fieldValue(header http.Header, name string) string {
	value := header.Get(name)
	if len(value) > fieldBytes {
		return ""
	}
	return value
}

// heldFields keeps what was read of the header fields of one response, so that rules, waits and quotas that name the same field
// read it once.
type heldFields struct {
	values []heldValues
	waits  []heldWaits
}

type heldValues struct {
	name  string
	lines []string
}

// A waitKey says which field is read for waits, and how.
type waitKey struct {
	name  string
	as    waits.Unit
	match *regexp.Regexp
}

type heldWaits struct {
	key    waitKey
	found  []time.Duration
	absurd bool // one was beyond reason
}

// lines are the values of the field of that name, of the response that h is for. Nobody may change them.
func (h *heldFields) lines(header http.Header, name string) []string {
	if i := slices.IndexFunc(h.values, func(v heldValues) bool { return v.name == name }); i >= 0 {
		return h.values[i].lines
	}
	lines := fieldValues(header, name)
	if lines != nil {
		h.values = append(h.values, heldValues{name, lines})
	}
	return lines
}

// told are the waits that a field holds, which parse reads the first time.
func (h *heldFields) told(key waitKey, parse func() ([]time.Duration, bool)) (found []time.Duration, absurd bool) {
	if i := slices.IndexFunc(h.waits, func(w heldWaits) bool { return w.key == key }); i >= 0 {
		return h.waits[i].found, h.waits[i].absurd
	}
	found, absurd = parse()
	h.waits = append(h.waits, heldWaits{key, found, absurd})
	return found, absurd
}
