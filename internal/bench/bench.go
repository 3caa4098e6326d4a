// Package bench measures Heddle on the machine that it runs on: throughput and latency
// of runs, memory and start-up with many parked runs, event streams, and, for
// comparison, what the same database does without Heddle.
//
// It prints one line per figure and never judges a duration, because machines differ. It
// fails only where a promise that does not depend on speed is broken: a run that did not
// complete, a stream with a gap, memory beyond its bound.
//
// A measurement uses the product in one of two ways. Most parts start it in this process
// (rig), so that calls cost no network and its step runner can be replaced. What
// measures memory apart from that of the clients, or start-up, starts it in a process of
// its own (serverProcess).
//
// The package knows the services and the HTTP API, but not how they are wired: the
// command passes a function that starts the product (Config.Start).
package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"heddle/access"
	"heddle/client"
	"heddle/executor"
	"heddle/schedules"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Plan is what one call measures, and how much of it. With none of the parts and no case
// selected, Run measures Executor, HTTP, Single and Raw.
type Plan struct {
	Store    string  // "sqlite", or the URL of a PostgreSQL database that may be filled
	Dir      string  // directory, and so the disk, of the SQLite files
	Runs     int     // runs of each part, at most; above 0
	InFlight int     // runs in flight at one time; above 0
	Seconds  float64 // longest that one part may take; above 0

	Executor bool // runs through the executor, without HTTP
	HTTP     bool // runs over HTTP
	Single   bool // one run at a time over HTTP
	Raw      bool // the database without Heddle
	StepCost bool // transitions early and late in a run of 5,000 steps

	Parked    int      // runs that wait for an hour; 0: not measured
	Schedules int      // schedules due at one moment; 0: not measured
	Cases     []string // names of cases, in the order in which they are measured
	Profile   string   // directory for CPU and allocation profiles of each part; "": none
}

// Check returns an error if a number is out of range or a case does not exist; nil
// otherwise.
func (p Plan) Check() error {
	if p.InFlight < 1 || p.Runs < 1 || p.Parked < 0 || p.Schedules < 0 || p.Seconds <= 0 {
		return errors.New("--runs, --in-flight and --seconds must be above 0")
	}
	_, err := findCases(p.Cases)
	return err
}

// Config is what the command passes to a measurement. All fields are required.
type Config struct {
	Out     io.Writer // figures, one line each
	Err     io.Writer // logs of the servers that are started
	Environ []string  // "NAME=value", for servers in processes of their own

	// Start runs the product in this process, with the given settings ("NAME=value")
	// and with the given parts in place of its own, and returns once it is ready.
	Start func(ctx context.Context, settings []string, parts Parts) (*Stack, error)

	// Masked returns a database URL without its password.
	Masked func(url string) string
}

// Parts replace parts of the product; a nil field is not replaced.
type Parts struct {
	Runner executor.Runner // performs the attempts
	Meter  schedules.Meter // is told how late schedules fire
}

// Stack is the product, running in this process. Its services are those that its HTTP
// server uses.
type Stack struct {
	Base      string // URL of the HTTP server
	Access    *access.Service
	Executor  *executor.Service
	Schedules *schedules.Service
	Stop      func() error // stops it and waits for the end; call once
}

