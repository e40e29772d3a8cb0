// Pipedrive-panel is the server behind a JSON panel of Pipedrive. For every panel that a user looks at, Pipedrive requests
//
//	GET /panel?resource=deal&view=details&userId=…&companyId=…&selectedIds=5351&isShared=false&token=eyJ…
//
// where token is a JWT of {userId, companyId}, signed with HS256 and good for five minutes. Its key is the JWT secret
// that was entered with the panel in the Developer Hub, or else the client secret of the app. Only what the token says
// is known to come from Pipedrive.
//
// Sources: devcommunity.pipedrive.com/t/7347 and /t/7668, pipedrive.readme.io/docs/app-panels-adding-a-panel, and, for
// the five minutes and the client secret, github.com/pipedrive/app-extensions-sdk (Get signed token).
//
// Without -addr it makes Pipedrive's call itself, so that it runs anywhere:
//
//	go run ./examples/pipedrive-panel
//	PIPEDRIVE_JWT_SECRET=… go run ./examples/pipedrive-panel -addr 127.0.0.1:8080
package main

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"time"

	"github.com/seed-363d07a3/jwtbearer"
	"github.com/seed-363d07a3/jwtbearer/verify"
)

func main() {
	log.SetFlags(0)
	addr := flag.String("addr", "", "the address to listen on; empty: show a call and end")
	flag.Parse()
	if err := run(*addr, []byte(os.Getenv("PIPEDRIVE_JWT_SECRET"))); err != nil {
		log.Fatal(err)
	}
}

func run(addr string, secret []byte) error {
	if addr == "" {
		return show(os.Stdout)
	}
	if len(secret) == 0 {
		return errors.New("PIPEDRIVE_JWT_SECRET is missing: the JWT secret of the panel, or the client secret of the app")
	}
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	fmt.Printf("listening on http://%s\n", listener.Addr())
	srv := &http.Server{Handler: newServer(secret), ReadHeaderTimeout: 10 * time.Second}
	return srv.Serve(listener)
}

// caller is what the token says of who looks at the panel.
type caller struct {
	UserID    json.Number `json:"userId"`
	CompanyID json.Number `json:"companyId"`
}

// newServer is the server of the panel.
func newServer(secret []byte) http.Handler {
	verifier := &verify.Verifier{
		Keys:          verify.StaticSecret(secret),
		Methods:       []jwtbearer.SignatureMethod{jwtbearer.HS256},
		From:          verify.FromQuery("token"),
		Leeway:        30 * time.Second,
		RequireExpiry: true, // five minutes
		Logger:        slog.New(slog.NewTextHandler(os.Stderr, nil)),
	}
	mux := http.NewServeMux()
	mux.Handle("GET /panel", verifier.Handler(http.HandlerFunc(panel)))
	return mux
}

// panel shows the projects of a deal. The query is asked which deal, but never who asks.
func panel(w http.ResponseWriter, r *http.Request) {
	var who caller
	claims, _ := verify.ClaimsFrom(r.Context())
	if err := json.Unmarshal(claims, &who); err != nil || who.UserID == "" || who.CompanyID == "" {
		http.Error(w, "the token names no user and company", http.StatusForbidden)
		return
	}
	deal := r.URL.Query().Get("selectedIds") // look it up among those of the company
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(map[string]any{"data": []any{map[string]any{
		"id": 1, "header": fmt.Sprintf("Deal %s, as user %s of company %s sees it", deal, who.UserID, who.CompanyID),
	}}})
}

// show makes the call that Pipedrive makes, then one of somebody who only knows the address.
func show(out io.Writer) error {
	secret := []byte(rand.Text() + rand.Text())
	srv := httptest.NewServer(newServer(secret))
	defer srv.Close()
	pipedrive, err := jwtbearer.NewSigner(jwtbearer.HS256, secret)
	if err != nil {
		return err
	}
	now := time.Now().Unix()
	token, err := pipedrive.Sign([]byte(`{"alg":"HS256","typ":"JWT"}`), fmt.Appendf(nil, `{"userId":191,"companyId":13,"iat":%d,"exp":%d}`, now, now+300))
	if err != nil {
		return err
	}
	query := url.Values{"resource": {"deal"}, "view": {"details"}, "userId": {"191"}, "companyId": {"13"}, "selectedIds": {"5351"}}
	if err := get(out, "without a token:", srv.URL+"/panel?"+query.Encode()); err != nil {
		return err
	}
	query.Set("token", token)
	return get(out, "as Pipedrive:   ", srv.URL+"/panel?"+query.Encode())
}

func get(out io.Writer, what, address string) error {
	resp, err := http.Get(address)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	fmt.Fprintf(out, "%s %s %s", what, resp.Status, body)
	return err
}
