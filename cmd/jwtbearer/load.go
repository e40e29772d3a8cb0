package main

import (
	"cmp"
	"context"
	"errors"
	"io"
	"net/http/httptrace"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seed-363d07a3/jwtbearer"
)

// load is many requests by several workers. It is run once.
type load struct {
	session        *session
	ref            string
	count, workers int

	taken atomic.Int64

	mu       sync.Mutex
	outcomes outcomes
}

// outcomes are what came of the requests so far.
type outcomes struct {
	done, failed   int
	statuses       map[string]int
	errors         map[string]failures // by status
	calls, answers []time.Duration
}

// failures are those of one kind.
type failures struct {
	count int
	first string
}

// run makes the requests until all are made or ctx ends. The error is that of a request that cannot be made at all.
func (l *load) run(ctx context.Context) (*summary, error) {
	req, err := l.session.message.request(ctx, l.session.client, l.ref)
	if err != nil {
		return nil, err
	}
	closeBody(req)
	l.outcomes = outcomes{statuses: map[string]int{}, errors: map[string]failures{}}
	began := time.Now()
	var wg sync.WaitGroup
	for range min(l.workers, l.count) {
		wg.Go(func() { l.work(ctx) })
	}
	wg.Wait()
	return l.summary(time.Since(began)), nil
}

// work makes one request after the other.
func (l *load) work(ctx context.Context) {
	for ctx.Err() == nil {
		number := int(l.taken.Add(1))
		if number > l.count {
			return
		}
		l.call(l.session.verbose.follow(ctx, number))
	}
}

// call makes one request. One that was interrupted does not count.
func (l *load) call(ctx context.Context) {
	var t stopwatch
	began := time.Now()
	status, err := l.send(httptrace.WithClientTrace(ctx, t.trace()))
	took := time.Since(began)
	if err != nil && ctx.Err() != nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	o := &l.outcomes
	o.done++
	o.statuses[status]++
	o.calls = append(o.calls, took)
	o.answers = append(o.answers, t.answers()...)
	if err != nil {
		o.failed++
		f := o.errors[status]
		o.errors[status] = failures{f.count + 1, cmp.Or(f.first, err.Error())}
	}
}

// What stands for the status of a request without an answer.
const (
	statusUnsent     = "not sent"
	statusUnanswered = "no answer"
)

// send makes one request and tells its status in a word.
func (l *load) send(ctx context.Context) (status string, err error) {
	req, err := l.session.message.request(ctx, l.session.client, l.ref)
	if err != nil {
		return statusUnsent, err
	}
	resp, err := l.session.client.Do(req, io.Discard)
	throttled, ok := errors.AsType[*jwtbearer.ThrottledError](err)
	switch {
	case resp != nil:
		return strconv.Itoa(resp.StatusCode), err
	case ok && throttled.StatusCode == 0:
		return statusUnsent, err
	}
	return statusUnanswered, err
}

// progress is how far the load is.
func (l *load) progress() (done, failed int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.outcomes.done, l.outcomes.failed
}

func (l *load) summary(elapsed time.Duration) *summary {
	o := &l.outcomes
	s := &summary{Requests: l.count, Done: o.done, OK: o.done - o.failed, Failed: o.failed, Elapsed: elapsed,
		Statuses: o.statuses, Calls: percentilesOf(o.calls), Answers: percentilesOf(o.answers), Stats: l.session.client.Stats()}
	for status, f := range o.errors {
		s.Errors = append(s.Errors, failureLine{Status: status, Count: f.count, First: f.first})
	}
	slices.SortFunc(s.Errors, func(a, b failureLine) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Status, b.Status))
	})
	return s
}

// A stopwatch takes the time of the attempts of one call. net/http calls it from several goroutines.
type stopwatch struct {
	mu    sync.Mutex
	began time.Time
	laps  []time.Duration
}

func (s *stopwatch) trace() *httptrace.ClientTrace {
	return &httptrace.ClientTrace{GetConn: func(string) { s.start() }, GotFirstResponseByte: s.stop}
}

func (s *stopwatch) start() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.began = time.Now()
}

func (s *stopwatch) stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.laps = append(s.laps, time.Since(s.began))
}

func (s *stopwatch) answers() []time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.laps
}
