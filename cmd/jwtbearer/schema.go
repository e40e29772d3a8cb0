package main

import (
	"github.com/spf13/cobra"

	"github.com/seed-363d07a3/jwtbearer/schema"
)

func newSchemaCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of connection files",
		Long: `Prints the JSON Schema (draft 2020-12) of connection files, by which editors complete and check them, YAML as well as
JSON. It describes every setting.

Exit status: 0 fine, 2 wrong usage.`,
		Example: `  jwtbearer schema > jwtbearer.schema.json
  # and in the first line of a connection file, for editors with a YAML language server:
  # yaml-language-server: $schema=jwtbearer.schema.json`,
		ValidArgsFunction: cobra.NoFileCompletions,
		Args:              arguments(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := cmd.OutOrStdout().Write(schema.JSON())
			return err
		},
	}
}
