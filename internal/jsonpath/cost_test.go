package jsonpath

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"testing"
)

// hostile are documents of 64 KiB, each the worst for some kind of path, nested as deep as responses may be.
func hostile(t testing.TB) map[string]any {
	repeat := strings.Repeat
	var keys strings.Builder
	for i := range 6500 {
		fmt.Fprintf(&keys, `"%x":1,`, i*7919%65536)
	}
	documents := map[string]any{}
	for name, text := range map[string]string{
		"wide":         "[" + repeat("1,", 32000) + "1]",
		"wide, deep":   repeat("[", 60) + repeat("1,", 32000) + "1" + repeat("]", 60),
		"many, deep":   "[" + repeat(repeat("[", 60)+repeat("]", 60)+",", 500) + "1]",
		"objects":      repeat(`{"a":`, 60) + "[" + repeat("1,", 32000) + "1]" + repeat("}", 60),
		"keys":         repeat(`{"a":`, 60) + "{" + keys.String() + `"m":1}` + repeat("}", 60),
		"long string":  repeat(`{"m":"x","a":`, 60) + `{"m":"` + repeat("a", 64000) + `"}` + repeat("}", 60),
		"long number":  repeat(`{"n":1,"a":`, 60) + `{"n":1.` + repeat("1", 64000) + `}` + repeat("}", 60),
		"slow numbers": "[" + repeat(`{"n":2.470328229206232720882843964341106861825299e-324},`, 1100) + "1]",
		"twins":        "[" + repeat("[[1,2,3],[1,2,3]],", 3600) + "1]",
	} {
		documents[name] = decoded(t, text)
	}
	return documents
}

// costly are paths that take the square of a document or more, each in a way of its own.
var costly = []string{
	"$..*..*", "$..[*,*,*,*]..*", "$..[::-1]..[0,0,0,0]", "$" + strings.Repeat("[*,*,*,*]", 20), "$..['a','m','a']..*",
	"$..[?@..*]", "$..[?count(@..*)>5]", "$..[?value(@..*)==1]", "$..[?length(value(@..m))>5]", "$..[?@[0]==@[1]]", "$..*..[?@==@]",
	"$..*..[?@.a==@]", "$..*..[?@.n==1.5]", "$..*..[?@.n<@.n]", "$..*..[?length(@.m)>5]", "$..*..[?@.m<@.m]",
	"$..*..[?search(@.m,'(?:a?){20}a{20}b')]", "$..[?match(@.m,'(?:a?){20}a{20}b')]",
	"$..[?@" + strings.Repeat(".a", 500) + "==1]", "$..[?" + strings.Repeat("@.x==1||", 500) + "@.y]",
}

// What is not charged shows as memory: whatever walks a document on its own allocates.
func TestWorkIsBoundedWhateverPathAndDocument(t *testing.T) {
	spent := false
	for name, document := range hostile(t) {
		for _, text := range costly {
			path, err := Compile(text)
			if err != nil {
				t.Fatalf("Compile(%.60q): %v", text, err)
			}
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			nodes, ok := path.Select(t.Context(), document)
			runtime.ReadMemStats(&after)
			spent = spent || !ok
			if grew := after.TotalAlloc - before.TotalAlloc; grew > 96<<20 || len(nodes) > steps || !ok && nodes != nil {
				t.Errorf("%.60s in %q: %d MiB, %d nodes, %v; want at most 96 MiB, and no nodes where the budget is spent",
					text, name, grew>>20, len(nodes), ok)
			}
		}
	}
	if !spent {
		t.Error("no path spent its budget, so nothing was tested")
	}
}

// spentBy is how many steps a path takes.
func spentBy(t *testing.T, text string, document any) int {
	t.Helper()
	path, err := Compile(text)
	if err != nil {
		t.Fatal(err)
	}
	e := evaluation{left: steps, err: t.Context().Err}
	e.query(path.query, document)
	return steps - e.left
}

func TestEachKindOfWorkIsCharged(t *testing.T) {
	long := decoded(t, `[{"m":"`+strings.Repeat("a", 3200)+`","n":1.`+strings.Repeat("1", 3200)+`,"w":[`+strings.Repeat("1,", 3200)+`1]}]`)
	for _, tt := range []struct {
		cheap, dear string
		more        int
	}{
		{"$[0].w", "$[0].w[*]", 3200},
		{"$[0].w", "$[0].w[::2]", 3200},
		{"$[0].w", "$[0].w[?@]", 3200},
		{"$[0].w", "$[0]..x", 3200},
		{"$[?@.w]", "$[?@.w[*]]", 3200},
		{"$[?@.w]", "$[?count(@.w[*])>1]", 3200},
		{"$[?@.w]", "$[?value(@..x)==1]", 3200},
		{"$[?@.m==1]", "$[?@.m==@.m]", 100},
		{"$[?@.m<1]", "$[?@.m<@.m]", 100},
		{"$[?@.m==1]", "$[?length(@.m)==1]", 100},
		{"$[?@.m==1]", "$[?search(@.m,'b')]", 100},
		{"$[?@.n=='x']", "$[?@.n==1]", 400},
		{"$[?@.w=='x']", "$[?@.w==@.w]", 3200},
	} {
		if cheap, dear := spentBy(t, tt.cheap, long), spentBy(t, tt.dear, long); dear < cheap+tt.more {
			t.Errorf("%s takes %d steps, and %s %d, want at least %d more", tt.cheap, cheap, tt.dear, dear, tt.more)
		}
	}
}

func TestUsualPathsTakeLittleOfTheBudget(t *testing.T) {
	one := `{"code":"E%d","message":"The request was refused since the quota of this hour is used up","retry-after":30,"path":["a","b"]},`
	document := decoded(t, `{"errors":[`+strings.Repeat(one, 500)+`{"code":"rate","message":"rate limit"}],"error":{"code":7}}`)
	for _, text := range []string{
		"error.code", "errors[*].code", "errors[-1].code", "..code", "errors[?@.code=='rate'].message",
		"errors[?@.code=='rate'||@.code=='quota'&&@.retry-after>0]", "..[?@.code=='rate'].message",
		"errors[?search(@.message,'[Rr]ate limit|[Tt]oo many requests')].code", "..[?value(@..code)==7]",
	} {
		path, err := Compile(text)
		if err != nil {
			t.Fatal(err)
		}
		nodes, ok := path.Select(t.Context(), document)
		if got := spentBy(t, text, document); !ok || len(nodes) == 0 || got > steps/2 {
			t.Errorf("%s takes %d steps of %d in a usual body of 64 KiB and selects %d nodes", text, got, steps, len(nodes))
		}
	}
}

func TestTheContextEndsAnEvaluation(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	document := hostile(t)["wide"]
	path, err := Compile("$..*..*")
	if err != nil {
		t.Fatal(err)
	}
	e := evaluation{left: steps, err: ctx.Err}
	if e.query(path.query, document); !e.stopped || e.left < steps-2*asked-65000 {
		t.Errorf("after the end of the context, %d steps were taken (stopped: %v)", steps-e.left, e.stopped)
	}
	if _, ok := path.Select(ctx, decoded(t, `{"a":[1]}`)); !ok {
		t.Error("a small evaluation was ended by the context, want it done: what has arrived is still read")
	}
}

func BenchmarkSelectHostile(b *testing.B) {
	for name, document := range hostile(b) {
		for _, text := range costly {
			path, err := Compile(text)
			if err != nil {
				b.Fatal(err)
			}
			b.Run(fmt.Sprintf("%s/%.40s", name, text), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					path.Select(b.Context(), document)
				}
			})
		}
	}
}
