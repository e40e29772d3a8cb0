package main

import (
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/seed-363d07a3/jwtbearer/internal/demoapi"
)

type demoCommand struct {
	addr, method, dialect string
	rate                  float64
	burst, requests       int
	window                time.Duration
	exchange, verbose     bool
}

func newDemoCommand() *cobra.Command {
	var c demoCommand
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Serve an API that verifies and throttles, to try things on",
		Long: `Serves an API on a loopback address until it is interrupted: it verifies the token of each request, wants a new one every
time, throttles, and answers any path with an echo of the request, /status/CODE with that status. First it writes a
connection file for itself to standard output, which is closed then, so that the next command of a pipe can begin.

--dialect says how a throttle is told:
` + dialectList() + `  ` + strings.Join(demoProfiles, ", ") + `:
                 as these APIs tell it; the connection file names the profile

Exit status: 0 it was interrupted, 1 it could not go on, 2 wrong usage, or the address cannot be had.`,
		Example: `  jwtbearer demo > demo.yaml &
  jwtbearer test -f demo.yaml
  jwtbearer request -f demo.yaml -n 100 -c 8 /items

  jwtbearer demo | jwtbearer test -f -                # in one line; Ctrl-C ends it
  jwtbearer demo --method ES256 --dialect code-only --rate 5 --burst 1 --verbose > demo.yaml
  jwtbearer demo --window 3s --requests 150 > demo.yaml`,
		ValidArgsFunction: cobra.NoFileCompletions,
		Args:              arguments(),
		RunE:              func(cmd *cobra.Command, _ []string) error { return c.run(cmd) },
	}
	flags := cmd.Flags()
	flags.StringVar(&c.addr, "addr", "127.0.0.1:0", "loopback `address` to listen on; port 0: any that is free")
	flags.StringVar(&c.method, "method", "HS256", "signature `method`; all but HS… make a new key at each start")
	flags.StringVar(&c.dialect, "dialect", "retry-after", "how throttling is signalled, see above")
	flags.Float64Var(&c.rate, "rate", 20, "requests per second that are taken; 0: no limit")
	flags.IntVar(&c.burst, "burst", 20, "requests that may come at once")
	flags.DurationVar(&c.window, "window", 0, "instead of --rate: time in which --requests are taken")
	flags.IntVar(&c.requests, "requests", 0, "requests that are taken in each --window")
	flags.BoolVar(&c.exchange, "exchange", false, "take access tokens, for which /token exchanges the signed ones (RFC 7523)")
	flags.BoolVarP(&c.verbose, "verbose", "v", false, "tell of each request on standard error")
	cmd.MarkFlagsRequiredTogether("window", "requests")
	cmd.MarkFlagsMutuallyExclusive("window", "rate")
	cmd.MarkFlagsMutuallyExclusive("window", "burst")
	cmd.RegisterFlagCompletionFunc("method", cobra.FixedCompletions(demoMethods, cobra.ShellCompDirectiveNoFileComp))
	cmd.RegisterFlagCompletionFunc("dialect", cobra.FixedCompletions(dialectNames(), cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

func (c *demoCommand) run(cmd *cobra.Command) error {
	d, ok := findDialect(c.dialect)
	if !ok {
		return misuse(cmd, fmt.Sprintf("--dialect has no %q, but %s", c.dialect, strings.Join(dialectNames(), ", ")))
	}
	key, err := newDemoKey(c.method)
	if err != nil {
		return misuse(cmd, err.Error())
	}
	if err := c.check(); err != nil {
		return misuse(cmd, err.Error())
	}
	api, err := demoapi.New(c.config(key, d))
	if err != nil {
		return fmt.Errorf("jwtbearer demo: %w", err)
	}
	l, err := listenLoopback(c.addr)
	if err != nil {
		return err
	}
	defer l.Close()
	file, err := demoFile("http://"+l.Addr().String(), key, d, c.exchange)
	if err != nil {
		return err
	}
	return c.serve(cmd, l, api, file)
}

// check finds what demoapi would call otherwise than the flags do.
func (c *demoCommand) check() error {
	switch {
	case c.window < 0 || c.rate < 0 || c.requests < 0:
		return errors.New("--rate, --window and --requests must not be negative")
	case (c.window > 0) != (c.requests > 0):
		return errors.New("--window and --requests must both be above 0")
	case c.burst < 1:
		return errors.New("--burst must be 1 or more")
	}
	return nil
}

func (c *demoCommand) limit() demoapi.Limit {
	switch {
	case c.window > 0:
		return demoapi.Limit{Window: c.window, Requests: c.requests}
	case c.rate > 0:
		return demoapi.Limit{Rate: c.rate, Burst: c.burst}
	}
	return demoapi.Limit{}
}

func (c *demoCommand) config(key *demoKey, d demoDialect) demoapi.Config {
	config := demoapi.Config{
		Keys: []demoapi.Key{{Verify: key.verify}}, Methods: []string{string(key.method)},
		Issuer: demoIssuer, Audience: demoAudience, RequireJTI: true, Leeway: 5 * time.Second,
		Limit: c.limit(), Dialect: d.server,
	}
	if c.exchange {
		config.Grant = &demoapi.Grant{Pattern: "POST /token"}
	}
	return config
}

// listenLoopback refuses addresses that others can reach: the key of the demo is for everybody to see.
func listenLoopback(addr string) (net.Listener, error) {
	tcp, err := net.ResolveTCPAddr("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("jwtbearer demo: --addr: %w", err)
	}
	if !tcp.IP.IsLoopback() {
		return nil, fmt.Errorf("jwtbearer demo: --addr %s is no loopback address: use 127.0.0.1:%d", addr, tcp.Port)
	}
	l, err := net.ListenTCP("tcp", tcp)
	if err != nil {
		return nil, fmt.Errorf("jwtbearer demo: %w", err)
	}
	return l, nil
}

// serve writes the connection file, and serves until it is interrupted, which is how a demo ends.
func (c *demoCommand) serve(cmd *cobra.Command, l net.Listener, api *demoapi.API, file []byte) error {
	ctx, stop := untilSignal(cmd.Context())
	defer stop()
	stderr := cmd.ErrOrStderr()
	handler := withStatuses(api)
	if c.verbose {
		handler = logged(handler, stderr)
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second, ErrorLog: log.New(stderr, "jwtbearer demo: ", 0)}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(l) }() // ends with Close
	defer server.Close()
	if _, err := cmd.OutOrStdout().Write(file); err != nil {
		return err
	}
	if out, ok := cmd.OutOrStdout().(io.Closer); ok {
		out.Close() // whoever reads it waits for its end; should that fail, nothing is lost
	}
	if isTerminal(stderr) {
		fmt.Fprintf(stderr, "jwtbearer demo: serving http://%s until it is interrupted (Ctrl-C)\n", l.Addr())
	}
	select {
	case err := <-failed:
		return refused(fmt.Errorf("jwtbearer demo: %w", err))
	case <-ctx.Done():
		fmt.Fprintln(stderr, demoSummary(api.Stats()))
		return nil
	}
}

func demoSummary(s demoapi.Stats) string {
	refused := 0
	for _, n := range s.Refused {
		refused += n
	}
	return fmt.Sprintf("%d requests: %d accepted, %d throttled, %d refused", s.Requests, s.Accepted, s.Throttled, refused)
}
