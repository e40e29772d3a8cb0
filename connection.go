package jwtbearer

import (
	"context"
	"crypto"
	"fmt"
	"log/slog"
	"net/http"
	"time"
)

// Connection describes an API whose bearer tokens the caller signs. It is plain data, used like tls.Config: fill it in, give
// it to NewClient, and do not change it while that runs; the Client keeps a copy. The zero value of every field but BaseURI
// and the key has a useful meaning.
//
// String values marked "template" have the syntax of text/template with the functions that the package documentation lists.
// A string value that is wholly ${scheme:rest} or ${NAME}, such as ${env:API_KEY}, is a reference, which Lookup resolves, whatever
// the scheme. ${env:…} or ${file:…} inside a longer text is an error, and so is a Secret that is ${…} once all are resolved.
//
// No verb of fmt, no slog handler and no JSON encoding of a Connection shows a Secret or Key.
type Connection struct {
	// Name tells connections apart in reports, logs and files. It has no other meaning.
	Name string `json:"name,omitzero"`

	// BaseURI is the address that NewRequest appends to, and whose origin (scheme, host and port) receives the token. It must
	// be https, or http to a loopback address, unless AllowPlainHTTP. Template of .Fields and .Secrets, evaluated once.
	BaseURI string `json:"baseURI,omitzero"`

	// MediaType says how NewRequest encodes bodies. Empty means json.
	MediaType MediaType `json:"mediaType,omitzero"`

	// SuccessMediaType says how Do decodes answers: json, xml, csv or plaintext. Empty: as their Content-Type says.
	SuccessMediaType MediaType `json:"successMediaType,omitzero"`

	// ErrorMediaType says how refused answers are read for codes and messages, and for Path in rules: json, xml or plaintext.
	// Empty: as their Content-Type says.
	ErrorMediaType MediaType `json:"errorMediaType,omitzero"`

	// HTTPHeaders are sent with every request to the origins that receive the token, except those that the caller set on the
	// request. Values are templates.
	HTTPHeaders map[string]string `json:"httpHeaders,omitzero"`

	// SignatureMethod is the alg of the token: one of the constants, or a name that integration platforms use for it.
	SignatureMethod SignatureMethod `json:"signatureMethod,omitzero"`

	// Secret is the key of an HMAC method, in SecretEncoding. It must be at least as long as the hash (RFC 7518, section 3.2)
	// unless AllowWeakKey.
	Secret Secret `json:"secret,omitzero"`

	// SecretEncoding tells how Secret is written: utf8 (the default, its bytes as they are), hex, base64 or base64url.
	SecretEncoding SecretEncoding `json:"secretEncoding,omitzero"`

	// PrivateKey is the key of any other method, in any form that ParsePrivateKey reads.
	PrivateKey Secret `json:"privateKey,omitzero"`

	// Passphrase opens an encrypted PrivateKey.
	Passphrase Secret `json:"passphrase,omitzero"`

	// Certificate is the PEM certificate of PrivateKey or Key, the source of {{x5t}}, {{x5tS256}} and {{x5c}}, with those that
	// issued it in any order. It is repaired as PrivateKey is. Empty: the one that came with PrivateKey, if any.
	Certificate string `json:"certificate,omitzero"`

	// Payload holds the claims: a JSON object whose string values are templates. Member order, numbers and nesting are kept.
	// Empty means {}.
	Payload JSON `json:"payload,omitzero"`

	// JWTHeaders holds further members of the JOSE header, which begins {"alg":…,"typ":"JWT"}: a JSON object whose string
	// values are templates. A member named typ replaces that one in place; null removes it. alg comes from SignatureMethod
	// alone. Empty means {}.
	JWTHeaders JSON `json:"jwtHeaders,omitzero"`

	// Token is a ready-made token, sent instead of a signed one. It excludes all that describes signing.
	Token Secret `json:"token,omitzero"`

	// Fields are values for {{.Fields.name}} in templates.
	Fields map[string]string `json:"fields,omitzero"`

	// Secrets are values for {{.Secrets.name}} in templates, redacted wherever the Connection is shown.
	Secrets map[string]Secret `json:"secrets,omitzero"`

	// Lifetime is how long each token is valid: it adds the claims iat and exp (RFC 7519, section 4.1), each only where
	// Payload has none. Zero adds nothing.
	Lifetime time.Duration `json:"lifetime,omitzero"`

	// TokenReuse is how long one token serves. Zero mints a fresh token for every attempt.
	TokenReuse time.Duration `json:"tokenReuse,omitzero"`

	// Placement says where the token goes. Empty means the header "Authorization: Bearer <token>".
	Placement []Placement `json:"placement,omitzero"`

	// Exchange describes how the JWT is exchanged for an access token. Nil: the JWT itself is the bearer token.
	Exchange *Exchange `json:"exchange,omitzero"`

	// AuthFailure says which answers mean that the token was refused. Empty means status 401.
	AuthFailure []Rule `json:"authFailure,omitzero"`

	// RateLimit says how the API throttles and how fast it may be called.
	RateLimit RateLimit `json:"rateLimit,omitzero"`

	// Retry says what is tried again.
	Retry Retry `json:"retry,omitzero"`

	// Ping is the request that Test makes.
	Ping Ping `json:"ping,omitzero"`

	// TLS holds the settings of https connections. It cannot be combined with Transport.
	TLS TLS `json:"tls,omitzero"`

	// Timeout is the longest silence within one attempt: no byte of the request taken, no answer, or, while the caller is
	// reading, no byte of the body. Zero means 30 seconds, negative none.
	Timeout time.Duration `json:"timeout,omitzero"`

	// MaxResponse is how many bytes of a successful response, decoded, Do takes into memory; a longer one is an error. An out that
	// is an io.Writer is not bounded. Zero means 64 MiB, negative none.
	MaxResponse int64 `json:"maxResponse,omitzero"`

	// AllowPlainHTTP permits http to other hosts than loopback, where anybody on the way can read the token.
	AllowPlainHTTP bool `json:"allowPlainHTTP,omitzero"`

	// AllowWeakKey permits HMAC secrets shorter than the hash and RSA keys of 1024 to 2047 bits.
	AllowWeakKey bool `json:"allowWeakKey,omitzero"`

	// TrustedOrigins are further origins, such as https://uploads.example.com, that receive the token and HTTPHeaders.
	TrustedOrigins []string `json:"trustedOrigins,omitzero"`

	// Key signs instead of PrivateKey: a key in a KMS or an HSM. It must be safe for concurrent use.
	Key crypto.Signer `json:"-"`

	// Lookup resolves references: it is given what stands between the braces, such as env:NAME or vault:path. Its result is
	// taken literally. Nil makes every reference an error.
	Lookup func(ref string) (string, error) `json:"-"`

	// Transport carries the requests. Nil means a clone of http.DefaultTransport that keeps more idle connections per host
	// and refuses a response whose headers are over 256 KiB.
	Transport http.RoundTripper `json:"-"`

	// Limiter is waited on before every attempt, after all that RateLimit asks for. A *rate.Limiter shared by several
	// connections is one. Nil means none.
	Limiter Limiter `json:"-"`

	// Logger tells of every attempt and wait at debug level and of throttles and refused tokens at warn level. Nil: silent.
	Logger *slog.Logger `json:"-"`
}

