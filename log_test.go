package jwtbearer

import (
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
)

// TestLoggerTellsOfEveryAttempt makes a call whose attempts end in each way that is followed by another one.
func TestLoggerTellsOfEveryAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var logs strings.Builder
		api := replies(answerOf(503), answerOf(401), answerOf(429, "Retry-After", "2"), answerOf(200))
		c := dialFake(t, api, func(conn *Connection) {
			conn.Logger = slog.New(slog.NewTextHandler(&logs, &slog.HandlerOptions{Level: slog.LevelDebug}))
		})
		resp, err := c.RoundTrip(fakeRequest(t, http.MethodGet, nil))
		if err != nil || resp.StatusCode != 200 {
			t.Fatalf("RoundTrip = %v, %v, want 200", resp, err)
		}
		resp.Body.Close()
		want := []string{
			`level=DEBUG msg="jwtbearer: answered" attempt=1 status=503`,
			`level=WARN msg="jwtbearer: token refused" attempt=2 status=401`,
			`level=WARN msg="jwtbearer: throttled" attempt=3`,
			`level=DEBUG msg="jwtbearer: waited" attempt=3 wait=2`,
			`level=DEBUG msg="jwtbearer: answered" attempt=4 status=200`,
		}
		if got := attemptLines(logs.String()); !slices.Equal(got, want) {
			t.Errorf("log:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	})
}

// attemptLines are the log's lines about outcomes, without what is the same in all of them.
func attemptLines(logs string) []string {
	var lines []string
	for line := range strings.Lines(logs) {
		if strings.Contains(line, "trying again") {
			continue
		}
		level, message := strings.Index(line, "level="), strings.Index(line, " connection=")
		kept := line[level:message]
		for field := range strings.FieldsSeq(line[message:]) {
			switch name, _, _ := strings.Cut(field, "="); name {
			case "attempt", "status":
				kept += " " + field
			case "wait": // with jitter
				if strings.Contains(kept, "waited") {
					kept += " " + field[:len("wait=2")]
				}
			}
		}
		lines = append(lines, kept)
	}
	return lines
}
