// Package text finds private keys in text and binary data as people have them, and repairs what happens to keys on their
// way through editors, shells, forms, mail and environment variables. It must never know of cryptography or of passphrases.
//
// It relies on keys that state their own length: DER in its first bytes, the formats of OpenSSH and PuTTY in their fields. So
// a text has one reading at most, and where it has none the key is truncated or damaged, and the fault says so. All of it is
// linear in the input.
package text

import (
	"bytes"
	"slices"
	"unicode/utf8"
)

// MaxSize is the longest input that is looked at. A key with a long chain of certificates takes 200 kB.
const MaxSize = 1 << 20

// maxDepth is how many encodings may lie around each other.
const maxDepth = 6

const (
	maxItems  = 4096 // keys, certificates and other blocks that one input may have
	maxFaults = 64   // of these, such as cannot be read
)

// Kind is how the data of an Item is to be read.
type Kind uint8

// The kinds of Item.
const (
	Binary Kind = iota // DER, or the OpenSSH format: see Shape
	PPK                // the text of a PuTTY file
	JWK                // a JSON object
	Raw                // 32 or 64 bytes that may be an Ed25519 key
)

// Item is one thing that was found.
type Item struct {
	Kind       Kind
	Shape      Shape
	Data       []byte
	DEK        string // value of the DEK-Info header: Data is encrypted
	Label      string // of the armour, or ""
	Line       int    // from 1
	KeyID      string // kid of a JWK, private_key_id of a service account, publicKeyID of Box
	Client     Client // that the file is for
	Passphrase string // that stood beside the key
	Source     string // the kind of file around it: "service account JSON", "JWK set"
	Fault      *Fault // the item cannot be read

	fixes fixSet
}

// Private reports whether the item, which has no fault, may be a private key.
func (i *Item) Private() bool { return i.Kind != Binary || i.DEK != "" || i.Shape.Private() }

// Fixes returns what was repaired, in words.
func (i *Item) Fixes() []string { return i.fixes.words() }

// Fault says what is the matter with an item or an input. It holds no part of either.
type Fault struct {
	Found, Problem, Hint string
	Line                 int
	Private              bool // it is, or should have been, a private key
}

// Find returns all that it finds in data, in order. fault tells what data is if nothing is found.
func Find(data []byte) (items []Item, fault *Fault) {
	if len(data) > MaxSize {
		return nil, &Fault{Found: "input", Problem: "longer than 1 MiB: no private key is so large",
			Hint: "give the key alone, without what stands around it"}
	}
	f := finder{}
	f.scan(&text{b: data, line: 1}, 0)
	if len(f.items) == 0 {
		return nil, diagnose(data)
	}
	return f.items, nil
}

type finder struct {
	items  []Item
	faults int
	// what surrounds the text that is being scanned
	source, passphrase, keyID string
	client                    Client
}

// Client is whom a file with a key in it is for: the issuer of tokens, as a rule.
type Client struct{ ID, Email string }

// add notes an item, with the context that it was found in.
func (f *finder) add(item Item) {
	if len(f.items) >= maxItems {
		return
	}
	if item.Fault != nil {
		if f.faults++; f.faults > maxFaults {
			return
		}
	}
	item.Source, item.Passphrase, item.Client = f.source, f.passphrase, f.client
	if item.KeyID == "" {
		item.KeyID = f.keyID
	}
	f.items = append(f.items, item)
}

func (f *finder) fault(t *text, at int, fault *Fault) {
	fault.Line = t.origin(at)
	f.add(Item{Line: fault.Line, Fault: fault})
}

// private reports whether something that may be a private key was found since the items were n.
func (f *finder) private(n int) bool {
	for _, item := range f.items[n:] {
		if item.Fault != nil && item.Fault.Private || item.Fault == nil && item.Private() {
			return true
		}
	}
	return false
}

// scan finds what is in one text.
func (f *finder) scan(t *text, depth int) {
	if depth > maxDepth || len(t.b) == 0 || f.binary(t) {
		return
	}
	if b, ok := fromUTF16(t.b); ok {
		t = &text{b: b, line: t.line, single: t.single, via: append(t.via[:len(t.via):len(t.via)], fixUTF16)}
	}
	if isNoise(t.b) {
		return
	}
	t = characters(t)
	n := len(f.items)
	if start := bytes.TrimLeft(t.b, " \t\n"); len(start) > 0 && (start[0] == '{' || start[0] == '[') {
		f.json(t, depth)
	}
	if len(f.items) > n {
		return
	}
	t = unwrap(unescape(t))
	done := f.armoured(t, depth)
	f.ppk(t)
	if f.private(n) {
		return
	}
	t = t.without(done)
	if f.xml(t); f.private(n) {
		return
	}
	if f.json(t, depth); f.private(n) {
		return
	}
	f.loose(t, depth)
}

