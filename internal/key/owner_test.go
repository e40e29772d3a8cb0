package key

import (
	"crypto/x509"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/seed-363d07a3/jwtbearer/internal/key/keytest"
)

// Files that have a key in them say whom it is for, each in its own words.
func TestLoadSaysWhomAKeyIsFor(t *testing.T) {
	text := armour("PRIVATE KEY", keytest.Must(x509.MarshalPKCS8PrivateKey(keytest.Made().RSA)))
	quoted := string(keytest.Must(json.Marshal(text)))
	for name, test := range map[string]struct{ file, kid, id, email string }{
		"service account": {`{"type":"service_account","private_key_id":"k1","private_key":%s,"client_email":"a@b.example","client_id":"17"}`, "k1", "17", "a@b.example"},
		"Box":             {`{"boxAppSettings":{"clientID":"c1","clientSecret":"s","appAuth":{"publicKeyID":"k2","privateKey":%s,"passphrase":""}},"enterpriseID":"1"}`, "k2", "c1", ""},
		"Zitadel":         {`{"type":"serviceaccount","keyId":"k3","key":%s,"userId":"u3"}`, "k3", "u3", ""},
		"Yandex":          {`{"id":"x","key_id":"k4","service_account_id":"sa4","private_key":%s}`, "k4", "sa4", ""},
		"neither":         {`{"private_key":%s}`, "", "", ""},
		"beside it":       {`{"a":{"client_id":"not this"},"b":{"private_key":%s}}`, "", "", ""},
	} {
		got, err := Load(fmt.Appendf(nil, test.file, quoted), "", Options{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if got.KeyID != test.kid || got.ClientID != test.id || got.ClientEmail != test.email {
			t.Errorf("%s: kid %q, client %q, %q; want %q, %q, %q", name, got.KeyID, got.ClientID, got.ClientEmail, test.kid, test.id, test.email)
		}
	}
}