// Limiter delays an attempt until it may be made. Wait returns nil when it may, and otherwise an error, at the latest when
// ctx ends. It is called from several goroutines at once.
type Limiter interface {
	Wait(ctx context.Context) error
}

// Format implements fmt.Formatter: it prints what fmt would, but for Key, of which only the type shows.
func (c Connection) Format(f fmt.State, verb rune) {
	type plain Connection
	p := plain(c)
	if c.Key != nil {
		p.Key = redactedKey{typ: fmt.Sprintf("%T", c.Key)}
	}
	fmt.Fprintf(f, fmt.FormatString(f, verb), p)
}

// LogValue implements slog.LogValuer.
func (c Connection) LogValue() slog.Value {
	return slog.GroupValue(slog.String("name", c.Name), slog.String("baseURI", c.BaseURI),
		slog.String("signatureMethod", string(c.SignatureMethod)))
}

// redactedKey stands for a crypto.Signer where one would be printed.
type redactedKey struct {
	crypto.Signer
	typ string
}

func (k redactedKey) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "%s(%s)", k.typ, redacted) }

// A MediaType names a way to encode bodies.
type MediaType string

const (
	MediaJSON       MediaType = "json"
	MediaXML        MediaType = "xml"
	MediaURLEncoded MediaType = "urlencoded" // requests only
	MediaFormData   MediaType = "form-data"  // requests only
	MediaCSV        MediaType = "csv"        // answers only
	MediaPlaintext  MediaType = "plaintext"
)

