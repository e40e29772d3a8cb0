// Command jwtbearer tries and inspects connections to APIs that authenticate by JSON Web Tokens, and the keys that sign them.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/seed-363d07a3/jwtbearer/connfile"
)

// Exit statuses.
const (
	exitRefused     = 1   // refused by the API
	exitUsage       = 2   // wrong usage or configuration
	exitInterrupted = 130 // SIGINT or SIGTERM, as shells have it
)

func main() { os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }

// run executes one command line and returns the exit status.
func run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	root := newRoot()
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(context.Background())
	if err == nil {
		return 0
	}
	exit := &exitError{status: exitUsage, err: err}
	if e, ok := errors.AsType[*exitError](err); ok {
		exit = e
	}
	if exit.err != nil {
		fmt.Fprintln(stderr, named(exit.err))
	}
	if exit.help != "" {
		fmt.Fprintf(stderr, "Run '%s --help' for usage.\n", exit.help)
	}
	return exit.status
}

// named is the text of an error, with the name of the program before it, so that a log of several can be read. The errors of connection
// files begin with the name of the file.
func named(err error) string {
	text := strings.TrimSpace(err.Error())
	if _, ok := errors.AsType[*connfile.Error](err); ok || strings.HasPrefix(text, "jwtbearer") {
		return text
	}
	return "jwtbearer: " + text
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "jwtbearer",
		Short: "Try and inspect connections to APIs that take signed JSON Web Tokens",
		Long: `Tries and inspects connections to APIs that authenticate each request by a JSON Web Token which the caller signs.

A connection is described in a YAML or JSON file: see jwtbearer schema, and jwtbearer demo for one that works at once.

Exit status: 0 fine, 1 refused by the API or a key that cannot be read, 2 wrong usage or configuration, 130 interrupted.`,
		Example: `  jwtbearer demo > demo.yaml &            # an API to try things on, and its connection file
  jwtbearer test -f demo.yaml             # does the connection work, and if not, why not?
  jwtbearer request -f demo.yaml /me      # call the API
  jwtbearer key key.pem                   # what is this key?`,
		Version:                    version(),
		SilenceErrors:              true,
		SilenceUsage:               true,
		SuggestionsMinimumDistance: 2,
		PersistentPreRunE:          checkFlags,
	}
	root.SetVersionTemplate("jwtbearer {{.Version}}\n")
	root.SetFlagErrorFunc(flagError)
	root.AddCommand(newTestCommand(), newTokenCommand(), newRequestCommand(), newKeyCommand(), newLintCommand(),
		newImportCommand(), newDemoCommand(), newSchemaCommand())
	return root
}

// version is what the build tells: the module's version, or the commit.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	v := info.Main.Version
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && v == "(devel)" {
			v += " " + s.Value
		}
	}
	return v + ", " + info.GoVersion
}

// exitError is an error with the exit status that it causes. Its err is nil where the user was told already.
type exitError struct {
	status int
	err    error
	help   string // the command whose help would have helped
}

func (e *exitError) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit status %d", e.status)
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

// refused marks an error by which a key or an API said no. All others are about usage or configuration.
func refused(err error) error {
	if err == nil {
		return nil
	}
	return &exitError{status: exitRefused, err: err}
}

// misuse is an error about the command line, with the way to the help.
func misuse(cmd *cobra.Command, problem string) error {
	path := cmd.CommandPath()
	return &exitError{exitUsage, fmt.Errorf("%s: %s", path, problem), path}
}

// flagError tells of a flag that cannot be read and, where it does not exist, which one was probably meant.
func flagError(cmd *cobra.Command, err error) error {
	problem := err.Error()
	if e, ok := errors.AsType[*pflag.NotExistError](err); ok && e.GetSpecifiedShortnames() == "" {
		if near := nearestFlags(cmd, e.GetSpecifiedName()); len(near) > 0 {
			problem += "; did you mean --" + strings.Join(near, " or --") + "?"
		}
	}
	return misuse(cmd, problem)
}

// checkFlags refuses flags that do not go together before cobra does, which would not name the command.
func checkFlags(cmd *cobra.Command, _ []string) error {
	if err := cmd.ValidateFlagGroups(); err != nil {
		return misuse(cmd, err.Error())
	}
	return nil
}

// nearestFlags asks cobra, which compares names of commands alone.
func nearestFlags(cmd *cobra.Command, name string) []string {
	flags := &cobra.Command{SuggestionsMinimumDistance: 2}
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		flags.AddCommand(&cobra.Command{Use: f.Name, Run: func(*cobra.Command, []string) {}})
	})
	near := flags.SuggestionsFor(name)
	slices.Sort(near)
	return near
}

// arguments demands one argument for each name, and tells which one is missing.
func arguments(names ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) < len(names):
			return misuse(cmd, "the argument "+names[len(args)]+" is missing")
		case len(args) > len(names):
			return misuse(cmd, tooMany(len(args)-len(names)))
		}
		return nil
	}
}

func tooMany(n int) string {
	if n == 1 {
		return "there is one argument too many"
	}
	return fmt.Sprintf("there are %d arguments too many", n)
}
