package text

// Fix is one kind of repair.
type Fix uint8

// The kinds of repair, in the order in which they are reported.
const (
	none Fix = iota
	fixUTF16
	fixBOM
	fixControl
	fixEscapeCodes
	fixInvisible
	fixSpaces
	fixFullWidth
	fixLineMarks
	fixCR
	fixDashes
	fixPercent
	fixQuoted
	fixEntities
	fixLiteralN
	fixBareN
	fixEscapes
	fixBase64
	fixJSONLines
	fixName
	fixQuotes
	fixIndent
	fixPrefix
	fixResidue
	fixNewlines
	fixEmpty
	fixHeaderEnd
	fixInner
	fixPlus
	fixWrapped
	fixDashCount
	fixNoBegin
	fixNoEnd
	fixNoArmour
	fixDouble
	fixCase
	fixLabel
	fixLabels
	fixURLSafe
	fixPadding
	fixTail
	fixPPK
	fixJWK
	fixCount
)

var fixWords = [fixCount]string{
	fixUTF16:       "UTF-16 text converted to UTF-8",
	fixBOM:         "byte order mark removed",
	fixControl:     "control characters removed",
	fixEscapeCodes: "terminal escape codes removed",
	fixInvisible:   "invisible characters removed",
	fixSpaces:      "non-breaking or other special spaces replaced by plain ones",
	fixFullWidth:   "full-width letters replaced by plain ones",
	fixLineMarks:   "line-end marks or line separators replaced by newlines",
	fixCR:          "carriage returns replaced by newlines",
	fixDashes:      "typographic dashes replaced by hyphens",
	fixPercent:     "URL (percent) encoding removed",
	fixQuoted:      "quoted-printable encoding removed",
	fixEntities:    "HTML or XML entities and tags decoded",
	fixLiteralN:    `literal \n sequences replaced by newlines`,
	fixBareN:       `remains of literal \n sequences replaced by newlines`,
	fixEscapes:     "backslash escapes removed",
	fixBase64:      "base64 encoding around the key removed",
	fixJSONLines:   "list of lines joined",
	fixName:        "variable or field name before the key removed",
	fixQuotes:      "quotation marks around the key or its lines removed",
	fixIndent:      "indentation removed",
	fixPrefix:      "prefixes of the lines (line numbers, diff or comment marks) removed",
	fixResidue:     "remains of source code or line-end marks removed",
	fixNewlines:    "newlines restored where they were lost or had become spaces",
	fixEmpty:       "empty lines within the key removed",
	fixHeaderEnd:   "empty line between the DEK-Info header and the key added",
	fixInner:       "spaces within the base64 text removed",
	fixPlus:        "spaces replaced by the + signs that they had been",
	fixWrapped:     "BEGIN or END line that was broken into several put in one line",
	fixDashCount:   "dashes of the BEGIN or END line corrected",
	fixNoBegin:     "missing BEGIN line (header) added",
	fixNoEnd:       "missing END line (footer) added",
	fixNoArmour:    "missing BEGIN and END lines (PEM armour) added",
	fixDouble:      "second BEGIN or END line around the key removed",
	fixCase:        "label of the BEGIN or END line put in upper case",
	fixLabel:       "label of the BEGIN line corrected to fit what stands below it",
	fixLabels:      "END line made to fit the BEGIN line",
	fixURLSafe:     "base64url letters (- and _) replaced by those of base64",
	fixPadding:     "padding (=) added or corrected",
	fixTail:        "text after the end of the key ignored",
	fixPPK:         "lines of the PPK file restored (newlines, lengths)",
	fixJWK:         "members of the JWK put into base64url without padding",
}

// WrongLabel is the repair of a label of which only decryption can tell that it is wrong.
const WrongLabel = fixLabel

func (f Fix) String() string { return fixWords[f] }

// fixSet is a set of fixes.
type fixSet uint64

func (s *fixSet) add(f Fix)     { *s |= 1 << f }
func (s *fixSet) drop(f Fix)    { *s &^= 1 << f }
func (s fixSet) has(f Fix) bool { return s&(1<<f) != 0 }

// words returns what was repaired, in a fixed order.
func (s fixSet) words() []string {
	var words []string
	for f := none + 1; f < fixCount; f++ {
		if s.has(f) {
			words = append(words, f.String())
		}
	}
	return words
}
