package jwtbearertest

import (
	"bytes"
	"cmp"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/seed-363d07a3/jwtbearer"
	"github.com/seed-363d07a3/jwtbearer/internal/demoapi"
)

// Config says what a Server accepts, how it throttles and what it answers. The zero value takes tokens of HS256 with a secret of
// its own, never throttles, and answers with an echo of the request.
type Config struct {
	// InMemory makes a server without sockets, as tests in a bubble of testing/synctest need it. Only Server.Transport leads
	// to it, which Server.Connection has.
	InMemory bool

	// Method is the alg that tokens must have. Empty means HS256.
	Method jwtbearer.SignatureMethod

	// Key verifies the tokens: the secret of an HMAC method as []byte, string or jwtbearer.Secret; otherwise an *rsa.PublicKey,
	// *ecdsa.PublicKey, ed25519.PublicKey, or a crypto.Signer with one. Nil means a new key, which Connection returns.
	Key any

	// Issuer and Audience are what iss must be and what aud must hold. Empty: anything.
	Issuer, Audience string

	// MaxLifetime is how far ahead exp may lie. Zero means an hour.
	MaxLifetime time.Duration

	// AllowNoExpiry accepts tokens without exp, until MaxLifetime after their iat, as APNs does.
	AllowNoExpiry bool

	// AllowReplay accepts a jti more than once. Without it a connection with TokenReuse should have none.
	AllowReplay bool

	// Check looks at a request whose token is good so far, such as at a claim that depends on the request. An error refuses
	// the token. It is called from several goroutines at once. Nil: nobody looks.
	Check func(Request) error

	// Placement is where requests have the token; two there are refused. The zero value means the header "Authorization: Bearer
	// <token>".
	Placement jwtbearer.Placement

	// Exchange makes the API take access tokens, which it gives out at the path of TokenURL, /token if that is empty, for a JWT
	// in the parameter of its Grant, beside the right grant_type; without a Grant, in any parameter or as a bearer token. The
	// answer has what Exchange looks for, where it looks for it. The zero Exchange has the grant jwt-bearer. Next cannot be
	// served. Nil: the API takes the JWT itself.
	Exchange *jwtbearer.Exchange

	// AccessTokenLife is how long such an access token lives. Zero means an hour.
	AccessTokenLife time.Duration

	// Handler answers the requests that are accepted, as if there were no tokens and limits. It runs when the body of the
	// request has come, or the first mebibyte of it. Nil: with an echo.
	Handler http.Handler

	// Profile is the RateLimit.Profile in whose dialect the API throttles. Empty: 429 with Retry-After.
	Profile string

	// Throttled writes a throttled answer in a dialect of its own, instead of Profile. Nil: in that of Profile.
	Throttled func(w http.ResponseWriter, wait time.Duration)

	// Limit throttles what goes beyond it: a bucket where Burst is set, and otherwise windows that begin at multiples of Per on
	// the clock, as most APIs have them. The zero value never throttles.
	Limit jwtbearer.Limit
}

// build makes the engine of a server at base.
func (c *Config) build(base string, key *key) (*demoapi.API, error) {
	dialect, err := demoapi.Profile(c.Profile)
	switch {
	case err != nil:
		return nil, err
	case c.Limit != jwtbearer.Limit{} && (c.Limit.Requests < 1 || c.Limit.Per <= 0):
		return nil, fmt.Errorf("Config.Limit is %+v, but wants Requests and Per above zero", c.Limit)
	}
	if c.Throttled != nil {
		dialect = demoapi.Dialect{Serve: func(w http.ResponseWriter, t demoapi.Throttle) { c.Throttled(w, t.Wait) }}
	}
	config := demoapi.Config{
		Keys: []demoapi.Key{{Verify: key.verify}}, Methods: []string{string(key.method)}, Issuer: c.Issuer, Audience: c.Audience,
		MaxLifetime: c.MaxLifetime, AllowNoExpiry: c.AllowNoExpiry, AllowReplay: c.AllowReplay, Token: tokenIn(c.Placement),
		Handler: c.Handler, Limit: engineLimit(c.Limit), Dialect: dialect, Record: true,
	}
	if c.Check != nil {
		config.Check = func(v demoapi.Visit) error { return c.Check(newRequest(v)) }
	}
	if c.Exchange != nil {
		config.Grant, err = newGrant(c.Exchange, c.AccessTokenLife, base)
	}
	if err != nil {
		return nil, err
	}
	return demoapi.New(config)
}

