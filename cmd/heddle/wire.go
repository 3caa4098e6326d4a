package main

import (
	"context"
	"errors"
	"fmt"
	"heddle/access"
	"heddle/agents"
	"heddle/api"
	"heddle/clock"
	"heddle/definitions"
	"heddle/events"
	"heddle/executor"
	"heddle/ids"
	"heddle/metrics"
	"heddle/quota"
	"heddle/schedules"
	"heddle/secrets"
	"heddle/steps"
	"heddle/store"
	"heddle/telemetry"
	"heddle/templates"
	"heddle/versions"
	"log/slog"
	"net"
	"strings"
	"sync"
	"time"
)

// stack is the whole product, wired: every package's service over one store.
type stack struct {
	log         *slog.Logger
	db          *store.DB
	access      *access.Service
	definitions *definitions.Service
	stored      *quota.Bytes
	executor    *executor.Service
	schedules   *schedules.Service
	registry    *steps.Registry
	secrets     *secrets.Service
	spans       *telemetry.Service // nil: none are made
	handler     *api.Handler
	madeKey     string // the admin key, when this start made it
}

// open wires the product over the database that the settings name, migrates it, and
// ensures that there is an admin key. Nothing runs before serve. The caller closes
// the stack.
func open(ctx context.Context, s settings, log *slog.Logger) (*stack, error) {
	return openWith(ctx, s, log, replaced{})
}

// replaced is what benchmarks and tests put in place of parts of the product; a nil
// field keeps the product's own.
type replaced struct {
	runner executor.Runner
	meter  schedules.Meter
}

// openWith is open with parts replaced. What it has opened is closed again if it
// fails.
func openWith(ctx context.Context, s settings, log *slog.Logger, parts replaced) (*stack, error) {
	guard, err := steps.NewGuard(s.EgressAllow)
	if err != nil {
		return nil, err
	}
	db, err := store.Open(ctx, s.DatabaseURL, store.WithLock(), store.WithWait(time.Minute, func(err error) {
		log.Warn("the database does not take connections yet; waiting for it", "error", err)
	}))
	if err != nil {
		return nil, fmt.Errorf("open the database %s: %w", maskURL(s.DatabaseURL), err)
	}
	st := &stack{log: log, db: db}
	newID := ids.New(time.Now).New
	meter := metrics.New(buildVersion())
	// Measured before anything is stored or due, because times are taken from it.
	watch := clock.New(time.Now, db.Clock, log)
	watch.Right(ctx)
	st.access = access.New(access.Config{Store: db, Now: watch.Now, NewID: newID, Log: log, Quotas: s.Quotas})
	if st.madeKey, err = st.access.Bootstrap(ctx, s.BootstrapKey); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	keys := keySource{setting: s.SecretKey, file: keyFile(s.DatabaseURL), log: log}
	st.secrets = secrets.New(secrets.Config{Store: db, Key: keys.key, Now: watch.Now, Log: log})
	if err := st.secrets.Check(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("secrets: %w", err), db.Close())
	}
	scrubLog(log, st.secrets.Scrub)
	agentService := agents.New(db, watch.Now)
	st.registry = steps.Default(steps.Deps{
		Egress: guard, Agents: agentSource{agentService, st.secrets}, Version: buildVersion(), Now: time.Now, Log: log,
		Scripts: s.scripts(),
	})
	// Asking for the limits here removes what a server that crashed left behind.
	log.Debug("scripts", "limits", st.registry.ScriptLimits())
	if parts.runner == nil {
		parts.runner = st.registry
	}
	if parts.meter == nil {
		parts.meter = meter
	}
	if st.spans, err = spans(s.Spans, func(stepType string) bool { return st.registry.Traits(stepType).SendsTrace }, log); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	st.stored = quota.NewBytes(quota.BytesConfig{
		Limit: func(ctx context.Context, tenantID string) (int64, error) {
			q, err := st.access.Quotas(ctx, tenantID)
			return q.StoredBytes, err
		},
		Count: db.CountStoredBytes, Now: time.Now, Uncounted: uncounted(log),
	})
	st.executor = executor.New(executorConfig(executor.Config{
		Store: meter.Runs(db), Blobs: db, Runner: parts.runner, Traits: st.registry.Traits, Hub: events.NewHub(), Now: time.Now, Clock: watch, NewID: newID, Log: log,
		Secrets: st.secrets, Holder: newID("node_"), MaxRuns: s.MaxRuns, MaxSteps: s.MaxSteps, MaxScripts: s.MaxScripts, MaxPerHost: s.MaxPerHost,
		Writers: writers(s.DatabaseURL), Drain: drain, Terms: termNotes(s.DatabaseURL), HoldNamed: s.RunnerTick, Tracer: tracer(st.spans),
		Quota: st.gate("open_runs", func(q access.Quotas) int { return q.OpenRuns }, db.CountOpenRuns), Stored: st.stored,
	}))
	st.definitions = definitions.NewService(definitions.ServiceConfig{
		Store: db, Catalog: st.registry, Runs: st.executor, Secrets: st.secrets, Agents: agentService, Now: watch.Now, NewID: newID,
	})
	patterns, err := templates.NewService(templates.ServiceConfig{
		Store: db, Definitions: st.definitions, Catalog: st.registry, Secrets: st.secrets, Now: watch.Now, NewID: newID,
	})
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	st.schedules = schedules.New(schedules.Config{
		Store: meter.Schedules(db), Runs: st.executor, Now: time.Now, Clock: watch, NewID: newID, Meter: parts.meter, Log: log,
		Quota: st.gate("schedules", func(q access.Quotas) int { return q.Schedules }, db.CountSchedules),
	})
	meter.Watch(st.executor, db)
	meter.WatchClock(watch)
	if st.spans != nil {
		meter.WatchSpans(func() metrics.SpanCounts { return metrics.SpanCounts(st.spans.Stats()) })
	}
	st.handler = api.New(api.Config{
		Rate:      s.Rate,
		Schedules: st.schedules, Clock: watch, RunnerTick: s.RunnerTick, StoreTime: s.DatabaseTimeout, Metrics: meter.Handler(), Meter: meter,
		Access: st.access, Definitions: st.definitions, Versions: versions.NewService(versions.Config{Store: db, Schedules: scheduleImpact{db}, Now: watch.Now}),
		Transfer: versions.NewTransfer(versions.TransferConfig{Store: db, Catalog: st.registry, Secrets: st.secrets, NewID: newID}), Executor: st.executor,
		Secrets: st.secrets, Agents: agentService, Templates: patterns, Answers: db, Turns: db, Stored: st.stored, Isolation: st.registry.ScriptIsolation, ScriptLimits: st.registry.ScriptLimits, Version: buildVersion(), Now: time.Now, NewID: newID, Log: log,
	})
	return st, nil
}

