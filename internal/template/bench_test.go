package template

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"testing"
	"time"
)

const sixClaims = `{"iss":"x","sub":"y","aud":"z","iat":"{{now}}","exp":"{{now 300}}","jti":"{{uuid}}"}`

func BenchmarkPayload(b *testing.B) {
	b.Run("template", func(b *testing.B) {
		x := mustObject(b, &Set{}, sixClaims, ScopeToken)
		e := &Env{Now: time.Unix(1700000000, 0)}
		dst := make([]byte, 0, 512)
		b.ReportAllocs()
		for b.Loop() {
			if _, err := x.Render(dst, e); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("encoding/json of a map", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			var u [16]byte
			rand.Read(u[:])
			claims := map[string]any{"iss": "x", "sub": "y", "aud": "z", "iat": int64(1700000000), "exp": int64(1700000300),
				"jti": fmt.Sprintf("%x-%x-%x-%x-%x", u[:4], u[4:6], u[6:8], u[8:10], u[10:])}
			if _, err := json.Marshal(claims); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkRequestValues(b *testing.B) {
	x := mustObject(b, &Set{}, `{"uris":["{{.Request.Method}} {{.Request.Host}}{{.Request.Path}}"],"qsh":"{{qsh}}"}`, ScopeToken)
	u := mustURL(b, "https://api.example.com/rest/api/2/issue?b=2&a=1&a=0")
	dst := make([]byte, 0, 512)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := x.Render(dst, &Env{Request: NewRequest("GET", u, "", "/rest", nil)}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCompileObject(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		mustObject(b, &Set{}, sixClaims, ScopeToken)
	}
}

func TestRenderingDoesNotAllocate(t *testing.T) {
	x := mustObject(t, testTemplates(), `{"iss":"{{.Fields.issuer}}","iat":"{{now}}","exp":"{{now 300}}","jti":"{{uuid}}","n":"{{randomHex 16}}",`+
		`"t":"{{.Token}}"}`, ScopeRequest)
	e := &Env{Now: time.Unix(1700000000, 0), Token: "t.o.k"}
	dst := make([]byte, 0, 512)
	if got := testing.AllocsPerRun(100, func() { x.Render(dst, e) }); got != 0 {
		t.Errorf("rendering into a buffer with room allocates %v times, want never", got)
	}
}
