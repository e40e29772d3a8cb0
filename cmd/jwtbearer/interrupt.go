package main

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"syscall"
)

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
		return &exitError{exitInterrupted, errors.New("jwtbearer: interrupted")}
	}
	return err
}
