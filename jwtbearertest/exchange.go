package jwtbearertest

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/seed-363d07a3/jwtbearer"
	"github.com/seed-363d07a3/jwtbearer/internal/demoapi"
)

const (
	tokenPath = "/token" // of the token endpoint where TokenURL does not tell it

	jwtBearerType       = "urn:ietf:params:oauth:grant-type:jwt-bearer"            // RFC 7523, section 2.1
	clientAssertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer" // section 2.2
)

// action is a template action in a TokenURL.
var action = regexp.MustCompile(`\{\{.*?\}\}`)

// tokenPathOf is the path of a token endpoint, whose templates stand.
func tokenPathOf(x *jwtbearer.Exchange) string {
	rest := cmp.Or(x.TokenURL, tokenPath)
	if _, after, isAbsolute := strings.Cut(rest, "://"); isAbsolute {
		host := action.ReplaceAllStringFunc(after, func(a string) string { return strings.Repeat("x", len(a)) })
		host, _, _ = strings.Cut(host, "/")
		rest = after[len(host):]
	}
	return "/" + strings.TrimPrefix(rest, "/")
}

// localExchange is the exchange of connections to a server at base.
func localExchange(x *jwtbearer.Exchange, base string) *jwtbearer.Exchange {
	local := *x
	local.TokenURL = base + tokenPathOf(x)
	if local.Grant == "" && local.Params == "" && !local.Bearer {
		local.Grant = "jwt-bearer"
	}
	return &local
}

// newGrant makes the token endpoint of a server at base.
func newGrant(x *jwtbearer.Exchange, life time.Duration, base string) (*demoapi.Grant, error) {
	if x.Next != nil {
		return nil, errors.New("Config.Exchange.Next cannot be served: a server has one token endpoint")
	}
	path, _, _ := strings.Cut(tokenPathOf(x), "?")
	n := 0
	path = action.ReplaceAllStringFunc(path, func(string) string { n++; return fmt.Sprintf("{x%d}", n) })
	for name, at := range map[string]string{"TokenPath": x.TokenPath, "TokenTypePath": x.TokenTypePath,
		"ExpiresInPath": x.ExpiresInPath, "ExpiresAtPath": x.ExpiresAtPath, "BaseURIPath": x.BaseURIPath} {
		if at != "" && !plainPath.MatchString(at) {
			return nil, fmt.Errorf("Config.Exchange.%s is %q, but only names with dots between them can be served", name, at)
		}
	}
	params, assertion := grantParams(x)
	return &demoapi.Grant{
		Pattern:   cmp.Or(x.Method, http.MethodPost) + " " + path,
		Params:    params,
		Assertion: assertion,
		Life:      life,
		Answer: func(token string, life time.Duration, expiry time.Time) any {
			answer := map[string]any{}
			set(answer, cmp.Or(x.TokenPath, "access_token"), token)
			set(answer, cmp.Or(x.TokenTypePath, "token_type"), "Bearer")
			if x.ExpiresAtPath != "" {
				set(answer, x.ExpiresAtPath, expiry.UTC().Format(time.RFC3339))
			} else {
				set(answer, cmp.Or(x.ExpiresInPath, "expires_in"), int(life.Seconds()))
			}
			if x.BaseURIPath != "" {
				set(answer, x.BaseURIPath, base)
			}
			return answer
		},
	}, nil
}

// grantParams are the parameters that requests of a grant must have, and which of them has the JWT; empty: any. Those that Params
// has too may be anything.
func grantParams(x *jwtbearer.Exchange) (params map[string]string, assertion string) {
	switch grant := localExchange(x, "").Grant; grant {
	case "":
		return nil, ""
	case "jwt-bearer", jwtBearerType:
		params, assertion = map[string]string{"grant_type": jwtBearerType}, "assertion"
	case "client-credentials":
		params = map[string]string{"grant_type": "client_credentials", "client_assertion_type": clientAssertionType}
		assertion = "client_assertion"
	default:
		params = map[string]string{"grant_type": grant}
	}
	var own map[string]json.RawMessage
	json.Unmarshal([]byte(x.Params), &own) // a Connection with what is none is refused
	for name := range own {
		delete(params, name)
		if name == assertion {
			assertion = ""
		}
	}
	return params, assertion
}

// plainPath is a path of names alone.
var plainPath = regexp.MustCompile(`^(\$\.)?[\w-]+(\.[\w-]+)*$`)

// set puts a value where a plain path leads.
func set(object map[string]any, path string, value any) {
	names := strings.Split(strings.TrimPrefix(path, "$."), ".")
	for _, name := range names[:len(names)-1] {
		inner, ok := object[name].(map[string]any)
		if !ok {
			inner = map[string]any{}
			object[name] = inner
		}
		object = inner
	}
	object[names[len(names)-1]] = value
}
