package main

import (
	"maps"
	"strings"
	"unicode"

	"github.com/seed-363d07a3/jwtbearer/internal/waits"
)

// A fact is what neither the type of a field nor its comment tells a program.
type fact struct {
	instead  func(node) node // makes the schema from that of the type; nil: it stays
	signed   bool            // negative means none
	standard any             // what an absent field means, where that is one value
	examples []any
}

// textTypes are the types of a text: a number or a boolean is read as it is written.
var textTypes = []string{"string", "number", "boolean"}

// Durations are written as time.ParseDuration reads them.
const (
	spans            = `(0|(([0-9]+([.][0-9]*)?|[.][0-9]+)(ns|us|µs|μs|ms|s|m|h))+)$`
	unsignedDuration = `^[+]?` + spans
	signedDuration   = `^[+-]?` + spans
	zeroDuration     = `^[^1-9]*$`
)

// duration is a text, or the number zero, which needs no unit.
func duration(pattern string) node {
	return node{AnyOf: []node{{Type: "string", Pattern: pattern}, {Type: "integer", Minimum: new(0), Maximum: new(0)}}}
}

// A text may also be a reference, or be empty, which is the same as not set.
const (
	referencePattern = `(\$\{(env|file):[^${}\n]+\})?`
	tokenPattern     = "[-!#$%&'*+.^_`|~0-9A-Za-z]+" // RFC 9110, section 5.6.2
)

var reference = node{
	Description: "A reference to an environment variable, ${env:NAME}, or to a file below the folder of this one, ${file:path}.",
	Type:        "string", Pattern: "^" + referencePattern + "$",
}

// schemaProperty is for JSON files, which have no comment to name the schema in.
var schemaProperty = node{Description: "Where editors find this schema. It has no other meaning.", Type: "string"}

// oneOf is a closed set of texts.
func oneOf(names ...string) func(node) node {
	return func(node) node { return node{AnyOf: []node{{Enum: list(names...)}, {Ref: ref("reference")}}} }
}

func list[T any](values ...T) []any {
	all := make([]any, len(values))
	for i, v := range values {
		all[i] = v
	}
	return all
}

// signatureMethod offers the names of RFC 7518 and takes those of integration platforms too, in any case.
func signatureMethod(names []string) func(node) node {
	pattern := `^\s*(` + anyCase(strings.Join(names, "|")) + `|` +
		anyCase(`(hmac|rsa|rsa-pss|rsapss|rsassa-pss|ecdsa)-sha(256|384|512)`) + `)\s*$`
	return func(node) node {
		return node{AnyOf: []node{{Enum: list(names...)}, {Type: "string", Pattern: pattern}, {Ref: ref("reference")}}}
	}
}

