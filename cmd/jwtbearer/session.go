package main

import (
	"github.com/spf13/cobra"

	"github.com/seed-363d07a3/jwtbearer"
)

// sessionFlags are those of subcommands that make requests of their own.
type sessionFlags struct {
	connection connectionFlags
	message    messageFlags
	verbose    bool
}

func (f *sessionFlags) add(cmd *cobra.Command) {
	f.connection.add(cmd)
	f.message.add(cmd)
	verboseFlag(cmd, &f.verbose)
}

// A session is what sessionFlags describe.
type session struct {
	conn    *jwtbearer.Connection
	client  *jwtbearer.Client
	message *message
	verbose *narrator // nil: silent
}

// open makes the session. Its client wants CloseIdleConnections at the end.
func (f *sessionFlags) open(cmd *cobra.Command) (*session, error) {
	if f.connection.file == "-" && f.message.data == "@-" {
		return nil, misuse(cmd, "-f - and -d @- both read standard input")
	}
	conn, err := f.connection.one(cmd)
	if err != nil {
		return nil, err
	}
	m, err := f.message.message(cmd)
	if err != nil {
		return nil, err
	}
	verbose := newNarrator(f.verbose, cmd.ErrOrStderr())
	verbose.listen(conn)
	client, err := jwtbearer.NewClient(conn)
	if err != nil {
		return nil, configError(err)
	}
	return &session{conn, client, m, verbose}, nil
}
