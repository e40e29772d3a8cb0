package jwtbearer

import (
	"cmp"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/seed-363d07a3/jwtbearer/internal/diagnose"
	"github.com/seed-363d07a3/jwtbearer/internal/dial"
	"github.com/seed-363d07a3/jwtbearer/internal/jsontext"
	"github.com/seed-363d07a3/jwtbearer/internal/jws"
	"github.com/seed-363d07a3/jwtbearer/internal/media"
	"github.com/seed-363d07a3/jwtbearer/internal/place"
	"github.com/seed-363d07a3/jwtbearer/internal/problem"
	"github.com/seed-363d07a3/jwtbearer/internal/skew"
)

// A Report says whether a connection works and, where it does not, which step failed and what to do. It holds no secret and
// no signature.
type Report struct {
	OK         bool
	Kind       Kind
	Steps      []Step        // in the order in which they were taken; what Lint warns of has a step config of its own for each
	Header     JSON          // JOSE header of the token that was used; empty: none was, or it is no JWT
	Claims     JSON          // its claims
	StatusCode int           // of the answer; zero: none came
	Skew       time.Duration // how far the API's clock is ahead of this one; zero: not known, or less than can be measured
	Latency    time.Duration // from the request to the first byte of the answer
	RetryAfter time.Duration // where the API was throttled and said how long
}

// Kind is the verdict of a Report in one word.
type Kind string

const (
	KindOK               Kind = "ok"
	KindBadConfig        Kind = "bad_config"        // NewClient refused the Connection
	KindBadKey           Kind = "bad_key"           // the key or secret could not be used
	KindExchangeFailed   Kind = "exchange_failed"   // the token endpoint gave no access token
	KindUnreachable      Kind = "unreachable"       // no answer came
	KindTLSFailed        Kind = "tls_failed"        // one side refused the other's certificate or protocol
	KindAuthRejected     Kind = "auth_rejected"     // the API refused the token, or what it may do
	KindThrottled        Kind = "throttled"         // the API is reachable, and refuses for now
	KindNotFound         Kind = "not_found"         // 404 or 410
	KindServerError      Kind = "server_error"      // 5xx
	KindUnexpectedAnswer Kind = "unexpected_answer" // anything else that is no success
)

// Status is the outcome of a Step.
type Status string

const (
	StatusOK      Status = "ok"
	StatusFailed  Status = "failed"
	StatusSkipped Status = "skipped" // there was nothing to do, or a step before failed
	StatusWarning Status = "warning" // done, but look at Detail
)

// A Step is one thing that Test tried: config, key, token, exchange, resolve, connect, tls, request or verdict. Each name is there
// at least once and in this order, and only config may be there several times: after the step itself, once for each warning of
// Lint, or once for each problem of a Connection that NewClient refuses.
type Step struct {
	Name   string
	Status Status
	Detail string        // what was found
	Hint   string        // what to do about it
	Took   time.Duration // zero where there was nothing to measure
}

// inOneLine takes out what would break the table.
var inOneLine = strings.NewReplacer("\r\n", " ", "\n", " ", "\r", " ", "\t", " ", "\v", " ", "\f", " ")

// String is the report as an aligned table, one line a step, with hints on lines of their own. The line of the token shows its
// header and claims.
func (r Report) String() string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for _, s := range r.Steps {
		detail := inOneLine.Replace(s.Detail)
		if s.Name == "token" && r.Header != "" {
			detail += inOneLine.Replace(": " + string(r.Header) + " " + string(r.Claims))
		}
		if s.Took > 0 {
			detail += fmt.Sprintf(" (%s)", s.Took.Round(10*time.Microsecond))
		}
		fmt.Fprintf(w, "%s\t%s\t%s\n", s.Name, s.Status, strings.TrimSpace(detail))
		if s.Hint != "" {
			fmt.Fprintf(w, "\t\t-> %s\n", inOneLine.Replace(s.Hint))
		}
	}
	w.Flush()
	lines := strings.Split(b.String(), "\n")
	for i, line := range lines {
		lines[i] = strings.TrimRight(line, " ")
	}
	return strings.Join(lines, "\n")
}

// MarshalJSON implements json.Marshaler. Durations are texts such as "1.5s".
func (r Report) MarshalJSON() ([]byte, error) {
	type step struct {
		Name   string `json:"name"`
		Status Status `json:"status"`
		Detail string `json:"detail,omitzero"`
		Hint   string `json:"hint,omitzero"`
		Took   string `json:"took,omitzero"`
	}
	steps := make([]step, len(r.Steps))
	for i, s := range r.Steps {
		steps[i] = step{s.Name, s.Status, s.Detail, s.Hint, durationText(s.Took)}
	}
	return media.Marshal(struct {
		OK         bool   `json:"ok"`
		Kind       Kind   `json:"kind"`
		Steps      []step `json:"steps"`
		Header     JSON   `json:"header,omitzero"`
		Claims     JSON   `json:"claims,omitzero"`
		StatusCode int    `json:"statusCode,omitzero"`
		Skew       string `json:"skew,omitzero"`
		Latency    string `json:"latency,omitzero"`
		RetryAfter string `json:"retryAfter,omitzero"`
	}{r.OK, r.Kind, steps, r.Header, r.Claims, r.StatusCode,
		durationText(r.Skew), durationText(r.Latency), durationText(r.RetryAfter)})
}

