package importer

import (
	"errors"
	"fmt"
	"math/big"
	"strconv"
	"strings"
)

// The helpers are those of Celigo's documentation: github.com/celigo/ai, skills/writing-handlebars/references/helpers,
// and docs.celigo.com. {{timestamp}} and {{dateAdd …}} give dates in ISO 8601, the offset of dateAdd being in
// milliseconds; with the format "X" of moment.js, timestamp and dateFormat give seconds since 1970, with "x"
// milliseconds.

var (
	errCeligoHelper = errors.New("has no counterpart among the functions of templates")
	errCeligoFormat = errors.New("writes a date in a form that no template here gives")
)

// eval evaluates an expression.
func (c *celigoImport) eval(path string, part textPart) (v value, what string, err error) {
	e, err := handlebarsParse(part.text)
	if err != nil {
		return v, "expression", fmt.Errorf("holds %w", err)
	}
	return c.expr(path, e)
}

func (c *celigoImport) expr(path string, e handlebarsExpr) (v value, what string, err error) {
	switch e.kind {
	case handlebarsText:
		return literalValue(e.text), "", nil
	case handlebarsNumber:
		return value{kind: numberValue, number: e.text}, "", nil
	case handlebarsLiteral:
		return literalValue(e.text), "", nil
	case handlebarsPath:
		if e.name() == "" || e.name() == "timestamp" || e.name() == "timeStamp" {
			return c.path(path, e.path)
		}
		if v, what, err = c.call(path, e.name(), nil); !errors.Is(err, errCeligoHelper) {
			return v, what, err
		}
		return c.path(path, e.path)
	}
	if e.name() == "" {
		return v, "expression", fmt.Errorf("holds %w", errHandlebarsSyntax)
	}
	args := make([]value, len(e.args))
	for i, arg := range e.args {
		if args[i], what, err = c.expr(path, arg); err != nil {
			return v, what, err
		}
	}
	return c.call(path, e.name(), args)
}

// call evaluates a helper.
func (c *celigoImport) call(path, name string, args []value) (v value, what string, err error) {
	switch name {
	case "timestamp":
		v, err = celigoTimestamp(args)
	case "dateAdd":
		v, err = celigoDateAdd(args)
	case "dateFormat":
		v, err = celigoDateFormat(args)
	case "add", "subtract", "multiply", "divide":
		v, err = celigoArithmetic(name, args)
	case "floor", "round", "ceil", "abs", "toFixed":
		v, err = celigoRound(args)
	case "uppercase", "lowercase", "trim", "jsonEncode":
		v, err = celigoText(name, args)
	case "base64Encode", "hash":
		v, err = celigoEncode(name, args)
	case "join":
		v, err = celigoJoin(args)
	case "random":
		v, err = c.random(path, args)
	default:
		err = errCeligoHelper
	}
	if err != nil {
		err = fmt.Errorf("the helper %s %w", quote(name), err)
	}
	return v, name, err
}

// celigoArg is the literal text of an argument, "" where there is none.
func celigoArg(args []value, i int) string {
	if i >= len(args) {
		return ""
	}
	text, _ := args[i].literal()
	return text
}

// celigoTimestamp is {{timestamp format timezone}}.
func celigoTimestamp(args []value) (value, error) {
	return celigoForm(value{kind: timeValue}, celigoArg(args, 0), len(args) <= 2)
}

// celigoForm writes a time in a format of moment.js.
func celigoForm(v value, format string, ok bool) (value, error) {
	switch {
	case !ok || v.kind != timeValue:
		return v, errCeligoHelper
	case format == "":
		v.form = formISO
	case format == "X":
		v.form = formSeconds
	case format == "x":
		v.form = formMillis
	default:
		return v, errCeligoFormat
	}
	return v, nil
}

// celigoDateAdd is {{dateAdd date offset timezone}}. The time zone changes how the date is written, not the time.
func celigoDateAdd(args []value) (value, error) {
	if len(args) == 0 || len(args) > 3 || args[0].kind != timeValue {
		return value{}, errCeligoHelper
	}
	v := args[0]
	if text := celigoArg(args, 1); text != "" {
		offset, ok := celigoWhole(text)
		if !ok {
			return v, errCeligoHelper
		}
		v.offset += offset
	} else if len(args) > 1 && (args[1].kind != textValue || len(args[1].pieces) != 1 || args[1].pieces[0].action) {
		return v, errCeligoHelper
	}
	v.form = formISO
	return celigoBounded(v)
}

// celigoFurthest bounds offsets, in milliseconds, below what now takes.
const celigoFurthest = int64(1) << 45

func celigoBounded(v value) (value, error) {
	if v.offset > celigoFurthest || v.offset < -celigoFurthest {
		return v, errCeligoHelper
	}
	return v, nil
}

// celigoWhole reads a whole number, in scientific notation too (1E6).
func celigoWhole(text string) (int64, bool) {
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return max(min(n, 2*celigoFurthest), -2*celigoFurthest), true
	}
	f, err := strconv.ParseFloat(text, 64)
	whole := err == nil && f == float64(int64(f)) && f < 1<<50 && f > -1<<50
	if !whole {
		return 0, false
	}
	return int64(f), true
}

// celigoDateFormat is {{dateFormat format date inputFormat timezone}}.
func celigoDateFormat(args []value) (value, error) {
	if len(args) < 2 || len(args) > 4 {
		return value{}, errCeligoHelper
	}
	return celigoForm(args[1], celigoArg(args, 0), true)
}

