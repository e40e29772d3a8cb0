package template

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"text/template/parse"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/seed-363d07a3/jwtbearer/internal/jsontext"
	"github.com/seed-363d07a3/jwtbearer/internal/problem"
)

// function is a function of templates.
type function struct {
	params   []param
	optional int  // how many of the last params may be missing
	pure     bool // depends on its arguments alone, so that it may stand anywhere
	fallible bool // some values of its arguments are errors
	build    func(c *compiler, args []expr) (expr, error)
}

// param is what an argument may be.
type param uint8

const (
	paramText    param = iota // text, or the text of a digest
	paramBytes                // the bytes of a text, or those of a digest
	paramNumeric              // text or a number
	paramAny                  // anything, as text
	paramWhole                // a whole number that is known when the template is compiled
)

// functions are all that templates have; text/template's own are not among them.
var functions = map[string]function{
	"now":          {params: []param{paramWhole}, optional: 1, build: buildNow},
	"nowMillis":    {params: []param{paramWhole}, optional: 1, build: buildNowMillis},
	"httpDate":     {params: []param{paramWhole}, optional: 1, build: buildDate(http.TimeFormat)},
	"rfc3339":      {params: []param{paramWhole}, optional: 1, build: buildDate(time.RFC3339)},
	"uuid":         {build: buildUUID},
	"randomHex":    {params: []param{paramWhole}, build: buildRandom(asHex)},
	"randomBase64": {params: []param{paramWhole}, build: buildRandom(asBase64)},

	"qsh":              {build: requestDigest(0, (*Request).queryHash)},
	"bodySHA256":       {build: requestDigest(NeedBody, (*Request).bodyHash)},
	"bodySortedSHA256": {build: requestDigest(NeedBody, (*Request).sortedBodyHash)},

	"keyID":          {build: buildKeyID},
	"keyFingerprint": {build: keyFact(func(k *Key) expr { return k.fingerprint })},
	"keyThumbprint":  {build: keyFact(func(k *Key) expr { return k.thumbprint })},
	"jwk":            {build: keyFact(func(k *Key) expr { return k.jwk })},
	"x5t":            {build: certificateFact(func(k *Key) expr { return k.x5t })},
	"x5tS256":        {build: certificateFact(func(k *Key) expr { return k.x5tS256 })},
	"x5c":            {build: certificateFact(func(k *Key) expr { return k.x5c })},

	"upper":     pureHelper(paramText, expr{}, func(dst, in []byte) []byte { return append(dst, bytes.ToUpper(in)...) }),
	"lower":     pureHelper(paramText, expr{}, func(dst, in []byte) []byte { return append(dst, bytes.ToLower(in)...) }),
	"trim":      pureHelper(paramText, expr{}, func(dst, in []byte) []byte { return append(dst, bytes.TrimSpace(in)...) }),
	"base64":    pureHelper(paramBytes, expr{plain: true}, asBase64),
	"base64url": pureHelper(paramBytes, expr{plain: true}, asBase64URL),
	"hex":       pureHelper(paramBytes, expr{plain: true}, asHex),
	"sha256":    pureHelper(paramBytes, expr{kind: kindBytes, form: asHex}, appendSHA256),
	"string":    {params: []param{paramAny}, pure: true, build: func(_ *compiler, a []expr) (expr, error) { return a[0], nil }},
	"int":       {params: []param{paramNumeric}, pure: true, fallible: true, build: buildInt},
	"list":      {params: []param{paramText}, pure: true, fallible: true, build: buildList},
	"json":      {params: []param{paramNumeric}, pure: true, fallible: true, build: buildJSON},
}

// Functions are the names of all functions, sorted.
func Functions() []string { return slices.Sorted(maps.Keys(functions)) }

// call compiles the call of a function.
func (c *compiler) call(n *parse.IdentifierNode, args []arg) (expr, *fault) {
	name, pos := n.Ident, int(n.Position())
	f, ok := functions[name]
	switch {
	case !ok:
		return expr{}, faultf(pos, c.meantFunction(name), "unknown function %q", name)
	case c.scope == ScopeStatic && !f.pure:
		return expr{}, faultf(pos, hintStatic, "the function %q is not available here", name)
	case len(args) > len(f.params) || len(args) < len(f.params)-f.optional:
		return expr{}, faultf(pos, f.usage(name), "the function %q takes %s, not %d", name, f.arity(), len(args))
	}
	values := make([]expr, len(args))
	for i, a := range args {
		var err error
		if values[i], err = f.params[i].accept(a.expr); err != nil {
			return expr{}, faultIn(a.pos, name, err)
		}
	}
	x, err := f.build(c, values)
	if err != nil {
		return expr{}, faultIn(pos, name, err)
	}
	if f.fallible && !x.fixed {
		x.render = withName(name, x.render)
	}
	return x, nil
}

// withName puts the function's name before the errors of r.
func withName(name string, r renderFunc) renderFunc {
	return func(dst []byte, e *Env) ([]byte, error) {
		dst, err := r(dst, e)
		if err != nil {
			err = fmt.Errorf("%s: %w", name, err)
		}
		return dst, err
	}
}

