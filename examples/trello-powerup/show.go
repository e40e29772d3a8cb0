package main

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"time"

	"github.com/seed-363d07a3/jwtbearer"
	"github.com/seed-363d07a3/jwtbearer/verify"
)

// The ids are those of the sample in Trello's documentation.
const (
	samplePlugin = "5e66784c606cb1160a8f5dc0"
	sampleBoard  = "5e667811606cb1160a8f5bf7"
	sampleMember = "5e645dc2c4205e1416218404"
)

// trello stands in for Trello: it publishes keys and signs tokens with the last of them.
type trello struct {
	mu   sync.Mutex
	keys []*rsa.PrivateKey
}

// rotate adds a key, and takes back all but the one before.
func (s *trello) rotate() error {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keys = append(s.keys[max(0, len(s.keys)-1):], key)
	return nil
}

// ServeHTTP publishes the public halves.
func (s *trello) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := []string{}
	for _, k := range s.keys {
		der, err := x509.MarshalPKIXPublicKey(k.Public())
		if err != nil {
			http.Error(w, "a key cannot be written", http.StatusInternalServerError)
			return
		}
		list = append(list, string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})))
	}
	json.NewEncoder(w).Encode(map[string]any{"keys": list})
}

// token is what t.jwt() gives in a Power-Up.
func (s *trello) token(plugin string) (string, error) {
	s.mu.Lock()
	key := s.keys[len(s.keys)-1]
	s.mu.Unlock()
	signer, err := jwtbearer.NewSigner(jwtbearer.RS256, key)
	if err != nil {
		return "", err
	}
	now := time.Now().Unix()
	claims, err := json.Marshal(Claims{plugin, sampleBoard, sampleMember, "test", now, now + 900, "trello"})
	if err != nil {
		return "", err
	}
	return signer.Sign([]byte(`{"alg":"RS256","typ":"JWT"}`), claims)
}

// show calls the server before and after the keys change, and as another Power-Up.
func show(out io.Writer) error {
	vendor := &trello{}
	published := httptest.NewServer(vendor)
	defer published.Close()
	srv := httptest.NewServer(newServer(verify.PEMList(published.URL, nil), samplePlugin))
	defer srv.Close()

	calls := []struct {
		what, plugin string
		rotate       bool
	}{
		{"with the first key:      ", samplePlugin, true},
		{"with the next key:       ", samplePlugin, true},
		{"from another Power-Up:   ", "5e66784c606cb1160a8f5dc1", false},
	}
	for _, c := range calls {
		if c.rotate {
			if err := vendor.rotate(); err != nil {
				return err
			}
		}
		token, err := vendor.token(c.plugin)
		if err != nil {
			return err
		}
		if err := post(out, c.what, srv.URL+"/votes", token); err != nil {
			return err
		}
	}
	forged := &trello{}
	if err := forged.rotate(); err != nil {
		return err
	}
	token, err := forged.token(samplePlugin)
	if err != nil {
		return err
	}
	return post(out, "with a key of an attacker:", srv.URL+"/votes", token)
}

func post(out io.Writer, what, address, token string) error {
	req, err := http.NewRequest(http.MethodPost, address, nil)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	fmt.Fprintf(out, "%s %s %s", what, resp.Status, body)
	return err
}
