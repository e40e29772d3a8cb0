package main

import (
	"strings"
	"testing"
)

func TestWrappedLinesHangAndKeepTheirWords(t *testing.T) {
	const table = `config   ok       https://api.example.com
config   warning  Payload: has no exp: whoever gets hold of a token can use it for ever
                  -> set Lifetime, or add exp to Payload
verdict  ok       a-word-that-is-longer-than-the-whole-terminal-is-wide
tls      skipped
`
	const want = `config   ok       https://api.example.com
config   warning  Payload: has no exp: whoever
                  gets hold of a token can use
                  it for ever
                  -> set Lifetime, or add exp
                     to Payload
verdict  ok      
                  a-word-that-is-longer-than-the-whole-terminal-is-wide
tls      skipped
`
	got := wrapLines(table, 46, afterColumns(3))
	if strings.ReplaceAll(got, " \n", "\n") != strings.ReplaceAll(want, " \n", "\n") && got != strings.Replace(want, "ok      \n                  a-word", "ok       a-word", 1) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if a, b := strings.Fields(got), strings.Fields(table); strings.Join(a, " ") != strings.Join(b, " ") {
		t.Errorf("the words are %q; want %q", a, b)
	}
	if wide := wrapLines(table, 200, afterColumns(3)); wide != table {
		t.Errorf("a wide terminal gives\n%s\nwant the table as it is", wide)
	}
}

func TestColoursTakeNoColumns(t *testing.T) {
	line := red + "error" + plain + "    shop: Secret: is empty and has to be set\n"
	want := red + "error" + plain + "    shop: Secret: is empty\n         and has to be set\n"
	if got := wrapLines(line, 34, afterColumns(2)); got != want {
		t.Errorf("got %q; want %q", got, want)
	}
}

func TestANarrowTerminalGetsLinesAllTheSame(t *testing.T) {
	for width := range 30 {
		got := wrapLines("config   warning  some words of a text\n", width, afterColumns(3))
		if words := strings.Fields(got); len(words) != 7 {
			t.Errorf("%d columns: the words are %q; want all of them", width, words)
		}
	}
}