// faultIn is the fault that err is in a call of the function name.
func faultIn(pos int, name string, err error) *fault {
	e, ok := errors.AsType[*problem.Error](err)
	if !ok {
		e = &problem.Error{Problem: err.Error()}
	}
	return faultf(pos, e.Hint, "%s: %s", name, e.Problem)
}

// arity is how many arguments the function takes.
func (f function) arity() string {
	arity := fmt.Sprintf("%d arguments", len(f.params))
	switch len(f.params) {
	case 0:
		arity = "no argument"
	case 1:
		arity = "1 argument"
	}
	if f.optional > 0 {
		arity = "at most " + arity
	}
	return arity
}

// usage is the hint that shows how to call the function.
func (f function) usage(name string) string {
	call := []string{name}
	for _, p := range f.params {
		call = append(call, p.example())
	}
	hint := "write {{" + strings.Join(call, " ") + "}}"
	if f.optional > 0 {
		hint += " or {{" + strings.Join(call[:len(call)-f.optional], " ") + "}}"
	}
	return hint
}

// example is an argument that the parameter takes.
func (p param) example() string {
	if p == paramWhole {
		return "16"
	}
	return ".Fields.name"
}

// meantFunction is the hint for an unknown function: often the name of a field without its root.
func (c *compiler) meantFunction(name string) string {
	if _, ok := c.Fields[name]; ok {
		return fmt.Sprintf("did you mean .Fields.%s?", name)
	}
	if _, ok := c.Secrets[name]; ok {
		return fmt.Sprintf("did you mean .Secrets.%s?", name)
	}
	names := Functions()
	if hint := didYouMean("", name, names); hint != "" {
		return hint
	}
	return "the functions are " + strings.Join(names, ", ")
}

// accept converts x to what the parameter takes.
func (p param) accept(x expr) (expr, error) {
	textual := x.kind == kindText || x.kind == kindBytes
	switch p {
	case paramWhole:
		if x.kind != kindNumber {
			hint := "write digits without quotes, or (int .Fields.name)"
			return x, problem.New("wants a whole number, not "+x.kind.String(), hint)
		}
		if !x.fixed {
			return x, problem.New("wants a number that does not change with the request", "write digits, or (int .Fields.name)")
		}
		return x, nil
	case paramAny:
		return x.asText(), nil
	case paramBytes:
		if textual {
			return x, nil
		}
	case paramNumeric:
		if x.kind == kindNumber {
			return x, nil
		}
	}
	if !textual {
		return x, problem.New("wants text, not "+x.kind.String(), "put string before it, as in (string now)")
	}
	return x.asText(), nil
}

// wholeArg returns the value of an argument that paramWhole accepted, or none where it is missing.
func wholeArg(args []expr, none, least, most int64) (int64, error) {
	if len(args) == 0 {
		return none, nil
	}
	n, err := strconv.ParseInt(args[0].value, 10, 64)
	if err != nil || n < least || n > most {
		return 0, problem.New(fmt.Sprintf("wants a number from %d to %d", least, most), "write one in these bounds")
	}
	return n, nil
}

// maxOffset bounds the offsets of now, in seconds, so that no sum with the present overflows, in milliseconds neither.
const maxOffset = 1 << 40

func buildNow(_ *compiler, args []expr) (expr, error) {
	offset, err := wholeArg(args, 0, -maxOffset, maxOffset)
	return expr{kind: kindNumber, needs: NeedTime, render: func(dst []byte, e *Env) ([]byte, error) {
		return strconv.AppendInt(dst, e.Now.Unix()+offset, 10), nil
	}}, err
}

func buildNowMillis(_ *compiler, args []expr) (expr, error) {
	offset, err := wholeArg(args, 0, -maxOffset, maxOffset)
	return expr{kind: kindNumber, needs: NeedTime, render: func(dst []byte, e *Env) ([]byte, error) {
		return strconv.AppendInt(dst, e.Now.UnixMilli()+1000*offset, 10), nil
	}}, err
}

// buildDate compiles the present as a text, in UTC: the date of HTTP (RFC 9110, section 5.6.7) or that of RFC 3339.
func buildDate(layout string) func(*compiler, []expr) (expr, error) {
	return func(_ *compiler, args []expr) (expr, error) {
		offset, err := wholeArg(args, 0, -maxDateOffset, maxDateOffset)
		return expr{plain: true, needs: NeedTime, render: func(dst []byte, e *Env) ([]byte, error) {
			return e.Now.UTC().Add(time.Duration(offset)*time.Second).AppendFormat(dst, layout), nil
		}}, err
	}
}

// maxDateOffset bounds the offsets of dates, in seconds: a century, so that years keep their four digits.
const maxDateOffset = 100 * 366 * 24 * 3600

// randomBytes gives n new random bytes.
func randomBytes(n int) expr {
	return expr{needs: NeedTime, render: func(dst []byte, _ *Env) ([]byte, error) {
		start := len(dst)
		dst = slices.Grow(dst, n)[:start+n]
		rand.Read(dst[start:]) // never fails
		return dst, nil
	}}
}

