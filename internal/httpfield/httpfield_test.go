package httpfield

import (
	"net/textproto"
	"reflect"
	"testing"
)

func TestNamesAreTokensAndCanonicalWhereNetHTTPLeavesThem(t *testing.T) {
	for name, want := range map[string]bool{
		"": false, "X-Api-Key": true, "x": true, "a_b!#$%&'*+.^`|~9": true, "a b": false, "a\n": false, "a:": false, "é": false,
		"a(b": false, "a,b": false, "a\x00": false, "Host": true, "WWW-Authenticate": true, "-": true, "a\"b": false, "a/b": false,
	} {
		token, canonical := IsName(name)
		if token != want || IsToken(name) != want {
			t.Errorf("IsName(%q) = %v, IsToken = %v, want %v", name, token, IsToken(name), want)
		}
		if want := textproto.CanonicalMIMEHeaderKey(name) == name; token && canonical != want {
			t.Errorf("IsName(%q): canonical %v, want %v", name, canonical, want)
		}
	}
}

func TestValuesWithControlCharactersAreBroken(t *testing.T) {
	for value, want := range map[string]bool{
		"": false, "plain": false, "a\tb": false, "é \xff": false, "a\r\nb": true, "a\x00": true, "\x7f": true, "\x1f": true,
	} {
		if got := IsBrokenValue(value); got != want {
			t.Errorf("IsBrokenValue(%q) = %v, want %v", value, got, want)
		}
	}
}

func TestChallengesAreReadWithTheirParameters(t *testing.T) {
	for _, tt := range []struct {
		field string
		want  []Challenge
	}{
		{"", nil},
		{" , ", nil},
		{"Negotiate", []Challenge{{"Negotiate", map[string]string{}}}},
		{`Basic realm="a", Bearer error="invalid_token", error_description="it \"expired\", sorry"`, []Challenge{
			{"Basic", map[string]string{"realm": "a"}},
			{"Bearer", map[string]string{"error": "invalid_token", "error_description": `it "expired", sorry`}},
		}},
		{`Bearer Error = token , scope="a b"`, []Challenge{{"Bearer", map[string]string{"error": "token", "scope": "a b"}}}},
		{`Bearer realm="cut off`, []Challenge{{"Bearer", map[string]string{"realm": "cut off"}}}},
		{`Bearer realm="cut off\`, []Challenge{{"Bearer", map[string]string{"realm": `cut off\`}}}},
		{`Bearer realm=`, []Challenge{{"Bearer", map[string]string{"realm": ""}}}},
		{`realm="x", Bearer`, nil},
	} {
		if got := Challenges(tt.field); !reflect.DeepEqual(got, tt.want) {
			t.Errorf("Challenges(%s) = %v, want %v", tt.field, got, tt.want)
		}
	}
}

// FuzzChallenges promises an end and no panic for every field, and schemes that are words.
func FuzzChallenges(f *testing.F) {
	f.Add(`Basic realm="a", Bearer error="invalid_token"`)
	f.Add(`Bearer a="\`)
	f.Add("=,= =")
	f.Fuzz(func(t *testing.T, field string) {
		for _, c := range Challenges(field) {
			if c.Scheme == "" || c.Params == nil {
				t.Errorf("Challenges(%q) has a challenge without a scheme: %v", field, c)
			}
		}
	})
}
