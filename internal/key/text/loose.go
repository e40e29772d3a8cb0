package text

import (
	"bytes"
	"encoding/json"
	"strings"
)

// loose finds keys that have no armour: base64 of anything that is a key, or hexadecimal digits.
func (f *finder) loose(t *text, depth int) {
	from, to := 0, len(t.b)
	if i := bytes.LastIndex(t.b[:min(len(t.b), 200)], []byte("base64,")); i >= 0 {
		from = i + len("base64,")
	}
	n := len(f.items)
	if f.run(t, from, to, depth, true) && !f.items[n].fixes.has(fixTail) {
		return
	}
	// Something stands behind the end of the first key. Line by line it may be more than one.
	first := append([]Item(nil), f.items[n:]...)
	f.items = f.items[:n]
	all := runs(t.b)
	for _, run := range all[:min(len(all), maxRuns)] {
		f.run(t, run[0], run[1], depth, false)
	}
	if len(f.items) == n {
		f.items = append(f.items, first...)
	}
}

const (
	minRun  = 40  // letters in a row that are worth decoding
	maxRuns = 256 // stretches of them that are looked at in one text
)

// runs finds the stretches of base64 in a text: a value behind a name, and the lines below it that are base64 too.
func runs(b []byte) [][2]int {
	var all [][2]int
	open, width := false, 0
	for at := 0; at < len(b); {
		end := len(b)
		if i := bytes.IndexByte(b[at:], '\n'); i >= 0 {
			end = at + i
		}
		from, to := longestWord(b[at:end])
		word := b[at+from : at+to]
		clean, _ := cleanLine(b[at:end])
		whole := len(word) > 0 && len(word) >= len(bytes.TrimRight(clean, "="))
		switch {
		case open && whole && len(clean) <= width:
			all[len(all)-1][1] = end
			open = len(clean) == width && !bytes.HasSuffix(clean, []byte{'='}) // a shorter line is the last
		case len(word) >= minRun || whole && len(word) >= 16:
			all = append(all, [2]int{at + from, end})
			open, width = !bytes.HasSuffix(clean, []byte{'='}), max(len(word), len(clean))
		default:
			open = false
		}
		at = end + 1
	}
	return all
}

// longestWord finds the longest stretch of base64 letters in a line.
func longestWord(line []byte) (from, to int) {
	start := 0
	for i := 0; i <= len(line); i++ {
		if i < len(line) && isBase64(line[i]) {
			continue
		}
		if i-start > to-from {
			from, to = start, i
		}
		start = i + 1
	}
	return from, to
}

// run reads one stretch. Only what it recognises counts, whole or truncated: any other text may look like base64.
func (f *finder) run(t *text, from, to, depth int, whole bool) bool {
	raw := t.b[from:to]
	b := readLines(raw)
	if !b.known && b.alien > 0 {
		if whole {
			return false
		}
		first, _ := longestWord(raw)
		word := raw[first:]
		if end := bytes.IndexFunc(word, func(r rune) bool { return r > 0x7f || !isBase64(byte(r)) && r != '=' }); end > 0 {
			b = readLines(word[:end])
		}
	}
	shape := ShapeOf(b.data)
	start, end := t.lineAround(from, to)
	line := t.origin(from)
	fixes := b.fixes
	fixes.add(fixNoArmour)
	switch {
	case b.known && b.dek == "" && (shape == Unknown || shape == Parameters):
		return false
	case b.known:
		item := Item{Shape: shape, Data: b.data, DEK: b.dek, Label: shapeLabels[shape], Line: line}
		if shape == PKCS12 {
			fixes.drop(fixNoArmour)
			fixes.add(fixBase64)
		}
		if b.dek != "" {
			item.Label = "RSA PRIVATE KEY"
		}
		t.fixes(&fixes, start, end)
		item.fixes = fixes | prefixFixes(t.b[start:from])
		f.add(item)
		return true
	case b.cut && shape != Unknown && len(b.data) > 24:
		f.add(Item{Shape: shape, Line: line, Fault: truncated(shape, line)})
		return true
	}
	fixes.drop(fixNoArmour)
	fixes.add(fixBase64)
	if f.nested(b.data, t, from, depth, fixes) {
		return true
	}
	named := bytes.HasSuffix(bytes.TrimRight(t.b[start:from], "\"'` "), []byte{'='})
	return (whole || named) && f.raw(t, b, from, to)
}