// engineLimit is a limit as the engine has it.
func engineLimit(l jwtbearer.Limit) demoapi.Limit {
	if l.Burst > 0 && l.Per > 0 {
		return demoapi.Limit{Rate: float64(l.Requests) / l.Per.Seconds(), Burst: l.Burst}
	}
	return demoapi.Limit{Window: l.Per, Requests: l.Requests}
}

// tokenIn takes the tokens out of where one is placed.
func tokenIn(p jwtbearer.Placement) func(*http.Request) []string {
	switch p.In {
	case "query":
		return func(r *http.Request) []string { return r.URL.Query()[p.Name] }
	case "form":
		return func(r *http.Request) []string { return formValues(r, p.Name) }
	case "cookie":
		return func(r *http.Request) []string {
			var tokens []string
			for _, cookie := range r.CookiesNamed(p.Name) {
				tokens = append(tokens, cookie.Value)
			}
			return tokens
		}
	}
	scheme := p.Scheme
	if p == (jwtbearer.Placement{}) {
		scheme = "Bearer"
	}
	return func(r *http.Request) []string { return demoapi.InHeader(r, cmp.Or(p.Name, "Authorization"), scheme) }
}

// formValues reads a field of a form, whose body stays to be read.
func formValues(r *http.Request, name string) []string {
	if media, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); media != "application/x-www-form-urlencoded" {
		return nil
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	form, _ := url.ParseQuery(string(body)) // what can be read of it
	return form[name]
}

// A key verifies and, where it is known, signs.
type key struct {
	method jwtbearer.SignatureMethod
	verify any

	secret  jwtbearer.Secret // of HMAC
	private jwtbearer.Secret // PEM, of a key that was made here
	signer  crypto.Signer    // that was given
}

// newKey reads or makes the key of a method.
func newKey(method jwtbearer.SignatureMethod, given any) (*key, error) {
	k := &key{method: cmp.Or(method, jwtbearer.HS256)}
	switch g := given.(type) {
	case nil:
		return k, k.generate()
	case []byte:
		k.secret = jwtbearer.Secret(g)
	case string:
		k.secret = jwtbearer.Secret(g)
	case jwtbearer.Secret:
		k.secret = g
	case crypto.Signer:
		k.signer, k.verify = g, g.Public()
	default:
		k.verify = g
	}
	switch {
	case k.secret != "":
		k.verify = []byte(k.secret)
	case k.verify == nil:
		return nil, errors.New("Config.Key is empty: is the variable set that it comes from?")
	}
	if !fits(k.method, k.verify) {
		return nil, fmt.Errorf("Config.Key is of type %T, which does not fit the method %s", given, k.method)
	}
	return k, nil
}

// fits reports whether a key verifies tokens of a method.
func fits(method jwtbearer.SignatureMethod, verify any) bool {
	switch kind := strings.TrimRight(string(method), "0123456789"); key := verify.(type) {
	case []byte:
		return kind == "HS"
	case *rsa.PublicKey:
		return kind == "RS" || kind == "PS"
	case *ecdsa.PublicKey:
		return key.Curve == curveOf(method)
	case ed25519.PublicKey:
		return kind == "Ed" || kind == "EdDSA"
	}
	return false
}

// curveOf is the curve of an ECDSA method (RFC 7518, section 3.4); nil for any other.
func curveOf(method jwtbearer.SignatureMethod) elliptic.Curve {
	switch method {
	case jwtbearer.ES256:
		return elliptic.P256()
	case jwtbearer.ES384:
		return elliptic.P384()
	case jwtbearer.ES512:
		return elliptic.P521()
	}
	return nil
}

func unknownMethod(method jwtbearer.SignatureMethod) error {
	return fmt.Errorf("Config.Method %q is unknown: use a constant of package jwtbearer, such as ES256", method)
}

// generate makes a new key.
func (k *key) generate() (err error) {
	var private crypto.Signer
	switch strings.TrimRight(string(k.method), "0123456789") {
	case "HS":
		k.secret = jwtbearer.Secret(rand.Text() + rand.Text() + rand.Text()) // 78 octets: enough for HS512
		k.verify = []byte(k.secret)
		return nil
	case "RS", "PS":
		private, err = rsa.GenerateKey(rand.Reader, 2048)
	case "ES":
		curve := curveOf(k.method)
		if curve == nil {
			return unknownMethod(k.method)
		}
		private, err = ecdsa.GenerateKey(curve, rand.Reader)
	case "Ed", "EdDSA":
		_, private, err = ed25519.GenerateKey(rand.Reader)
	default:
		return unknownMethod(k.method)
	}
	if err != nil {
		return err
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	k.private = jwtbearer.Secret(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	k.verify = private.Public()
	return err
}
