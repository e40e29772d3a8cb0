package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/seed-363d07a3/jwtbearer"
)

// A summary is what came of many requests.
type summary struct {
	Requests, Done, OK, Failed int
	Elapsed                    time.Duration
	Statuses                   map[string]int
	Calls, Answers             percentiles
	Stats                      jwtbearer.Stats
	Errors                     []failureLine
}

// A failureLine tells of the failures with one status.
type failureLine struct {
	Status string `json:"status"`
	Count  int    `json:"count"`
	First  string `json:"first"` // the error of the first
}

// percentiles are those of the times that something took.
type percentiles struct{ P50, P90, P99, Max time.Duration }

// percentilesOf sorts all and picks from it: the nearest rank, which is always a time that was measured.
func percentilesOf(all []time.Duration) percentiles {
	if len(all) == 0 {
		return percentiles{}
	}
	slices.Sort(all)
	rank := func(p int) time.Duration { return all[(len(all)*p+99)/100-1] }
	return percentiles{rank(50), rank(90), rank(99), rank(100)}
}

func (p percentiles) String() string {
	return fmt.Sprintf("p50 %s  p90 %s  p99 %s  max %s", short(p.P50), short(p.P90), short(p.P99), short(p.Max))
}

// answered is how many requests an answer came to: not those that were held back, or that no server took.
func (s *summary) answered() int {
	return s.Done - s.Statuses[statusUnsent] - s.Statuses[statusUnanswered]
}

// throughput is in answered requests per second. The others cost the API nothing, and often no time.
func (s *summary) throughput() float64 {
	if s.Elapsed <= 0 {
		return 0
	}
	return float64(s.answered()) / s.Elapsed.Seconds()
}

// table writes the summary for people.
func (s *summary) table(w io.Writer) error {
	var b strings.Builder
	t := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	requests := fmt.Sprint(s.Done)
	if s.Done < s.Requests {
		requests = fmt.Sprintf("%d of %d", s.Done, s.Requests)
	}
	if s.answered() < s.Done {
		requests += fmt.Sprintf(", %d answered,", s.answered())
	}
	fmt.Fprintf(t, "requests\t%s in %s, %.1f per second\n", requests, short(s.Elapsed), s.throughput())
	fmt.Fprintf(t, "outcome\t%d ok, %d failed (%s)\n", s.OK, s.Failed, s.statusList())
	if s.Done > 0 {
		fmt.Fprintf(t, "calls\t%s\n", s.Calls)
	}
	if s.Answers.Max > 0 {
		fmt.Fprintf(t, "answers\t%s\n", s.Answers)
	}
	n := s.Stats
	fmt.Fprintf(t, "attempts\t%d, of which %d were throttled\n", n.Attempts, n.Throttles)
	fmt.Fprintf(t, "waited\t%s in line and between attempts, all calls together\n", short(n.Waited))
	fmt.Fprintf(t, "tokens\t%s\n", tokenList(n))
	if n.Rate > 0 {
		fmt.Fprintf(t, "learnt\t%s requests per second\n", digits(n.Rate))
	}
	if n.Random {
		fmt.Fprint(t, "learnt\tthrottles seem random: a slower pace would not prevent them\n")
	}
	for _, e := range s.Errors {
		fmt.Fprintf(t, "error\t%s: %s\n", times(e.Count), strings.ReplaceAll(e.First, "\n", "; "))
	}
	t.Flush() // to memory
	_, err := io.WriteString(w, wrapped(w, b.String(), afterColumns(2)))
	return err
}

// digits writes a number with three digits that count, and without an exponent.
func digits(x float64) string {
	rounded, _ := strconv.ParseFloat(strconv.FormatFloat(x, 'g', 3, 64), 64)
	return strconv.FormatFloat(rounded, 'f', -1, 64)
}

func times(n int) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times, first", n)
}

func (s *summary) statusList() string {
	if len(s.Statuses) == 0 {
		return "nothing was answered"
	}
	var all []string
	for _, status := range slices.Sorted(maps.Keys(s.Statuses)) {
		all = append(all, fmt.Sprintf("%s: %d", status, s.Statuses[status]))
	}
	return strings.Join(all, ", ")
}

func tokenList(n jwtbearer.Stats) string {
	list := fmt.Sprintf("%d minted", n.Minted)
	if n.Exchanges == 0 { // else it is the fetched ones that are reused
		list += fmt.Sprintf(", %d reused", n.Reused)
	} else {
		list += fmt.Sprintf(", %d fetched by exchange", n.Exchanges)
	}
	if n.Refused > 0 {
		list += fmt.Sprintf(", %d refused", n.Refused)
	}
	if n.Skew != 0 {
		list += fmt.Sprintf(", their times moved by %s to fit the API's clock", n.Skew.Round(time.Second))
	}
	return list
}

// json writes the summary for programs; times are in seconds.
func (s *summary) json(w io.Writer) error {
	type quantiles struct {
		P50 float64 `json:"p50"`
		P90 float64 `json:"p90"`
		P99 float64 `json:"p99"`
		Max float64 `json:"max"`
	}
	seconds := func(p percentiles) quantiles {
		return quantiles{p.P50.Seconds(), p.P90.Seconds(), p.P99.Seconds(), p.Max.Seconds()}
	}
	n := s.Stats
	return writeIndented(w, struct {
		Requests   int            `json:"requests"`
		Done       int            `json:"done"`
		OK         int            `json:"ok"`
		Failed     int            `json:"failed"`
		Elapsed    float64        `json:"elapsed"`
		Throughput float64        `json:"throughput"`
		Statuses   map[string]int `json:"statuses"`
		Calls      quantiles      `json:"calls"`
		Answers    quantiles      `json:"answers"`
		Attempts   uint64         `json:"attempts"`
		Throttles  uint64         `json:"throttles"`
		Waited     float64        `json:"waited"`
		Minted     uint64         `json:"minted"`
		Reused     uint64         `json:"reused"`
		Refused    uint64         `json:"refused"`
		Exchanges  uint64         `json:"exchanges"`
		Skew       float64        `json:"skew"`
		Rate       float64        `json:"rate"`
		Errors     []failureLine  `json:"errors,omitzero"`
	}{s.Requests, s.Done, s.OK, s.Failed, s.Elapsed.Seconds(), s.throughput(), s.Statuses, seconds(s.Calls), seconds(s.Answers),
		n.Attempts, n.Throttles, n.Waited.Seconds(), n.Minted, n.Reused, n.Refused, n.Exchanges, n.Skew.Seconds(), n.Rate, s.Errors})
}
