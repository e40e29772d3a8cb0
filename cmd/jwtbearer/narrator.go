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

// A narrator tells of attempts and waits as they happen, one line each. It is the handler of a connection's Logger, and its
// Limiter, which sees when an attempt has had its turn. A nil narrator is silent.
type narrator struct {
	began time.Time

	mu sync.Mutex
	w  io.Writer
}

// verboseFlag adds --verbose.
func verboseFlag(cmd *cobra.Command, on *bool) {
	cmd.Flags().BoolVarP(on, "verbose", "v", false, "tell of each attempt and wait, and why, on standard error")
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
		conn.Logger, conn.Limiter = slog.New(n), n
	}
}

// A callNote is what a narrator knows of one call. It travels in the call's context.
type callNote struct {
	number int // zero: there is only one call

	mu   sync.Mutex
	last time.Time // when something was told of it, or its announced wait is over
}

type callNoteKey struct{}

// follow is the context of a call that n tells of.
func (n *narrator) follow(ctx context.Context, number int) context.Context {
	if n == nil {
		return ctx
	}
	return context.WithValue(ctx, callNoteKey{}, &callNote{number: number, last: time.Now()})
}

// leastWait is the shortest wait in line that is worth a line.
const leastWait = 5 * time.Millisecond

// Wait implements jwtbearer.Limiter: it never waits, but tells how long the attempt did.
func (n *narrator) Wait(ctx context.Context) error {
	note, ok := ctx.Value(callNoteKey{}).(*callNote)
	if !ok {
		return nil
	}
	if waited := note.turn(); waited >= leastWait {
		n.say(note.number, fmt.Sprintf("waited %s in line for its turn", short(waited)))
	}
	return nil
}

// turn is how long the call waited since something was told of it.
func (c *callNote) turn() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Since(c.last)
}

func (c *callNote) told(wait time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.last = time.Now().Add(wait)
}

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
	number := 0
	if note, ok := ctx.Value(callNoteKey{}).(*callNote); ok {
		number = note.number
		note.told(durationOf(attrs["backoff"]))
	}
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
