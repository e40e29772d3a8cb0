package response

import (
	"runtime"
	"slices"
	"strings"
	"testing"
)

func TestElementPaths(t *testing.T) {
	const text = `<r xmlns:n="urn:n"><a id="1"><b>x</b><b>y</b><c k="'/"/></a><a id="2"><b>z</b></a><d><a id="3"><b/></a></d><n:e>q</n:e></r>`
	document, ok := decodeXML([]byte(text))
	if !ok {
		t.Fatal("the document cannot be decoded")
	}
	for _, tt := range []struct {
		path string
		want []string
	}{
		{"/r/a/@id", []string{"1", "2"}},
		{"r/a/@id", []string{"1", "2"}},
		{"./r/a/@id", []string{"1", "2"}},
		{"//a/@id", []string{"1", "2", "3"}},
		{"//a//b", []string{"x", "y", "z", ""}},
		{"/r//b", []string{"x", "y", "z", ""}},
		{"//d//", []string{"", ""}},
		{"/r/*/b", []string{"x", "y", "z"}},
		{"//b/../@id", []string{"1", "2", "3"}},
		{"//b/../../../r/n:e", []string{"q"}},
		{"/r/a[2]/b", []string{"z"}},
		{"/r/a[-1]/b", []string{"z"}},
		{"//a[b][c]/@id", []string{"1"}},
		{"//a[b='y']/b", []string{"x", "y"}},
		{"//a[@id='3']/@id", []string{"3"}},
		{"//b[text()='z']/../@id", []string{"2"}},
		{"//a[b][2]/@id", []string{"1"}},
		{`//c[@k="'/"]/../@id`, []string{"1"}},
		{"//*[local-name()='e']", []string{"q"}},
		{"//x", nil},
	} {
		path, err := compileElements(tt.path)
		if err != nil {
			t.Errorf("compileElements(%q): %v", tt.path, err)
			continue
		}
		if got, ok := path.in(document); !slices.Equal(got.texts, tt.want) || ok != (tt.want != nil) {
			t.Errorf("%s leads to %q (%v), want %q", tt.path, got.texts, ok, tt.want)
		}
	}
}

// Ways to an element are not counted, only elements: else each of these takes the square of a document, or more.
func TestElementPathsAreCheapWhateverTheBody(t *testing.T) {
	repeat := strings.Repeat
	for name, text := range map[string]string{
		"wide":   "<a>" + repeat("<a/>", 16000) + "</a>",
		"deep":   repeat("<a>", 60) + repeat("<b/>", 16000) + repeat("</a>", 60),
		"chains": "<r>" + repeat(repeat("<a>", 60)+repeat("</a>", 60), 150) + "</r>",
		"two":    "<r><a>" + repeat("<b/><c/>", 8000) + "</a></r>",
	} {
		document, ok := decodeXML([]byte(text))
		if !ok {
			t.Fatalf("%s cannot be decoded", name)
		}
		for _, expression := range []string{
			"//*//*//*", "//*/..//*", "*/*/../*/../*/../*", "//a[a][a][a]//a", "//a[b][c]/b", "//a/../../..//b", "//*/..[a][b]/..//@id",
			"//*[a='x'][b='y']//c",
		} {
			path, err := compileElements(expression)
			if err != nil {
				t.Fatal(err)
			}
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			path.in(document)
			runtime.ReadMemStats(&after)
			if grew := after.TotalAlloc - before.TotalAlloc; grew > 48<<20 {
				t.Errorf("%s in %q took %d MiB, want at most 48", expression, name, grew>>20)
			}
		}
	}
}
