package verify

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"strconv"
	"strings"
)

// claimsKey is the key of the claims in the context of a request.
type claimsKey struct{}

// ClaimsFrom returns the claims of the token that [Verifier.Handler] accepted for a request: the JSON object as it was
// signed, which must not be changed. json.Unmarshal makes a struct of it.
func ClaimsFrom(ctx context.Context) (json.RawMessage, bool) {
	claims, ok := ctx.Value(claimsKey{}).(json.RawMessage)
	return claims, ok
}

// Handler lets a request through to next if it has a good token, whose claims [ClaimsFrom] then gives. The answers to
// others are those of RFC 6750, section 3.1, and tell nothing of what was wrong, which Logger is told:
//
//	no token, or two   401  WWW-Authenticate: Bearer realm="api"
//	a token refused    401  WWW-Authenticate: Bearer error="invalid_token"
//	no keys to be had  503  Retry-After
//	a *ConfigError     500
//
// None of them is to be stored by a cache, nor is the answer of next by a shared one, unless next sets a Cache-Control
// of its own.
//
// A token is wanted whatever the method. A preflight of CORS (OPTIONS) has none: put what answers that around Handler.
func (v *Verifier) Handler(next http.Handler) http.Handler {
	from := v.From
	if from == nil {
		from = FromBearer
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token := from(r)
		if token == "" {
			v.refuse(w, r, token, nil)
			return
		}
		payload, err := v.verify(r.Context(), token)
		if err != nil {
			v.refuse(w, r, token, err)
			return
		}
		if w.Header().Get("Cache-Control") == "" {
			w.Header().Set("Cache-Control", "private") // RFC 6750, sections 2.3 and 5.3
		}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), claimsKey{}, json.RawMessage(payload))))
	})
}

// refuse answers a request that does not go through.
func (v *Verifier) refuse(w http.ResponseWriter, r *http.Request, token string, err error) {
	status, challenge := http.StatusUnauthorized, `Bearer error="invalid_token"`
	keys, noKeys := errors.AsType[*KeysError](err)
	_, misconfigured := errors.AsType[*ConfigError](err)
	switch {
	case token == "":
		challenge = `Bearer realm="api"` // RFC 6750, section 3: a challenge without an error, but not without any parameter
	case noKeys:
		status, challenge = http.StatusServiceUnavailable, ""
		w.Header().Set("Retry-After", strconv.Itoa(max(1, int(math.Ceil(keys.RetryAfter.Seconds())))))
	case misconfigured:
		status, challenge = http.StatusInternalServerError, ""
	}
	if challenge != "" {
		w.Header().Set("WWW-Authenticate", challenge)
	}
	w.Header().Set("Cache-Control", "no-store")
	v.tell(r, status, err)
	http.Error(w, http.StatusText(status), status)
}

// tell says to Logger why a request was refused: what the server has to be changed for as an error, all else as
// information.
func (v *Verifier) tell(r *http.Request, status int, err error) {
	switch refused, ok := errors.AsType[*TokenError](err); {
	case v.Logger == nil:
	case status >= http.StatusInternalServerError:
		v.Logger.ErrorContext(r.Context(), "no token can be verified", "status", status, "error", err)
	case ok:
		v.Logger.InfoContext(r.Context(), "token refused", "status", status, "reason", string(refused.Reason), "error", err)
	default:
		v.Logger.InfoContext(r.Context(), "no token, or more than one", "status", status)
	}
}

// only returns the one of values; "" where there are none or several.
func only(values []string) string {
	if len(values) != 1 {
		return ""
	}
	return values[0]
}

// FromBearer finds the token in the Authorization header, behind the scheme Bearer (RFC 6750, section 2.1). Two such
// headers are as good as none, and so are two parameters or cookies with the functions below: which of them others
// look at cannot be known.
func FromBearer(r *http.Request) string {
	scheme, token, _ := strings.Cut(strings.Trim(only(r.Header.Values("Authorization")), " \t"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimLeft(token, " ")
}

// FromHeader returns a function that finds the token in a header where it stands alone, without a scheme.
func FromHeader(name string) func(*http.Request) string {
	return func(r *http.Request) string { return strings.Trim(only(r.Header.Values(name)), " \t") }
}

// FromQuery returns a function that finds the token in a parameter of the query. Addresses end up in logs: keep the
// query out of yours.
func FromQuery(name string) func(*http.Request) string {
	return func(r *http.Request) string { return only(r.URL.Query()[name]) }
}

// FromCookie returns a function that finds the token in a cookie. A browser sends that along with requests that other
// sites make it send, so such a server needs a defence against them, such as http.CrossOriginProtection.
func FromCookie(name string) func(*http.Request) string {
	return func(r *http.Request) string {
		cookies := r.CookiesNamed(name)
		values := make([]string, len(cookies))
		for i, c := range cookies {
			values[i] = c.Value
		}
		return only(values)
	}
}
