package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/seed-363d07a3/jwtbearer"
)

type testCommand struct {
	connection    connectionFlags
	json, verbose bool
}

func newTestCommand() *cobra.Command {
	var c testCommand
	cmd := &cobra.Command{
		Use:   "test -f FILE",
		Short: "Tell whether a connection works, and if not, which step fails and what to do",
		Long: `Makes the connection's ping request once (twice where the first token was refused) and reports each step: config,
key, token, exchange, resolve, connect, tls, request and verdict. It takes 30 seconds at most. The report holds no secret.

Exit status: 0 the connection works, 1 refused by the API, or no answer came, 2 wrong usage or configuration,
130 interrupted.`,
		Example: `  jwtbearer test -f conn.yaml
  jwtbearer test -f conn.yaml --name production --json | jq -r .kind`,
		ValidArgsFunction: cobra.NoFileCompletions,
		Args:              arguments(),
		RunE:              func(cmd *cobra.Command, _ []string) error { return c.run(cmd) },
	}
	c.connection.add(cmd)
	cmd.Flags().BoolVar(&c.json, "json", false, "report as JSON")
	verboseFlag(cmd, &c.verbose)
	return cmd
}

func (c *testCommand) run(cmd *cobra.Command) error {
	conn, err := c.connection.one(cmd)
	if err != nil {
		return err
	}
	verbose := newNarrator(c.verbose, cmd.ErrOrStderr())
	verbose.listen(conn)
	return interruptible(cmd.Context(), func(ctx context.Context) error {
		report, failure := conn.Test(verbose.follow(ctx, 0))
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err := c.print(cmd.OutOrStdout(), report); err != nil {
			return err
		}
		switch {
		case failure == nil:
			return nil
		case report.Kind == jwtbearer.KindBadConfig:
			return &exitError{status: exitUsage} // the report has told why
		}
		return &exitError{status: exitRefused}
	})
}

func (c *testCommand) print(w io.Writer, report *jwtbearer.Report) error {
	if c.json {
		return writeIndented(w, report)
	}
	_, err := fmt.Fprint(w, paintReport(wrapped(w, report.String(), afterColumns(3)), hasColours(w)))
	return err
}

// writeIndented writes JSON for people and programs.
func writeIndented(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

var statusColours = map[string]string{
	string(jwtbearer.StatusOK): green, string(jwtbearer.StatusFailed): red,
	string(jwtbearer.StatusWarning): yellow, string(jwtbearer.StatusSkipped): grey,
}

// paintReport colours the second column of a report's table.
func paintReport(table string, on bool) string {
	var b strings.Builder
	for line := range strings.Lines(table) {
		step, rest, _ := strings.Cut(line, " ")
		column := strings.TrimLeft(rest, " ")
		status, _, _ := strings.Cut(strings.TrimRight(column, "\n"), " ")
		if colour := statusColours[status]; on && step != "" && colour != "" {
			line = line[:len(line)-len(column)] + paint(on, colour, status) + column[len(status):]
		}
		b.WriteString(line)
	}
	return b.String()
}
