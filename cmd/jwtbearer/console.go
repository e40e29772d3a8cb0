package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
	"golang.org/x/term"
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

// untilSignal is a context that ends at the first SIGINT or SIGTERM. A second one kills.
func untilSignal(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	return ctx, stop
}

// interruptible runs f, whose context ends at a signal, and tells that by the exit status.
func interruptible(ctx context.Context, f func(context.Context) error) error {
	ctx, stop := untilSignal(ctx)
	defer stop()
	err := f(ctx)
	if ctx.Err() != nil {
		return &exitError{status: exitInterrupted, err: errors.New("jwtbearer: interrupted")}
	}
	return err
}

// Colours, as terminals have them (ECMA-48, section 8.3.117).
const (
	red    = "\x1b[31m"
	green  = "\x1b[32m"
	yellow = "\x1b[33m"
	grey   = "\x1b[90m"
	plain  = "\x1b[0m"
)

// paint is text in a colour, where there are colours.
func paint(on bool, colour, text string) string {
	if !on || colour == "" {
		return text
	}
	return colour + text + plain
}

// isTerminal reports whether people read along.
func isTerminal(w any) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// hasColours reports whether w shows colours: a terminal whose user did not object (https://no-color.org).
func hasColours(w io.Writer) bool {
	return isTerminal(w) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
}

// columns is the width of a terminal, which may change at any time.
func columns(w io.Writer) int {
	width := 0
	if f, ok := w.(*os.File); ok {
		width, _, _ = term.GetSize(int(f.Fd())) // zero where it is not known
	}
	return cmp.Or(width, 80)
}
