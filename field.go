package jwtbearer

import (
	"net/http"
	"regexp"
	"slices"
	"time"

	"github.com/seed-363d07a3/jwtbearer/internal/httpfield"
	"github.com/seed-363d07a3/jwtbearer/internal/waits"
)

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
	lines := httpfield.Values(header, name)
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
