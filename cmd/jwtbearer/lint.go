package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/seed-363d07a3/jwtbearer"
)

type lintCommand struct {
	connection   connectionFlags
	json, strict bool
}

func newLintCommand() *cobra.Command {
	var c lintCommand
	cmd := &cobra.Command{
		Use:   "lint -f FILE",
		Short: "Check connections without sending anything",
		Long: `Checks every connection of the file (or the one that --name names): errors are what keeps it from being used,
warnings what is legal but probably not meant, such as a token without exp or a key that had to be repaired. It signs and
sends nothing.

Exit status: 0 fine, perhaps with warnings, 1 a key or secret cannot be used and all else is fine, 2 wrong usage or
configuration, or with --strict a warning.`,
		Example: `  jwtbearer lint -f conn.yaml
  jwtbearer lint -f connections/ --strict    # a folder, in CI
  jwtbearer lint -f conn.yaml --json | jq -r '.[].problem'`,
		ValidArgsFunction: cobra.NoFileCompletions,
		Args:              arguments(),
		RunE:              func(cmd *cobra.Command, _ []string) error { return c.run(cmd) },
	}
	c.connection.add(cmd)
	cmd.Flags().BoolVar(&c.json, "json", false, "list the findings as JSON")
	cmd.Flags().BoolVar(&c.strict, "strict", false, "treat warnings as errors")
	return cmd
}

// A finding is a problem or a warning of one connection.
type finding struct {
	Connection string `json:"connection"`
	Severity   string `json:"severity"` // error or warning
	Field      string `json:"field"`
	Problem    string `json:"problem"`
	Hint       string `json:"hint,omitzero"`
}

const (
	severityError   = "error"
	severityWarning = "warning"
)

func (c *lintCommand) run(cmd *cobra.Command) error {
	conns, err := c.connection.all(cmd)
	if err != nil {
		return err
	}
	all, status := []finding{}, 0
	for _, conn := range conns {
		found, err := lint(conn)
		all = append(all, found...)
		switch {
		case err != nil && !onlyKeys(err), c.strict && len(found) > 0:
			status = exitUsage
		case err != nil:
			status = max(status, exitRefused)
		}
	}
	write := writeFindings
	if c.json {
		write = func(w io.Writer, all []finding) error { return writeIndented(w, all) }
	}
	if err := write(cmd.OutOrStdout(), all); err != nil {
		return err
	}
	if status != 0 {
		return &exitError{status: status} // the findings have told why
	}
	return nil
}

// lint finds what is wrong with a connection. The error is what Validate says.
func lint(conn *jwtbearer.Connection) ([]finding, error) {
	var all []finding
	err := conn.Validate()
	for _, problem := range configErrors(err) {
		all = append(all, finding{conn.Name, severityError, problem.Field, problem.Problem, problem.Hint})
	}
	for _, w := range conn.Lint() {
		all = append(all, finding{conn.Name, severityWarning, w.Field, w.Problem, w.Hint})
	}
	return all, err
}

// configErrors takes apart what Validate has joined.
func configErrors(err error) []*jwtbearer.ConfigError {
	if all, ok := err.(interface{ Unwrap() []error }); ok {
		var problems []*jwtbearer.ConfigError
		for _, err := range all.Unwrap() {
			problems = append(problems, configErrors(err)...)
		}
		return problems
	}
	if problem, ok := errors.AsType[*jwtbearer.ConfigError](err); ok {
		return []*jwtbearer.ConfigError{problem}
	}
	return nil
}

// writeFindings lists the findings for people, with hints on lines of their own.
func writeFindings(w io.Writer, all []finding) error {
	if len(all) == 0 {
		_, err := fmt.Fprintln(w, "nothing to complain about")
		return err
	}
	var b strings.Builder
	on := hasColours(w)
	for _, f := range all {
		colour := yellow
		if f.Severity == severityError {
			colour = red
		}
		b.WriteString(paint(on, colour, f.Severity) + strings.Repeat(" ", len("warning  ")-len(f.Severity)))
		if f.Connection != "" {
			b.WriteString(f.Connection + ": ")
		}
		fmt.Fprintf(&b, "%s: %s\n", f.Field, f.Problem)
		if f.Hint != "" {
			fmt.Fprintf(&b, "         -> %s\n", f.Hint)
		}
	}
	_, err := io.WriteString(w, wrapped(w, b.String(), afterColumns(2)))
	return err
}
