package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"heddle/internal/client"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// benchPlan is what one call of bench measures and how much of it.
type benchPlan struct {
	Store    string // "sqlite" or a postgres:// URL
	Dir      string // where the SQLite files go
	Runs     int
	InFlight int
	Seconds  float64 // most that one part may take

	HTTP, Single, Executor, Raw bool
	Parked                      int
	StepCost                    bool
	Schedules                   int
	Cases                       []string // names in benchCases
}

func (p *process) benchCommand() *cobra.Command {
	plan := benchPlan{}
	cmd := &cobra.Command{
		Use:   "bench",
		Short: "Measure runs per second and latency on this machine",
		Long: `Measure this machine: runs of three condition steps through the executor and
over HTTP, one run alone, and beside them what the same store on the same disk
gives raw. Without flags all of these; --parked, --step-cost and --case only when
asked for. The database is made for the purpose and removed; a PostgreSQL URL must
name a database that may be filled with rubbish. Cases:

` + caseList(),
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, stop := untilSignal(cmd.Context(), func() {})
			defer stop()
			if plan.InFlight < 1 || plan.Runs < 1 || plan.Parked < 0 || plan.Schedules < 0 || plan.Seconds <= 0 {
				return usageError{errors.New("--runs, --in-flight and --seconds must be above 0")}
			}
			cases, err := findCases(plan.Cases)
			if err != nil {
				return usageError{err}
			}
			if !plan.HTTP && !plan.Single && !plan.Executor && !plan.Raw && plan.Parked == 0 && plan.Schedules == 0 && !plan.StepCost && len(cases) == 0 {
				plan.HTTP, plan.Single, plan.Executor, plan.Raw = true, true, true, true
			}
			return p.bench(ctx, plan, cases)
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
	f.IntVar(&plan.Schedules, "schedules", 0, "so many schedules due at one moment; how late their runs are stored and begin")
	f.BoolVar(&plan.StepCost, "step-cost", false, "what a transition costs early and late in a run of 5,000 steps")
	return cmd
}

func (p *process) bench(ctx context.Context, plan benchPlan, cases []benchCase) (err error) {
	dir, err := os.MkdirTemp(plan.Dir, ".heddle-bench-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if dir, err = filepath.Abs(dir); err != nil {
		return err
	}
	b := &bench{process: p, plan: plan, dir: dir, url: plan.Store}
	if plan.Store == "sqlite" {
		b.url = "sqlite://" + filepath.Join(dir, "bench.db")
	}
	p.say("store      %s", b.describe())
	for _, part := range []struct {
		asked bool
		run   func(context.Context) error
	}{
		{plan.Raw, b.raw},
		{plan.Executor, b.executor},
		{plan.HTTP, b.http},
		{plan.Single, b.single},
		{plan.StepCost, b.stepCost},
		{plan.Schedules > 0, b.schedules},
		{plan.Parked > 0, b.parked},
	} {
		if !part.asked {
			continue
		}
		if err := part.run(ctx); err != nil {
			return err
		}
	}
	for _, c := range cases {
		if err := c.run(b, ctx); err != nil {
			return err
		}
	}
	return nil
}

// bench is one call of the command.
type bench struct {
	*process
	plan benchPlan
	dir  string
	url  string
}

func (b *bench) describe() string {
	if strings.HasPrefix(b.url, "sqlite:") {
		return "SQLite, WAL, synchronous=FULL, " + filepath.Dir(b.dir)
	}
	return "PostgreSQL, " + maskURL(b.url)
}

// rig is a running stack with one workflow on it.
type rig struct {
	*stack
	client   *client.Client
	tenant   string
	workflow string
	stop     func() error
}

// rig starts the stack on a free port and stores the definition. parts
// stand in for the product's own.
func (b *bench) rig(ctx context.Context, definition any, parts replaced) (*rig, error) {
	s, _, err := sources{environ: []string{"HEDDLE_DATABASE_URL=" + b.url, "HEDDLE_BOOTSTRAP_KEY=" + benchKey, "HEDDLE_LOG_LEVEL=error"}}.load()
	if err != nil {
		return nil, err
	}
	ln, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	st, err := openWith(ctx, s, slog.New(slog.NewTextHandler(b.err, &slog.HandlerOptions{Level: s.LogLevel})), parts)
	if err != nil {
		return nil, errors.Join(err, ln.Close())
	}
	serving, stopServing := context.WithCancel(ctx)
	ready, ended := make(chan struct{}), make(chan error, 1)
	go func() { ended <- st.serve(serving, ln, func() { close(ready) }) }()
	r := &rig{
		stack:  st,
		client: &client.Client{Base: "http://" + ln.Addr().String(), Key: benchKey, HTTP: manyConnections()},
		stop: func() error {
			stopServing()
			return errors.Join(<-ended, st.close())
		},
	}
	select {
	case <-ready:
	case err := <-ended:
		ended <- err
		return nil, r.stop()
	}
	if err := r.prepare(ctx, definition); err != nil {
		return nil, errors.Join(err, r.stop())
	}
	return r, nil
}

const benchKey = "bench-key-0123456789"

func (r *rig) prepare(ctx context.Context, definition any) error {
	who, err := r.access.Authenticate(ctx, benchKey)
	if err != nil {
		return err
	}
	r.tenant = who.TenantID
	r.workflow, err = r.client.CreateWorkflow(ctx, definition, "")
	return err
}

// threeSteps is the workflow of the throughput figures.
func threeSteps() json.RawMessage {
	return json.RawMessage(`{"name":"Three steps","steps":[
		{"id":"a","type":"condition","config":{"expression":"true"}},
		{"id":"b","type":"condition","depends_on":["a"],"config":{"expression":"steps.a.output.result"}},
		{"id":"c","type":"condition","depends_on":["b"],"config":{"expression":"steps.b.output.result"}}]}`)
}

// latencies is a set of measured times.
type latencies []time.Duration

// at gives the percentile, 0 to 100.
func (l latencies) at(percent float64) time.Duration {
	if len(l) == 0 {
		return 0
	}
	slices.Sort(l)
	return l[min(len(l)-1, int(float64(len(l))*percent/100))]
}

func (l latencies) String() string {
	return fmt.Sprintf("p50 %s  p99 %s", brief(l.at(50)), brief(l.at(99)))
}

// brief prints a time in milliseconds with two digits.
func brief(d time.Duration) string {
	return fmt.Sprintf("%.2f ms", float64(d)/float64(time.Millisecond))
}

// perSecond prints a rate with thousands apart.
func perSecond(n int, took time.Duration) string {
	text := fmt.Sprintf("%.0f", float64(n)/took.Seconds())
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text + "/s"
}
