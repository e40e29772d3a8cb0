package importer

import (
	"slices"
	"strings"
	"time"

	"github.com/seed-363d07a3/jwtbearer"
)

// refusals takes over which responses mean that the token was refused.
func (c *celigoImport) refusals(auth *object) {
	rules := c.rules(auth, 401)
	for _, failure := range auth.objects("failures") {
		if code, ok := failure.whole("statusCode", 100, 599); ok && code != 401 {
			rules = append(rules, jwtbearer.Rule{Status: []int{int(code)}})
		}
		failure.rest(noCounterpart)
	}
	if len(rules) > 0 {
		c.AuthFailure = append(rules, jwtbearer.Rule{Status: []int{401}})
	}
	if skip, set := auth.flag("skipFollowAuthorizationHeader"); set {
		text := "a redirect within the origin of baseURI carries the token, one that leaves it never does"
		kind := NoteChanged
		if skip {
			kind = NoteDropped
		}
		c.note(kind, auth.at("skipFollowAuthorizationHeader"), "%s", text)
	}
}

// rules reads failStatusCode, failPath and failValues. Celigo's documentation gives the path to APIs that respond with 200 and
// put their errors into the body, and does not say what a path and a status mean together. With the usual status, or none,
// each counts by itself; with another, which may mean much else, both must hold.
func (c *celigoImport) rules(o *object, usual int64) []jwtbearer.Rule {
	code, set := o.whole("failStatusCode", 100, 599)
	path, values := o.text("failPath"), o.texts("failValues")
	if path == "" && len(values) > 0 {
		c.dropped(o.at("failValues"), "there is no failPath to find them at")
	}
	rule := jwtbearer.Rule{Path: path}
	if path != "" {
		rule.Values = values
	}
	if set && code != usual {
		rule.Status = []int{int(code)}
		if path != "" {
			c.assumed(o.at("failPath"), "a response must have the status %d and this in its body", code)
		}
		c.changed(o.at("failStatusCode"), "%d counts as before, too", usual)
		return []jwtbearer.Rule{rule}
	}
	if path == "" {
		return nil
	}
	c.assumed(o.at("failPath"), "counts with any status, and so does the status %d without it", usual)
	return []jwtbearer.Rule{rule}
}

// longestInterval bounds rateLimit.limit, in milliseconds.
const longestInterval = int64(24 * time.Hour / time.Millisecond)

// pacing takes over how the API throttles and how fast it may be called.
func (c *celigoImport) pacing(o, http *object) {
	limits := http.object("rateLimit")
	if rules := c.rules(limits, 429); len(rules) > 0 { // and then the usual ones, which Rules replaces
		c.RateLimit.Rules = append(rules, jwtbearer.Rule{Status: []int{429}},
			jwtbearer.Rule{Status: []int{503}, Header: "Retry-After", Class: "overload"})
	}
	c.wait(http)
	c.concurrency(o, http)
	if limit, ok := limits.whole("limit", 1, longestInterval); ok {
		c.RateLimit.Interval = time.Duration(limit) * time.Millisecond
		if c.RateLimit.Concurrency > 1 {
			c.changed(http.at("concurrencyLevel"), "became 1, not %d, since rateLimit.limit is set", c.RateLimit.Concurrency)
		}
		c.RateLimit.Concurrency = 1
		c.assumed(limits.at("limit"), "taken for milliseconds between two requests, one at a time, as Celigo's form means "+
			"it; the schema of its API calls it the requests of a window: if it is that, replace rateLimit.interval and "+
			"concurrency by rateLimit.limits")
	}
	limits.rest(noCounterpart)
}

// wait takes over the header that says how long to wait. It goes before the usual ones, which Wait replaces.
func (c *celigoImport) wait(http *object) {
	header := strings.TrimSpace(http.text("retryHeader"))
	usual := []string{"Retry-After", "RateLimit", "RateLimit-Reset", "X-RateLimit-Reset"}
	if header == "" || strings.EqualFold(header, usual[0]) {
		return
	}
	c.RateLimit.Wait = []jwtbearer.Extract{{Header: header}}
	for _, name := range usual {
		if !strings.EqualFold(name, header) {
			c.RateLimit.Wait = append(c.RateLimit.Wait, jwtbearer.Extract{Header: name})
		}
	}
	c.changed(http.at("retryHeader"), "is looked at first, then the usual headers; its unit follows from its magnitude: "+
		"set as: seconds if it is always that")
}

// mostConcurrent bounds the concurrency levels, far above what Celigo allows.
const mostConcurrent = 10_000

func (c *celigoImport) concurrency(o, http *object) {
	level, _ := http.whole("concurrencyLevel", 1, mostConcurrent)
	target, targeted := http.whole("targetConcurrencyLevel", 1, mostConcurrent)
	adapts, set := o.flag("autoRecoverRateLimitErrors")
	c.RateLimit.Concurrency = int(level)
	switch {
	case set && !adapts:
		c.changed(o.at("autoRecoverRateLimitErrors"), "this client adapts to throttles all the same: set rateLimit.fixed if "+
			"it must not")
		if targeted {
			c.dropped(http.at("targetConcurrencyLevel"), "was not in force, since autoRecoverRateLimitErrors is off")
		}
	case targeted:
		c.RateLimit.Concurrency = int(target)
		if level > 0 {
			c.RateLimit.Concurrency = int(min(level, target))
		}
		c.changed(http.at("targetConcurrencyLevel"), "became rateLimit.concurrency, unless concurrencyLevel is less; below "+
			"that this client finds its own pace")
	}
}

// ping takes over the request that tries the connection.
func (c *celigoImport) ping(ping *object) {
	c.Ping.RelativeURI = c.relative(ping)
	c.Ping.Method = strings.ToUpper(ping.word("method", "get", "post", "put", "head", "patch", "delete", "options"))
	c.Ping.Body = c.hideInBody(ping.at("body"), c.text(ping.at("body"), ping.text("body")))
	c.Ping.ErrorPath = ping.text("errorPath")
	if rule, ok := c.pingRule(ping, "success"); ok {
		rule.Status = []int{2}
		c.Ping.Success = []jwtbearer.Rule{rule}
	}
	if rule, ok := c.pingRule(ping, "fail"); ok {
		c.Ping.Fail = []jwtbearer.Rule{rule}
	}
	if _, set := ping.flag("allowArrayforSuccessPath"); set {
		c.changed(ping.at("allowArrayforSuccessPath"), "values are compared with each element of an array, always")
	}
	ping.rest(noCounterpart)
}

func (c *celigoImport) relative(ping *object) string {
	path := ping.at("relativeURI")
	text := c.hideInQuery(path, c.text(path, ping.text("relativeURI")))
	if text != "" && !strings.HasPrefix(text, "/") && !strings.HasPrefix(text, "?") && !strings.Contains(text, "://") {
		c.changed(path, "a slash was put before it: it is appended to baseURI as it is")
		text = "/" + text
	}
	return text
}

// pingRule reads successPath and successValues, or failPath and failValues.
func (c *celigoImport) pingRule(ping *object, kind string) (jwtbearer.Rule, bool) {
	path, values := ping.text(kind+"Path"), ping.texts(kind+"Values")
	if path == "" && len(values) > 0 {
		c.dropped(ping.at(kind+"Values"), "there is no path to find them at")
	}
	if path == "" {
		return jwtbearer.Rule{}, false
	}
	return jwtbearer.Rule{Path: path, Values: slices.Clip(values)}, true
}
