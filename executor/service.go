package executor

import (
	"context"
	"heddle/clock"
	"heddle/definitions"
	"heddle/events"
	"heddle/executor/machine"
	"heddle/fault"
	"heddle/quota"
	"log/slog"
	"sync/atomic"
	"time"
)

// Config is what a Service is made of. Zero numbers take the defaults named
// beside them.
type Config struct {
	Store  Store
	Runner Runner
	// Traits returns what a step type declares about itself; nil: no type has
	// any. It must be the same on every node and at every time, for recovery
	// replays a run with it.
	Traits func(stepType string) definitions.Traits
	Hub    *events.Hub
	// Blobs may be nil: then large values stay in the journal.
	Blobs BlobStore
	// Secrets may be nil: then there are none.
	Secrets Secrets
	// Tracer may be nil: then no spans are made.
	Tracer Tracer
	Now    func() time.Time
	// Clock compares Now with the database's clock; nil: Now is right. Where the
	// two are far apart, what is stored and due goes by the database's.
	Clock *clock.Watch
	NewID func(prefix string) string
	Log   *slog.Logger
	// Holder names this process in the executor's lease; unique per process.
	Holder string

	MaxRuns    int // runs with a step in action: 10
	MaxSteps   int // attempts in action: 256
	MaxScripts int // script attempts in action: 4
	// MaxPerHost is how many attempts are in action at one place (HostNamer): 5,
	// and never more than half of MaxRuns.
	MaxPerHost int
	RunBlobs   int64         // bytes that one run may have stored apart: 256 MiB
	Drain      time.Duration // what steps in action get at a stop: 10 s
	Writers    int           // group commits at once: 1
	Group      int           // members of a group commit: 256

	// OutcomeWait is how long a node that does not drive runs waits for what
	// becomes of an input that it stored: 5 s.
	OutcomeWait time.Duration
	// Heartbeat is the silence after which Follow calls Sink.Idle: 15 s.
	Heartbeat time.Duration
	// HoldNamed leaves queued runs that have a name in the queue until Advance
	// lets them begin.
	HoldNamed bool
	// Terms keeps, apart from the store, which terms ended in order while the store
	// could not be told; nil: that is lost with the process.
	Terms TermNotes
	// Isolation says how runs are tried that were in action at several crashes.
	Isolation Isolation
	// Quota is how many runs of a tenant may be open; nil: as many as it likes.
	Quota *quota.Gate
	// Stored is how many bytes a tenant may have stored; nil: as many as it likes.
	Stored *quota.Bytes
	// Crash, when set, is called at named points; tests kill the process there.
	Crash func(point string)
}

func (c Config) withDefaults() Config {
	if c.Traits == nil {
		c.Traits = func(string) definitions.Traits { return definitions.Traits{} }
	}
	c.MaxRuns = orDefault(c.MaxRuns, 10)
	c.MaxSteps = orDefault(c.MaxSteps, 256)
	c.MaxScripts = orDefault(c.MaxScripts, 4)
	c.RunBlobs = orDefault(c.RunBlobs, MaxRunBlobs)
	c.MaxPerHost = min(orDefault(c.MaxPerHost, 5), max(1, c.MaxRuns/2))
	c.Drain = orDefault(c.Drain, 10*time.Second)
	c.Writers = orDefault(c.Writers, 1)
	c.Group = orDefault(c.Group, 256)
	c.Heartbeat = orDefault(c.Heartbeat, 15*time.Second)
	c.Isolation = c.Isolation.withDefaults()
	c.OutcomeWait = orDefault(c.OutcomeWait, outcomeWait)
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Crash == nil {
		c.Crash = func(string) {}
	}
	return c
}

func orDefault[T int | int64 | time.Duration](v, d T) T {
	if v == 0 {
		return d
	}
	return v
}

// Service starts, shows and steers runs, and drives them while Serve runs.
// Starts and reads work at any time; steering needs a serving executor, here or
// on another node of the same database.
type Service struct {
	cfg     Config
	plans   *planCache
	targets *targetCache
	engine  *engine
	tail    *tail
	epoch   atomic.Int64 // of the lease; 0: not held
	terms   terms
	renewed atomic.Pointer[time.Time] // when the last renewal of the lease was asked for; nil: none
	ready   atomic.Bool
	probe   storeProbe
	serving atomic.Bool // Serve is called and was not asked to end
}

