package executor

import (
	"context"
	"heddle/clock"
	"heddle/definitions"
	"heddle/events"
	"heddle/fault"
	"heddle/quota"
	"log/slog"
	"time"
)

// Config is what a Service is made of. Zero numbers take the defaults named beside them.
// Store, Hub, Now and NewID are required; Runner and Holder are where Serve runs. Nothing
// in it may change after New.
type Config struct {
	// Store is where runs are kept; Runner performs their attempts; Hub wakes those
	// who follow runs on this node.
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
	// Now is the process's clock.
	Now func() time.Time
	// Clock compares Now with the database's clock; nil: Now is right. Where the
	// two are far apart, what is stored and due goes by the database's.
	Clock *clock.Watch
	// NewID returns a new id with a prefix such as run_; ids of one process rise
	// with time.
	NewID func(prefix string) string
	// Log takes warnings and errors that no caller gets; nil: they are dropped.
	Log *slog.Logger
	// Holder names this process in the executor's lease; unique per process.
	Holder string

	MaxRuns    int // runs with an attempt in flight: 10
	MaxSteps   int // attempts in flight: 256
	MaxScripts int // attempts of scripts in flight: 4
	// MaxPerHost is how many attempts go to one host at a time (HostNamer): 5, and
	// never more than half of MaxRuns.
	MaxPerHost int
	RunBlobs   int64         // bytes that one run may have stored apart: 256 MiB
	Drain      time.Duration // how long attempts in flight may go on at a stop: 10 s
	Writers    int           // group commits at once: 1
	Group      int           // members of a group commit: 256

	// OutcomeWait is how long a node that does not lead waits for what becomes of an input
	// that it stored: 3.5 s. After that the input is answered as pending.
	OutcomeWait time.Duration
	// Heartbeat is the silence after which Follow calls Sink.Idle: 15 s.
	Heartbeat time.Duration
	// HoldNamed leaves queued runs that have a name in the queue until Advance
	// lets them begin.
	HoldNamed bool
	// Terms keeps, apart from the store, which terms ended in order while the store could
	// not be told; nil: that is lost with the process, and such an end counts as a crash.
	Terms TermNotes
	// Isolation says how runs are isolated that were in flight at several crashes.
	Isolation Isolation
	// Quota is how many runs of a tenant may be open; nil: as many as it likes.
	Quota *quota.Gate
	// Stored is how many bytes a tenant may have stored; nil: as many as it likes.
	Stored *quota.Bytes
	// Crash, when set, is called at named points of a commit, a start and an attempt; tests
	// kill the process there. nil: nothing is called.
	Crash func(point string)
}

// withDefaults returns the config with its zero fields filled in. MaxPerHost is also
// reduced to half of MaxRuns, so that one host which does not answer leaves slots to
// others. It checks nothing.
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

// orDefault returns v, or d where v is zero.
func orDefault[T int | int64 | time.Duration](v, d T) T {
	if v == 0 {
		return d
	}
	return v
}

// now returns the time that is stored and that due times are judged by, in UTC and in the
// precision that is stored, milliseconds: Now, or the database's clock where the two are
// far apart. It may go back when the correction changes. Deadlines within the process are
// measured by Now alone.
func (c *Config) now() time.Time {
	return c.Now().Add(c.Clock.Correction()).UTC().Truncate(time.Millisecond)
}

// Service starts, shows and steers runs, and drives them while Serve runs. It is made of
// parts by use, whose methods are its own. Starts and reads work at any time; commands need
// a node that leads, here or elsewhere on the same database, and are otherwise kept in the
// inbox. All methods are safe for concurrent use.
type Service struct {
	*Starter
	*Restarter
	*Steering
	*Reader
	*Follower
	*Tester

	cfg        *Config
	term       *term
	leadership *leadership
	registry   *registry
	dispatcher *dispatcher
	performer  *performer
	commits    *committer
	ends       *termEnds
	probe      storeProbe
}

