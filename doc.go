// Package jwtbearer calls HTTP APIs that authenticate each request by a JSON Web Token which the caller signs, such as
// App Store Connect, GitHub Apps, Snowflake, Coinbase, Ghost, Vonage, and gateways of one's own.
//
// A [Connection] describes such an API as plain data. A [Client] made from it is an http.RoundTripper that mints a
// fresh token for every attempt, keeps to the pace that the API allows, and waits and retries as the API asks:
//
//	client, err := jwtbearer.NewClient(&jwtbearer.Connection{
//		BaseURI:         "https://api.example.com/v1",
//		SignatureMethod: jwtbearer.ES256,
//		PrivateKey:      jwtbearer.Secret(os.Getenv("API_KEY")),
//		Payload:         `{"iss": "my-issuer", "aud": "example", "jti": "{{uuid}}"}`,
//		Lifetime:        5 * time.Minute,
//	})
//	...
//	report, err := client.Test(ctx) // does it work, and if not, why
//	req, err := client.NewRequest(ctx, "GET", "/things?limit=10", nil)
//	resp, err := client.Do(req, &things)
//
// Code that wants an *http.Client takes [Client.HTTPClient].
//
// # Keys
//
// PrivateKey takes a key as people have it: see [ParsePrivateKey]. Repairs are reported by Lint and Test. A key in a
// KMS or an HSM is a crypto.Signer in Connection.Key. Secret is for HMAC, decoded as SecretEncoding says.
//
// # Templates
//
// The string values of Payload, JWTHeaders and Exchange.Params, and the strings of HTTPHeaders, BaseURI, Ping and
// Exchange, are templates in the syntax of text/template. They are compiled by NewClient, which refuses what it does
// not know. A JSON string that is one single action keeps the type of its value, so that "{{now}}" becomes a number;
// everything else stays a string, escaped as JSON needs. Inside JSON a string argument is written \"x\". There are:
//
//	now, now 300, now -60     NumericDate, with an offset in seconds (RFC 7519, section 2)
//	nowMillis 300             the same in milliseconds
//	httpDate, httpDate 300    a date as HTTP writes it (RFC 9110, section 5.6.7), with an offset in seconds
//	rfc3339, rfc3339 -60      a date of RFC 3339 in UTC, with an offset in seconds
//	uuid, randomHex 16, randomBase64 16
//	.Request.Method .Scheme .Host .Path .Query .URI .URL
//	                          of the final request, without the token's own parameter
//	qsh                       Atlassian's query string hash
//	bodySHA256, bodySortedSHA256
//	                          of the body, and of the JSON body with its keys sorted
//	keyFingerprint, keyThumbprint, jwk
//	                          of the public key: Snowflake's form, RFC 7638, RFC 7517
//	keyID                     the ID that came with PrivateKey: kid of a JWK, private_key_id of a service account
//	x5t, x5tS256, x5c         of the certificate (RFC 7515, section 4.1)
//	.Fields.x, .Secrets.x     from the Connection
//	.Token                    the token, in HTTPHeaders, Ping and Exchange only
//	upper lower trim base64 base64url hex sha256 string int list json
//	                          helpers: {{.Fields.account | upper}}
//
// All actions of one token see the same instant.
//
// # Tokens
//
// A token is minted at the last moment before an attempt, after every wait, unless TokenReuse lets one serve for
// longer. An answer that refuses it (AuthFailure) makes the client mint once more and send the request again, with the
// time corrected where the answer shows that the clocks differ. Token and HTTPHeaders go to the origin of BaseURI and
// to TrustedOrigins only; a redirect elsewhere is followed without them. Test reports it instead of following it.
//
// Below the client, net/http may send one attempt twice when an idle connection turns out to be closed, with the same
// token. A server that refuses a repeated jti then answers 401, and the client mints once more.
//
// # Exchange
//
// With Exchange the API gets an access token, for which a token endpoint is given the JWT (RFC 7523, and what vendors
// made of it):
//
//	Grant: "jwt-bearer"            grant_type and assertion, in a form
//	Grant: "client-credentials"    grant_type, client_assertion_type and client_assertion
//	Grant: "urn:…"                 that grant_type, and assertion unless {{.Token}} stands elsewhere
//	Bearer: true                   the JWT in the Authorization header
//	Params: `{"jwt": "{{.Token}}"}`  any other parameter
//
// Access tokens are kept by the client. Near its expiry a token is renewed in the background while it still serves:
// after four fifths of its life, or five minutes before the end if that is later. Concurrent calls share one exchange; a
// call that gives up does not cancel it. A token that the API refuses is fetched once more; a throttle never fetches one.
//
// The token endpoint has a queue, a gate and a budget of its own, with Exchange.RateLimit and the settings of Retry and
// Timeout. Every attempt there is given a new assertion, since servers take each only once. Its redirects are not
// followed. The JWT goes nowhere else: TokenReuse has no use. Where the answer tells where the API is (BaseURIPath),
// BaseURI is the path after that. In Payload and JWTHeaders, .Request is then the token request.
//
// Package tokensource makes an oauth2.TokenSource of a client.
//
// # Throttling
//
// RateLimit says which answers are throttles, how long they ask to wait and what quota is left; by default 429, 503
// with Retry-After, and the fields Retry-After, RateLimit and X-RateLimit-Reset. The class of a rule says what follows:
//
//	throttled    the gate closes for the wait, and the pace falls (the default)
//	concurrency  the number of requests in flight falls
//	exhausted    the gate closes until the quota's reset; nobody waits longer than MaxWait for it
//	overload     as throttled, but retried only where a 503 would be
//	token        as throttled; the API counts tokens, so none is minted meanwhile
//
// All calls of a client wait in one queue, first come, first served. A throttle closes its gate for all of them. The
// client learns the pace that an API allows from its refusals, unless Fixed; Limits, Interval and Concurrency state it.
// Where the API accepts requests that were sent after the throttled one, the throttle was not for all: only its own call
// waits as asked, and the gate opens for the others. A quota that is used up is waited for, but if its reset is at most
// 15 seconds away, one request is sent half-way, once, to find out whether the quota really is renewed only then.
//
// A wait up to MaxWait is waited for. A longer one closes the gate for its whole length, and calls get a *ThrottledError at
// once; but now and then one call is let through as a probe: after MaxWait, then after twice that and so on, at most an hour
// apart (hourly where MaxWait is negative). When the API accepts it, the gate opens; when it is refused, the wait that it is
// told counts. A wait of more than 366 days is nonsense: the next place is asked, a quota with such a reset is ignored, and a
// throttle that tells no other wait closes the gate for MaxWait. [Client.Stats] says until when the gate is closed, and by
// which rule or quota.
//
// # Errors
//
// RoundTrip and HTTPClient give answers, whatever their status. [Client.Do] turns a refused answer into a
// *ThrottledError, *AuthError or *ResponseError, joined with what kept a retry that was due from being made. A token endpoint that gives no token is a *TokenError, of RoundTrip
// too. [RetryAfter] asks an error how long to wait. NewClient and Validate join a *ConfigError for each problem; a key
// that cannot be read is a *KeyError.
//
// # Bounds
//
// No response holds a call for long or fills the memory:
//
//	headers            256 KiB, where Transport is nil; of a field that is parsed, 64 lines and 8 KiB, whatever the Transport
//	a success          Connection.MaxResponse decoded bytes in Do, 64 MiB by default; an io.Writer takes any length
//	what nobody wants  256 KiB and 50 ms: with a nil out, before another attempt, of a redirect; a longer body costs its connection
//	what a rule reads  64 KiB and 5 s; the rest is the caller's to read
//	a refused one      64 KiB and 5 s for its text; what came by then is in the error
//	an access token    1 MiB and 10 s
//
// Timeout bounds silence besides, and the caller's context bounds all. Reading the body of a success has no other bound in time.
//
// # Security
//
// The token, and what HTTPHeaders and Ping add, go to the origins of BaseURI and TrustedOrigins and to no other, whatever a
// reference or a redirect says; hosts are compared as net/http dials them. Plain http is for this machine alone: a loopback
// address or localhost. A reference cannot leave the path of BaseURI.
//
// A [Secret] does not print, and encoding/gob, net/rpc and database/sql refuse it. No key, secret or token is in any error, log
// record or report, and no error of this package holds a query. HMAC secrets shorter than their hash and RSA keys under 2048
// bits are refused unless AllowWeakKey, and alg comes from SignatureMethod alone. The package does not store secrets. Tokens that
// others signed are verified by package verify.
//
// docs/security.md lists what is defended, against whom, by which test, what is not, and how to report a hole.
package jwtbearer