func durationText(d time.Duration) string {
	if d == 0 {
		return ""
	}
	return d.String()
}

func (r *Report) add(s Step) { r.Steps = append(r.Steps, s) }

// skip notes the steps that were not taken.
func (r *Report) skip(names ...string) {
	for _, name := range names {
		r.add(Step{Name: name, Status: StatusSkipped})
	}
}

// decode notes the header and the claims of a token. header and claims are the templates that they were made from, or empty.
func (r *Report) decode(token string, header, claims JSON) {
	head, rest, _ := strings.Cut(token, ".")
	payload, _, _ := strings.Cut(rest, ".")
	r.Header, r.Claims = decodePart(head, header), decodePart(payload, claims)
}

// decodePart decodes a part of a token if it is a JSON object, without what its template made of Secrets.
func decodePart(part string, template JSON) JSON {
	text, err := base64.RawURLEncoding.DecodeString(part)
	if err != nil {
		return ""
	}
	v, err := jsontext.Parse(string(text))
	if err != nil || v.Kind != jsontext.Object {
		return ""
	}
	if made, err := jsontext.Parse(string(template)); err == nil {
		v = withoutSecrets(v, made)
	}
	return JSON(v.Append(nil))
}

// withoutSecrets returns v with ****** for each value whose template looks at Secrets.
func withoutSecrets(v, template jsontext.Value) jsontext.Value {
	if template.Kind == jsontext.String && strings.Contains(template.Text, ".Secrets") {
		return jsontext.Value{Kind: jsontext.String, Text: redacted}
	}
	for i := range min(len(v.Elems), len(template.Elems)) {
		v.Elems[i] = withoutSecrets(v.Elems[i], template.Elems[i])
	}
	for i, m := range v.Members {
		j := slices.IndexFunc(template.Members, func(t jsontext.Member) bool { return t.Name == m.Name })
		if j >= 0 {
			v.Members[i].Value = withoutSecrets(m.Value, template.Members[j].Value)
		}
	}
	return v
}

// network adds the steps of the network.
func (r *Report) network(seen dial.View) {
	connect, secured := phaseStep("connect", seen.Connect), phaseStep("tls", seen.TLS)
	if seen.Reused && connect.Status == StatusSkipped {
		connect.Detail = "a connection was open already"
	}
	if secured.Status == StatusOK && seen.State != nil {
		secured.Detail = tls.VersionName(seen.State.Version)
		if certs := seen.State.PeerCertificates; len(certs) > 0 {
			secured.Detail += ", certificate until " + certs[0].NotAfter.Format(time.DateOnly)
		}
	}
	r.Steps = append(r.Steps, phaseStep("resolve", seen.Resolve), connect, secured)
}

func phaseStep(name string, p dial.Phase) Step {
	switch {
	case !p.Begun:
		return Step{Name: name, Status: StatusSkipped}
	case !p.Done:
		return Step{Name: name, Status: StatusFailed, Detail: "did not end in time", Took: p.Took}
	case p.Err != nil:
		return Step{Name: name, Status: StatusFailed, Detail: detailOf(p.Err), Took: p.Took}
	}
	return Step{Name: name, Status: StatusOK, Took: p.Took}
}

// refusedReport reports what NewClient refused.
func refusedReport(err error) *Report {
	r := &Report{Kind: KindBadConfig}
	key := Step{Name: "key", Status: StatusSkipped}
	for _, found := range configErrors(err) {
		detail := problem.Sentence(found.Field, found.Problem, "")
		switch {
		case !found.ofKey():
			r.add(Step{Name: "config", Status: StatusFailed, Detail: detail, Hint: found.Hint})
		case key.Status == StatusSkipped:
			key.Status, key.Detail, key.Hint = StatusFailed, detail, found.Hint
		default:
			key.Detail += "; " + problem.Sentence("", detail, found.Hint)
		}
	}
	if len(r.Steps) == 0 {
		r.Kind = KindBadKey
		r.add(Step{Name: "config", Status: StatusOK})
	}
	r.add(key)
	r.skip("token", "exchange", "resolve", "connect", "tls", "request")
	r.add(Step{Name: "verdict", Status: StatusFailed, Detail: string(r.Kind) + ": nothing was sent",
		Hint: "correct the failed steps above"})
	return r
}