// New makes a service. Nothing runs before Serve; Close ends what New began.
func New(cfg Config) *Service {
	cfg = cfg.withDefaults()
	s := &Service{cfg: cfg, plans: newPlanCache(cfg.Store, cfg.Traits, 512), targets: newTargetCache(4096)}
	s.engine = newEngine(s)
	s.terms = terms{store: cfg.Store, notes: cfg.Terms, log: cfg.Log}
	s.tail = newTail(cfg.Store)
	return s
}

// Close ends the writers, once what was handed in is answered; later starts
// are refused. Call it after Serve has returned.
func (s *Service) Close() {
	s.engine.commits.close()
	s.engine.logs.close()
}

// Ready reports whether this process takes runs: the store answers and takes
// writes, this node or another one holds the lease, and no stop is under way. It
// answers within two seconds whatever the store does.
func (s *Service) Ready(ctx context.Context) error {
	if !s.ready.Load() {
		return fault.New(fault.Unavailable, "not_ready", "The executor is starting or stopping; try again shortly.")
	}
	return s.probe.result(ctx, s.cfg.Store)
}

// View is a run with its steps.
type View struct {
	Record
	Steps  []machine.StepRun
	Counts machine.StepCounts
	Waits  []machine.Wait
}

// Run reads a run's row.
func (s *Service) Run(ctx context.Context, tenantID, runID string) (Record, error) {
	return s.cfg.Store.Run(ctx, tenantID, runID)
}

// Runs lists a page of runs.
func (s *Service) Runs(ctx context.Context, q RunQuery) (RunPage, error) {
	return s.cfg.Store.Runs(ctx, q)
}

// Get reads a run with its steps in execution order.
func (s *Service) Get(ctx context.Context, tenantID, runID string) (View, error) {
	if _, err := s.cfg.Store.Run(ctx, tenantID, runID); err != nil {
		return View{}, err
	}
	run, row, _, err := s.restore(ctx, runID)
	if err != nil {
		return View{}, err
	}
	row.Input = run.EffectiveInput()
	view := View{Record: row, Steps: run.StepRuns(), Counts: run.StepCounts(), Waits: run.Waits()}
	return view, s.withToolCalls(ctx, row, view.Steps)
}

// Delete removes a finished run with its journal; an open one is
// fault.Conflict run_open.
func (s *Service) Delete(ctx context.Context, tenantID, runID string) error {
	return s.cfg.Store.DeleteRun(ctx, tenantID, runID)
}

// Definition reads the definition that a run runs, also after its workflow was
// deleted.
func (s *Service) Definition(ctx context.Context, tenantID, runID string) ([]byte, Record, error) {
	row, err := s.cfg.Store.Run(ctx, tenantID, runID)
	if err != nil {
		return nil, Record{}, err
	}
	text, err := s.cfg.Store.Definition(ctx, row.WorkflowID, row.Version)
	return text, row, err
}

// DefinitionAt is the definition that the run was on at the event seq, and the
// first event of another one (0: it is on it still).
func (s *Service) DefinitionAt(ctx context.Context, tenantID, runID string, seq int64) (text []byte, next int64, err error) {
	row, err := s.cfg.Store.Run(ctx, tenantID, runID)
	if err != nil {
		return nil, 0, err
	}
	span, next := row.VersionAt(seq)
	text, err = s.cfg.Store.Definition(ctx, row.WorkflowID, span.Version)
	return text, next, err
}

// restore folds a run from its journal.
func (s *Service) restore(ctx context.Context, runID string) (*machine.Run, Record, snapshotDebt, error) {
	j, err := s.cfg.Store.Journal(ctx, runID)
	if err != nil {
		return nil, Record{}, snapshotDebt{}, err
	}
	plans := func(v machine.VersionSpan) (*machine.Plan, error) {
		c, err := s.plans.get(ctx, j.Row.WorkflowID, v.Version, v.Hash)
		if err != nil {
			return nil, err
		}
		return c.plan, nil
	}
	run, err := machine.RestoreAcross(plans, j.Row.Header, j.Snapshot, j.Events)
	return run, j.Row, debtOf(j), err
}

// rowOf is the row that shows a run.
func rowOf(run *machine.Run, trace Trace, now time.Time) Record {
	row := Record{
		Header: run.Header, State: run.State, Seq: run.Seq,
		StartedAt: run.StartedAt, CompletedAt: run.CompletedAt, UpdatedAt: now,
		Output: run.Output, Error: run.Err, Usage: run.Usage,
		TraceParent: trace.Parent, TraceState: trace.State,
	}
	if at, ok := run.Due(); ok {
		row.WakeAt = at
	}
	return row
}

// Trace is the W3C trace context that a run's start carried.
type Trace struct {
	Parent string
	State  string
}
