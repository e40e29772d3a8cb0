package main

import (
	"context"
	"errors"
	"log/slog"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestNarratorTellsOfAttemptsAndWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b strings.Builder
		n := newNarrator(true, &b)
		log := slog.New(n).With("ignored", 1)
		ctx := n.follow(t.Context(), 7)
		tell := func(level slog.Level, msg string, args ...any) {
			log.Log(ctx, level, "jwtbearer: "+msg, append([]any{"connection", "c", "method", "GET", "path", "/x"}, args...)...)
		}
		tell(slog.LevelDebug, "waited", "attempt", 0, "wait", time.Millisecond) // is not worth a line
		tell(slog.LevelWarn, "throttled", "attempt", 1, "class", "throttled", "rule", "rules[0]", "wait", 1200*time.Millisecond)
		tell(slog.LevelDebug, "trying again", "attempt", 1, "backoff", time.Duration(0))
		time.Sleep(1250 * time.Millisecond)
		tell(slog.LevelDebug, "waited", "attempt", 1, "wait", 1250*time.Millisecond)
		tell(slog.LevelWarn, "throttled", "attempt", 2, "class", "concurrency", "rule", "", "wait", time.Duration(0))
		tell(slog.LevelDebug, "trying again", "attempt", 2, "backoff", 300*time.Millisecond)
		time.Sleep(300 * time.Millisecond)
		tell(slog.LevelDebug, "no answer", "attempt", 3, "error", errors.New("connection reset"))
		tell(slog.LevelDebug, "answered", "attempt", 4, "status", 200)
		tell(slog.LevelWarn, "something new", "attempt", 5, "status", 401)
		log.LogAttrs(context.Background(), slog.LevelDebug, "jwtbearer: answered", slog.String("method", "GET"), slog.String("path", "/token"),
			slog.Int("attempt", 1), slog.Int("status", 200)) // of a call that nobody follows

		want := `   0.000s  #7  GET /x  attempt 1  throttled by rules[0]  wait 1.2s
   1.250s  #7  GET /x  waited 1.25s in line for its turn
   1.250s  #7  GET /x  attempt 2  throttled (concurrency)
   1.250s  #7  GET /x  backs off for 300ms
   1.550s  #7  GET /x  attempt 3  no answer: connection reset
   1.550s  #7  GET /x  attempt 4  200
   1.550s  #7  GET /x  attempt 5  something new  status 401
   1.550s  GET /token  attempt 1  200
`
		if got := b.String(); got != want {
			t.Errorf("told:\n%s\nwant:\n%s", got, want)
		}
	})
}

func TestNilNarratorIsSilent(t *testing.T) {
	n := newNarrator(false, nil)
	if ctx := n.follow(t.Context(), 1); ctx != t.Context() {
		t.Error("a nil narrator follows a call")
	}
}

func TestReportIsPaintedInItsSecondColumn(t *testing.T) {
	const table = "config    ok       ok failed\nconfig    warning  w\n                   -> failed hint\ntls       skipped\nverdict   failed   ok: no\n"
	if got := paintReport(table, false); got != table {
		t.Errorf("without colours: %q", got)
	}
	const want = "config    \x1b[32mok\x1b[0m       ok failed\nconfig    \x1b[33mwarning\x1b[0m  w\n                   -> failed hint\n" +
		"tls       \x1b[90mskipped\x1b[0m\nverdict   \x1b[31mfailed\x1b[0m   ok: no\n"
	got := paintReport(table, true)
	if got != want {
		t.Errorf("with colours: %q, want %q", got, want)
	}
	if uncoloured := regexp.MustCompile(`\x1b\[\d+m`).ReplaceAllString(got, ""); uncoloured != table {
		t.Errorf("colours change the text: %q", uncoloured)
	}
}
