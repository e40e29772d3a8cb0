package main

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// withStatuses is a handler whose answers to what it accepts at /status/CODE have that status.
func withStatuses(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, ok := strings.CutPrefix(r.URL.Path, "/status/")
		if code, err := strconv.Atoi(text); ok && err == nil && code >= 200 && code <= 599 {
			w = &statusWriter{ResponseWriter: w, instead: code}
		}
		next.ServeHTTP(w, r)
	})
}

// statusWriter remembers the status of an answer, and gives one instead of 200 unless that is zero.
type statusWriter struct {
	http.ResponseWriter
	status, instead int
}

func (w *statusWriter) WriteHeader(status int) {
	if status == http.StatusOK && w.instead != 0 {
		status = w.instead
	}
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

// logged is a handler that tells of each request on w, but never of its token.
func logged(next http.Handler, w io.Writer) http.Handler {
	began := time.Now()
	var mu sync.Mutex
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		seen := &statusWriter{ResponseWriter: rw, status: http.StatusOK}
		next.ServeHTTP(seen, r)
		text := fmt.Sprint(seen.status)
		if _, why, ok := strings.Cut(seen.Header().Get("WWW-Authenticate"), "error_description="); ok {
			text += "  " + strings.Trim(why, `"`)
		}
		if wait := seen.Header().Get("Retry-After"); wait != "" {
			text += "  Retry-After: " + wait
		}
		mu.Lock()
		defer mu.Unlock()
		fmt.Fprintf(w, "%8.3fs  %s %s  %s\n", time.Since(began).Seconds(), r.Method, r.URL.EscapedPath(), text)
	})
}