// isNoise reports whether b is binary data without any text that could lead to a key.
func isNoise(b []byte) bool {
	head := b[:min(len(b), 4096)]
	control := 0
	for _, c := range head {
		if c < ' ' && c != '\n' && c != '\r' && c != '\t' && c != 0x1b {
			control++
		}
	}
	return control > 16 && control > len(head)/20 && !containsFold(b, "BEGIN") && ppkAt(b) < 0
}

// nested scans what was decoded from t, and reports whether it found anything.
func (f *finder) nested(data []byte, t *text, at, depth int, fixes fixSet) bool {
	if len(data) < 16 || ShapeOf(data) != Unknown || !isText(data) && archive(data) == "" {
		return false
	}
	n := len(f.items)
	inner := &text{b: data, line: t.origin(at), single: true}
	f.scan(inner, depth+1)
	start, end := t.lineAround(at, at)
	for i := n; i < len(f.items); i++ {
		if fault := f.items[i].Fault; fault != nil && archive(data) != "" {
			fault.Hint = "decode it first (base64 --decode), then " + fault.Hint
		}
		t.fixes(&fixes, start, end)
		f.items[i].fixes |= fixes
	}
	return len(f.items) > n
}

// isText reports whether data is text of some kind: UTF-16 counts, and control characters beside the word BEGIN.
func isText(data []byte) bool {
	if containsFold(data[:min(len(data), 256)], "BEGIN") {
		return true
	}
	if _, ok := fromUTF16(data); ok {
		return true
	}
	head, high := data[:min(len(data), 512)], 0
	for _, c := range head {
		if c < ' ' && c != '\n' && c != '\r' && c != '\t' && c != 0x1b {
			return false
		}
		if c >= utf8.RuneSelf {
			high++
		}
	}
	return high <= len(head)/2
}

// binary deals with data that is not text.
func (f *finder) binary(t *text) bool {
	if name := archive(t.b); name != "" {
		f.fault(t, 0, &Fault{Found: name, Problem: "not a private key", Hint: unpack(name), Private: true})
		return true
	}
	shape := ShapeOf(t.b)
	if shape == Unknown || shape == Parameters && t.b[0] != tagSequence {
		return false
	}
	size, known, indefinite := statedBytes(t.b)
	if !known && shape != OpenSSH {
		return false
	}
	item := Item{Shape: shape, Line: t.line, Data: t.b, Label: labelFor(shape, "", t.b)}
	switch {
	case indefinite:
	case !known || size > len(t.b):
		item.Fault = truncated(shape, t.line)
	case size < len(t.b):
		if len(bytes.Trim(t.b[size:], "\r\n\x00 \x1a")) > 0 {
			item.fixes.add(fixTail)
		}
		item.Data = t.b[:size:size]
	}
	for _, fix := range t.via {
		item.fixes.add(fix)
	}
	f.add(item)
	return true
}

// armoured finds what stands between BEGIN and END lines.
func (f *finder) armoured(t *text, depth int) (done [][2]int) {
	for _, bl := range blocks(t.b) {
		if len(f.items) >= maxItems || f.faults > maxFaults {
			break
		}
		f.block(t, bl, depth)
		start, end := bl.span()
		done = append(done, [2]int{start, end})
	}
	return done
}

func (f *finder) block(t *text, bl block, depth int) {
	start, end := bl.span()
	var prefix []byte
	fixes := bl.fixes
	if bl.begin != nil {
		prefix = t.b[bytes.LastIndexByte(t.b[:start], '\n')+1 : start]
	}
	label := bl.label()
	if fault := foreignArmour(label); fault != nil {
		f.fault(t, start, fault)
		return
	}
	b := readBody(t.b[bl.from:bl.to], prefix)
	if fault := standIn(b, t.b[bl.from:bl.to]); fault != nil {
		f.fault(t, start, fault)
		return
	}
	if !b.known && b.dek == "" {
		b.fixes.add(fixBase64)
		b.fixes.add(fixDouble)
		if f.nested(b.data, t, start, depth, b.fixes) {
			return
		}
		b.fixes.drop(fixDouble)
		b.fixes.drop(fixBase64)
	}
	shape := ShapeOf(b.data)
	if b.dek != "" {
		shape = Unknown
	}
	if bl.begin != nil && bl.end != nil && emptyAtEdge(t.b[bl.from:bl.to]) {
		b.fixes.add(fixEmpty)
	}
	line := t.origin(start)
	item := Item{Shape: shape, Data: b.data, DEK: b.dek, Label: label, Line: line}
	if item.Fault = bodyFault(b, shape, label, line); item.Fault == nil {
		from, to := t.lineAround(start, end)
		t.fixes(&fixes, from, to)
		item.fixes = fixes | b.fixes | bl.armourFixes(t.b, prefix, shape, b.fixes)
		item.Label = labelFor(shape, label, b.data)
		if b.dek != "" && label != "" && label != item.Label {
			item.fixes.add(fixLabel)
		}
	}
	f.add(item)
}