// buildUUID compiles {{uuid}}: a random UUID, version 4 (RFC 9562, section 5.4).
func buildUUID(*compiler, []expr) (expr, error) {
	return randomBytes(16).mapped(expr{plain: true}, appendUUID), nil
}

// appendUUID makes a UUID of 16 random bytes, of which it sets the version and the variant.
func appendUUID(dst, u []byte) []byte {
	u[6] = u[6]&0x0f | 0x40
	u[8] = u[8]&0x3f | 0x80
	start := len(dst)
	dst = append(dst, "00000000-0000-0000-0000-000000000000"...)
	text := dst[start:]
	hex.Encode(text, u[:4])
	hex.Encode(text[9:], u[4:6])
	hex.Encode(text[14:], u[6:8])
	hex.Encode(text[19:], u[8:10])
	hex.Encode(text[24:], u[10:])
	return dst
}

// maxRandom bounds randomHex and randomBase64, in bytes.
const maxRandom = 1024

func buildRandom(form encoding) func(*compiler, []expr) (expr, error) {
	return func(_ *compiler, args []expr) (expr, error) {
		n, err := wholeArg(args, 0, 1, maxRandom)
		return randomBytes(int(n)).mapped(expr{plain: true}, form), err
	}
}

var errNoRequest = errors.New("a template uses the request, but there is none")

func requestDigest(more Needs, sum func(*Request) ([sha256.Size]byte, error)) func(*compiler, []expr) (expr, error) {
	return func(*compiler, []expr) (expr, error) {
		return expr{kind: kindBytes, form: asHex, needs: NeedRequest | more, render: func(dst []byte, e *Env) ([]byte, error) {
			if e.Request == nil {
				return dst, errNoRequest
			}
			digest, err := sum(e.Request)
			return append(dst, digest[:]...), err
		}}, nil
	}
}

func keyFact(of func(*Key) expr) func(*compiler, []expr) (expr, error) {
	return func(c *compiler, _ []expr) (expr, error) {
		if c.Key == nil || !c.Key.public {
			hint := "it needs PrivateKey or Key and a method that is not HMAC"
			return expr{}, problem.New("there is no public key to describe", hint)
		}
		return of(c.Key), nil
	}
}

func buildKeyID(c *compiler, _ []expr) (expr, error) {
	if c.Key == nil || !c.Key.named {
		return expr{}, problem.New("the key has no ID", "write the kid that the API knows, or give PrivateKey as a file that has one: a JWK with kid, a service account")
	}
	return c.Key.id, nil
}

func certificateFact(of func(*Key) expr) func(*compiler, []expr) (expr, error) {
	return func(c *compiler, _ []expr) (expr, error) {
		if c.Key == nil || !c.Key.certified {
			return expr{}, problem.New("there is no certificate to describe", "set Certificate")
		}
		return of(c.Key), nil
	}
}

// pureHelper is a pure function of one argument that cannot fail.
func pureHelper(p param, result expr, f encoding) function {
	return function{params: []param{p}, pure: true, build: func(_ *compiler, args []expr) (expr, error) {
		return args[0].mapped(result, f), nil
	}}
}

func appendSHA256(dst, in []byte) []byte {
	sum := sha256.Sum256(in)
	return append(dst, sum[:]...)
}

var errNotWhole = &problem.Error{
	Problem: "its argument is not a whole number",
	Hint:    "JSON numbers with a fraction or an exponent can be written with json",
}

func buildInt(_ *compiler, args []expr) (expr, error) {
	if args[0].kind == kindNumber {
		return args[0], nil
	}
	return args[0].tryMapped(expr{kind: kindNumber}, func(dst, in []byte) ([]byte, error) {
		if !isWhole(string(in)) {
			return dst, errNotWhole
		}
		return append(dst, in...), nil
	})
}

func buildList(_ *compiler, args []expr) (expr, error) {
	return args[0].tryMapped(expr{kind: kindJSON}, func(dst, in []byte) ([]byte, error) {
		if !utf8.Valid(in) {
			return dst, errNotUTF8
		}
		list := jsontext.Value{Kind: jsontext.Array}
		for item := range strings.FieldsFuncSeq(string(in), func(r rune) bool { return r == ',' || unicode.IsSpace(r) }) {
			list.Elems = append(list.Elems, jsontext.Value{Kind: jsontext.String, Text: item})
		}
		return list.Append(dst), nil
	})
}

func buildJSON(_ *compiler, args []expr) (expr, error) {
	if args[0].kind == kindNumber {
		return args[0], nil
	}
	return args[0].tryMapped(expr{kind: kindJSON}, func(dst, in []byte) ([]byte, error) {
		v, err := jsontext.Parse(string(in))
		if bad, ok := errors.AsType[*jsontext.SyntaxError](err); ok { // whose Problem may name a member of a secret
			return dst, problem.New(fmt.Sprintf("its argument is not valid JSON in line %d, column %d", bad.Line, bad.Column),
				"correct the value, or leave out json, for a string")
		}
		return v.Append(dst), nil
	})
}
