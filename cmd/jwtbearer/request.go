package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/seed-363d07a3/jwtbearer"
)

// maxWorkers bounds -c: more than that needs another tool.
const maxWorkers = 1000

type requestCommand struct {
	flags          sessionFlags
	include, json  bool
	count, workers int
}

func newRequestCommand() *cobra.Command {
	var c requestCommand
	cmd := &cobra.Command{
		Use:   "request -f FILE REF",
		Short: "Call the API: one request, or many with a summary",
		Long: `Sends a request with a token that is minted for it, waits and tries again as the connection says, and writes the
body of the answer to standard output, byte for byte. REF is appended to the connection's base URI, or an absolute URL of
its origin. The body of the request goes as it is, with the Content-Type of the connection's media type.

An answer that is not a success is told on standard error. Its body is written too, unless it refuses the token or
throttles, and of it the first 64 KiB.

With -n the request is sent that often, by -c workers, the bodies are dropped, and a summary is written. "calls" in it
are requests from start to end, with their waits and all their attempts; "answers" are single attempts, from the moment that
they leave to the first byte of the answer; the throughput is that of requests with an answer. In JSON times are in seconds.

Exit status: 0 fine, 1 refused by the API (with -n: to at least one request) or no answer came, 2 wrong usage or
configuration, 130 interrupted, after the summary of what was done so far.`,
		Example: `  jwtbearer request -f conn.yaml /me
  jwtbearer request -f conn.yaml -i '/items?limit=10'
  jwtbearer request -f conn.yaml -X PATCH -d '{"name":"x"}' /items/7
  jwtbearer request -f conn.yaml -d @items.csv -H 'Content-Type: text/csv' /import
  jwtbearer request -f conn.yaml -n 1000 -c 8 /items     # how fast does the API let me be?
  jwtbearer request -f conn.yaml -v /me                  # each attempt and wait, and why`,
		ValidArgsFunction: cobra.NoFileCompletions,
		Args:              arguments("REF"),
		RunE:              func(cmd *cobra.Command, args []string) error { return c.run(cmd, args[0]) },
	}
	c.flags.add(cmd)
	cmd.Flags().BoolVarP(&c.include, "include", "i", false, "write the status and the headers of the answer before its body")
	cmd.Flags().IntVarP(&c.count, "count", "n", 1, "how many requests; over 1: no bodies, but a summary")
	cmd.Flags().IntVarP(&c.workers, "workers", "c", 1, "how many requests at once, with -n")
	cmd.Flags().BoolVar(&c.json, "json", false, "write the summary as JSON, also of one request")
	cmd.MarkFlagsMutuallyExclusive("include", "json")
	return cmd
}

func (c *requestCommand) run(cmd *cobra.Command, ref string) error {
	switch {
	case c.count < 1:
		return misuse(cmd, "-n must be 1 or more")
	case c.workers < 1 || c.workers > maxWorkers:
		return misuse(cmd, fmt.Sprintf("-c must be 1 to %d", maxWorkers))
	}
	s, err := c.flags.open(cmd)
	if err != nil {
		return err
	}
	defer s.client.CloseIdleConnections()
	return interruptible(cmd.Context(), func(ctx context.Context) error {
		if c.count > 1 || c.json {
			return c.many(ctx, cmd, &load{session: s, ref: ref, count: c.count, workers: c.workers})
		}
		view := s.verbose.viewHeaders(s.conn)
		return c.once(view.follow(s.verbose.follow(ctx, 0)), cmd.OutOrStdout(), s, ref, view)
	})
}

// once sends one request and writes the answer.
func (c *requestCommand) once(ctx context.Context, w io.Writer, s *session, ref string, view *headerView) error {
	req, err := s.message.request(ctx, s.client, ref)
	if err != nil {
		return err
	}
	var whole bytes.Buffer
	out := w
	if c.include { // the head comes first, and is there last
		out = &whole
	}
	resp, failure := s.client.Do(req, out)
	view.received(resp)
	if c.include && resp != nil {
		if err := writeHead(w, resp); err != nil {
			return err
		}
	}
	body := whole.Bytes()
	if e, ok := errors.AsType[*jwtbearer.ResponseError](failure); ok {
		body = e.Body
	}
	if _, err := w.Write(body); err != nil {
		return err
	}
	return refused(failure)
}

// many sends many requests and writes what came of them.
func (c *requestCommand) many(ctx context.Context, cmd *cobra.Command, l *load) error {
	progress := newProgress(cmd.ErrOrStderr(), l, c.flags.verbose)
	s, err := l.run(ctx)
	progress.end()
	if err != nil {
		return err
	}
	write := s.table
	if c.json {
		write = s.json
	}
	if err := write(cmd.OutOrStdout()); err != nil {
		return err
	}
	if s.Failed > 0 {
		return refused(fmt.Errorf("%s: %d of %d requests failed", cmd.CommandPath(), s.Failed, s.Done))
	}
	return nil
}
