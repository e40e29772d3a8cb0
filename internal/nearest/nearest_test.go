package nearest

import (
	"strings"
	"testing"
)

func TestNameFindsWhatWasMeant(t *testing.T) {
	known := []string{"issuer", "keyFingerprint", "now", "nowMillis", "uuid", "a"}
	tests := []struct{ name, want string }{
		{"isuer", "issuer"},
		{"isseur", "issuer"},
		{"ISSUER", "issuer"},
		{"keyFingerPrint", "keyFingerprint"},
		{"nowmilis", "nowMillis"},
		{"uiud", "uuid"},
		{"subject", ""},
		{"printf", ""},
		{"", "a"},
		{strings.Repeat("x", 1000), ""},
	}
	for _, tt := range tests {
		if got := Name(tt.name, known); got != tt.want {
			t.Errorf("Name(%.20q) = %q, want %q", tt.name, got, tt.want)
		}
	}
	if got := Name("x", []string{strings.Repeat("x", 1000)}); got != "" {
		t.Errorf("Name among names of 1000 letters = %q, want none", got)
	}
}
