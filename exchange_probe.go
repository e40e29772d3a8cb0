package jwtbearer

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/seed-363d07a3/jwtbearer/internal/place"
)

// exchange fetches an access token, whether or not there is one, and reports how that went. The ping carries it.
func (p *probe) exchange(ctx context.Context) error {
	began := time.Now()
	got, err := p.core.access.exchange(ctx, true, func() {})
	took := time.Since(began)
	p.report.Skew = got.ahead
	if got.unminted {
		p.report.add(Step{Name: "token", Status: StatusFailed, Detail: p.shown(err)})
		p.report.skip("exchange")
		p.report.Kind = p.kindOfMinting()
		return err
	}
	if got.assertion == nil {
		p.report.skip("token")
	} else {
		p.describeToken(got.assertion.value, got.assertion.skew)
	}
	step := Step{Name: "exchange", Status: StatusOK, Took: took}
	if err != nil {
		p.denied = true
		step.Status, step.Detail, step.Hint = StatusFailed, p.shown(err), p.core.hide(hintOf(err))
		p.report.add(step)
		return err
	}
	p.core.access.kept.Store(got.token)
	step.Detail = fmt.Sprintf("%s of %d bytes", p.core.describeToken(got.token), len(got.token.value))
	if !got.token.grant.expiry.IsZero() {
		step.Detail += fmt.Sprintf(", expires in %s", time.Until(got.token.grant.expiry).Round(time.Second))
	}
	if got.over != "" {
		step.Status = StatusWarning
		step.Detail += ", of which the answer says that it has expired already: it serves until it is refused"
		step.Hint = "set Exchange.ExpiresIn to how long it lives, or " + got.over + " to where the answer says that"
	}
	p.report.add(step)
	return nil
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
