package jwtbearertest

import (
	"fmt"
	"net/http"
	"time"

	"github.com/seed-363d07a3/jwtbearer/internal/demoapi"
)

// An Answer is what a request gets instead of the usual answer: a throttle, a failure, a fault on the way. It is for one request
// to the API, unless On or Times says otherwise. A request whose token is refused gets none.
type Answer struct {
	engine  demoapi.Answer
	problem error
}

// On returns the answer for the requests alone that match a pattern of http.ServeMux, such as "POST /orders/{id}". An answer
// for the token endpoint needs one, such as "/token".
func (a Answer) On(pattern string) Answer {
	engine, err := a.engine.On(pattern)
	if err != nil {
		a.problem = err
		return a
	}
	a.engine = engine
	return a
}

// Times returns the answer for n requests, n at least 1.
func (a Answer) Times(n int) Answer {
	if n < 1 {
		a.problem = fmt.Errorf("Times(%d) is never", n)
	}
	a.engine = a.engine.Times(n)
	return a
}

// Throttle refuses the request and asks to wait that long, in the dialect of Config.Profile: with GitHub's secondary limit, with
// Salesforce's limit of concurrent requests. Dialects that tell whole seconds round up; those of apns, shopify-graphql and
// salesforce tell no time.
func Throttle(wait time.Duration) Answer {
	a := Answer{engine: demoapi.Throttling(wait)}
	if wait < 0 {
		a.problem = fmt.Errorf("Throttle(%v) is in the past", wait)
	}
	return a
}

// Status answers with that status and its name as JSON.
func Status(code int) Answer {
	a := Answer{engine: demoapi.Failing(code)}
	if code < 200 || code > 599 {
		a.problem = fmt.Errorf("Status(%d) is none of an answer", code)
	}
	return a
}

// Respond lets h answer, with everything that the other answers cannot say.
func Respond(h http.Handler) Answer { return Answer{engine: demoapi.Responding("respond", h)} }

// Redirect answers 307 with a Location, such as a path, or one below Server.ForeignURL.
func Redirect(location string) Answer {
	return Answer{engine: demoapi.Responding("redirect", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", location)
		w.WriteHeader(http.StatusTemporaryRedirect)
	}))}
}

// RefuseToken refuses a good token: with 401, or with 400 invalid_grant at the token endpoint.
func RefuseToken() Answer { return Answer{engine: demoapi.Refusing()} }

// Slow gives the usual answer, but only after a time in which nothing is heard.
func Slow(d time.Duration) Answer { return Answer{engine: demoapi.Delaying(d)} }

// SlowBody gives the usual answer, with its body in four pieces and a time of silence before each.
func SlowBody(d time.Duration) Answer { return Answer{engine: demoapi.Dripping(d)} }

// Reset breaks the connection before anything is answered.
func Reset() Answer { return Answer{engine: demoapi.Resetting()} }

// ResetBody breaks the connection in the middle of the usual answer's body.
func ResetBody() Answer { return Answer{engine: demoapi.Cutting()} }
