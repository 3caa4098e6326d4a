package executor

import (
	"context"
	"heddle/fault"
)

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

	reader := &Reader{cfg: cfg, plans: plans, logs: perf.logs, restored: newRestoredRuns(plans)}
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
