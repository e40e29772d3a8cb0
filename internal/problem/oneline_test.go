package problem

import (
	"strings"
	"testing"
)

func TestOneLineMakesAnyTextFitForAMessage(t *testing.T) {
	long := strings.Repeat("ä", MostLine)
	for text, want := range map[string]string{
		"":                          "",
		" a \n\tb ":                 "a b",
		"a\x1b[31m\x00b\u200b":      "a[31mb",
		"a\xffb":                    "a\ufffdb",
		long:                        long,
		long + "ä":                  long + "…",
		strings.Repeat("x ", 1<<20): strings.Repeat("x ", MostLine/2) + "…",
	} {
		if got := OneLine(text); got != want {
			t.Errorf("OneLine(%.40q) = %.400q, want %.400q", text, got, want)
		}
	}
}
