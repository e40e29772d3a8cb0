package importer

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// The helpers are those of Celigo's documentation: github.com/celigo/ai, skills/writing-handlebars/references/helpers, and
// docs.celigo.com. {{timestamp}} and {{dateAdd …}} give dates in ISO 8601, the offset of dateAdd being in milliseconds; with
// the format "X" of moment.js, timestamp and dateFormat give seconds since 1970, with "x" milliseconds. Arithmetic, hashes and
// random values have no counterpart.

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
	switch {
	case e.kind == handlebarsLiteral:
		return literalValue(e.text), "", nil
	case e.kind == handlebarsPath:
		return c.path(path, e.path)
	case e.name() == "":
		return v, "expression", fmt.Errorf("holds %w", errHandlebarsSyntax)
	}
	args := make([]value, len(e.args))
	for i, arg := range e.args {
		if args[i], what, err = c.expr(path, arg); err != nil {
			return v, what, err
		}
	}
	if v, err = celigoCall(e.name(), args); err != nil {
		err = fmt.Errorf("the helper %s %w", quote(e.name()), err)
	}
	return v, e.name(), err
}

// celigoCall evaluates a helper.
func celigoCall(name string, args []value) (value, error) {
	switch name {
	case "timestamp":
		return celigoForm(value{form: formISO}, celigoArg(args, 0), len(args) <= 2)
	case "dateAdd":
		return celigoDateAdd(args)
	case "dateFormat": // {{dateFormat format date inputFormat timezone}}
		if len(args) >= 2 {
			return celigoForm(args[1], celigoArg(args, 0), len(args) <= 4)
		}
	case "uppercase", "lowercase", "trim":
		return celigoText(strings.TrimSuffix(name, "case"), args) // uppercase is upper
	case "base64Encode":
		return celigoBase64(args)
	case "jsonEncode": // our values are always encoded
		if len(args) == 1 {
			return args[0], nil
		}
	case "join":
		return celigoJoin(args)
	}
	return value{}, errCeligoHelper
}

// celigoArg is the literal text of an argument, "" where there is none.
func celigoArg(args []value, i int) string {
	if i >= len(args) {
		return ""
	}
	text, _ := args[i].literal()
	return text
}

// celigoForm writes a time in a format of moment.js.
func celigoForm(v value, format string, ok bool) (value, error) {
	forms := map[string]timeForm{"": formISO, "X": formSeconds, "x": formMillis}
	switch {
	case !ok || v.form == noTime:
		return v, errCeligoHelper
	case forms[format] == noTime:
		return v, errCeligoFormat
	}
	v.form = forms[format]
	return v, nil
}

// celigoFurthest bounds offsets, in milliseconds, below what now takes.
const celigoFurthest = 1 << 45

// celigoDateAdd is {{dateAdd date offset timezone}}. The time zone changes how the date is written, not the time. Offsets may
// be in scientific notation (1E6).
func celigoDateAdd(args []value) (value, error) {
	if len(args) == 0 || len(args) > 3 || args[0].form == noTime {
		return value{}, errCeligoHelper
	}
	v := args[0]
	v.form = formISO
	if len(args) == 1 {
		return v, nil
	}
	text, known := args[1].literal()
	if text == "" && known {
		return v, nil
	}
	offset, err := strconv.ParseFloat(text, 64)
	if err != nil || offset != float64(int64(offset)) || offset > celigoFurthest || offset < -celigoFurthest {
		return v, errCeligoHelper
	}
	if v.offset += int64(offset); v.offset > celigoFurthest || v.offset < -celigoFurthest {
		return v, errCeligoHelper
	}
	return v, nil
}

// celigoText is a helper of one text, for which function is ours.
func celigoText(function string, args []value) (value, error) {
	if len(args) != 1 {
		return value{}, errCeligoHelper
	}
	operand, ok := args[0].operand()
	if !ok {
		return value{}, errCeligoHelper
	}
	return actionValue(function + " " + operand), nil
}

// celigoBase64 is {{base64Encode text format}}.
func celigoBase64(args []value) (value, error) {
	function := map[string]string{"": "base64", "utf8": "base64", "hex": "hex"}[strings.ToLower(celigoArg(args, 1))]
	if len(args) == 0 || len(args) > 2 || function == "" {
		return value{}, errCeligoHelper
	}
	return celigoText(function, args[:1])
}

// celigoJoin is {{join separator text …}}.
func celigoJoin(args []value) (value, error) {
	if len(args) < 2 || len(args[0].pieces) != 1 || len(args[0].pieces[0].text) > longestName {
		return value{}, errCeligoHelper
	}
	var v value
	for i, arg := range args[1:] {
		if arg.form != noTime {
			return v, errCeligoHelper
		}
		if i > 0 {
			v.pieces = append(v.pieces, args[0].pieces[0])
		}
		v.pieces = append(v.pieces, arg.pieces...)
	}
	return v, nil
}
