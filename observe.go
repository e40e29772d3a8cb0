package jwtbearer

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/seed-363d07a3/jwtbearer/internal/media"
)

// An observation is what an answer to the ping tells beside its status.
type observation struct {
	quota string // the throttle headers that were understood
	empty bool   // it has no body where there might be one
	said  string // the error that the body of a success tells of
}

// observe looks at an answer before anybody else reads its body.
func (p *probe) observe(a *answer) observation {
	var o observation
	var quotas []string
	for _, r := range p.core.throttling.readings(a) {
		quotas = append(quotas, r.String())
	}
	o.quota = strings.Join(quotas, "; ")
	text, whole, ok := a.body()
	o.empty = ok && whole && strings.TrimSpace(string(text)) == "" || a.resp.Body == http.NoBody && media.HasBody(a.resp)
	if ok && whole && a.resp.StatusCode/100 == 2 {
		o.said = a.errorInSuccess(p.core.ping.errorPath)
	}
	return o
}

// String tells what is left of a quota.
func (r reading) String() string {
	var s string
	switch {
	case r.hasRemaining && r.hasLimit:
		s = fmt.Sprintf("quota: %d of %d left", r.remaining, r.limit)
	case r.hasRemaining:
		s = fmt.Sprintf("quota: %d left", r.remaining)
	case r.hasLimit:
		s = fmt.Sprintf("quota of %d", r.limit)
	default:
		s = "quota"
	}
	if r.window > 0 {
		s += " in " + r.window.String()
	}
	switch {
	case r.absurd:
		s += ", renewed in more than 366 days, which is ignored"
	case r.hasReset:
		s += ", renewed in " + r.reset.Round(time.Second).String()
	}
	return s
}

// errorInSuccess is what the body of a success says where it looks like that of a failure: {"ok": false}, {"error": "…"} and
// the like. GraphQL and many RPC styles answer so.
func (a *answer) errorInSuccess(errorPath *bodyPath) string {
	if a.syntax(a.text) != MediaJSON {
		return ""
	}
	tree, _ := a.tree()
	object, ok := tree.(map[string]any)
	if !ok {
		return ""
	}
	members, found := plainNames(object), ""
	for _, name := range containers {
		if says(members[name]) {
			found = name
		}
	}
	for _, name := range []string{"ok", "success"} {
		if v, ok := members[name].(bool); ok && !v {
			found = name
		}
	}
	if found == "" {
		return ""
	}
	code, message := a.words(errorPath)
	if told := words(code, message); told != "" {
		return told
	}
	return "see its member " + found
}

// says reports whether a value is more than null, false or empty.
func says(v any) bool {
	switch v := v.(type) {
	case bool:
		return v
	case string:
		return v != ""
	case []any:
		return len(v) > 0
	case map[string]any:
		return len(v) > 0
	}
	return false
}

// misplaced tells that a success is a page for people where an API answers programs, and what to do.
func (p *probe) misplaced(a *answer) (what, advice string) {
	const login = "is BaseURI the API's address, and does Placement put the token where it looks for it?"
	if a.contentType() != "text/html" || p.core.successMedia == MediaPlaintext {
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
