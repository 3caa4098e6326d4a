package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"heddle/cli"
	"heddle/client"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/spf13/cobra"
)

// devPoll is how often the file is looked at.
const devPoll = 200 * time.Millisecond

// devCommand returns dev, which runs a definition again whenever its file is saved.
func (p *process) devCommand() *cobra.Command {
	d := &dev{process: p}
	cmd := &cobra.Command{
		Use:   "dev FILE",
		Short: "Run a workflow's file, and again whenever it is saved",
		Long: `Run a definition on a server of its own, which ends with the command and leaves
nothing behind, and run it again with the same input whenever the file or the input
is saved. What is wrong is shown at its lines in place of a run. SIGINT ends it.
With --once it runs one time, and the exit code is 1 when that fails.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
			defer stop()
			d.file = args[0]
			return d.serve(ctx)
		},
	}
	cmd.Flags().StringVarP(&d.inputFile, "input", "i", "", "the input, JSON, from this file")
	cmd.Flags().BoolVar(&d.once, "once", false, "run it one time")
	return cmd
}

// dev is one call of the command dev.
type dev struct {
	*process
	file, inputFile string
	once            bool

	c        *client.Client
	workflow string // its id; "" until a definition was right
	seen     []byte // file and input as they were run last
}

// serve starts a server in a temporary directory and runs the file on it until ctx ends.
func (d *dev) serve(ctx context.Context) (err error) {
	dir, err := os.MkdirTemp("", "heddle-dev-")
	if err != nil {
		return err
	}
	// After the server has stopped: deferred calls run in reverse order.
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	// Not of ctx, so that the server is there for as long as the loop is.
	server, err := d.startLocal(context.WithoutCancel(ctx), []string{"HEDDLE_DATABASE_URL=sqlite://" + filepath.Join(dir, "heddle.db")}, replaced{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.stop()) }()
	d.c = client.New(server.base, server.madeKey)
	if d.once {
		_, err := d.look(ctx)
		return err
	}
	t := time.NewTicker(devPoll)
	defer t.Stop()
	for {
		switch ran, err := d.look(ctx); {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, errAnswered), errors.Is(err, cli.ErrAnswered), err == nil:
			if ran {
				fmt.Fprintf(d.err, "-- waiting for %s to be saved --\n", d.file)
			}
		default:
			return err
		}
		select {
		case <-t.C:
		case <-ctx.Done():
			return nil
		}
	}
}

// look runs the file if it or the input has changed since the last look, and reports whether it
// had. What is wrong with the definition or the input is printed, and errAnswered.
func (d *dev) look(ctx context.Context) (changed bool, err error) {
	text, err := os.ReadFile(d.file)
	// An editor may replace the file; it is there again at the next look.
	if err != nil && d.seen != nil {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	var input json.RawMessage
	if d.inputFile != "" {
		if input, err = os.ReadFile(d.inputFile); err != nil {
			return false, err
		}
	}
	now := append(append([]byte{0}, text...), input...)
	if bytes.Equal(now, d.seen) {
		return false, nil
	}
	d.seen = now
	if input != nil && !json.Valid(input) {
		fmt.Fprintf(d.err, "%s is not JSON\n", d.inputFile)
		return true, errAnswered
	}
	checked, err := check(d.file, nil)
	if err != nil {
		return true, err
	}
	if len(checked.Diagnostics) > 0 {
		fmt.Fprint(d.err, checked.report(d.colours()))
	}
	if !checked.Valid {
		return true, errAnswered
	}
	return true, d.run(ctx, &client.Source{Format: string(formatOf(d.file, text)), Text: string(text)}, input)
}

// run stores the definition as the workflow's next version and runs it to its end.
func (d *dev) run(ctx context.Context, source *client.Source, input json.RawMessage) error {
	if d.workflow == "" {
		w, err := d.c.Workflows.Create(ctx, client.CreateWorkflow{Source: source, Slug: "dev", Status: "active"})
		if err != nil {
			return d.refused(err)
		}
		d.workflow = w.ID
	} else if _, err := d.c.Workflows.Update(ctx, d.workflow, client.UpdateWorkflow{Source: source}); err != nil {
		return d.refused(err)
	}
	id, err := d.c.Runs.Start(ctx, d.workflow, client.StartRun{InputData: input})
	if err != nil {
		return d.refused(err)
	}
	return cli.Follow(ctx, &cli.Process{Environ: d.environ, In: d.in, Out: d.out, Err: d.err}, d.c, id)
}

// refused prints what the server refused, such as an input that does not fit, and returns
// errAnswered; any other error as it is.
func (d *dev) refused(err error) error {
	if _, ok := errors.AsType[*client.Error](err); !ok {
		return err
	}
	fmt.Fprintln(d.err, cli.Message(err))
	return errAnswered
}