// ofKey reports whether the problem is about the key that signs, and not that it could not be resolved.
func (e *ConfigError) ofKey() bool {
	if _, ok := e.cause.(*KeyError); e.cause != nil && !ok {
		return false
	}
	return slices.Contains([]string{"Secret", "PrivateKey", "Passphrase", "Key"}, e.Field)
}

// configErrors returns the problems that Validate joined.
func configErrors(err error) []*ConfigError {
	if all, ok := err.(interface{ Unwrap() []error }); ok {
		var problems []*ConfigError
		for _, err := range all.Unwrap() {
			problems = append(problems, configErrors(err)...)
		}
		return problems
	}
	if problem, ok := errors.AsType[*ConfigError](err); ok {
		return []*ConfigError{problem}
	}
	return nil
}

// describe reports what is known before anything is sent.
func (p *probe) describe() {
	where := "the token endpoint tells the base URI"
	if api := p.core.address.Load(); api != nil {
		where = p.core.hide(withoutQuery(api.Base.String()))
	}
	p.report.add(Step{Name: "config", Status: StatusOK, Detail: where})
	for _, w := range p.core.warnings {
		p.report.add(Step{Name: "config", Status: StatusWarning, Detail: problem.Sentence(w.Field, w.Problem, ""), Hint: w.Hint})
	}
	if p.core.minter.signer == nil {
		p.report.add(Step{Name: "key", Status: StatusSkipped, Detail: "the token is ready-made"})
		return
	}
	p.report.add(Step{Name: "key", Status: StatusOK, Detail: describeSigner(p.core.minter.signer)})
}

// describeSigner tells method and key of a signer.
func describeSigner(s *jws.Signer) string {
	switch pub := s.Public().(type) {
	case *rsa.PublicKey:
		return fmt.Sprintf("%s with an RSA key of %d bits", s.Name, pub.N.BitLen())
	case *ecdsa.PublicKey:
		return fmt.Sprintf("%s with an EC key on %s", s.Name, pub.Curve.Params().Name)
	case ed25519.PublicKey:
		return fmt.Sprintf("%s with an Ed25519 key", s.Name)
	}
	return s.Name + " with a secret"
}

// describeToken reports a token that was signed at the time of a clock that is so far ahead of this one.
func (p *probe) describeToken(token string, ahead time.Duration) {
	p.report.decode(token, p.core.header, p.core.claims)
	step := Step{Name: "token", Status: StatusOK, Detail: fmt.Sprintf("%d bytes", len(token))}
	if expiry := expiryOf(token); !expiry.IsZero() {
		life := (time.Until(expiry) - ahead).Round(time.Second)
		if step.Detail += fmt.Sprintf(", expires in %s", life); life <= 0 {
			step.Status, step.Hint = StatusWarning, "it has expired: look at the claim exp"
			step.Detail = fmt.Sprintf("%d bytes, expired %s ago", len(token), -life)
		}
	}
	p.report.add(step)
}

// answer reports the request itself.
func (p *probe) answer(req *http.Request, err error, took time.Duration) {
	path := cmp.Or(req.URL.EscapedPath(), "/")
	step := Step{Name: "request", Status: StatusOK, Took: took, Detail: p.core.hide(req.Method + " " + path)}
	if p.resp != nil {
		step.Detail += ": " + status(p.resp.StatusCode)
	}
	switch {
	case err != nil && p.resp == nil:
		step.Status, step.Detail = StatusFailed, p.shown(err)
	case p.left != "":
		step.Status, step.Hint = StatusFailed, p.advice
		step.Detail += ": " + p.left
	case err != nil:
		step.Status = StatusFailed // the verdict says why
	case p.report.Skew.Abs() > skew.Noticed:
		step.Status, step.Hint = StatusWarning, diagnose.ClockHint(p.report.Skew)
	}
	p.remark(&step)
	p.report.add(step)
}

// shown is an error as a report may show it.
func (p *probe) shown(err error) string {
	text := detailOf(err)
	if hint := hintOf(err); hint != "" {
		text = strings.Replace(text, "; "+hint, "", 1)
	}
	return p.core.hide(text)
}

// hintOf is what a typed error says to do, which has a place of its own in a step.
func hintOf(err error) string {
	if e, ok := errors.AsType[*TokenError](err); ok {
		return e.Hint
	}
	if e, ok := errors.AsType[*AuthError](err); ok {
		return e.Hint
	}
	return ""
}

// describeToken says of which type an access token is, where the type is one that tokens have.
func (c *core) describeToken(t *minted) string {
	scheme := c.scheme(t)
	configured := slices.ContainsFunc(c.placements, func(p place.Place) bool { return p.Scheme == scheme })
	if scheme == "" || !configured && !slices.Contains(knownSchemes, scheme) {
		return "a token"
	}
	return scheme + " token"
}

// knownSchemes are types of tokens that are named in a report.
var knownSchemes = []string{"Bearer", "DPoP", "MAC", "JWT", "Token", "OAuth", "BearerToken"}
