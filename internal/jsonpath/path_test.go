package jsonpath

import (
	"encoding/json"
	"strings"
	"testing"
)

// decoded is a document as responses are decoded.
func decoded(t testing.TB, text string) any {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		t.Fatalf("%.60s: %v", text, err)
	}
	return v
}

func TestSelectors(t *testing.T) {
	const shop = `{"items":[{"id":1,"price":8.95,"tags":["a","b"]},{"id":2,"price":12,"tags":[]},{"id":3}],"open":true}`
	const list = `["a","b","c","d","e","f","g"]`
	for _, tt := range []struct{ section, path, document, want string }{
		{"2.2", "$", `7`, `[7]`},
		{"2.3.1", "$.open", shop, `[true]`},
		{"2.3.1", "$['open']", shop, `[true]`},
		{"2.3.1", `$["open"]`, shop, `[true]`},
		{"2.3.1", "$.closed", shop, `[]`},
		{"2.3.1", "$.items.id", shop, `[]`},
		{"2.3.1", `$['a\'b']`, `{"a'b":1}`, `[1]`},
		{"2.3.1", `$["a\"b"]`, `{"a\"b":1}`, `[1]`},
		{"2.3.1", `$['\u00fc\/\\\t']`, `{"ü/\\\t":1}`, `[1]`},
		{"2.3.1", `$['\uD83D\uDE00']`, `{"😀":1}`, `[1]`},
		{"2.3.1", `$['a.b']['..']['$']`, `{"a.b":{"..":{"$":1}}}`, `[1]`},
		{"2.3.2", "$[*]", `{"b":1,"a":[2]}`, `[[2],1]`},
		{"2.3.2", "$.items[*].id", shop, `[1,2,3]`},
		{"2.3.2", "$[*,*]", `[1,2]`, `[1,2,1,2]`},
		{"2.3.2", "$.*", `"text"`, `[]`},
		{"2.3.3", "$[1]", list, `["b"]`},
		{"2.3.3", "$[-2]", list, `["f"]`},
		{"2.3.3", "$[7]", list, `[]`},
		{"2.3.3", "$[-8]", list, `[]`},
		{"2.3.3", "$[0]", `{"0":1}`, `[]`},
		{"2.3.4", "$[1:3]", list, `["b","c"]`},
		{"2.3.4", "$[5:]", list, `["f","g"]`},
		{"2.3.4", "$[1:5:2]", list, `["b","d"]`},
		{"2.3.4", "$[5:1:-2]", list, `["f","d"]`},
		{"2.3.4", "$[::-1]", `[1,2,3]`, `[3,2,1]`},
		{"2.3.4", "$[-2:]", list, `["f","g"]`},
		{"2.3.4", "$[:-5]", list, `["a","b"]`},
		{"2.3.4", "$[::0]", list, `[]`},
		{"2.3.4", "$[1:100]", `[1,2]`, `[2]`},
		{"2.5.1", "$['open','items'][0]['id']", shop, `[1]`},
		{"2.5.1", "$[0,2:4,-1]", list, `["a","c","d","g"]`},
		{"2.5.1", "$['code',*]", `{"reason":"slow"}`, `["slow"]`},
		{"2.5.1", "$[?@.a==1,?@.b==2]", `[{"b":2},{"a":1,"b":2}]`, `[{"a":1,"b":2},{"b":2},{"a":1,"b":2}]`},
		{"2.5.2", "$..id", shop, `[1,2,3]`},
		{"2.5.2", "$..[0]", `[[1,2],[3]]`, `[[1,2],1,3]`},
		{"2.5.2", "$..*", `{"a":[1]}`, `[[1],1]`},
		{"2.5.2", "$..a..b", `{"a":{"a":{"b":1}}}`, `[1,1]`},
		{"2.5.2", "$..null", `{"a":{"null":1}}`, `[1]`},
		{"2.3.5.1", "$.items[?@.price]", shop, `[{"id":1,"price":8.95,"tags":["a","b"]},{"id":2,"price":12,"tags":[]}]`},
		{"2.3.5.1", "$.items[?!@.price].id", shop, `[3]`},
		{"2.3.5.1", "$[?@.a]", `[{"a":null},{"a":false},{}]`, `[{"a":null},{"a":false}]`},
		{"2.3.5.1", "$.items[?@.tags[*]].id", shop, `[1]`},
		{"2.3.5.1", "$.items[?@.tags[?@=='b']].id", shop, `[1]`},
		{"2.3.5.1", "$[?@>1]", `{"a":1,"b":2}`, `[2]`},
		{"2.3.5.1", "$[?@.a==1||@.b==1&&@.c==1]", `[{"a":1},{"b":1},{"b":1,"c":1}]`, `[{"a":1},{"b":1,"c":1}]`},
		{"2.3.5.1", "$[?(@.a==1||@.b==1)&&@.c==1]", `[{"a":1},{"b":1,"c":1}]`, `[{"b":1,"c":1}]`},
		{"2.3.5.1", "$[?!@.a&&@.b||@.c]", `[{"a":1,"c":1},{"a":1,"b":1},{"b":1}]`, `[{"a":1,"c":1},{"b":1}]`},
		{"2.3.5.1", "$[?!(@.a==1)]", `[{"a":1},{"a":2},{}]`, `[{"a":2},{}]`},
		{"2.3.5.2.2", "$[?@.a==@.b]", `[{},{"a":1},{"a":1,"b":1.0},{"a":"1","b":1}]`, `[{},{"a":1,"b":1.0}]`},
		{"2.3.5.2.2", "$[?@.a!=@.b]", `[{},{"a":null},{"a":1,"b":1.0}]`, `[{"a":null}]`},
		{"2.3.5.2.2", "$[?@.a<=@.b]", `[{},{"a":1},{"a":"x","b":"x"},{"a":2,"b":1}]`, `[{},{"a":"x","b":"x"}]`},
		{"2.3.5.2.2", "$[?@.a>=@.b]", `[{"a":true,"b":false},{"a":[1],"b":[2]},{"a":[1],"b":[1.0]},{"a":null,"b":null}]`, `[{"a":[1],"b":[1.0]},{"a":null,"b":null}]`},
		{"2.3.5.2.2", "$[?@.a>@.b]", `[{"a":{},"b":[]},{"a":true,"b":false},{"a":[2],"b":[1]},{"a":2,"b":"1"},{"a":2,"b":1}]`, `[{"a":2,"b":1}]`},
		{"2.3.5.2.2", "$[?@<'b']", `["a","b","B","é",1,null,["a"]]`, `["a","B"]`},
		{"2.3.5.2.2", "$[?@==null]", `[null,0,"",false,{}]`, `[null]`},
		{"2.3.5.2.2", "$[?@==-0]", `[0,0.0,-0,1]`, `[0,0.0,-0]`},
		{"2.3.5.2.2", "$[?@==1E2]", `[100,1e2,"100"]`, `[100,1e2]`},
		{"2.3.5.2.2", "$[?@==0E1]", `[0,1]`, `[0]`},
		{"2.3.5.2.2", "$[?@==9007199254740993]", `[9007199254740992,9007199254740993]`, `[9007199254740993]`},
		{"2.3.5.2.2", "$[?@>=12345678901234567890123]", `[12345678901234567890123,1]`, `[12345678901234567890123]`},
		{"2.3.5.2.2", "$[?@.a==@.b]", `[{"a":{"x":[1,{}]},"b":{"x":[1.0,{}]}},{"a":{"x":1},"b":{"y":1}}]`, `[{"a":{"x":[1,{}]},"b":{"x":[1.0,{}]}}]`},
		{"2.3.5.2.2", `$[?@.a=="\uD83D\uDE00"]`, `[{"a":"😀"}]`, `[{"a":"😀"}]`},
		{"2.3.5.2.2", "$[?1==@.null]", `[{"null":1},{"null":2}]`, `[{"null":1}]`},
		{"2.3.5.2.2", "$[?@['a']['b'][-1]=='x == @.y && 1']", `[{"a":{"b":["x == @.y && 1"]}}]`, `[{"a":{"b":["x == @.y && 1"]}}]`},
		{"2.4.4", "$[?length(@.m)==4].m", `[{"m":"grün"},{"m":[1,2,3,4]},{"m":{"a":1}},{"m":1234}]`, `["grün",[1,2,3,4]]`},
		{"2.4.4", "$[?length(@)==1]", `["😀","é","ab"]`, `["😀","é"]`},
		{"2.4.4", "$[?length(@.a)==length(@.b)]", `[{},{"a":"x","b":[0]}]`, `[{},{"a":"x","b":[0]}]`},
		{"2.4.5", "$[?count(@.*)>1]", `[[1],[1,2],{"a":1,"b":2}]`, `[[1,2],{"a":1,"b":2}]`},
		{"2.4.5", "$[?count(@..x)==2]", `[{"x":{"x":1}},{"x":1}]`, `[{"x":{"x":1}}]`},
		{"2.4.5", "$[?count(@.a)==0]", `[{},{"a":1}]`, `[{}]`},
		{"2.4.5", "$[?count(@[?@.n>1])==1]", `[[{"n":1},{"n":2}],[{"n":1}]]`, `[[{"n":1},{"n":2}]]`},
		{"2.4.6", "$[?match(@,'a.c')]", `["abc","abcd","a\nc","a\rc","äabc"]`, `["abc"]`},
		{"2.4.6", "$[?match(@,'quota|rate limit')]", `["no rate limit","rate limit","quotas"]`, `["rate limit"]`},
		{"2.4.6", `$[?match(@,'a\\.b')]`, `["a.b","axb"]`, `["a.b"]`},
		{"2.4.6", "$[?!match(@.m,'x')]", `[{"m":"x"},{"m":1},{}]`, `[{"m":1},{}]`},
		{"2.4.7", "$[?search(@,'[Rr]ate')]", `["the rate","quota",["rate"]]`, `["the rate"]`},
		{"2.4.7", "$[?search(@,'a.b')]", `["a\nb","xaübx"]`, `["xaübx"]`},
		{"2.4.8", "$[?value(@..code)=='rate']", `[{"x":{"code":"rate"}},{"code":"rate","y":{"code":"rate"}}]`, `[{"x":{"code":"rate"}}]`},
		{"2.4.8", "$[?length(value(@..code))==4]", `[{"x":{"code":"rate"}}]`, `[{"x":{"code":"rate"}}]`},
		{"2.1.1", "$ [ 'items' ] [ 0 ] .id", shop, `[1]`},
		{"2.1.1", "$.items\n.*\n..id", shop, `[1,2,3]`},
		{"2.1.1", "$.items[ ?\t@ .id\n== 2\r|| ( @ [ 'id' ] == @ [ \"id\" ] && ! @.price ) ].id", shop, `[2,3]`},
		{"2.1.1", "$[ 1 : 3 : 1 , 0 ]", `[1,2,3]`, `[2,3,1]`},
		{"2.1.1", "$[?count( @.* ) == 1 && match( @[0] , 'x' )]", `[["x"],["y"]]`, `[["x"]]`},
		{"", "items[0].id", shop, `[1]`},
		{"", "[0]", `[1]`, `[1]`},
		{"", "..id", shop, `[1,2,3]`},
		{"", "error.retry-after", `{"error":{"retry-after":3}}`, `[3]`},
		{"", "errors[*].retry-after", `{"errors":[{"retry-after":3}]}`, `[3]`},
		{"", "$..retry-after", `[{"retry-after":3}]`, `[3]`},
		{"", "errors[?@.retry-after > 1.5].@type", `{"errors":[{"retry-after":2,"@type":"t"}]}`, `["t"]`},
		{"", "a.5xx.dc:title", `{"a":{"5xx":{"dc:title":1}}}`, `[1]`},
	} {
		path, err := Compile(tt.path)
		if err != nil {
			t.Errorf("RFC 9535, %s: Compile(%q): %v", tt.section, tt.path, err)
			continue
		}
		nodes, ok := path.Select(t.Context(), decoded(t, tt.document))
		if nodes == nil {
			nodes = []any{}
		}
		got, err := json.Marshal(nodes)
		if want, _ := json.Marshal(decoded(t, tt.want)); err != nil || string(got) != string(want) || !ok {
			t.Errorf("RFC 9535, %s: %s selects %s in %s, want %s", tt.section, tt.path, got, tt.document, want)
		}
	}
}

