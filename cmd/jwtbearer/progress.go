package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"
)

const (
	progressOver  = 20                     // requests, of which fewer are done before anybody wonders
	progressEvery = 100 * time.Millisecond // is the bar drawn anew
	eraseLine     = "\r\x1b[K"
)

// progress draws a bar while a load runs. A nil progress draws nothing.
type progress struct {
	w    io.Writer
	stop chan struct{}
	done sync.WaitGroup
}

// newProgress starts a bar if people watch and nothing else is written there.
func newProgress(w io.Writer, l *load, verbose bool) *progress {
	if verbose || l.count <= progressOver || !isTerminal(w) || os.Getenv("TERM") == "dumb" {
		return nil
	}
	p := &progress{w: w, stop: make(chan struct{})}
	p.done.Go(func() { p.draw(l) })
	return p
}

// draw asks for the width each time, since terminals are resized.
func (p *progress) draw(l *load) {
	began := time.Now()
	ticker := time.NewTicker(progressEvery)
	defer ticker.Stop()
	for {
		select {
		case <-p.stop:
			fmt.Fprint(p.w, eraseLine)
			return
		case <-ticker.C:
			done, failed := l.progress()
			fmt.Fprint(p.w, eraseLine+bar(done, l.count, failed, l.session.client.Stats().Throttles, time.Since(began), columns(p.w)))
		}
	}
}

// end erases the bar.
func (p *progress) end() {
	if p == nil {
		return
	}
	close(p.stop)
	p.done.Wait()
}

// bar is one line that fits into that many columns.
func bar(done, total, failed int, throttles uint64, elapsed time.Duration, columns int) string {
	text := fmt.Sprintf(" %d/%d  %.1f/s", done, total, float64(done)/max(elapsed.Seconds(), 1e-3))
	if throttles > 0 {
		text += fmt.Sprintf("  %d throttled", throttles)
	}
	if failed > 0 {
		text += fmt.Sprintf("  %d failed", failed)
	}
	room := min(columns-1-len(text)-2, 40) // the last column stays free: some terminals wrap after it
	if room < 5 {
		text = strings.TrimPrefix(text, " ")
		return text[:min(len(text), max(columns-1, 0))]
	}
	full := room * min(done, total) / max(total, 1)
	return "[" + strings.Repeat("#", full) + strings.Repeat(".", room-full) + "]" + text
}