// labelFor is the label that a body should have. That of an encrypted one is not known before it is opened.
func labelFor(shape Shape, label string, data []byte) string {
	want := shapeLabels[shape]
	switch {
	case want != "":
		return want
	case shape == Parameters && data[0] == tagOID:
		return "EC PARAMETERS"
	case slices.Contains(knownLabels, label):
		return label
	case shape == Parameters:
		return "DH PARAMETERS"
	}
	return "RSA PRIVATE KEY"
}

// armourFixes are those of the BEGIN and END lines and of what stands directly around them.
func (bl *block) armourFixes(b, prefix []byte, shape Shape, body fixSet) fixSet {
	var fixes fixSet
	raw := bytes.Trim(b[bl.from:bl.to], " \t")
	if bl.begin == nil {
		fixes.add(fixNoBegin)
	} else {
		fixes |= bl.begin.fixes
		if len(raw) > 0 && (isBase64(raw[0])) {
			fixes.add(fixNewlines)
		}
		fixes |= prefixFixes(prefix)
		if want := shapeLabels[shape]; want != "" && want != bl.begin.label && !aliases[bl.begin.label] {
			fixes.add(fixLabel)
		}
	}
	if bl.end == nil {
		fixes.add(fixNoEnd)
		return fixes
	}
	fixes |= bl.end.fixes
	if len(raw) > 0 && raw[len(raw)-1] != '\n' && (isBase64(raw[len(raw)-1]) || raw[len(raw)-1] == '=') && !body.has(fixPrefix) {
		fixes.add(fixNewlines)
	}
	if bl.begin != nil && bl.end.label != bl.begin.label {
		fixes.add(fixLabels)
	}
	if after := bytes.TrimLeft(b[bl.end.end:min(len(b), bl.end.end+8)], " \t"); len(after) > 0 && isQuote(after[0]) && len(prefix) > 0 {
		fixes.add(fixQuotes)
	}
	return fixes
}

// aliases are other labels for what stands below them, in use since long.
var aliases = map[string]bool{
	"X509 CERTIFICATE": true, "TRUSTED CERTIFICATE": true, "NEW CERTIFICATE REQUEST": true, "CRL": true, "PFX": true,
}

func isQuote(c byte) bool { return c == '"' || c == '\'' || c == '`' }

// prefixFixes tells what the text in front of a BEGIN line amounts to.
func prefixFixes(prefix []byte) fixSet {
	var fixes fixSet
	bare := bytes.TrimSpace(prefix)
	if len(bare) == 0 {
		if len(prefix) > 0 {
			fixes.add(fixIndent)
		}
		return fixes
	}
	if isQuote(bare[len(bare)-1]) {
		fixes.add(fixQuotes)
	}
	bare = bytes.TrimRight(bare, "\"'` \t")
	if len(bare) > 1 && (bare[len(bare)-1] == '=' || bare[len(bare)-1] == ':') {
		name := bytes.TrimRight(bare, "=: \t\"'`")
		if name = name[bytes.LastIndexAny(name, " \t,{\"'")+1:]; isName(name) {
			fixes.add(fixName)
		}
	}
	return fixes
}

// ppk finds PuTTY keys.
func (f *finder) ppk(t *text) {
	at := 0
	for range 8 {
		next := ppkAt(t.b[at:])
		if next < 0 {
			return
		}
		at += next
		from, _ := t.lineAround(at, at)
		out, length, fixes, missing := ppkText(t.b[at:])
		item := Item{Kind: PPK, Data: out, Line: t.origin(at)}
		if missing != "" {
			item.Fault = &Fault{Found: "PuTTY private key (PPK)", Problem: "it is truncated or damaged: the " + missing + " are incomplete or missing",
				Hint: "copy the whole file, from the first line to Private-MAC", Line: item.Line, Private: true}
		}
		length = min(length, len(t.b)-at)
		t.fixes(&fixes, from, at+length)
		if !bytes.Contains(t.b[at:at+length], bytes.TrimRight(out, "\n")) {
			fixes.add(fixPPK)
		}
		item.fixes = fixes | prefixFixes(t.b[from:at])
		f.add(item)
		at += length
	}
}
