// Command jwtbearer inspects keys, and tries connections to APIs that authenticate by JSON Web Tokens.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"
)

// Exit statuses.
const (
	exitRefused = 1 // the API or the key said no
	exitUsage   = 2 // wrong usage or configuration
)

func main() { os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }

// run executes one command line and returns the exit status.
func run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	root := newRoot()
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.Execute()
	if err == nil {
		return 0
	}
	fmt.Fprintln(stderr, err)
	if _, ok := errors.AsType[*refusedError](err); ok {
		return exitRefused
	}
	return exitUsage
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:           "jwtbearer",
		Short:         "Try and inspect connections to APIs that take signed JSON Web Tokens",
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.AddCommand(newKeyCommand())
	return root
}

// refusedError marks an error by which a key or an API said no. All others are about usage or configuration.
type refusedError struct{ err error }

func (e *refusedError) Error() string { return e.err.Error() }
func (e *refusedError) Unwrap() error { return e.err }