// raw takes 64 bytes for an Ed25519 key, seed and public half, as libsodium and others keep it; whether it is one can be
// checked. 32 bytes may be anything.
func (f *finder) raw(t *text, b body, from, to int) bool {
	if b.alien > 0 || len(b.data) != 64 && len(b.data) != 32 {
		return false
	}
	var fixes fixSet
	start, end := t.lineAround(from, to)
	t.fixes(&fixes, start, end)
	f.add(Item{Kind: Raw, Data: b.data, Line: t.origin(from), fixes: fixes})
	return true
}

// json finds JWKs, and keys in the strings of JSON files.
func (f *finder) json(t *text, depth int) {
	at := 0
	for range 32 {
		next := bytes.IndexAny(t.b[at:], "{[")
		if next < 0 {
			return
		}
		n, end, ok := readJSON(t.b, at+next)
		if ok {
			w := walker{f: f, t: t, depth: depth}
			w.object(n)
		}
		at = max(end, at+next+1)
	}
}

// walker goes over a JSON value.
type walker struct {
	f     *finder
	t     *text
	depth int
}

func (w *walker) object(n *node) {
	outer := *w.f
	defer func() {
		w.f.source, w.f.passphrase, w.f.keyID, w.f.client = outer.source, outer.passphrase, outer.keyID, outer.client
	}()
	switch {
	case n.kind == nodeArray:
		w.array(n)
		return
	case n.kind != nodeObject:
		return
	case n.member("kty").string() != "":
		w.jwk(n)
		return
	case n.member("keys") != nil && n.member("keys").kind == nodeArray:
		w.f.source = "JWK set"
	case n.member("boxAppSettings") != nil:
		w.f.source = "Box JSON"
	case n.member("private_key") != nil && n.member("client_email") != nil:
		w.f.source = "service account JSON"
	case w.f.source == "":
		w.f.source = "JSON"
	}
	if pass := n.member("passphrase", "privateKeyPassphrase", "private_key_passphrase", "privateKeyPassword", "password", "pass"); pass.string() != "" {
		w.f.passphrase = pass.text
	}
	w.owner(n)
	for i, value := range n.values {
		w.value(n.names[i], value)
	}
}

// owner notes what an object says of the key in it and of whom that is for. The object around it, which Box has, counts too.
func (w *walker) owner(n *node) {
	for _, note := range []struct {
		to    *string
		names []string
	}{
		{&w.f.keyID, []string{"private_key_id", "publicKeyID", "keyId", "key_id", "kid"}},
		{&w.f.client.ID, []string{"client_id", "clientId", "service_account_id", "userId"}},
		{&w.f.client.Email, []string{"client_email", "clientEmail"}},
	} {
		for _, name := range note.names {
			if text := n.member(name).string(); text != "" {
				*note.to = text
				break
			}
		}
	}
}

func (w *walker) array(n *node) {
	var lines strings.Builder
	joined := false
	for _, value := range n.values {
		if value.kind != nodeString {
			w.object(value)
			continue
		}
		if strings.Contains(value.text, "BEGIN") && strings.Contains(value.text, "END") {
			w.value("key", value)
			continue
		}
		joined = joined || containsFold([]byte(value.text), "BEGIN")
		lines.WriteString(value.text)
		lines.WriteByte('\n')
	}
	if joined {
		w.scan([]byte(lines.String()), n.at, fixJSONLines)
	}
}

// value looks at one member of an object.
func (w *walker) value(name string, value *node) {
	named := keyName(name)
	switch {
	case value.kind >= nodeArray:
		w.object(value)
	case value.kind == nodeString && worthScanning(value.text, named):
		w.scan([]byte(value.text), value.at)
	case named == 2 && value.kind == nodeString && placeholder([]byte(value.text)) != nil:
		fault := placeholder([]byte(value.text))
		fault.Found += ", as the private key in JSON"
		w.f.fault(w.t, value.at, fault)
	case named == 2 && (value.kind == nodeNull || value.kind == nodeString && strings.TrimSpace(value.text) == ""):
		w.f.fault(w.t, value.at, &Fault{Found: "JSON", Problem: "there is no private key in it: its private_key or privateKey is null or empty",
			Hint: "create a new key and download its file again", Private: true})
	}
}

