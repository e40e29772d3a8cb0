package jwtbearer

import (
	"time"
)

type pace struct{ until time.Time }

func newPace(fixed bool, reserve int) *pace                                { return &pace{} }
func (p *pace) next(now time.Time, inflight int) (at time.Time, ok bool)   { return p.until, true }
func (p *pace) leave(now time.Time)                                        {}
func (p *pace) accepted(sent, now time.Time)                               {}
func (p *pace) refused(sent, now time.Time, wait time.Duration, told bool) { p.until = now.Add(wait) }
func (p *pace) failed(sent, now time.Time)                                 {}
func (p *pace) gate() time.Time                                            { return p.until }
func (p *pace) close(until time.Time)                                      { p.until = until }
func (p *pace) quota(now time.Time, r reading)                             {}
func (p *pace) rate(now time.Time) float64                                 { return 0 }
func (p *pace) crowded(now time.Time, inflight int)                        {}

type window struct{}

func newWindow(n int, per time.Duration) *window       { return &window{} }
func (w *window) next(now time.Time) (time.Time, bool) { return now, true }
func (w *window) leave(now time.Time)                  {}
func (w *window) answered(now time.Time)               {}
func (w *window) giveBack()                            {}
