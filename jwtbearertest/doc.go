// Package jwtbearertest serves an API that wants tokens, for tests of code that calls one through package jwtbearer, or in any
// other way. It does what the vendor does and a test cannot ask for: it verifies, throttles, and fails.
//
//	func TestFetchOrdersOnABadDay(t *testing.T) {
//		srv := jwtbearertest.NewServer(t, jwtbearertest.Config{Profile: "google-cloud", Handler: ordersAPI()})
//		srv.Next(jwtbearertest.Throttle(200*time.Millisecond), jwtbearertest.Status(502), jwtbearertest.RefuseToken())
//
//		client, err := jwtbearer.NewClient(srv.Connection())
//		if err != nil {
//			t.Fatal(err)
//		}
//		if _, err := fetchOrders(t.Context(), client, "7"); err != nil { // the code under test
//			t.Error(err)
//		}
//		srv.AssertRequests(4)
//		srv.AssertFreshTokens()
//		srv.AssertAnswersUsed()
//	}
//
// A token that is not as it should be gets 401 and the reason, and a test that fails logs a table of the requests, with what was
// wrong with each. Tokens are verified by github.com/golang-jwt/jwt, not by the code that signs them. The file usage_test.go is
// a whole example.
//
// # The connection under test
//
// [Server.Connection] is one that works; a test changes what it is about. Code that builds its own takes the address and the key
// from it:
//
//	t.Setenv("API_URL", srv.URL)
//	t.Setenv("API_KEY", string(srv.Connection().PrivateKey)) // Method: jwtbearer.ES256
//
// Code that has a key gives the server Config.Key to verify with. Config.Handler is the API behind the verification.
//
// # Time
//
// In a bubble of testing/synctest waits take no time and are exact. There are no sockets in a bubble: set Config.InMemory.
//
//	synctest.Test(t, func(t *testing.T) {
//		srv := jwtbearertest.NewServer(t, jwtbearertest.Config{InMemory: true, Profile: "github", Handler: ordersAPI()})
//		srv.Next(jwtbearertest.Throttle(30 * time.Second))
//
//		conn := srv.Connection()
//		conn.RateLimit.Fixed = true // else the client also learns from the throttle to go slowly
//		...
//	})
//
// The clock of a bubble begins in 2000. Settings that read a time since 1970 without saying so (As: "auto") take that for a
// wait, since it is so small: let the test begin with a time.Sleep until after 2001.
//
// # Answers and faults
//
// [Server.Next] says what the next requests get: [Throttle], [Status], [Respond], [Redirect], [RefuseToken], [Slow], [SlowBody],
// [Reset], [ResetBody]; for certain requests by [Answer.On], several by [Answer.Times]. [Server.SetClockSkew] moves the clock of
// the server. Config.Limit is a real limit. What they come to in the end is [Server.Requests].
//
// # Exchange
//
// With Config.Exchange the server has a token endpoint too, and its API takes the access tokens that it gives out:
//
//	srv := jwtbearertest.NewServer(t, jwtbearertest.Config{Exchange: &jwtbearer.Exchange{Grant: "jwt-bearer"}})
//	srv.Next(jwtbearertest.Status(503).On("/token"))
//
// # Security
//
// Requests, tables and messages show no token but in [Request.Token], which does not print.
package jwtbearertest