// New makes a service and starts the writers of group commits and of log lines. No run is
// driven before Serve; Close ends what New began. The parts get only the objects that they
// use; the registry and the dispatcher need each other and the driver, so those links are
// set last.
func New(config Config) *Service {
	config = config.withDefaults()
	cfg, t := &config, &term{}
	plans := newPlanCache(cfg.Store, cfg.Traits, 512)
	values := newLargeValues(cfg, t)
	reg := newRegistry(t)
	dp := newDispatcher(cfg, plans, reg)
	perf := newPerformer(cfg, t, reg, dp.hosts, values)
	fed := newFeed(t, cfg.Now)
	commits := newCommitter(cfg.Store, cfg.Writers, cfg.Group, func(epoch int64, c *Commit, err error) {
		if err != nil {
			fed.forget(c.Row.RunID)
			return
		}
		cfg.countStored(c)
		fed.add(epoch, c)
	})
	drv := &driver{cfg: cfg, term: t, plans: plans, commits: commits, registry: reg, dispatcher: dp, performer: perf, values: values}
	reg.dispatcher, reg.drive = dp, drv.drive
	in := newInbox(cfg, t, plans, reg, dp)
	ends := &termEnds{store: cfg.Store, notes: cfg.Terms, log: cfg.Log}

	reader := &Reader{cfg: cfg, plans: plans, logs: perf.logs}
	steering := &Steering{cfg: cfg, term: t, plans: plans, reader: reader, registry: reg, dispatcher: dp, inbox: in, feed: fed}
	starter := &Starter{
		cfg: cfg, term: t, plans: plans, targets: newTargetCache(4096), commits: commits,
		registry: reg, dispatcher: dp, driver: drv, values: values,
	}
	return &Service{
		Starter: starter, Steering: steering, Reader: reader,
		Restarter: &Restarter{cfg: cfg, term: t, commits: commits, starter: starter, steering: steering, reader: reader},
		Follower:  &Follower{cfg: cfg, term: t, plans: plans, tail: newTail(cfg.Store, fed)},
		Tester:    &Tester{cfg: cfg, plans: plans, performer: perf, values: values},
		cfg:       cfg, term: t, registry: reg, dispatcher: dp, performer: perf, commits: commits, ends: ends,
		leadership: &leadership{
			cfg: cfg, term: t, ends: ends, commits: commits, registry: reg, dispatcher: dp, performer: perf, values: values, inbox: in,
		},
	}
}

// Serve drives runs until ctx ends, then drains: attempts in flight get Config.Drain to
// end, and the next process resumes the rest. While another process holds the executor's
// lease this one stands by: commands for runs are stored for the one that leads. It returns
// nil once no run is driven here. Only one call may be under way.
func (s *Service) Serve(ctx context.Context) error { return s.leadership.serve(ctx) }

// Close ends the writers, once what was submitted is answered; later starts are refused
// with not_ready. Call it after Serve has returned, because runs commit until then.
func (s *Service) Close() {
	s.commits.close()
	s.performer.logs.close()
}

// Ready reports whether this node takes requests for runs: the store answers and
// takes writes, this node or another one holds the lease, and no stop is under way.
// Errors: fault.Unavailable not_ready and store_unavailable. It answers within two
// seconds whatever the store does.
func (s *Service) Ready(ctx context.Context) error {
	if !s.term.ready.Load() {
		return fault.New(fault.Unavailable, "not_ready", "The executor is starting or stopping; try again shortly.")
	}
	return s.probe.result(ctx, s.cfg.Store)
}

// NoteOrderlyExit records apart from the store (Config.Terms) that the process ends by its
// own decision, although Serve has not returned: the runs in flight did not crash it. It
// may be called at any time and does not wait for the store.
func (s *Service) NoteOrderlyExit() { s.ends.endNow(s.term.epoch.Load()) }

// Trace is the W3C trace context that a run's start carried; both empty: none.
type Trace struct {
	Parent string // the header traceparent
	State  string // the header tracestate
}
