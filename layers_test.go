package jwtbearer

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// layers are the packages of this module, those that know least first. A package imports only packages of layers above its own
// line; docs/architecture.md says what each is for.
var layers = []string{
	// what knows nothing of the others
	"internal/problem internal/httpfield internal/jsontext internal/nearest internal/waits internal/body internal/media internal/renew internal/regex internal/key/sealed internal/demoapi",
	"internal/jsonpath internal/foreign internal/pace internal/key/text internal/key/pbe internal/key/check",
	"internal/key/pkcs8",
	// mechanisms
	"internal/template internal/jws internal/origin internal/dial internal/place internal/redact internal/skew internal/key/pfx internal/key/ppk internal/key/sshkey internal/key/jwk",
	"internal/response internal/response/responsetest internal/key internal/key/keytest",
	"internal/throttle internal/grant internal/diagnose",
	// settings and orchestration
	".",
	"schema tokensource verify jwtbearertest importer internal/schemagen",
	"connfile",
	"cmd/jwtbearer examples/github-app examples/hello examples/pipedrive-panel examples/quickstart examples/trello-powerup",
}

func TestImportsGoDownOnly(t *testing.T) {
	out, err := exec.Command("go", "list", "-f", `{{.ImportPath}} {{join .Imports " "}}`, "./...").Output()
	if err != nil {
		t.Fatal(err)
	}
	const module = "github.com/seed-363d07a3/jwtbearer"
	level := make(map[string]int)
	for i, line := range layers {
		for name := range strings.FieldsSeq(line) {
			level[strings.TrimSuffix(module+"/"+name, "/.")] = i
		}
	}
	for line := range strings.Lines(string(out)) {
		fields := strings.Fields(line)
		own, ok := level[fields[0]]
		if !ok {
			t.Errorf("%s is in no layer: add it to this test and to docs/architecture.md", fields[0])
			continue
		}
		for _, imported := range slices.DeleteFunc(fields[1:], func(p string) bool { return p != module && !strings.HasPrefix(p, module+"/") }) {
			if level[imported] >= own {
				t.Errorf("%s imports %s, which does not stand below it", fields[0], imported)
			}
		}
	}
}
