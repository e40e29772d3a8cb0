package throttle

import (
	"regexp"
	"time"

	"github.com/seed-363d07a3/jwtbearer/internal/response"
	"github.com/seed-363d07a3/jwtbearer/internal/waits"
)

// A View is a response as a Judge reads it, and what was found in it so far: rules, waits and quotas that name the same place read it
// once. It belongs to one Judge and one attempt, and is not safe for concurrent use.
type View struct {
	response.Response

	waits     []heldWaits
	limits    []Reading // of the field RateLimit
	readings  []Reading // of all quotas
	wasParsed bool      // limits are
	wasRead   bool      // readings are
}

// NewView views a response. From then on the response must be asked through the View.
func NewView(resp *response.Response) *View { return &View{Response: *resp} }

// heldWaits are the waits that a header field holds, read in one way.
type heldWaits struct {
	name   string
	as     waits.Unit
	match  *regexp.Regexp
	found  []time.Duration
	absurd bool // one was beyond reason
}

// waitsOf are the waits in the header field of e.
func (v *View) waitsOf(e *extract) (found []time.Duration, absurd bool) {
	for i := range v.waits {
		if w := &v.waits[i]; w.name == e.header && w.as == e.as && w.match == e.match {
			return w.found, w.absurd
		}
	}
	found, absurd = e.parse(&v.Response)
	v.waits = append(v.waits, heldWaits{e.header, e.as, e.match, found, absurd})
	return found, absurd
}
