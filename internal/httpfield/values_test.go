package httpfield

import (
	"net/http"
	"slices"
	"strings"
	"testing"
)

func TestHeaderFieldsAreReadWithinBounds(t *testing.T) {
	long := strings.Repeat("x", MostBytes)
	tests := []struct {
		name        string
		lines, want []string
	}{
		{"none", nil, nil},
		{"one", []string{" a "}, []string{"a"}},
		{"an empty one", []string{""}, []string{""}},
		{"as many lines as are read", slices.Repeat([]string{"a"}, 64), slices.Repeat([]string{"a"}, 64)},
		{"more lines", slices.Repeat([]string{"a"}, 100_000), slices.Repeat([]string{"a"}, 64)},
		{"as long as is read", []string{long}, []string{long}},
		{"longer", []string{long + "x"}, []string{""}},
		{"a list", []string{strings.Repeat("1234567, ", 1000)}, []string{strings.TrimSuffix(strings.Repeat("1234567, ", 910), ", ")}},
		{"lines that are too long together", []string{long[1:], "12", "3"}, []string{long[1:], ""}},
		{"spaces", []string{strings.Repeat(" ", MostBytes) + "x"}, []string{""}},
	}
	for _, test := range tests {
		header := http.Header{"X-Field": test.lines}
		if got := Values(header, "X-Field"); !slices.Equal(got, test.want) {
			t.Errorf("%s: %d values of a field with %d lines, %.60q; want %d, %.60q", test.name, len(got), len(test.lines), got, len(test.want), test.want)
		}
		want := ""
		if len(test.lines) > 0 && len(test.lines[0]) <= MostBytes {
			want = test.lines[0]
		}
		if got := Value(header, "X-Field"); got != want {
			t.Errorf("%s: the value is %.60q; want %.60q", test.name, got, want)
		}
	}
}
