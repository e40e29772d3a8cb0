package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/seed-363d07a3/jwtbearer/verify"
)

// sample is the token in Trello's documentation of t.jwt(). It expired in 2020.
const sample = "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9.eyJpZFBsdWdpbiI6IjVlNjY3ODRjNjA2Y2IxMTYwYThmNWRjMCIsImlkQm9hcmQiOiI1ZTY2NzgxMTYwNmNiMTE2MGE4ZjViZjciLCJpZE1lbWJlciI6IjVlNjQ1ZGMyYzQyMDVlMTQxNjIxODQwNCIsInN0YXRlIjoidGVzdCIsImlhdCI6MTU4Mzg1ODY2OCwiZXhwIjoxNTgzODU5NTY4LCJpc3MiOiJ0cmVsbG8ifQ.GubnXxnGTN0-rk3hQL_BDMDYjh-cbKldpQNWBi5aIhxqiuPyVSE9grbBjk7DSU3nn8YT3GmqgLu0SUv4K-ir53GptEfRAN1_jRrMrLj5HNosteeqeQV18qK1v_Tg0EzLpJg29JF62dfrDwG-aYsdjMKAIDbY7gyWCyv8O7xsSdzj1mwiMXS2xbhNTIIatxKq6jiRV82lIHV6iCmir0_Gj4Xg1gbMLwG8FfijDmEQTpdXm6DdMsTmm_Ep-T-rFreSSIOF6Qq9Ee03EkkjHxzCqvWGZzU-bF6EVLU5oVdPs9V0_KOBcKsaoKgMaIsSgT5C1tVC_Am6YmFTUBtSDWg0AzGLn2-4dsL_mWfylSgNBqyANeVpFISZJaGNS5Zw8-lBzN3kO_0IvVWfF3ESaCDGra3rjEfphcnNWaVafGSsh2KftlZ_LWoc6lYTcTEow19IvfLU3R3f3Ywa3Gv7-WwQt0F2Npq6E4qGyQucmjy7-u4ns8KwAzP5sej23s6G1ni2utMiqOv1EPzyusR32bVhe7Ps0aANXgFIWlJtGo8rvJeSwrnXZodJx2L3GgY5WBMP271wgvQB-kOcAkf0uIP8WzAycEd8-voYBeB28KMIQatWpRngO4c-DexG4Wr1LAt4YmbyDZzxC4mQZah4kkxsx-0IxA06UhqqETAllVjtUIQ"

func TestSampleOfTheDocumentationFitsClaims(t *testing.T) {
	payload, err := base64.RawURLEncoding.DecodeString(strings.Split(sample, ".")[1])
	if err != nil {
		t.Fatal(err)
	}
	var got Claims
	d := json.NewDecoder(bytes.NewReader(payload))
	d.DisallowUnknownFields()
	if err := d.Decode(&got); err != nil {
		t.Fatal(err)
	}
	want := Claims{samplePlugin, sampleBoard, sampleMember, "test", 1583858668, 1583859568, "trello"}
	if got != want {
		t.Errorf("claims = %+v, want %+v", got, want)
	}
	if again, err := json.Marshal(got); err != nil || string(again) != string(payload) {
		t.Errorf("claims written again = %s, %v, want %s", again, err, payload)
	}
}

// published is a stand-in for Trello and the server of a Power-Up that fetches its keys.
func published(t *testing.T) (*trello, http.Handler) {
	t.Helper()
	vendor := &trello{}
	if err := vendor.rotate(); err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(vendor)
	t.Cleanup(srv.Close)
	return vendor, newServer(verify.PEMList(srv.URL, nil), samplePlugin)
}

func tokenOf(t *testing.T, s *trello, plugin string) string {
	t.Helper()
	token, err := s.token(plugin)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func call(server http.Handler, token string) *httptest.ResponseRecorder {
	r := httptest.NewRequest("POST", "/votes", nil)
	r.Header.Set("Authorization", "Bearer "+token)
	w := httptest.NewRecorder()
	server.ServeHTTP(w, r)
	return w
}

func TestServerAcceptsBothKeysDuringRotation(t *testing.T) {
	vendor, server := published(t)
	first := tokenOf(t, vendor, samplePlugin)
	if w := call(server, first); w.Code != 200 || !strings.Contains(w.Body.String(), sampleMember) {
		t.Errorf("with the first key: %d %s, want 200 and the member", w.Code, w.Body)
	}
	if err := vendor.rotate(); err != nil {
		t.Fatal(err)
	}
	for name, token := range map[string]string{"first": first, "next": tokenOf(t, vendor, samplePlugin)} {
		if w := call(server, token); w.Code != 200 {
			t.Errorf("with the %s key during rotation: %d %s, want 200", name, w.Code, w.Body)
		}
	}
}

func TestServerRefusesOthers(t *testing.T) {
	vendor, server := published(t)
	forger, _ := published(t)
	tests := []struct {
		name, token string
		want        int
	}{
		{"another Power-Up", tokenOf(t, vendor, "5e66784c606cb1160a8f5dc1"), 403},
		{"no Power-Up", tokenOf(t, vendor, ""), 403},
		{"a key that is not Trello's", tokenOf(t, forger, samplePlugin), 401},
		{"the sample of the documentation", sample, 401},
		{"nothing", "", 401},
	}
	for _, tt := range tests {
		if w := call(server, tt.token); w.Code != tt.want {
			t.Errorf("%s: %d %s, want %d", tt.name, w.Code, w.Body, tt.want)
		}
	}
}

func TestShow(t *testing.T) {
	var out strings.Builder
	if err := show(&out); err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"200", "200", "403", "401"} {
		line := strings.Split(out.String(), "\n")[i]
		if _, status, _ := strings.Cut(line, ":"); !strings.HasPrefix(strings.TrimSpace(status), want) {
			t.Errorf("line %d: %s, want %s", i+1, line, want)
		}
	}
}
