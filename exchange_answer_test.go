package jwtbearer

import (
	"crypto"
	"crypto/elliptic"
	"errors"
	"io"
	"net/http"
	"testing"
	"testing/synctest"
	"time"
)

func TestLifeOfAnAccessToken(t *testing.T) {
	tests := []struct {
		members  string
		fallback time.Duration
		want     time.Duration // zero: until it is refused
	}{
		{`"expires_in":60`, 0, time.Minute},
		{`"expires_in":"60"`, time.Hour, time.Minute},
		{`"expires_in":60.5`, 0, 60500 * time.Millisecond},
		{`"expires_in":31536000`, 0, 365 * 24 * time.Hour},
		{`"expires_in":86400000`, 0, 24 * time.Hour}, // in milliseconds, by its size
		{`"expires_in":1e300`, 0, 100 * 365 * 24 * time.Hour},
		{`"expires_in":0`, 0, 0},
		{`"expires_in":-5`, time.Hour, time.Hour},
		{`"expires_in":"soon"`, time.Hour, time.Hour},
		{`"expires_in":null,"expires_at":"2000-01-01T00:30:00Z"`, time.Hour, 30 * time.Minute},
		{`"expires_at":"2000-01-01T02:30:00+02:00"`, 0, 30 * time.Minute},
		{`"expires_at":946686600`, 0, 30 * time.Minute},
		{`"expires_at":"946686600000"`, 0, 30 * time.Minute},
		{`"expires_at":"1999-12-31T00:00:00Z"`, 0, 0}, // read as it is not meant: a token that came has not expired
		{`"expires_in":60,"expires_at":"2000-01-01T00:30:00Z"`, 0, time.Minute},
		{`"n":1`, 0, 0},
	}
	for _, test := range tests {
		synctest.Test(t, func(t *testing.T) {
			f := &fakeIssuer{endpoint: issue(0, ","+test.members)}
			c := dialIssuer(t, f, func(conn *Connection) { conn.Exchange.ExpiresIn = test.fallback })
			began := time.Now()
			token, err := c.Token(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			got := time.Duration(0)
			if !token.Expiry.IsZero() {
				got = token.Expiry.Sub(began)
			}
			if got != test.want {
				t.Errorf("%s, else %v: the token lives %v, want %v", test.members, test.fallback, got, test.want)
			}
		})
	}
}

func TestExpiryIsReadByTheClockOfTheTokenEndpoint(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fakeIssuer{endpoint: always(func() *http.Response {
			resp := issued("at", `,"expires_at":"2000-01-01T02:00:00Z"`)
			resp.Header.Set("Date", "Sat, 01 Jan 2000 01:00:00 GMT")
			return resp
		})}
		began := time.Now()
		token, err := dialIssuer(t, f, nil).Token(t.Context())
		if err != nil || token.Expiry.Sub(began) != time.Hour {
			t.Errorf("Token = %+v, %v, want one that lives an hour from %v on", token, err, began)
		}
	})
}

func TestAnswerMayBeAForm(t *testing.T) {
	f := &fakeIssuer{endpoint: always(func() *http.Response {
		return fakeReply(200, "access_token=a%2Fb&token_type=bearer&expires_in=60", "Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	})}
	token, err := dialIssuer(t, f, nil).Token(t.Context())
	if err != nil || token.Value != "a/b" || token.Type != "Bearer" || time.Until(token.Expiry) > time.Minute {
		t.Errorf("Token = %+v, %v, want a/b for a minute", token, err)
	}
}

type brokenKey struct{ crypto.Signer }

func (brokenKey) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) {
	return nil, errors.New("the HSM is gone")
}

func TestReportOfAKeyThatCannotSign(t *testing.T) {
	f := &fakeIssuer{endpoint: issue(0, "")}
	c := dialIssuer(t, f, func(conn *Connection) {
		conn.SignatureMethod, conn.Secret, conn.Key = ES256, "", brokenKey{newECKey(t, elliptic.P256())}
	})
	report, err := c.Test(t.Context())
	if err == nil || report.Kind != KindBadKey || f.endpoint.count() != 0 {
		t.Errorf("Test = %v, %v after %d token requests, want %s and none", report, err, f.endpoint.count(), KindBadKey)
	}
}