// A SecretEncoding names a way in which an HMAC secret is written.
type SecretEncoding string

const (
	SecretUTF8      SecretEncoding = "utf8"
	SecretHex       SecretEncoding = "hex"
	SecretBase64    SecretEncoding = "base64"    // RFC 4648, section 4; padding may be missing
	SecretBase64URL SecretEncoding = "base64url" // RFC 4648, section 5; padding may be missing
)

// JSON is a JSON text, kept byte for byte.
type JSON string

// MarshalJSON implements json.Marshaler: the text stands as it is.
func (j JSON) MarshalJSON() ([]byte, error) {
	if j == "" {
		return []byte("null"), nil
	}
	return []byte(j), nil
}

// UnmarshalJSON implements json.Unmarshaler: it keeps the text. null gives the empty JSON.
func (j *JSON) UnmarshalJSON(data []byte) error {
	*j = JSON(data)
	if *j == "null" {
		*j = ""
	}
	return nil
}

// Placement is a place in a request where the token goes.
type Placement struct {
	// In is header (the default), query, cookie or form: a field of an application/x-www-form-urlencoded body.
	In string `json:"in,omitzero"`

	// Name is that of the header, parameter, cookie or field. Empty means Authorization for a header; elsewhere it must be set.
	Name string `json:"name,omitzero"`

	// Scheme stands before the token in a header, with a space between, such as Bearer or JWT. Empty: the token stands alone.
	Scheme string `json:"scheme,omitzero"`
}

// Retry says what is tried again, and how often.
type Retry struct {
	// MaxAttempts is how often a request is sent at most, besides throttled answers, which MaxElapsed and RateLimit.MaxWait bound.
	// Zero means 4; 1 sends again only what was throttled.
	MaxAttempts int `json:"maxAttempts,omitzero"`

	// MinBackoff and MaxBackoff bound the exponential backoff, of which each wait is a random part. Zero means 200 ms and 30 s.
	MinBackoff time.Duration `json:"minBackoff,omitzero"`
	MaxBackoff time.Duration `json:"maxBackoff,omitzero"`

	// MaxElapsed is the longest time from the start of the first attempt to the start of the last. Zero means 10 minutes,
	// negative no bound, and a nanosecond that nothing is tried again for which any time must pass.
	MaxElapsed time.Duration `json:"maxElapsed,omitzero"`

	// Always retries transient failures of every method, not only of those that are idempotent (RFC 9110, section 9.2.2) or
	// carry an Idempotency-Key.
	Always bool `json:"always,omitzero"`

	// Budget is the tokens that retries of transient failures may spend: 14 for each, given back when it succeeds, 1 for
	// each first-try success. Zero means 500, negative no bound.
	Budget int `json:"budget,omitzero"`

	// BufferLimit is how many bytes of a body without GetBody are kept for another attempt. Zero means 1 MiB, negative none.
	BufferLimit int64 `json:"bufferLimit,omitzero"`
}

