package jwtbearertest_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed-363d07a3/jwtbearer"
	"github.com/seed-363d07a3/jwtbearer/jwtbearertest"
)

// This file is what the tests of an integration look like. The code under test comes first.

// An order is what the API of this example has.
type order struct {
	ID    string `json:"id"`
	Total int    `json:"total"`
}

// connect reads the settings of the integration from its environment.
func connect() (*jwtbearer.Client, error) {
	return jwtbearer.NewClient(&jwtbearer.Connection{
		BaseURI:         os.Getenv("ORDERS_URL"),
		SignatureMethod: jwtbearer.ES256,
		PrivateKey:      jwtbearer.Secret(os.Getenv("ORDERS_KEY")),
		Payload:         `{"iss": "my-app", "aud": "orders", "jti": "{{uuid}}"}`,
		Lifetime:        time.Minute,
	})
}

// fetchOrders gets some orders, one after the other.
func fetchOrders(ctx context.Context, client *jwtbearer.Client, ids ...string) ([]order, error) {
	var orders []order
	for _, id := range ids {
		req, err := client.NewRequest(ctx, http.MethodGet, "/orders/"+id, nil)
		if err != nil {
			return nil, err
		}
		var o order
		if _, err := client.Do(req, &o); err != nil {
			return nil, err
		}
		orders = append(orders, o)
	}
	return orders, nil
}

// ordersAPI is the API behind the verification of tokens.
func ordersAPI() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /orders/{id}", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		json.NewEncoder(w).Encode(order{ID: r.PathValue("id"), Total: 42})
	})
	return mux
}

// TestFetchOrdersOnABadDay tests that the code gets over what happens.
func TestFetchOrdersOnABadDay(t *testing.T) {
	srv := jwtbearertest.NewServer(t, jwtbearertest.Config{Profile: "google-cloud", Handler: ordersAPI()})
	srv.Next(jwtbearertest.Throttle(200*time.Millisecond), jwtbearertest.Status(502), jwtbearertest.RefuseToken())

	client, err := jwtbearer.NewClient(srv.Connection())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fetchOrders(t.Context(), client, "7"); err != nil { // the code under test
		t.Error(err)
	}
	srv.AssertRequests(4)
	srv.AssertFreshTokens()
	srv.AssertAnswersUsed()
}

// TestFetchOrdersFromItsEnvironment tests the code as it runs: with an address and a key from the environment.
func TestFetchOrdersFromItsEnvironment(t *testing.T) {
	srv := jwtbearertest.NewServer(t, jwtbearertest.Config{
		Method: jwtbearer.ES256, Issuer: "my-app", Audience: "orders", MaxLifetime: 5 * time.Minute, Handler: ordersAPI(),
	})
	t.Setenv("ORDERS_URL", srv.URL)
	t.Setenv("ORDERS_KEY", string(srv.Connection().PrivateKey))
	client, err := connect()
	if err != nil {
		t.Fatal(err)
	}
	defer client.CloseIdleConnections()

	orders, err := fetchOrders(t.Context(), client, "a", "b")
	if err != nil || len(orders) != 2 || orders[1] != (order{ID: "b", Total: 42}) {
		t.Errorf("fetchOrders = %+v, %v; want orders a and b", orders, err)
	}
	srv.AssertRequests(2)
	srv.AssertFreshTokens()
	srv.AssertAll(func(r jwtbearertest.Request) error {
		if got := r.Claim("iss"); got != "my-app" {
			return fmt.Errorf("iss is %q, want my-app", got)
		}
		return nil
	})
}

// TestFetchOrdersWaitsAsTheAPIAsks tests what a vendor's API does on its bad days, in the time of a bubble: the half minute takes
// no time, and is exact.
func TestFetchOrdersWaitsAsTheAPIAsks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := jwtbearertest.NewServer(t, jwtbearertest.Config{InMemory: true, Profile: "github", Handler: ordersAPI()})
		srv.Next(
			jwtbearertest.Throttle(30*time.Second).On("GET /orders/b"),
			jwtbearertest.Status(http.StatusBadGateway).On("GET /orders/c"),
			jwtbearertest.RefuseToken().On("GET /orders/d"),
		)
		conn := srv.Connection()    // that of the integration, in which only the address and the key are other ones
		conn.RateLimit.Fixed = true // else the client also learns from the throttle to go slowly
		client, err := jwtbearer.NewClient(conn)
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		if _, err := fetchOrders(t.Context(), client, "a", "b", "c", "d"); err != nil {
			t.Error(err)
		}
		if took := time.Since(began); took < 30*time.Second || took > 31*time.Second {
			t.Errorf("fetchOrders took %v, want the 30 s that the API asked for and little more", took)
		}
		srv.AssertRequests(7)
		srv.AssertThrottled(1, 1)
		srv.AssertFreshTokens()
		srv.AssertAnswersUsed()
	})
}