// celigoArithmetic adds numbers to a time or to each other, and makes seconds of milliseconds and the other way.
func celigoArithmetic(name string, args []value) (value, error) {
	if len(args) < 2 || len(args) > 2 && name != "add" {
		return value{}, errCeligoHelper
	}
	v, err := celigoOperand(args[0])
	for _, arg := range args[1:] {
		next, nextErr := celigoOperand(arg)
		if err = errors.Join(err, nextErr); err != nil {
			return v, errCeligoHelper
		}
		if v, err = celigoTerm(name, v, next); err != nil {
			return v, err
		}
	}
	return v, nil
}

// celigoOperand takes a time in a number, or a number, which may be written as a text.
func celigoOperand(v value) (value, error) {
	if v.kind == timeValue && v.form != formISO {
		return v, nil
	}
	text, ok := v.literal()
	if !ok || !handlebarsIsNumber(text) {
		return v, errCeligoHelper
	}
	return value{kind: numberValue, number: text}, nil
}

func celigoTerm(name string, a, b value) (value, error) {
	if name == "add" && b.kind == timeValue {
		a, b = b, a
	}
	if b.kind == timeValue {
		return a, errCeligoHelper
	}
	if a.kind == timeValue {
		return celigoShift(name, a, b.number)
	}
	x, okX := new(big.Rat).SetString(a.number)
	y, okY := new(big.Rat).SetString(b.number)
	if !okX || !okY || len(a.number)+len(b.number) > 40 || name == "divide" && y.Sign() == 0 {
		return a, errCeligoHelper
	}
	switch name {
	case "add":
		x.Add(x, y)
	case "subtract":
		x.Sub(x, y)
	case "multiply":
		x.Mul(x, y)
	case "divide":
		x.Quo(x, y)
	}
	a.number = strings.TrimRight(strings.TrimRight(x.FloatString(9), "0"), ".")
	return a, nil
}

// celigoShift adds to a time, or changes its unit.
func celigoShift(name string, v value, number string) (value, error) {
	n, ok := celigoWhole(number)
	unit := int64(1)
	if v.form == formSeconds {
		unit = 1000
	}
	switch {
	case !ok || n > celigoFurthest || n < -celigoFurthest:
		return v, errCeligoHelper
	case name == "add":
		v.offset += n * unit
	case name == "subtract":
		v.offset -= n * unit
	case name == "multiply" && n == 1000 && v.form == formSeconds:
		v.form = formMillis
	case name == "divide" && n == 1000 && v.form == formMillis:
		v.form = formSeconds
	default:
		return v, errCeligoHelper
	}
	return celigoBounded(v)
}

// celigoRound takes what is whole already: times are, here.
func celigoRound(args []value) (value, error) {
	if len(args) == 0 {
		return value{}, errCeligoHelper
	}
	v, err := celigoOperand(args[0])
	if err != nil || v.kind == numberValue && strings.ContainsAny(v.number, ".-") ||
		len(args) > 1 && celigoArg(args, 1) != "0" {
		return v, errCeligoHelper
	}
	return v, nil
}

func celigoText(name string, args []value) (value, error) {
	if len(args) != 1 {
		return value{}, errCeligoHelper
	}
	if name == "jsonEncode" { // ours are always encoded
		return args[0], nil
	}
	operand, ok := args[0].operand()
	if !ok {
		return value{}, errCeligoHelper
	}
	ours := strings.TrimSuffix(name, "case") // uppercase is upper
	return actionValue(ours + " " + operand), nil
}

// celigoEncode is {{base64Encode text format}} or {{hash algorithm encoding text}}.
func celigoEncode(name string, args []value) (value, error) {
	text, format := 0, strings.ToLower(celigoArg(args, 1))
	if name == "hash" {
		text = 2
		format = strings.ToLower(celigoArg(args, 0)) + " " + format
	}
	if text >= len(args) || len(args) > text+2-text/2 {
		return value{}, errCeligoHelper
	}
	operand, ok := args[text].operand()
	if !ok {
		return value{}, errCeligoHelper
	}
	switch format {
	case "", "utf8":
		return actionValue("base64 " + operand), nil
	case "hex":
		return actionValue("hex " + operand), nil
	case "sha256 hex":
		return actionValue("sha256 " + operand), nil
	case "sha256 base64":
		return actionValue("base64 (sha256 " + operand + ")"), nil
	}
	return value{}, errCeligoHelper
}

// celigoJoin is {{join separator text …}}.
func celigoJoin(args []value) (value, error) {
	if len(args) < 2 || len(args[0].pieces) != 1 || len(args[0].pieces[0].text) > longestName {
		return value{}, errCeligoHelper
	}
	var v value
	for i, arg := range args[1:] {
		if arg.kind == timeValue {
			return v, errCeligoHelper
		}
		if arg.kind == numberValue {
			arg = literalValue(arg.number)
		}
		if i > 0 {
			v.pieces = append(v.pieces, args[0].pieces[0])
		}
		v.pieces = append(v.pieces, arg.pieces...)
	}
	return v, nil
}

// random is {{random kind length}}.
func (c *celigoImport) random(path string, args []value) (value, error) {
	length := int64(32)
	if text := celigoArg(args, 1); text != "" {
		length, _ = celigoWhole(text)
	}
	switch kind := strings.ToLower(celigoArg(args, 0)); {
	case length < 1 || length > 1024 || len(args) > 2:
	case kind == "crypto":
		if length%2 == 1 {
			c.im.note(NoteChanged, path, "a random text is of even length here: %d characters", length+1)
		}
		return actionValue(fmt.Sprintf("randomHex %d", (length+1)/2)), nil
	case kind == "uuid":
		c.im.note(NoteChanged, path, "Celigo gives a part of a UUID, {{uuid}} a whole one (RFC 9562)")
		return actionValue("uuid"), nil
	}
	return value{}, errCeligoHelper
}