// Ping is the request by which Test tries a connection. Its redirects are followed to the origin of BaseURI and to TrustedOrigins
// only, since what it holds may be made of the token and of Secrets.
type Ping struct {
	// RelativeURI is appended to BaseURI, as by NewRequest. Template, whose values are escaped as in BaseURI, but for one that
	// begins it. Empty: BaseURI itself.
	RelativeURI string `json:"relativeURI,omitzero"`

	// Method is the HTTP method. Empty means GET.
	Method string `json:"method,omitzero"`

	// Body is sent as it is. Template. Empty means none.
	Body string `json:"body,omitzero"`

	// Headers are sent besides HTTPHeaders. Values are templates.
	Headers map[string]string `json:"headers,omitzero"`

	// Success says which answers are a success. Empty means any 2xx.
	Success []Rule `json:"success,omitzero"`

	// Fail says which answers are a failure, whatever their status.
	Fail []Rule `json:"fail,omitzero"`

	// ErrorPath leads to the API's own words in the body of a failure, as Rule.Path does.
	ErrorPath string `json:"errorPath,omitzero"`
}

// TLS holds the settings of https connections. The zero value is Go's default.
type TLS struct {
	CA                 string `json:"ca,omitzero"`                 // PEM certificates to trust instead of the system's; repaired as keys are
	Certificate        string `json:"certificate,omitzero"`        // PEM client certificate, with its chain in any order
	PrivateKey         Secret `json:"privateKey,omitzero"`         // key of Certificate, in any form that ParsePrivateKey reads
	PFX                Secret `json:"pfx,omitzero"`                // client certificate and key in base64 PKCS#12, instead
	Passphrase         Secret `json:"passphrase,omitzero"`         // opens PrivateKey or PFX
	ServerName         string `json:"serverName,omitzero"`         // name to verify; empty: the host of the request
	MinVersion         string `json:"minVersion,omitzero"`         // 1.2 (the default) or 1.3
	InsecureSkipVerify bool   `json:"insecureSkipVerify,omitzero"` // accepts any certificate; every report warns
}

// Exchange describes how the signed JWT is exchanged for an access token (RFC 7523, and the dialects of vendors).
type Exchange struct {
	// TokenURL is the token endpoint: absolute, or joined to BaseURI. Template.
	TokenURL string `json:"tokenURL,omitzero"`

	// Method is the HTTP method. Empty means POST.
	Method string `json:"method,omitzero"`

	// Encoding is that of the parameters: form (the default), json or none.
	Encoding string `json:"encoding,omitzero"`

	// Grant is jwt-bearer (RFC 7523, section 2.1), client-credentials (section 2.2), any grant type URI, or empty for none: then
	// Params may have a grant_type.
	Grant string `json:"grant,omitzero"`

	// Params are further parameters: a JSON object whose string values are templates; {{.Token}} is the signed JWT.
	Params JSON `json:"params,omitzero"`

	// Bearer sends the JWT in the Authorization header instead of a parameter.
	Bearer bool `json:"bearer,omitzero"`

	// Headers are sent with the token request. Values are templates.
	Headers map[string]string `json:"headers,omitzero"`

	// The paths lead to what the answer tells. Empty means access_token, token_type, expires_in, expires_at and none.
	TokenPath     string `json:"tokenPath,omitzero"`
	TokenTypePath string `json:"tokenTypePath,omitzero"`
	ExpiresInPath string `json:"expiresInPath,omitzero"`
	ExpiresAtPath string `json:"expiresAtPath,omitzero"`
	BaseURIPath   string `json:"baseURIPath,omitzero"`

	// ExpiresIn is how long the access token lives where the answer does not say, or says a time that is over already. Zero:
	// until it is refused.
	ExpiresIn time.Duration `json:"expiresIn,omitzero"`

	// RateLimit is the token endpoint's own.
	RateLimit RateLimit `json:"rateLimit,omitzero"`

	// Next is a further hop, whose {{.Token}} is this one's result.
	Next *Exchange `json:"next,omitzero"`
}