func TestWhatIsNoPathIsRefused(t *testing.T) {
	for _, tt := range []struct{ path, want string }{
		{"", "not a JSONPath"},
		{"$ ", "not a JSONPath"},
		{"$.", "not a JSONPath"},
		{"$. a", "not a JSONPath"},
		{"a b", "not a JSONPath"},
		{"$...a", "not a JSONPath"},
		{"$.a..", "not a JSONPath"},
		{"$[01]", "not a JSONPath"},
		{"$[-0]", "not a JSONPath"},
		{"$[9007199254740992]", "not a JSONPath"},
		{"$[12345678901234567890]", "not a JSONPath"},
		{"$['a", "not a JSONPath"},
		{"$['a\x01b']", "not a JSONPath"},
		{`$['\x41']`, "not a JSONPath"},
		{`$['\uD83D']`, "not a JSONPath"},
		{`$["\'"]`, "not a JSONPath"},
		{"$[]", "not a JSONPath"},
		{"$[a]", "not a JSONPath"},
		{"$[(@.length-1)]", "not a JSONPath"},
		{"$[?'a']", "not a JSONPath"},
		{"$[?true]", "not a JSONPath"},
		{"$[?@.*==1]", "not a JSONPath"},
		{"$[?@..a==1]", "not a JSONPath"},
		{"$[?@[0,1]==1]", "not a JSONPath"},
		{"$[?!@.a==1]", "not a JSONPath"},
		{"$[?@.a=1]", "not a JSONPath"},
		{"$[?@.a= =1]", "not a JSONPath"},
		{"$[?@.a=~'x']", "not a JSONPath"},
		{"$[?@.a==1==@.b]", "not a JSONPath"},
		{"$[?@.a==1.e1]", "not a JSONPath"},
		{"$[?@.a==1 .e1]", "not a JSONPath"},
		{"$[?@.a==1e--1]", "not a JSONPath"},
		{"$[?@.a==01]", "not a JSONPath"},
		{"$[?@.a & & @.b]", "not a JSONPath"},
		{"$[?length(@.a)]", "not a JSONPath"},
		{"$[?length (@.a)==1]", "not a JSONPath"},
		{"$[?length(@.*)==1]", "not a JSONPath"},
		{"$[?count(1)==1]", "not a JSONPath"},
		{"$[?match(@.a)]", "not a JSONPath"},
		{"$[?match(@.a,'x')==true]", "not a JSONPath"},
		{"$[?compare(@.a,'<',1,@)]", "not a JSONPath"},
		{"$[?charged(@.a,@)==1]", "not a JSONPath"},
		{"$[?" + strings.Repeat("(", 1000), "not a JSONPath"},
		{"foo$", "has $ elsewhere"},
		{"$[?@.a==$.b]", "has $ elsewhere"},
		{"$..a..b..c", "all levels more than twice"},
		{"$..*[?count(@..*)>value(@..a)]", "all levels more than twice"},
		{"$[?match(@.a,@.b)]", "pattern that comes from the body"},
		{"$[?search(@.a,value(@..b))]", "pattern that comes from the body"},
		{"$[?match(@.a,1)]", "pattern that is not a string"},
		{"$[?match(@.a,'(')]", "pattern that cannot be compiled"},
		{"$[?match(@.a,'a)|(b')]", "pattern that cannot be compiled"},
		{"$[?search(@.a,'x{200}')]", "pattern that is too expensive"},
		{"$[?@.b && @[?search(@.a,'(?:a?){90}a{90}')]]", "pattern that is too expensive"},
	} {
		_, err := Compile(tt.path)
		if e, ok := err.(*Error); !ok || !strings.Contains(e.Problem, tt.want) || e.Hint == "" {
			t.Errorf("Compile(%q): %v, want an *Error with %q and a hint", tt.path, err, tt.want)
		}
	}
}

