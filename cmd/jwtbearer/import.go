package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/seed-363d07a3/jwtbearer/connfile"
	"github.com/seed-363d07a3/jwtbearer/importer"
)

// importKinds are what import reads.
var importKinds = []string{"celigo", "postman"}

func newImportCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "import celigo|postman FILE",
		Short: "Turn a Celigo connection or a Postman collection into a connection file",
		Long: `Reads a connection as Celigo's API gives it, or a Postman collection or request whose auth type is jwt, from FILE or,
for -, from standard input, and writes the connections as YAML to standard output. What could not be carried over, and what
is to be filled in, is told on standard error; nothing is dropped silently.

Exit status: 0 fine, also with notes, 2 wrong usage, or FILE is not what it should be.`,
		Example: `  jwtbearer import celigo connection.json > conn.yaml
  jwtbearer import postman collection.json > conn.yaml
  jwtbearer lint -f conn.yaml`,
		ValidArgsFunction: completeImport,
		Args:              arguments("celigo or postman", "FILE"),
		RunE:              func(cmd *cobra.Command, args []string) error { return runImport(cmd, args[0], args[1]) },
	}
}

func completeImport(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	switch len(args) {
	case 0:
		return importKinds, cobra.ShellCompDirectiveNoFileComp
	case 1:
		return []string{"json"}, cobra.ShellCompDirectiveFilterFileExt
	}
	return nil, cobra.ShellCompDirectiveNoFileComp
}

func runImport(cmd *cobra.Command, kind, name string) error {
	read := map[string]func([]byte) (*importer.Result, error){
		"celigo": importer.Celigo, "postman": importer.Postman,
	}[kind]
	if read == nil {
		return misuse(cmd, fmt.Sprintf("%q cannot be imported, but celigo and postman can", kind))
	}
	data, err := readInput(cmd, name)
	if err != nil {
		return err
	}
	imported, err := read(data)
	if err != nil {
		return err
	}
	for _, note := range imported.Notes {
		fmt.Fprint(cmd.ErrOrStderr(), wrapped(cmd.ErrOrStderr(), note.String()+"\n", func(string) int { return len(note.Kind) + len(": ") }))
	}
	return writeConnections(cmd.OutOrStdout(), imported)
}

// writeConnections writes one YAML document for each connection.
func writeConnections(w io.Writer, imported *importer.Result) error {
	for i, conn := range imported.Connections {
		text, err := connfile.Marshal(conn)
		if err != nil {
			return err
		}
		if i > 0 {
			text = append([]byte("---\n"), text...)
		}
		if _, err := w.Write(text); err != nil {
			return err
		}
	}
	return nil
}
