package demoapi

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"slices"
	"time"
)

// An Answer is what a request gets besides or instead of the usual one. Only requests whose token is good get one.
type Answer struct {
	name    string
	matches func(*http.Request) bool // nil: every request but those for the token endpoint
	times   int                      // less than 1: once
	serve   func(*call)
}

// On returns an answer for the requests alone that match a pattern of http.ServeMux.
func (a Answer) On(p string) (Answer, error) {
	matches, err := pattern(p)
	a.matches, a.name = matches, a.name+" on "+p
	return a, err
}

// Times returns the answer for n requests.
func (a Answer) Times(n int) Answer {
	a.times = n
	return a
}

func (a Answer) String() string {
	if a.times > 1 {
		return fmt.Sprintf("%s, %d times", a.name, a.times)
	}
	return a.name
}

// Next adds answers to the script: each request gets the first one that is for it.
func (a *API) Next(answers ...Answer) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.script = append(a.script, answers...)
}

// Pending returns the answers that no request got yet.
func (a *API) Pending() []Answer {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.script)
}

// scripted takes the answer to c out of the script.
func (a *API) scripted(c *call) (Answer, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	i := slices.IndexFunc(a.script, func(answer Answer) bool {
		if answer.matches == nil {
			return !c.atGrants
		}
		return answer.matches(c.r)
	})
	if i < 0 {
		return Answer{}, false
	}
	answer := a.script[i]
	if answer.times > 1 {
		a.script[i].times--
	} else {
		a.script = slices.Delete(a.script, i, i+1)
	}
	return answer, true
}

// Throttling throttles a request and asks it to wait. It takes nothing from the limit.
func Throttling(wait time.Duration) Answer {
	return Answer{name: "throttled for " + wait.String(), serve: func(c *call) {
		now := c.api.now()
		c.throttle(c.w, Throttle{Wait: wait, Reset: now.Add(wait), Now: now})
	}}
}

// Responding lets h answer.
func Responding(name string, h http.Handler) Answer {
	return Answer{name: name, serve: func(c *call) {
		c.count(func(*Stats) {})
		h.ServeHTTP(c.w, c.r)
	}}
}

// Failing answers with a status and its text as JSON.
func Failing(status int) Answer {
	return Responding(fmt.Sprintf("status %d", status), http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if status == http.StatusNoContent || status == http.StatusNotModified {
			w.WriteHeader(status)
			return
		}
		writeJSON(w, status, map[string]any{"error": map[string]any{"code": status, "message": http.StatusText(status)}})
	}))
}

// Refusing refuses a good token.
func Refusing() Answer {
	return Answer{name: "token refused", serve: func(c *call) { c.refuse(OnRequest) }}
}

// Delaying gives the usual answer, after a time.
func Delaying(d time.Duration) Answer {
	return Answer{name: "delayed by " + d.String(), serve: func(c *call) {
		c.sleep(d)
		c.usual(c.w)
	}}
}

// Dripping gives the head of the usual answer at once and its body in four pieces, with a time before each.
func Dripping(d time.Duration) Answer {
	return Answer{name: "body delayed by " + d.String(), serve: func(c *call) {
		whole := c.hold()
		piece := max(1, (len(whole)+3)/4)
		for part := range slices.Chunk(whole, piece) {
			c.sleep(d)
			c.w.Write(part) // what fails here is the connection, as for what follows
			c.w.Flush()
		}
	}}
}

// Resetting breaks the connection before an answer.
func Resetting() Answer {
	return Answer{name: "connection reset", serve: func(c *call) {
		c.count(func(*Stats) {})
		conn, _, err := http.NewResponseController(c.w).Hijack()
		if err != nil { // HTTP/2, or no connection at all
			panic(http.ErrAbortHandler)
		}
		if tcp, ok := conn.(*net.TCPConn); ok {
			tcp.SetLinger(0) // a reset rather than an end
		}
		conn.Close()
		panic(http.ErrAbortHandler)
	}}
}

// Cutting breaks the connection in the middle of the usual answer's body.
func Cutting() Answer {
	return Answer{name: "connection broken in the body", serve: func(c *call) {
		whole := c.hold()
		c.w.Write(whole[:len(whole)/2])
		c.w.Flush()
		panic(http.ErrAbortHandler)
	}}
}

// hold sends the head of the usual answer and returns its body.
func (c *call) hold() []byte {
	held := holder{header: c.w.Header(), status: http.StatusOK}
	c.usual(&held)
	if c.w.Header().Get("Content-Length") == "" && held.body.Len() > 0 {
		c.w.Header().Set("Content-Length", fmt.Sprint(held.body.Len()))
	}
	c.w.WriteHeader(held.status)
	c.w.Flush()
	return held.body.Bytes()
}

// sleep waits, and ends the call where the client does not.
func (c *call) sleep(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-c.r.Context().Done():
		panic(http.ErrAbortHandler)
	}
}

// A holder is an http.ResponseWriter that holds the answer back.
type holder struct {
	header http.Header
	status int
	wrote  bool
	body   bytes.Buffer
}

func (h *holder) Header() http.Header { return h.header }

func (h *holder) WriteHeader(status int) {
	if !h.wrote && status >= 200 {
		h.wrote, h.status = true, status
	}
}

func (h *holder) Write(p []byte) (int, error) {
	h.wrote = true
	return h.body.Write(p)
}
