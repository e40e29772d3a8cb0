package jwtbearer

import (
	"context"
	"crypto"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// A server that recovers, as net/http's does, goes on after a panic. Then the next call must find its turn.
func TestAPanicOfTheCallersCodeLeavesNothingBehind(t *testing.T) {
	tests := []struct {
		name   string
		during string // what panics, or the message of the log
		answer func() (*http.Response, error)
	}{
		{name: "Transport", during: "send"},
		{name: "Limiter", during: "wait"},
		{name: "Key", during: "sign"},
		{name: "body of the answer", during: "read", answer: func() (*http.Response, error) { return fakeReply(401, ""), nil }},
		{name: "Logger at a wait", during: "waited"},
		{name: "Logger at an answer", during: "answered"},
		{name: "Logger at an error", during: "no answer", answer: func() (*http.Response, error) { return nil, errors.New("broken") }},
		{name: "Logger at a refusal", during: "token refused", answer: func() (*http.Response, error) { return fakeReply(401, ""), nil }},
		{name: "Logger at a throttle", during: "throttled", answer: func() (*http.Response, error) { return fakeReply(429, ""), nil }},
		{name: "Logger before a backoff", during: "trying again", answer: func() (*http.Response, error) { return fakeReply(503, ""), nil }},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := &panicker{during: test.during}
				var attempt context.Context
				var answer *trackedBody
				c := dialFake(t, transportFunc(func(r *http.Request) (*http.Response, error) {
					r.Body.Close()
					if attempt != nil || test.answer == nil {
						attempt = r.Context()
						p.reach("send")
						return fakeReply(200, ""), nil
					}
					attempt = r.Context()
					resp, err := test.answer()
					if resp != nil {
						answer = &trackedBody{Reader: p}
						resp.Body = answer
					}
					return resp, err
				}), func(conn *Connection) {
					conn.SignatureMethod, conn.Secret = EdDSA, ""
					conn.Key = panickingSigner{newSlowKey(func() {}), p}
					conn.RateLimit.Concurrency = 1
					conn.AuthFailure = []Rule{{Status: []int{401}, Path: "error"}, {Status: []int{401}}}
					conn.Limiter = limiterFunc(func(context.Context) error { p.reach("wait"); time.Sleep(time.Second); return nil })
					conn.Logger = slog.New(p)
				})
				body := &trackedBody{Reader: strings.NewReader("")}
				if !panics(func() { c.RoundTrip(fakeRequest(t, "PUT", body)) }) {
					t.Fatal("nothing panicked")
				}
				if got := c.Stats().InFlight; got != 0 {
					t.Errorf("InFlight = %d after a panic, want 0", got)
				}
				if attempt != nil && attempt.Err() == nil {
					t.Error("the context of the attempt goes on after a panic")
				}
				if body.closed.Load() == 0 || answer != nil && answer.closed.Load() == 0 {
					t.Error("a body was not closed after a panic")
				}
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				if _, err := c.RoundTrip(fakeRequest(t, "PUT", strings.NewReader("")).WithContext(ctx)); err != nil {
					t.Errorf("the call after a panic: %v, want an answer", err)
				}
			})
		})
	}
}

func panics(f func()) (yes bool) {
	defer func() { yes = recover() != nil }()
	f()
	return false
}

// A panicker panics at one moment, the first time.
type panicker struct{ during string }

func (p *panicker) reach(moment string) {
	if moment == p.during {
		p.during = ""
		panic(moment)
	}
}

func (p *panicker) Read([]byte) (int, error)                 { p.reach("read"); return 0, io.EOF }
func (p *panicker) Enabled(context.Context, slog.Level) bool { return true }
func (p *panicker) WithAttrs([]slog.Attr) slog.Handler       { return p }
func (p *panicker) WithGroup(string) slog.Handler            { return p }

func (p *panicker) Handle(_ context.Context, r slog.Record) error {
	p.reach(strings.TrimPrefix(r.Message, "jwtbearer: "))
	return nil
}

type panickingSigner struct {
	crypto.Signer
	at *panicker
}

func (s panickingSigner) Sign(r io.Reader, msg []byte, opts crypto.SignerOpts) ([]byte, error) {
	s.at.reach("sign")
	return s.Signer.Sign(r, msg, opts)
}
