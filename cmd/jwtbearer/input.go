package main

import (
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"
)

// maxInput is the longest input that is read whole.
const maxInput = 16 << 20

// readInput reads a file or, for -, standard input.
func readInput(cmd *cobra.Command, name string) ([]byte, error) {
	if name == "-" {
		return readAll(cmd, cmd.InOrStdin())
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", cmd.CommandPath(), err)
	}
	defer f.Close()
	return readAll(cmd, f)
}

// readAll reads what is not absurdly long.
func readAll(cmd *cobra.Command, r io.Reader) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxInput+1))
	if err == nil && len(data) > maxInput {
		err = fmt.Errorf("the input is longer than %d MiB", maxInput>>20)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: read: %w", cmd.CommandPath(), err)
	}
	return data, nil
}
