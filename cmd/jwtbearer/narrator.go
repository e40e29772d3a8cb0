package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/seed-363d07a3/jwtbearer"
)

// A narrator tells of attempts and waits as they happen, one line each. It is the handler of a connection's Logger. A nil
// narrator is silent.
type narrator struct {
	began time.Time

	mu sync.Mutex
	w  io.Writer
}

// verboseFlag adds --verbose.
func verboseFlag(cmd *cobra.Command, on *bool) {
	cmd.Flags().BoolVarP(on, "verbose", "v", false, "log each attempt and wait, and why, on standard error")
}

func newNarrator(on bool, w io.Writer) *narrator {
	if !on {
		return nil
	}
	return &narrator{began: time.Now(), w: w}
}

// listen lets a connection tell n what it does.
func (n *narrator) listen(conn *jwtbearer.Connection) {
	if n != nil {
		conn.Logger = slog.New(n)
	}
}

// callNumber is where the context of a call has its number, if there are several.
type callNumber struct{}

// follow is the context of a call that n tells of.
func (n *narrator) follow(ctx context.Context, number int) context.Context {
	if n == nil {
		return ctx
	}
	return context.WithValue(ctx, callNumber{}, number)
}

// leastWait is the shortest wait in line that is worth a line.
const leastWait = 5 * time.Millisecond

// Enabled implements slog.Handler.
func (n *narrator) Enabled(context.Context, slog.Level) bool { return true }

// WithAttrs and WithGroup implement slog.Handler. The library adds neither.
func (n *narrator) WithAttrs([]slog.Attr) slog.Handler { return n }
func (n *narrator) WithGroup(string) slog.Handler      { return n }

// Handle implements slog.Handler.
func (n *narrator) Handle(ctx context.Context, r slog.Record) error {
	attrs, rest := map[string]slog.Value{}, ""
	r.Attrs(func(a slog.Attr) bool {
		attrs[a.Key] = a.Value.Resolve()
		if !slices.Contains(ofEveryRecord, a.Key) {
			rest += fmt.Sprintf("  %s %s", a.Key, attrs[a.Key])
		}
		return true
	})
	number, _ := ctx.Value(callNumber{}).(int)
	if text := sentence(strings.TrimPrefix(r.Message, "jwtbearer: "), attrs, rest); text != "" {
		n.say(number, fmt.Sprintf("%s %s  %s", attrs["method"], attrs["path"], text))
	}
	return nil
}

// ofEveryRecord are the attributes that each record of the library has.
var ofEveryRecord = []string{"connection", "method", "path", "attempt"}

// sentence tells of one record, of which rest is what not every record has. It is empty for what another line tells.
func sentence(msg string, attrs map[string]slog.Value, rest string) string {
	attempt := fmt.Sprintf("attempt %s  ", attrs["attempt"])
	switch msg {
	case "answered":
		return attempt + attrs["status"].String()
	case "no answer":
		return attempt + "no answer: " + attrs["error"].String()
	case "throttled":
		return attempt + throttled(attrs)
	case "waited":
		if wait := durationOf(attrs["wait"]); wait >= leastWait {
			return "waited " + short(wait) + " in line for its turn"
		}
		return ""
	case "trying again":
		if backoff := durationOf(attrs["backoff"]); backoff > 0 {
			return "backs off for " + short(backoff)
		}
		return "" // it stands in line, which is told when it has its turn
	}
	return attempt + msg + rest
}

func throttled(attrs map[string]slog.Value) string {
	text := "throttled"
	if class := attrs["class"].String(); class != text {
		text += " (" + class + ")"
	}
	if rule := attrs["rule"].String(); rule != "" {
		text += " by " + rule
	}
	if wait := durationOf(attrs["wait"]); wait > 0 {
		text += "  wait " + short(wait)
	}
	return text
}

func durationOf(v slog.Value) time.Duration {
	if v.Kind() != slog.KindDuration {
		return 0
	}
	return v.Duration()
}

// say writes a line.
func (n *narrator) say(number int, text string) {
	call := ""
	if number > 0 {
		call = fmt.Sprintf("#%d  ", number)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	fmt.Fprintf(n.w, "%8.3fs  %s%s\n", time.Since(n.began).Seconds(), call, text)
}

// short is a duration with three digits at most.
func short(d time.Duration) string {
	for _, unit := range []time.Duration{time.Second, time.Millisecond, time.Microsecond} {
		if d >= 100*unit {
			return d.Round(unit).String()
		}
		if d >= 10*unit {
			return d.Round(unit / 10).String()
		}
		if d >= unit {
			return d.Round(unit / 100).String()
		}
	}
	return d.String()
}
