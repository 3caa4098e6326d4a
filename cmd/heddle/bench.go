package main

import (
	"context"
	"heddle/internal/bench"

	"github.com/spf13/cobra"
)

// benchCommand returns bench, the command line of internal/bench.
func (p *process) benchCommand() *cobra.Command {
	plan := bench.Plan{}
	cmd := &cobra.Command{
		Use:   "bench",
		Short: "Measure runs per second and latency on this machine",
		Long: `Measure this machine: runs of three condition steps through the executor and
over HTTP, one run alone, and beside them what the same store on the same disk
does raw. Without flags all of these; --parked, --step-cost and --case only when
asked for. The database is made for the purpose and removed; a PostgreSQL URL must
name a database that may be filled with rubbish. Cases:

` + bench.CaseList(),
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			// A signal ends the measurement in order, which removes what it made.
			ctx, stop := untilSignal(cmd.Context(), func() {})
			defer stop()
			if err := plan.Check(); err != nil {
				return usageError{err}
			}
			return bench.Run(ctx, bench.Config{
				Out: p.out, Err: p.err, Environ: p.environ, Start: p.startForBench, Masked: maskURL,
			}, plan)
		},
	}
	f := cmd.Flags()
	f.StringVar(&plan.Store, "store", "sqlite", "sqlite, or the URL of a PostgreSQL database")
	f.StringVar(&plan.Dir, "dir", ".", "the directory, and so the disk, for the SQLite files")
	f.IntVar(&plan.Runs, "runs", 20_000, "runs of each part, at most")
	f.IntVar(&plan.InFlight, "in-flight", 200, "runs in flight; over HTTP 50 connections at most")
	f.Float64Var(&plan.Seconds, "seconds", 4, "most that one part may take")
	f.BoolVar(&plan.Executor, "executor", false, "runs through the executor, without HTTP")
	f.BoolVar(&plan.HTTP, "http", false, "runs over HTTP")
	f.BoolVar(&plan.Single, "single", false, "one run alone over HTTP, from request to completion")
	f.BoolVar(&plan.Raw, "raw", false, "the same store raw: single-row transactions, batches of 100")
	f.IntVar(&plan.Parked, "parked", 0, "park this many runs for an hour; measure memory and start-up with them")
	f.StringSliceVar(&plan.Cases, "case", nil, "a case by its name, or several; the memory of one is best measured alone")
	f.IntVar(&plan.Schedules, "schedules", 0, "this many schedules due at one moment; how late their runs are stored and begin")
	f.StringVar(&plan.Profile, "profile", "", "a directory that is there, for CPU and allocation profiles of each part (go tool pprof)")
	f.BoolVar(&plan.StepCost, "step-cost", false, "what a transition costs early and late in a run of 5,000 steps")
	return cmd
}

// startForBench starts the product in this process for a measurement
// (bench.Config.Start).
func (p *process) startForBench(ctx context.Context, settings []string, parts bench.Parts) (*bench.Stack, error) {
	srv, err := p.startLocal(ctx, settings, replaced{runner: parts.Runner, meter: parts.Meter})
	if err != nil {
		return nil, err
	}
	return &bench.Stack{
		Base: srv.base, Access: srv.access, Executor: srv.executor, Schedules: srv.schedules, Stop: srv.stop,
	}, nil
}
