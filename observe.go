package jwtbearer

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/seed-363d07a3/jwtbearer/internal/response"
	"github.com/seed-363d07a3/jwtbearer/internal/throttle"
)

// An observation is what an answer to the ping tells beside its status.
type observation struct {
	quota string // the throttle headers that were understood
	empty bool   // it has no body where there might be one
	said  string // the error that the body of a success tells of
}

// observe looks at an answer before anybody else reads its body.
func (p *probe) observe(r *response.Response) observation {
	var o observation
	var quotas []string
	for _, q := range p.core.throttling.Readings(throttle.NewView(r)) {
		quotas = append(quotas, q.String())
	}
	o.quota = strings.Join(quotas, "; ")
	o.empty = r.IsEmpty()
	if member, code, message := r.ErrorInSuccess(p.core.ping.errorPath); member != "" {
		o.said = cmp.Or(words(code, message), "see its member "+member)
	}
	return o
}

// misplaced tells that a success is a page for people where an API answers programs, and what to do.
func (p *probe) misplaced(r *response.Response) (what, advice string) {
	const login = "is BaseURI the API's address, and does Placement put the token where it looks for it?"
	if r.ContentType() != "text/html" || p.core.successMedia == MediaPlaintext {
		return "", ""
	}
	final := p.resp.Request.URL
	switch {
	case p.sent != nil && !samePlace(final, p.sent.URL):
		return "the API redirected to the page " + p.core.hide(final.EscapedPath()) + ", which looks like a login", login
	}
	return "the answer is an HTML page, not what an API tells programs",
		"correct BaseURI or Ping.RelativeURI, or say with Ping.Success that this is right"
}

func samePlace(a, b *url.URL) bool { return a.Host == b.Host && a.EscapedPath() == b.EscapedPath() }

// remark adds what was observed to the step of the request, as a warning where a success is doubtful.
func (p *probe) remark(step *Step) {
	if p.resp == nil {
		return
	}
	o, ok := p.seen, step.Status == StatusOK
	if p.call != nil && p.call.reminted && step.Status != StatusFailed {
		step.Detail += " after a first token was refused"
	}
	if o.empty {
		step.Detail += "; empty body"
	}
	if o.quota != "" {
		step.Detail += "; " + o.quota
	}
	ruled := len(p.core.ping.success) > 0 || len(p.core.ping.fail) > 0
	switch {
	case !ok || ruled:
	case o.said != "":
		step.Status = StatusWarning
		step.Detail += "; but the body tells of an error: " + p.core.censor(o.said, p.tokenValue())
		step.Hint = "say with Ping.Fail which answers are failures in spite of their status"
	case o.empty && p.core.successMedia != "" && p.core.successMedia != MediaPlaintext && p.resp.StatusCode == http.StatusOK:
		step.Status = StatusWarning
		step.Hint = fmt.Sprintf("SuccessMediaType is %s, but there is nothing to decode: compare Ping.RelativeURI", p.core.successMedia)
	}
}

// tokenValue is the token that the answer may show again.
func (p *probe) tokenValue() string {
	if p.call == nil || p.call.token == nil {
		return ""
	}
	return p.call.token.value
}
