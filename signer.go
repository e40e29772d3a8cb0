package jwtbearer

// A SignatureMethod is the alg of a token (RFC 7518, section 3.1; RFC 8037, section 3.1; RFC 9864, section 2.2).
type SignatureMethod string

const (
	HS256   SignatureMethod = "HS256"
	HS384   SignatureMethod = "HS384"
	HS512   SignatureMethod = "HS512"
	RS256   SignatureMethod = "RS256"
	RS384   SignatureMethod = "RS384"
	RS512   SignatureMethod = "RS512"
	PS256   SignatureMethod = "PS256"
	PS384   SignatureMethod = "PS384"
	PS512   SignatureMethod = "PS512"
	ES256   SignatureMethod = "ES256"
	ES384   SignatureMethod = "ES384"
	ES512   SignatureMethod = "ES512"
	EdDSA   SignatureMethod = "EdDSA"
	Ed25519 SignatureMethod = "Ed25519"
)