// gate returns the gate that holds tenants to one of their quotas. of picks the
// quota, count counts in the store, at most up to most.
func (st *stack) gate(name string, of func(access.Quotas) int, count func(ctx context.Context, tenantID string, most int) (int, error)) *quota.Gate {
	return &quota.Gate{Name: name, Now: time.Now, Count: count, Limit: func(ctx context.Context, tenantID string) (int, error) {
		q, err := st.access.Quotas(ctx, tenantID)
		return of(q), err
	}}
}

// uncounted returns the function that logs what the quota of stored bytes could not
// count.
func uncounted(log *slog.Logger) func(tenantID string, err error) {
	return func(tenantID string, err error) {
		if err == nil {
			log.Warn("what a tenant has stored is still being counted; requests are let in meanwhile", "tenant", tenantID)
			return
		}
		log.Warn("what a tenant has stored could not be counted; the quota of stored bytes holds by what was counted before, or not at all", "tenant", tenantID, "error", err)
	}
}

// writers returns how many group commits overlap: SQLite has one writer; on
// PostgreSQL the next group is prepared while the last one is flushed.
func writers(databaseURL string) int {
	if strings.HasPrefix(databaseURL, "postgres") {
		return 4
	}
	return 1
}

// endsNow records that the process ends by its own decision, where it does so before
// serve has returned, so that the runs in flight do not count a crash. It waits for
// at most 100 ms, because the disk may be what hangs. st may be nil: nothing was
// opened yet.
func (st *stack) endsNow() {
	if st == nil {
		return
	}
	noted := make(chan struct{})
	go func() {
		defer close(noted)
		st.executor.NoteOrderlyExit()
	}()
	select {
	case <-noted:
	case <-time.After(100 * time.Millisecond):
	}
}

// close releases everything, in the reverse order of need: the database last. serve
// has returned by then, or was never called.
func (st *stack) close() error {
	st.executor.Close()
	st.stored.Close()
	flush(st.spans, st.log)
	st.registry.Close()
	return st.db.Close()
}

// serve drives runs and answers requests on ln until ctx ends; then it stops in
// order: no new work, steps in flight get their time to end, streams close. ready is
// called once requests are answered and this node either drives runs or is a standby.
// It takes ownership of ln, and returns why it ended, nil after a stop in order.
func (st *stack) serve(ctx context.Context, ln net.Listener, ready func()) error {
	driving, stopDriving := context.WithCancel(context.WithoutCancel(ctx))
	defer stopDriving()
	driven := make(chan error, 1)
	go func() {
		var timed sync.WaitGroup
		timed.Go(func() { st.schedules.Serve(driving) })
		err := st.executor.Serve(driving)
		timed.Wait()
		driven <- err
	}()
	go purgeAnswers(driving, st.db, time.Now, st.log)

	srv := api.NewServer(st.handler)
	served := make(chan error, 1)
	go func() { served <- srv.Serve(api.Listen(ln)) }()

	var greeting sync.WaitGroup
	greeting.Go(func() { st.awaitReady(driving, ready) })
	defer greeting.Wait()
	var failure error
	select {
	case <-ctx.Done():
		st.log.Info("stopping: steps in flight get their time to end")
	case err := <-served:
		failure = fmt.Errorf("serve on %s: %w", ln.Addr(), err)
	case err := <-driven:
		failure = errors.Join(errors.New("the executor ended by itself"), err)
		driven <- nil
	}
	stopDriving()
	failure = errors.Join(failure, <-driven)
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if err := srv.Shutdown(ending); err != nil {
		failure = errors.Join(failure, srv.Close())
	}
	return failure
}

// awaitReady polls until the executor is ready, and then calls ready.
func (st *stack) awaitReady(ctx context.Context, ready func()) {
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for st.executor.Ready(ctx) != nil {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
	ready()
}

// databaseFiles returns the files that scripts must not read: a SQLite database with
// its companions, the notes of terms, and the file of the key for secrets.
func databaseFiles(databaseURL string) []string {
	files := []string{keyFile(databaseURL)}
	if notes := termNotes(databaseURL); notes.path != "" {
		files = append(files, notes.path)
	}
	if path := sqlitePath(databaseURL); path != "" {
		files = append(files, path, path+"-wal", path+"-shm", path+".lock")
	}
	return files
}