func (w *walker) scan(b []byte, at int, via ...Fix) {
	inner := &text{b: b, line: w.t.origin(at), single: true, via: via}
	n := len(w.f.items)
	w.f.scan(inner, w.depth+1)
	for i := n; i < len(w.f.items); i++ {
		for p := w.t; p != nil; p = p.parent {
			for _, fix := range p.via {
				w.f.items[i].fixes.add(fix)
			}
		}
		start, _ := w.t.lineAround(at, at)
		w.t.fixes(&w.f.items[i].fixes, start, at+1)
	}
}

// keyName rates the name of a member: 2 for a private key, 1 for what may hold one.
func keyName(name string) int {
	name = strings.ToLower(strings.NewReplacer("_", "", "-", "", ".", "").Replace(name))
	if name == "privatekey" {
		return 2
	}
	for _, part := range []string{"key", "pem", "priv", "pfx", "p12", "pkcs", "cert", "cred", "secret", "data", "value", "crt"} {
		if strings.Contains(name, part) {
			return 1
		}
	}
	return 0
}

func worthScanning(s string, named int) bool {
	b := []byte(s)
	if containsFold(b, "BEGIN") || containsFold(b, "PUTTY-USER") || strings.Contains(s, `kty`) || strings.HasPrefix(s, "LS0t") {
		return true
	}
	return named > 0 && len(s) >= minRun && strings.IndexByte(s[:minRun], ' ') < 0
}

// jwkMembers are the members that are handed on (RFC 7517, RFC 7518, section 6).
var jwkMembers = []string{"kty", "crv", "x", "y", "d", "n", "e", "p", "q", "dp", "dq", "qi", "k", "kid", "alg", "use"}

// jwk notes a JWK, its numbers in base64url.
func (w *walker) jwk(n *node) {
	members := make(map[string]string)
	var fixes fixSet
	for _, name := range jwkMembers {
		value := n.member(name).string()
		if value == "" {
			continue
		}
		if len(name) <= 2 {
			if clean := base64url(value); clean != value {
				value = clean
				fixes.add(fixJWK)
			}
		}
		members[name] = value
	}
	data, err := json.Marshal(members)
	if err != nil {
		return
	}
	from, to := w.t.lineAround(n.at, n.at)
	w.t.fixes(&fixes, from, to)
	w.f.add(Item{Kind: JWK, Data: data, Line: w.t.origin(n.at), KeyID: members["kid"], fixes: fixes})
}

func base64url(s string) string {
	return strings.Map(func(r rune) rune {
		switch r {
		case '+':
			return '-'
		case '/':
			return '_'
		case '=', ' ', '\n', '\r', '\t':
			return -1
		}
		return r
	}, s)
}

// xml reads the RSAKeyValue of .NET (XML Signature, section 4.5.2.2, with the private members).
func (f *finder) xml(t *text) {
	at := bytes.Index(t.b, []byte("<RSAKeyValue"))
	if at < 0 {
		return
	}
	members := map[string]string{"kty": "RSA"}
	for tag, name := range map[string]string{"Modulus": "n", "Exponent": "e", "P": "p", "Q": "q", "DP": "dp", "DQ": "dq", "InverseQ": "qi", "D": "d"} {
		_, rest, ok := bytes.Cut(t.b[at:], []byte("<"+tag+">"))
		value, _, closed := bytes.Cut(rest, []byte("</"+tag+">"))
		if ok && closed {
			members[name] = base64url(string(value))
		}
	}
	data, err := json.Marshal(members)
	if err != nil {
		return
	}
	f.source = ".NET XML"
	f.add(Item{Kind: JWK, Data: data, Line: t.origin(at)})
	f.source = ""
}
