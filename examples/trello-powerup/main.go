// Trello-powerup is the server behind a Power-Up of Trello. In the user's browser the Power-Up calls t.jwt() for a
// token that Trello signed with RS256, and sends it along with its requests to this server. Its claims say which
// Power-Up, board and member it is for, and it is good for a quarter of an hour. The keys are published as {"keys":
// ["-----BEGIN PUBLIC KEY-----…"]}, none with a kid: while Trello goes over from one to the next, there are two.
//
// All Power-Ups of all developers have tokens of the same keys. So a server asks of each whether it is for its own:
// idPlugin.
//
// Source: developer.atlassian.com/cloud/trello/power-ups/client-library/t-jwt/
//
// Without -addr it publishes keys of its own and makes the Power-Up's calls itself, so that it runs anywhere:
//
//	go run ./examples/trello-powerup
//	go run ./examples/trello-powerup -addr 127.0.0.1:8080 -plugin 5e66784c606cb1160a8f5dc0
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"log/slog"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/seed-363d07a3/jwtbearer"
	"github.com/seed-363d07a3/jwtbearer/verify"
)

func main() {
	log.SetFlags(0)
	addr := flag.String("addr", "", "the address to listen on; empty: show some calls and end")
	keys := flag.String("keys", "https://api.trello.com/1/resource/jwt-public-keys", "where the public keys are published")
	plugin := flag.String("plugin", "", "the id of the Power-Up")
	flag.Parse()
	if err := run(*addr, *keys, *plugin); err != nil {
		log.Fatal(err)
	}
}

func run(addr, keys, plugin string) error {
	if addr == "" {
		return show(os.Stdout)
	}
	if plugin == "" {
		return fmt.Errorf("-plugin is missing: the id of the Power-Up whose members may call")
	}
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	fmt.Printf("listening on http://%s\n", listener.Addr())
	srv := &http.Server{Handler: newServer(verify.PEMList(keys, nil), plugin), ReadHeaderTimeout: 10 * time.Second}
	return srv.Serve(listener)
}

// Claims are those of a token of t.jwt().
type Claims struct {
	IDPlugin string `json:"idPlugin"` // the Power-Up
	IDBoard  string `json:"idBoard"`  // the board that it is used on
	IDMember string `json:"idMember"` // who uses it
	State    string `json:"state"`    // what the Power-Up gave to t.jwt(), if anything, up to 2048 characters
	Issued   int64  `json:"iat"`      // in seconds
	Expiry   int64  `json:"exp"`
	Issuer   string `json:"iss"` // "trello"
}

// newServer is the server of the Power-Up.
func newServer(keys verify.KeySet, plugin string) http.Handler {
	verifier := &verify.Verifier{
		Keys:          keys,
		Methods:       []jwtbearer.SignatureMethod{jwtbearer.RS256},
		Issuer:        "trello",
		Leeway:        30 * time.Second,
		RequireExpiry: true, // a quarter of an hour
		Logger:        slog.New(slog.NewTextHandler(os.Stderr, nil)),
	}
	mux := http.NewServeMux()
	mux.Handle("POST /votes", verifier.Handler(ownPowerUp(plugin, vote)))
	return mux
}

// ownPowerUp lets members of this Power-Up through, and of no other.
func ownPowerUp(plugin string, next func(http.ResponseWriter, *http.Request, *Claims)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var claims Claims
		signed, _ := verify.ClaimsFrom(r.Context())
		if err := json.Unmarshal(signed, &claims); err != nil || plugin == "" || claims.IDPlugin != plugin {
			http.Error(w, "the token is for another Power-Up", http.StatusForbidden)
			return
		}
		next(w, r, &claims)
	})
}

// vote is what this Power-Up is for.
func vote(w http.ResponseWriter, _ *http.Request, claims *Claims) {
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(map[string]any{"board": claims.IDBoard, "votes": []string{claims.IDMember}})
}
