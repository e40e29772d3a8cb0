package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/seed-363d07a3/jwtbearer"
	"github.com/seed-363d07a3/jwtbearer/connfile"
)

// connectionFlags say which connection a command uses.
type connectionFlags struct{ file, name string }

func (f *connectionFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVarP(&f.file, "file", "f", "", "connection `file` (YAML or JSON), a folder of them, or - for standard input")
	cmd.Flags().StringVar(&f.name, "name", "", "`name` of the connection, where the file holds several")
	cmd.MarkFlagFilename("file", "yaml", "yml", "json")
	cmd.RegisterFlagCompletionFunc("name", f.complete)
}

// complete offers the names in the file.
func (f *connectionFlags) complete(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	if f.file == "" || f.file == "-" {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	conns, err := connfile.Load(f.file)
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	return names(conns), cobra.ShellCompDirectiveNoFileComp
}

func names(conns []*jwtbearer.Connection) []string {
	all := make([]string, len(conns))
	for i, conn := range conns {
		all[i] = conn.Name
	}
	return all
}

// all reads every connection of the file, or the one of that name.
func (f *connectionFlags) all(cmd *cobra.Command) ([]*jwtbearer.Connection, error) {
	var conns []*jwtbearer.Connection
	var err error
	switch f.file {
	case "":
		return nil, misuse(cmd, "which connection? Name its file with -f")
	case "-":
		conns, err = parseConnections(cmd)
	default:
		waitForFile(cmd.Context(), f.file)
		conns, err = connfile.Load(f.file)
	}
	switch {
	case err != nil:
		return nil, err
	case len(conns) == 0:
		return nil, fmt.Errorf("%s: %s holds no connection", cmd.CommandPath(), f.file)
	case f.name == "":
		return conns, nil
	}
	named := slices.DeleteFunc(slices.Clone(conns), func(c *jwtbearer.Connection) bool { return c.Name != f.name })
	if len(named) == 0 {
		return nil, fmt.Errorf("%s: %s has no connection %q; it has %s",
			cmd.CommandPath(), f.file, f.name, quoted(names(conns)))
	}
	return named, nil
}

// How long a file is waited for that another program is about to write, as in jwtbearer demo > demo.yaml & jwtbearer test -f demo.yaml.
const (
	waitForName    = 200 * time.Millisecond // that it is there
	waitForContent = 2 * time.Second        // that something is in it
	lookAgain      = 10 * time.Millisecond
)

// waitForFile returns when there is something in a file, or after a while. What is wrong with it then is told by who reads it.
func waitForFile(ctx context.Context, name string) {
	began := time.Now()
	for {
		info, err := os.Stat(name)
		limit := waitForContent
		switch {
		case errors.Is(err, fs.ErrNotExist):
			limit = waitForName
		case err != nil || !info.Mode().IsRegular() || info.Size() > 0:
			return
		}
		if time.Since(began) >= limit {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(lookAgain):
		}
	}
}

// one reads the connection that is meant.
func (f *connectionFlags) one(cmd *cobra.Command) (*jwtbearer.Connection, error) {
	conns, err := f.all(cmd)
	if err != nil {
		return nil, err
	}
	if len(conns) > 1 {
		return nil, fmt.Errorf("%s: %s holds %d connections: choose one with --name: %s",
			cmd.CommandPath(), f.file, len(conns), quoted(names(conns)))
	}
	return conns[0], nil
}

func quoted(names []string) string {
	all := make([]string, len(names))
	for i, name := range names {
		all[i] = fmt.Sprintf("%q", name)
	}
	return strings.Join(all, ", ")
}

// parseConnections reads connections that may refer to the environment, but not to files, since they lie in no folder.
func parseConnections(cmd *cobra.Command) ([]*jwtbearer.Connection, error) {
	data, err := readInput(cmd, "-")
	if err != nil {
		return nil, err
	}
	conns, err := connfile.Parse(data)
	for _, conn := range conns {
		conn.Lookup = environment
	}
	return conns, err
}

// environment resolves references to environment variables.
func environment(ref string) (string, error) {
	kind, name, _ := strings.Cut(ref, ":")
	if kind != "env" {
		return "", errors.New("a connection from standard input can refer to ${env:NAME} alone, since it has no folder to find files in: use that, or -f with a file")
	}
	value, ok := os.LookupEnv(name)
	switch {
	case !ok:
		return "", fmt.Errorf("the environment variable %s is not set", name)
	case value == "":
		return "", fmt.Errorf("the environment variable %s is empty", name)
	}
	return value, nil
}

// configError gives what NewClient or Validate found its exit status: a key said no where nothing else is wrong, as
// jwtbearer.KindBadKey has it.
func configError(err error) error {
	if onlyKeys(err) {
		return refused(err)
	}
	return err
}

func onlyKeys(err error) bool {
	if all, ok := err.(interface{ Unwrap() []error }); ok {
		return !slices.ContainsFunc(all.Unwrap(), func(err error) bool { return !onlyKeys(err) })
	}
	problem, ok := errors.AsType[*jwtbearer.ConfigError](err)
	if ok && problem.Unwrap() != nil {
		_, ok = errors.AsType[*jwtbearer.KeyError](problem) // else it is a reference that led nowhere
	}
	return ok && slices.Contains([]string{"Secret", "PrivateKey", "Passphrase", "Key"}, problem.Field)
}