// anyCase makes an expression match letters of either case.
func anyCase(expression string) string {
	var b strings.Builder
	for _, r := range expression {
		if unicode.IsLetter(r) {
			b.WriteString("[" + string(unicode.ToUpper(r)) + string(unicode.ToLower(r)) + "]")
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

// headerName refuses what no field of HTTP can be called.
func headerName(n node) node {
	n.Pattern = "^(" + tokenPattern + "|" + referencePattern + ")$"
	return n
}

func headers(n node) node {
	n.PropertyNames = &node{Pattern: "^" + tokenPattern + "$"}
	return n
}

func atLeastOne(n node) node {
	n.Minimum = new(1)
	return n
}

func aboveZero(n node) node {
	n.Not = &node{Pattern: zeroDuration}
	return n
}

// suggestion offers some texts and takes any.
func suggestion(names ...string) func(node) node {
	return func(n node) node { return node{AnyOf: []node{{Enum: list(names...)}, n}} }
}

// count is an Extract that tells how many, not how long.
func count(n node) node {
	forms := oneOf("auto", "int", "decimal")(node{})
	return node{AllOf: []node{n, {Properties: members{{"as", forms}}}}}
}

func statuses(n node) node {
	n.Items = &node{Type: "integer", AnyOf: []node{{Minimum: new(1), Maximum: new(5)}, {Minimum: new(100), Maximum: new(599)}}}
	return n
}

func forms() []string {
	var names []string
	for _, u := range waits.Units() {
		names = append(names, string(u))
	}
	return names
}

// tlsVersion takes a version as YAML reads it where nobody quotes it, too.
func tlsVersion(node) node {
	return node{AnyOf: []node{{Enum: list[any]("1.2", "1.3", 1.2, 1.3)}, {Ref: ref("reference")}}}
}

func noneIsEmpty(n node) node {
	n.Items.MinProperties = 1
	return n
}

// facts are by type and field.
func facts(src *source, profiles []string) map[string]fact {
	all := connectionFacts(src)
	maps.Copy(all, throttlingFacts(profiles))
	maps.Copy(all, partFacts())
	return all
}

// rule is an example of one that looks at the body.
func rule(status int, code string) members {
	return members{{"status", []int{status}}, {"path", "error.code"}, {"values", []string{code}}}
}

func connectionFacts(src *source) map[string]fact {
	return map[string]fact{
		"Connection.Name":             {examples: list("billing")},
		"Connection.BaseURI":          {examples: list("https://api.example.com/v2", "https://{{.Fields.account}}.example.com")},
		"Connection.MediaType":        {instead: oneOf("json", "xml", "urlencoded", "form-data", "plaintext"), standard: "json"},
		"Connection.SuccessMediaType": {instead: oneOf("json", "xml", "csv", "plaintext")},
		"Connection.ErrorMediaType":   {instead: oneOf("json", "xml", "plaintext")},
		"Connection.HTTPHeaders":      {instead: headers, examples: list(members{{"Accept", "application/vnd.github+json"}})},
		"Connection.SignatureMethod":  {instead: signatureMethod(src.constants["SignatureMethod"])},
		"Connection.Secret":           {examples: list("${env:API_SECRET}")},
		"Connection.SecretEncoding":   {instead: oneOf(src.constants["SecretEncoding"]...), standard: "utf8"},
		"Connection.PrivateKey":       {examples: list("${env:PRIVATE_KEY}", "${file:private-key.pem}")},
		"Connection.Passphrase":       {examples: list("${env:PRIVATE_KEY_PASSPHRASE}")},
		"Connection.Certificate":      {examples: list("${file:certificate.pem}")},
		"Connection.Payload": {standard: members{}, examples: list(
			members{{"iss", "{{.Fields.issuer}}"}, {"aud", "https://api.example.com/"}, {"exp", "{{now 300}}"}},
			members{{"sub", "{{.Fields.keyName}}"}, {"uri", "{{.Request.Method}} {{.Request.Host}}{{.Request.Path}}"}})},
		"Connection.JWTHeaders":     {standard: members{}, examples: list(members{{"kid", "{{.Fields.keyID}}"}}, members{{"typ", nil}})},
		"Connection.Token":          {examples: list("${env:API_TOKEN}")},
		"Connection.Fields":         {examples: list(members{{"issuer", "57246542-96fe-1a63-e053-0824d011072a"}})},
		"Connection.Secrets":        {examples: list(members{{"apiKey", "${env:API_KEY}"}})},
		"Connection.Lifetime":       {examples: list("5m")},
		"Connection.TokenReuse":     {examples: list("10m")},
		"Connection.Placement":      {examples: list([]members{{{"in", "query"}, {"name", "jwt"}}}, []members{{{"name", "X-Api-Token"}}})},
		"Connection.AuthFailure":    {examples: list([]members{{{"status", []int{401}}}, rule(403, "invalid_token")})},
		"Connection.Timeout":        {signed: true, standard: "30s", examples: list("1m30s")},
		"Connection.MaxResponse":    {signed: true, standard: 64 << 20},
		"Connection.AllowPlainHTTP": {standard: false},
		"Connection.AllowWeakKey":   {standard: false},
		"Connection.TrustedOrigins": {examples: list([]string{"https://uploads.example.com"})},
	}
}

func throttlingFacts(profiles []string) map[string]fact {
	wait := members{{"header", "X-RateLimit-Reset"}, {"as", "epoch"}}
	return map[string]fact{
		"RateLimit.Profile":     {instead: oneOf(profiles...)},
		"RateLimit.Limits":      {examples: list([]members{{{"requests", 100}, {"per", "1m"}}, {{"requests", 5}, {"per", "1s"}}})},
		"RateLimit.Interval":    {examples: list("250ms")},
		"RateLimit.Concurrency": {examples: list(4)},
		"RateLimit.Rules":       {examples: list([]members{{{"status", []int{429}}}, rule(403, "rateLimitExceeded")})},
		"RateLimit.Wait":        {instead: noneIsEmpty, examples: list([]members{{{"header", "Retry-After"}}, wait})},
		"RateLimit.Combine":     {instead: oneOf("first", "longest"), standard: "first"},
		"RateLimit.DefaultWait": {examples: list("1m")},
		"RateLimit.MinWait":     {examples: list("500ms")},
		"RateLimit.MaxWait":     {signed: true, standard: "5m"},
		"RateLimit.Quota":       {examples: list([]members{{{"remaining", members{{"header", "X-RateLimit-Remaining"}}}, {"reset", wait}}})},
		"RateLimit.Fixed":       {standard: false},

		"Limit.Requests": {instead: atLeastOne, examples: list(100)},
		"Limit.Per":      {instead: aboveZero, examples: list("1m")},
		"Limit.Burst":    {standard: 0},

		"Rule.Status": {instead: statuses, examples: list([]int{429}, []int{4, 5})},
		"Rule.Header": {instead: headerName, examples: list("Retry-After")},
		"Rule.Path":   {examples: list("error.code", "errors[*].code")},
		"Rule.Values": {examples: list([]any{"RATE_LIMIT_EXCEEDED", 17, true})},
		"Rule.Match":  {examples: list("(?i)rate limit")},
		"Rule.Class":  {instead: oneOf("throttled", "concurrency", "exhausted", "overload", "token"), standard: "throttled"},

		"Extract.Header":  {instead: headerName, examples: list("Retry-After")},
		"Extract.Path":    {examples: list("error.retryAfter")},
		"Extract.Match":   {examples: list(`remaining=(\d+)`)},
		"Extract.As":      {instead: oneOf(forms()...)},
		"Quota.Limit":     {instead: count},
		"Quota.Remaining": {instead: count},
		"Quota.Used":      {instead: count},
		"Quota.Window":    {examples: list("1h")},

		"Retry.MaxAttempts": {standard: 4},
		"Retry.MinBackoff":  {standard: "200ms"},
		"Retry.MaxBackoff":  {standard: "30s"},
		"Retry.MaxElapsed":  {signed: true, standard: "10m"},
		"Retry.Always":      {standard: false},
		"Retry.Budget":      {signed: true, standard: 500},
		"Retry.BufferLimit": {signed: true, standard: 1 << 20},
	}
}

func partFacts() map[string]fact {
	return map[string]fact{
		"Placement.In":     {instead: oneOf("header", "query", "cookie", "form"), standard: "header"},
		"Placement.Name":   {examples: list("Authorization", "jwt")},
		"Placement.Scheme": {examples: list("Bearer", "JWT")},

		"Ping.RelativeURI": {examples: list("/me")},
		"Ping.Method":      {instead: suggestion("GET", "HEAD", "POST"), standard: "GET"},
		"Ping.Headers":     {instead: headers},
		"Ping.Fail":        {examples: list([]members{{{"path", "ok"}, {"values", []bool{false}}}})},
		"Ping.ErrorPath":   {examples: list("error.message")},

		"TLS.CA":                 {examples: list("${file:ca.pem}")},
		"TLS.Certificate":        {examples: list("${file:client.pem}")},
		"TLS.PrivateKey":         {examples: list("${file:client.key}")},
		"TLS.MinVersion":         {instead: tlsVersion, standard: "1.2"},
		"TLS.InsecureSkipVerify": {standard: false},

		"Exchange.TokenURL":      {examples: list("/oauth/token", "https://login.example.com/oauth2/token")},
		"Exchange.Method":        {instead: suggestion("POST", "GET"), standard: "POST"},
		"Exchange.Encoding":      {instead: oneOf("form", "json", "none"), standard: "form"},
		"Exchange.Grant":         {instead: suggestion("jwt-bearer", "client-credentials")},
		"Exchange.Params":        {examples: list(members{{"client_id", "{{.Fields.clientID}}"}, {"scope", "read write"}})},
		"Exchange.Bearer":        {standard: false},
		"Exchange.Headers":       {instead: headers},
		"Exchange.TokenPath":     {standard: "access_token", examples: list("data.token")},
		"Exchange.TokenTypePath": {standard: "token_type"},
		"Exchange.ExpiresInPath": {standard: "expires_in"},
		"Exchange.ExpiresAtPath": {standard: "expires_at"},
		"Exchange.BaseURIPath":   {examples: list("instance_url")},
		"Exchange.ExpiresIn":     {examples: list("1h")},
	}
}