// What is accepted is evaluated without a panic. Names after a dot may need brackets; all else that RFC 9535 refuses is refused.
func FuzzCompile(f *testing.F) {
	for _, path := range append(costly, "$.items[?@.price>=8.95 && !(@.tags[-1]=='b')].id", "error.retry-after", "$[1:5:2,'a']",
		"$[?match(@.a, 'a.c|d') || length(value(@..b)) == 1e3]", `["\u00fc\uD83D\uDE00"]`, "$[? @ [ 'a' ] == null ]") {
		f.Add(path, `{"items":[{"id":1,"price":8.95,"tags":["a","b"]}],"a":[1,[2,{"b":"x"}]],"error":{"retry-after":null}}`)
	}
	f.Fuzz(func(t *testing.T, text, document string) {
		path, err := Compile(text)
		if e, ok := err.(*Error); err != nil && (!ok || e.Problem == "" || e.Hint == "") {
			t.Fatalf("Compile(%q): %v, want an *Error with a hint", text, err)
		}
		var v any
		d := json.NewDecoder(strings.NewReader(document))
		d.UseNumber()
		if err != nil || d.Decode(&v) != nil {
			return
		}
		e := evaluation{left: steps / 10, err: t.Context().Err}
		if nodes := e.query(path.query, v); len(nodes) > steps || e.stopped && nodes != nil {
			t.Errorf("%q selects %d nodes", text, len(nodes))
		}
	})
}