// Run measures what the plan selects, in a fixed order: parts first, then the cases in
// the plan's order. It makes the SQLite database in a directory of its own under
// plan.Dir and removes it; a PostgreSQL database keeps what was written. The first
// failure ends it. plan must have passed Check.
func Run(ctx context.Context, cfg Config, plan Plan) (err error) {
	cases, err := findCases(plan.Cases)
	if err != nil {
		return err
	}
	if !plan.HTTP && !plan.Single && !plan.Executor && !plan.Raw && plan.Parked == 0 && plan.Schedules == 0 && !plan.StepCost && len(cases) == 0 {
		plan.HTTP, plan.Single, plan.Executor, plan.Raw = true, true, true, true
	}
	// Under plan.Dir and not in the system's directory for temporary files, which is
	// often in memory and would measure no disk.
	dir, err := os.MkdirTemp(plan.Dir, ".heddle-bench-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	// Absolute, because server processes have a working directory of their own.
	if dir, err = filepath.Abs(dir); err != nil {
		return err
	}
	b := &session{Config: cfg, plan: plan, dir: dir, url: plan.Store}
	if plan.Store == "sqlite" {
		b.url = "sqlite://" + filepath.Join(dir, "bench.db")
	}
	// Before any figure, because a figure means nothing without the disk that it is of.
	b.printf("store      %s", b.describe())
	for _, part := range []struct {
		selected bool
		name     string
		run      func(context.Context) error
	}{
		{plan.Raw, "raw", b.raw},
		{plan.Executor, "executor", b.executor},
		{plan.HTTP, "http", b.http},
		{plan.Single, "single", b.single},
		{plan.StepCost, "step-cost", b.stepCost},
		{plan.Schedules > 0, "schedules", b.schedules},
		{plan.Parked > 0, "parked", b.parked},
	} {
		if !part.selected {
			continue
		}
		if err := b.profiled(part.name, func() error { return part.run(ctx) }); err != nil {
			return err
		}
	}
	for _, c := range cases {
		// Cases come last: each starts a fresh server or run, and its memory figure is least
		// disturbed when it is measured alone.
		if err := b.profiled(c.name, func() error { return c.run(ctx, b) }); err != nil {
			return err
		}
	}
	return nil
}

// profiled runs a part and, where the plan has a directory for profiles, writes those of
// this process there, as NAME.cpu.pprof and NAME.allocs.pprof. A server process of the part
// writes its own as NAME.server….
func (b *session) profiled(name string, run func() error) error {
	b.part = name
	if b.plan.Profile == "" {
		return run()
	}
	stop, err := Profile(filepath.Join(b.plan.Profile, name))
	if err != nil {
		return err
	}
	err = run()
	return errors.Join(err, stop())
}

// session is one call of Run. Its parts run one after another over the same database, so
// a later one finds the runs of those before it.
type session struct {
	Config
	plan Plan
	dir  string // absolute; removed at the end
	url  string // of the database, password included
	part string // name of the part that is measured
}

// printf prints one line of figures.
func (b *session) printf(format string, args ...any) { fmt.Fprintf(b.Out, format+"\n", args...) }

// describe returns the database in words, for the first line of the output.
func (b *session) describe() string {
	if strings.HasPrefix(b.url, "sqlite:") {
		return "SQLite, WAL, synchronous=FULL, " + filepath.Dir(b.dir)
	}
	return "PostgreSQL, " + b.Masked(b.url)
}

// adminKey is the bootstrap key of every server that a session starts. They listen on
// the loopback interface only.
const adminKey = "bench-key-0123456789"

// settings returns the settings of a server over the session's database, then more.
func (b *session) settings(more ...string) []string {
	return append([]string{"HEDDLE_DATABASE_URL=" + b.url, "HEDDLE_BOOTSTRAP_KEY=" + adminKey, "HEDDLE_LOG_LEVEL=error"}, more...)
}

// rig is a running stack with one workflow on it, and a client of it.
type rig struct {
	*Stack
	client   *client.Client // over HTTP, as the admin of tenant
	tenant   string         // id of the tenant that has the workflow
	workflow string         // id of the workflow
}

// rig starts the stack with the given parts and stores the definition as a workflow. The
// caller calls Stop.
func (b *session) rig(ctx context.Context, definition any, parts Parts) (*rig, error) {
	st, err := b.Start(ctx, b.settings(), parts)
	if err != nil {
		return nil, err
	}
	r := &rig{Stack: st, client: client.New(st.Base, adminKey, client.WithAttempts(1), client.WithHTTPClient(manyConnections()))}
	if err := r.prepare(ctx, definition); err != nil {
		return nil, errors.Join(err, r.Stop())
	}
	return r, nil
}

// prepare looks up the tenant of the key and stores the workflow.
func (r *rig) prepare(ctx context.Context, definition any) error {
	// The executor takes a tenant's id, which the key alone does not show.
	who, err := r.Access.Authenticate(ctx, adminKey)
	if err != nil {
		return err
	}
	r.tenant = who.TenantID
	r.workflow, err = r.client.Workflows.Add(ctx, definition, "")
	return err
}

// threeSteps returns the workflow of the throughput figures: three conditions
// in a row, so that the cost is the engine's and the journal's alone.
func threeSteps() json.RawMessage {
	// The steps depend on each other, so a run takes three transitions and not one.
	return json.RawMessage(`{"name":"Three steps","steps":[
		{"id":"a","type":"condition","config":{"expression":"true"}},
		{"id":"b","type":"condition","depends_on":["a"],"config":{"expression":"steps.a.output.result"}},
		{"id":"c","type":"condition","depends_on":["b"],"config":{"expression":"steps.b.output.result"}}]}`)
}

// latencies is a set of measured durations, in any order.
type latencies []time.Duration

// at returns a percentile of the durations, from 0 to 100: a measured duration that at
// least this share of them does not exceed; 0 of an empty set. It sorts l.
func (l latencies) at(percent float64) time.Duration {
	if len(l) == 0 {
		return 0
	}
	slices.Sort(l)
	return l[min(len(l)-1, int(float64(len(l))*percent/100))]
}

// String returns the median and the 99th percentile.
func (l latencies) String() string {
	return fmt.Sprintf("p50 %s  p99 %s", millis(l.at(50)), millis(l.at(99)))
}

// millis formats a duration in milliseconds with two decimals.
func millis(d time.Duration) string {
	return fmt.Sprintf("%.2f ms", float64(d)/float64(time.Millisecond))
}

// perSecond formats n in the time taken as a rate, with commas between thousands.
func perSecond(n int, took time.Duration) string {
	text := fmt.Sprintf("%.0f", float64(n)/took.Seconds())
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text + "/s"
}
