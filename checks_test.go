package jwtbearer

import (
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestDurationsWithoutAUnitAreRefused(t *testing.T) {
	for field, change := range map[string]func(*Connection, time.Duration){
		"Timeout":                 func(c *Connection, d time.Duration) { c.Timeout = d },
		"TokenReuse":              func(c *Connection, d time.Duration) { c.TokenReuse = d },
		"RateLimit.Interval":      func(c *Connection, d time.Duration) { c.RateLimit.Interval = d },
		"RateLimit.Limits[0].Per": func(c *Connection, d time.Duration) { c.RateLimit.Limits = []Limit{{Requests: 1, Per: d}} },
		"RateLimit.DefaultWait":   func(c *Connection, d time.Duration) { c.RateLimit.DefaultWait = d },
		"Retry.MinBackoff":        func(c *Connection, d time.Duration) { c.Retry.MinBackoff = d },
		"Retry.MaxElapsed":        func(c *Connection, d time.Duration) { c.Retry.MaxElapsed = d },
		"Exchange.ExpiresIn":      func(c *Connection, d time.Duration) { c.Exchange = exchangeWith(func(x *Exchange) { x.ExpiresIn = d }) },
		"Exchange.Next.ExpiresIn": func(c *Connection, d time.Duration) {
			c.Exchange = exchangeWith(func(x *Exchange) { x.Next = exchangeWith(func(n *Exchange) { n.ExpiresIn = d }) })
		},
		"Exchange.RateLimit.MaxWait": func(c *Connection, d time.Duration) {
			c.Exchange = exchangeWith(func(x *Exchange) { x.RateLimit.MaxWait = d })
		},
	} {
		for d, bad := range map[time.Duration]bool{1: true, 30: true, 999_999: true, time.Millisecond: false, 0: false} {
			bad = bad && (d > 1 || field != "Retry.MaxElapsed") // where it says that no time may pass
			c := validConnection()
			change(c, d)
			p := problemOf(c.Validate(), field)
			if got := p != nil && strings.Contains(p.Hint, "* time.Second?"); got != bad {
				t.Errorf("%s = %s: got %v; want it refused: %t", field, d, c.Validate(), bad)
			}
		}
	}
}

func exchangeWith(change func(*Exchange)) *Exchange {
	x := &Exchange{TokenURL: "https://login.example.com/token", Grant: "jwt-bearer"}
	change(x)
	return x
}

func TestGrantsThatAreNoneAreRefused(t *testing.T) {
	for name, hint := range map[string]string{"jwt_bearer": "did you mean jwt-bearer?", "JWT-Bearer": "did you mean jwt-bearer?", "jwtbearer": "did you mean jwt-bearer?",
		"client credentials": "did you mean client", "clientcredentials": "did you mean client", "bearer": "did you mean jwt-bearer?", "account_credentials": "set grant_type in Params",
		"foo": "use jwt-bearer or client-credentials"} {
		c := validConnection()
		c.Exchange = exchangeWith(func(x *Exchange) { x.Grant = name })
		if p := problemOf(c.Validate(), "Exchange.Grant"); p == nil || !strings.Contains(p.Hint, hint) {
			t.Errorf("%s: got %v; want a problem of Exchange.Grant whose hint says %q", name, c.Validate(), hint)
		}
	}
	for _, name := range []string{"jwt-bearer", "client-credentials", "client_credentials", "refresh_token", "urn:ietf:params:oauth:grant-type:jwt-bearer", "https://vendor.example/grant"} {
		c := validConnection()
		c.Exchange = exchangeWith(func(x *Exchange) { x.Grant, x.Bearer = name, true })
		if err := c.Validate(); err != nil {
			t.Errorf("%s: %v; want it taken", name, err)
		}
	}
}

func TestNoProblemHidesThatOfTheKey(t *testing.T) {
	weak := privatePEM(t, must(rsa.GenerateKey(rand.Reader, 1024)))
	ec := privatePEM(t, newECKey(t, elliptic.P256()))
	for name, test := range map[string]struct {
		change func(*Connection)
		fields []string
	}{
		"a weak key beside a Secret":           {func(c *Connection) { c.SignatureMethod, c.PrivateKey = RS256, weak }, []string{"PrivateKey", "Secret"}},
		"a key of another type":                {func(c *Connection) { c.SignatureMethod, c.PrivateKey = RS256, ec }, []string{"PrivateKey", "Secret"}},
		"no key beside a Secret":               {func(c *Connection) { c.SignatureMethod, c.PrivateKey = RS256, "no key" }, []string{"PrivateKey", "Secret"}},
		"a good key beside a Secret":           {func(c *Connection) { c.SignatureMethod, c.PrivateKey = ES256, ec }, []string{"Secret"}},
		"a Secret alone":                       {func(c *Connection) { c.SignatureMethod = ES256 }, []string{"Secret"}},
		"a bad key and an HMAC method":         {func(c *Connection) { c.PrivateKey = "no key" }, []string{"PrivateKey", "SignatureMethod"}},
		"a bad key, a short Secret, HMAC":      {func(c *Connection) { c.PrivateKey, c.Secret = "no key", "short" }, []string{"PrivateKey", "Secret", "SignatureMethod"}},
		"an unknown method, and no key either": {func(c *Connection) { c.SignatureMethod, c.PrivateKey = "XS256", "no key" }, []string{"PrivateKey", "SignatureMethod"}},
	} {
		c := validConnection()
		test.change(c)
		var fields []string
		for _, p := range configErrors(c.Validate()) {
			fields = append(fields, p.Field)
		}
		slices.Sort(fields)
		if !slices.Equal(fields, test.fields) {
			t.Errorf("%s: the problems are of %q; want %q:\n%v", name, fields, test.fields, c.Validate())
		}
	}
}

func TestEveryProblemOfATemplateIsTold(t *testing.T) {
	c := validConnection()
	c.Payload, c.JWTHeaders = `{"iss":"{{.Fields.missing}}","sub":"{{nosuch}}","exp":"{{now \"x\"}}"}`, `{"kid":"{{.Fields.none}}","x":"{{again}}"}`
	c.HTTPHeaders = map[string]string{"X-A": "{{.Fields.first}} and {{.Fields.second}}"}
	said := c.Validate().Error()
	for _, word := range []string{"missing", "nosuch", "at exp", "none", "again", "first", "second"} {
		if !strings.Contains(said, word) {
			t.Errorf("got %s; want all problems, of which one says %q", said, word)
		}
	}
}

func TestHeadersThatChangeWhatATokenIsAreRefused(t *testing.T) {
	for _, header := range []JSON{`{"b64":false}`, `{"b64":true}`, `{"crit":["b64"]}`, `{"crit":[]}`, `{"crit":"{{list .Fields.c}}"}`} {
		c := validConnection()
		c.JWTHeaders, c.Fields = header, map[string]string{"c": "exp"}
		if p := problemOf(c.Validate(), "JWTHeaders"); p == nil || !strings.Contains(p.Problem, "RFC 7") || p.Hint == "" {
			t.Errorf("%s: got %v; want a problem of JWTHeaders", header, c.Validate())
		}
	}
	c := validConnection()
	c.JWTHeaders = `{"b64":null,"crit":null}`
	if err := c.Validate(); err != nil {
		t.Errorf("null leaves a member out: %v", err)
	}
}

func TestAByteOrderMarkBeforeJSONIsIgnored(t *testing.T) {
	c := validConnection()
	c.Payload, c.JWTHeaders = "\ufeff"+`{"iss":"a"}`, "\ufeff"+`{"kid":"k"}`
	client, err := NewClient(c)
	if err != nil {
		t.Fatal(err)
	}
	if claims := payloadOf(t, must(client.Mint(t.Context(), nil))); claims != `{"iss":"a"}` {
		t.Errorf("the claims are %s; want those behind the mark", claims)
	}
}

func TestHintsNameWhatWasMeant(t *testing.T) {
	const hexKey = "a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8f90"
	for name, test := range map[string]struct {
		change func(*Connection)
		field  string
		hint   string
	}{
		"two parts as hex": {func(c *Connection) { c.Secret, c.SecretEncoding = "6489e0d4:"+hexKey, SecretHex }, "Secret", "after the colon"},
		"two parts as base64": {func(c *Connection) {
			c.Secret, c.SecretEncoding = "key-1.YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXoxMjM0NTY=", SecretBase64
		}, "Secret", "after the dot"},
		"no hex at all":         {func(c *Connection) { c.Secret, c.SecretEncoding = "no hex: at all", SecretHex }, "Secret", "change SecretEncoding"},
		"a host":                {func(c *Connection) { c.BaseURI = "demo.example.com" }, "BaseURI", "https://"},
		"a host with a path":    {func(c *Connection) { c.BaseURI = "demo.example.com/v1" }, "BaseURI", "https://"},
		"a host with a port":    {func(c *Connection) { c.BaseURI = "demo.example.com:8443/v1" }, "BaseURI", "https://"},
		"localhost":             {func(c *Connection) { c.BaseURI = "localhost:8080" }, "BaseURI", "https://"},
		"slashes before a host": {func(c *Connection) { c.BaseURI = "//demo.example.com" }, "BaseURI", "https://"},
		"a byte order mark":     {func(c *Connection) { c.BaseURI = "\ufeffhttps://demo.example.com" }, "BaseURI", "remove it"},
		"a part of a profile":   {func(c *Connection) { c.RateLimit.Profile = "google" }, "RateLimit.Profile", `did you mean "google-cloud"`},
		"another part":          {func(c *Connection) { c.RateLimit.Profile = "Shopify" }, "RateLimit.Profile", `did you mean "shopify-graphql"`},
		"a field with a minus":  {func(c *Connection) { c.Payload = `{"iss":"{{.Fields.a-b}}"}` }, "Payload", "a_b"},
	} {
		c := validConnection()
		test.change(c)
		p := problemOf(c.Validate(), test.field)
		if p == nil || !strings.Contains(p.Hint, test.hint) {
			t.Errorf("%s: got %v; want a hint of %s that says %q", name, c.Validate(), test.field, test.hint)
		} else if strings.Contains(p.Error(), hexKey[:8]) || strings.Contains(p.Error(), "6489e0d4") {
			t.Errorf("%s: %v shows the secret", name, p)
		}
	}
}
