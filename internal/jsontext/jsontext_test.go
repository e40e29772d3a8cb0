package jsontext

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
)

func TestAppendKeepsOrderNumbersAndNesting(t *testing.T) {
	tests := []struct{ text, want string }{
		{`{"z":1,"a":{"y":[],"b":{}}}`, ""},
		{`[12345678901234567890123,1.10,1e3,-0,0.5E-7]`, ""},
		{` { "a" : [ 1 , true , null , false ] } `, `{"a":[1,true,null,false]}`},
		{`"<>&/\u2028é"`, "\"<>&/\u2028é\""},
		{`"\/\"\\\b\f\n\r\t\u001F\u0000\u007f"`, `"/\"\\\b\f\n\r\t\u001f\u0000` + "\x7f\""},
		{`"\uD83D\uDE00"`, `"😀"`},
		{`"\uDE00\uD83D"`, `"\ude00\ud83d"`},
		{`"\uD83Dx\uD83D\u0041"`, `"\ud83dx\ud83dA"`},
		{`"폰"`, ""}, // shares the first byte of surrogates
		{`{"":0}`, ""},
	}
	for _, tt := range tests {
		v, err := Parse(tt.text)
		if err != nil {
			t.Errorf("Parse(%s): %v", tt.text, err)
			continue
		}
		want := tt.want
		if want == "" {
			want = tt.text
		}
		if got := string(v.Append(nil)); got != want {
			t.Errorf("Parse(%s).Append = %s, want %s", tt.text, got, want)
		}
	}
}

func TestParseRefusesWithPosition(t *testing.T) {
	tests := []struct{ text, want string }{
		{``, "line 1, column 1: expected a value"},
		{`{"a":1} x`, "line 1, column 9: expected the end of the text"},
		{"{\n \"é\": 1,\n \"é\": 2}", `line 3, column 2: the name "é" occurs twice in one object`},
		{`{"o":[{"\u0061":1,"a":2}]}`, `line 1, column 19: the name "a" occurs twice in one object`},
		{`{"a":}`, "line 1, column 6: expected a value"},
		{`{"a" 1}`, "line 1, column 6: expected a colon"},
		{`{"a":1 "b":2}`, "line 1, column 8: expected a comma or }"},
		{`[1 2]`, "line 1, column 4: expected a comma or ]"},
		{`{a:1}`, "line 1, column 2: expected a member name in double quotes"},
		{`{"a":1,}`, "line 1, column 8: expected a member name in double quotes"},
		{`[1,]`, "line 1, column 4: expected a value"},
		{`01`, "line 1, column 1: a number that JSON does not know"},
		{`[1.]`, "line 1, column 2: a number that JSON does not know"},
		{`-`, "line 1, column 1: a number that JSON does not know"},
		{`1e+`, "line 1, column 1: a number that JSON does not know"},
		{`+1`, "line 1, column 1: expected a value"},
		{`"abc`, "line 1, column 1: a string without its closing quote"},
		{"\"a\nb\"", "line 1, column 3: a control character in a string must be escaped"},
		{`"\x"`, "line 1, column 2: an escape sequence that JSON does not know"},
		{`"\u12g4"`, "line 1, column 2: an escape sequence that JSON does not know"},
		{`"\u+123"`, "line 1, column 2: an escape sequence that JSON does not know"},
		{`"\`, "line 1, column 2: an escape sequence that JSON does not know"},
		{"\"é\xff\"", "line 1, column 3: not valid UTF-8"},
		{"\"\xed\xa0\x80\"", "line 1, column 2: not valid UTF-8"},
		{"[\x00]", "line 1, column 2: expected a value"},
		{"\ufeff{}", "line 1, column 1: expected a value"},
		{strings.Repeat("[", MaxDepth+1), "line 1, column 501: nested too deep"},
	}
	for _, tt := range tests {
		_, err := Parse(tt.text)
		bad, ok := errors.AsType[*SyntaxError](err)
		if !ok || bad.Error() != tt.want {
			t.Errorf("Parse(%.40q): %v, want %s", tt.text, err, tt.want)
		}
	}
}

func TestParseAcceptsMaxDepth(t *testing.T) {
	text := strings.Repeat("[", MaxDepth) + strings.Repeat("]", MaxDepth)
	if v, err := Parse(text); err != nil || string(v.Append(nil)) != text {
		t.Errorf("Parse of %d nested arrays: %v", MaxDepth, err)
	}
}

func TestSortComparesUTF16CodeUnits(t *testing.T) {
	text := `{"\ue000":1,"😀":2,"z":{"b":[{"d":1,"c":2}],"a":3},"":4,"\ud83d":5,"\uffff":6,"A":7}`
	want := "{\"\":4,\"A\":7,\"z\":{\"a\":3,\"b\":[{\"c\":2,\"d\":1}]},\"\\ud83d\":5,\"😀\":2,\"\ue000\":1,\"\uffff\":6}"
	v, err := Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	v.Sort()
	if got := string(v.Append(nil)); got != want {
		t.Errorf("sorted %s:\ngot  %s\nwant %s", text, got, want)
	}
}

// FuzzParse holds Parse against encoding/json: what it accepts is valid there, compact and stable, and what it refuses is
// invalid there, too, or has one of the faults that are ours to refuse.
func FuzzParse(f *testing.F) {
	for _, s := range []string{`{"a":[1,2.50,"\ud83d\u0000"],"b":{"a":null}}`, `[[]]`, `"\uD83D\uDE00"`, `{"a":1,"a":2}`, `-0.1e+5`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		v, err := Parse(text)
		if err != nil {
			bad := err.(*SyntaxError)
			ours := strings.Contains(bad.Problem, "twice") || strings.Contains(bad.Problem, "deep") || strings.Contains(bad.Problem, "UTF-8")
			if json.Valid([]byte(text)) && !ours {
				t.Fatalf("Parse(%q): %v, but encoding/json accepts it", text, err)
			}
			return
		}
		out := v.Append(nil)
		var compact bytes.Buffer
		if err := json.Compact(&compact, out); err != nil || compact.String() != string(out) {
			t.Fatalf("Parse(%q).Append = %s: not compact JSON: %v", text, out, err)
		}
		if again, err := Parse(string(out)); err != nil || string(again.Append(nil)) != string(out) {
			t.Fatalf("%q: %s does not survive a second reading: %v", text, out, err)
		}
	})
}
