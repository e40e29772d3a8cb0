package jwtbearertest

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/seed-363d07a3/jwtbearer"
	"github.com/seed-363d07a3/jwtbearer/internal/demoapi"
)

// Request is one HTTP request that a server got, and what it made of it. The token is in Token alone: everywhere else ******
// stands for it.
type Request struct {
	// Time is when the request came.
	Time time.Time

	Method string
	URL    *url.URL // path and query
	Header http.Header
	Body   []byte // at most 1 MiB of it

	// Token is where Config.Placement has it; at the token endpoint the JWT, where Config.Exchange has it; at the foreign origin
	// any token that is found anywhere. Empty: there is none.
	Token jwtbearer.Secret

	// JOSE and Claims are what the token says, if it is a JWT, whoever signed it.
	JOSE, Claims jwtbearer.JSON

	// Refused is what is wrong with the token. Empty: it was accepted.
	Refused string

	// Status is that of the answer. Zero: it got none, or none yet.
	Status int

	// Answer names what Server.Next had for the request. Empty: it got the usual answer.
	Answer string

	// Throttled reports whether the request was throttled, and Wait for how long.
	Throttled bool
	Wait      time.Duration

	granting bool // it came to the token endpoint
}

// Claim returns a claim of the token: a string as it is, any other value as JSON. It is empty where there is none.
func (r Request) Claim(name string) string {
	var claims map[string]json.RawMessage
	if json.Unmarshal([]byte(r.Claims), &claims) != nil {
		return ""
	}
	var text string
	if json.Unmarshal(claims[name], &text) == nil {
		return text
	}
	return string(claims[name])
}

// String tells what was asked and answered, without body and token.
func (r Request) String() string {
	return fmt.Sprintf("%s %s: %s", r.Method, r.URL, r.outcome())
}

// outcome is what became of the request.
func (r Request) outcome() string {
	text := "no answer"
	if r.Status > 0 {
		text = fmt.Sprintf("%d %s", r.Status, http.StatusText(r.Status))
	}
	switch {
	case r.Refused != "":
		text += ", token refused: " + r.Refused
	case r.Answer != "":
		text += ", as told: " + r.Answer
	case r.Throttled:
		text += ", throttled for " + r.Wait.String()
	}
	return text
}

// token is what looks like a token: a JWT, whose header may have blanks or a line break before its first member, or an access
// token of ours.
var token = regexp.MustCompile(`\be(?:y[AJ]|w[0ko])[\w-]{5,}\.[\w-]+\.[\w-]*|\b` + demoapi.AccessTokenPrefix + `\w+`)

const hidden = "******"

// newRequest makes a Request of what the engine saw.
func newRequest(v demoapi.Visit) Request {
	r := Request{Time: v.Time, Method: v.Method, URL: v.URL, Header: v.Header, Body: v.Body,
		Token: jwtbearer.Secret(v.Token), JOSE: jwtbearer.JSON(v.JOSE), Claims: jwtbearer.JSON(v.Claims), Refused: string(v.Refused),
		Status: v.Status, Answer: v.Answer, Throttled: v.Throttled, Wait: v.Wait, granting: v.Grant}
	r.hide()
	return r
}

// hide takes the tokens out of all that shows.
func (r *Request) hide() {
	clean := func(s string) string {
		if r.Token != "" {
			s = strings.ReplaceAll(s, string(r.Token), hidden)
			s = strings.ReplaceAll(s, url.QueryEscape(string(r.Token)), hidden)
		}
		return token.ReplaceAllLiteralString(s, hidden)
	}
	header := make(http.Header, len(r.Header))
	for name, values := range r.Header {
		for _, v := range values {
			header[name] = append(header[name], clean(v))
		}
	}
	r.Header = header
	r.URL = new(*r.URL)
	r.URL.Path, r.URL.RawPath, r.URL.RawQuery = clean(r.URL.Path), clean(r.URL.RawPath), clean(r.URL.RawQuery)
	r.Body = []byte(clean(string(r.Body)))
}

const tableRows = 40 // more are cut

// table lists requests as people read them.
func table(requests []Request) string {
	if len(requests) == 0 {
		return "no requests"
	}
	var text strings.Builder
	w := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "#\tafter\trequest\ttoken\tanswer")
	for i, r := range requests {
		if i == tableRows {
			fmt.Fprintf(w, "and %d more\n", len(requests)-i)
			break
		}
		after := r.Time.Sub(requests[0].Time).Round(100 * time.Microsecond)
		fmt.Fprintf(w, "%d\t%s\t%s %s\t%s\t%s\n", i+1, after, r.Method, r.URL, r.tokenName(), r.outcome())
	}
	w.Flush()
	return strings.TrimSuffix(text.String(), "\n")
}

// tokenName tells tokens apart without showing them.
func (r Request) tokenName() string {
	if r.Token == "" {
		return "none"
	}
	for _, name := range []string{"jti", "sub", "iss"} {
		if value := r.Claim(name); value != "" {
			return name + " " + cut(value, 12)
		}
	}
	if r.Claims == "" {
		return "opaque"
	}
	return cmp.Or(cut(string(r.Claims), 24), "no claims")
}

// cut shortens text to n characters.
func cut(text string, n int) string {
	if runes := []rune(text); len(runes) > n {
		return string(runes[:n]) + "…"
	}
	return text
}

// foreignRequest makes a Request of one to the foreign origin, where any token is one too many.
func foreignRequest(r *http.Request) Request {
	body, _ := io.ReadAll(io.LimitReader(r.Body, 1<<20)) // what came of it
	seen := Request{Time: time.Now(), Method: r.Method, URL: r.URL, Header: r.Header, Body: body, Status: http.StatusOK}
	for _, text := range []string{headerText(r.Header), r.URL.String(), string(body)} {
		if found := token.FindString(text); found != "" {
			seen.Token = jwtbearer.Secret(found)
			seen.JOSE, seen.Claims = jwtbearer.JSON(demoapi.Segment(found, 0)), jwtbearer.JSON(demoapi.Segment(found, 1))
			break
		}
	}
	seen.hide()
	return seen
}

func headerText(h http.Header) string {
	var text strings.Builder
	h.Write(&text) // a strings.Builder takes everything
	return text.String()
}
