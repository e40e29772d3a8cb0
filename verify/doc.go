// Package verify is the receiving side: it verifies JSON Web Tokens that others signed, such as the calls of
// Pipedrive to a JSON panel, of a Trello Power-Up to its server, and of whoever has a token from an issuer that
// publishes a JSON Web Key Set.
//
//	v := &verify.Verifier{
//		Keys:     verify.JWKS("https://issuer.example.com/.well-known/jwks.json", nil),
//		Methods:  []jwtbearer.SignatureMethod{jwtbearer.RS256},
//		Issuer:   "https://issuer.example.com",
//		Audience: "my-server",
//		Leeway:   30 * time.Second,
//	}
//	http.Handle("/things", v.Handler(things)) // where verify.ClaimsFrom(r.Context()) has the claims
//
// Code that has the token in hand calls [Verifier.Verify], which puts the claims into a struct:
//
//	var claims struct{ UserID, CompanyID int }
//	err := v.Verify(ctx, token, &claims)
//
// # Keys
//
//	StaticSecret   a secret that both sides have, for HS256, HS384 and HS512
//	StaticPEM      public keys or certificates in PEM
//	PEMList        {"keys": ["-----BEGIN PUBLIC KEY-----…"]} at an address, as Trello has it, or Google's {"kid": "certificate"}
//	JWKS           a JSON Web Key Set at an address
//	ByIssuer       one of these for each issuer
//	KeySet         what else there is: implement it
//
// A key with the kid of the token comes first, then those without one; keys with another kid are not tried. For a
// token without kid each key that fits its alg is tried, at most 256.
//
// RSA keys have 2048 to 16384 bits. A public key of id-RSASSA-PSS verifies PS256, PS384 and PS512 alone, with the hash that its
// parameters name (RFC 4055, section 1.2); the salt of a PSS signature is as long as the hash (RFC 7518, section 3.5).
//
// What is published at an address is fetched when the first token needs it and kept for four hours, whatever the
// answer says of caching. A token with an unknown kid or a signature of none of the keys makes for a fetch at once,
// but all such tokens together for one an hour: so a new key usually serves from its first token on, and a flood of
// bad tokens cannot become one of fetches. (A key that is published four hours before it is used is there in any
// case.) While the source is down, answers with something else or takes longer than a second, the old keys serve on,
// and their renewal is tried again after a minute, then two, up to an hour. Without old keys it is asked once a
// minute at most, and Verify returns a *KeysError. There is one fetch at a time, for whoever waits; it ends after
// ten seconds, 1 MiB or 256 keys, and with it the only goroutine of this package.
//
// # What is accepted
//
// A token has at most 64 KiB, three parts in strict base64url, a header and a payload that are JSON objects in which
// no name occurs twice (at the top, not in another case either) and nothing is nested deeper than 500 levels, and an
// alg that is one of Methods and fits the key. Header members that bring or name keys (jwk, jku, x5c, x5u) are not
// looked at; crit, whatever it lists, is refused.
//
// exp must be in the future and nbf must not, where they are there; exp must be there if RequireExpiry. They and iat
// may have fractions (RFC 7519, section 2), but are no strings, and lie between the years 1970 and 9999. iss and aud
// are held to Issuer and Audience; typ, jti and the time in iat are yours to look at.
//
// ECDSA lets everybody turn a signature into a second one that is as good, and signers produce both kinds. So a
// token is not known again by its text: use jti to see that it comes but once.
//
// # Errors
//
// A *TokenError says, with its Reason, why a token was refused. A *KeysError is no fault of the token. A
// *ConfigError is one of the settings. None of them shows a token or a key, and neither does a Verifier or KeySet
// that is printed.
package verify
