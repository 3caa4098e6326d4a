package main

import (
	"context"
	"errors"
	"fmt"
	"heddle/access"
	"heddle/agents"
	"heddle/api"
	"heddle/approvals"
	"heddle/bulk"
	"heddle/clock"
	"heddle/console"
	"heddle/definitions/workflows"
	"heddle/drafts"
	"heddle/events"
	"heddle/executor"
	"heddle/ids"
	"heddle/live"
	"heddle/metrics"
	"heddle/oidc"
	"heddle/quota"
	"heddle/schedules"
	"heddle/search"
	"heddle/secrets"
	"heddle/signin"
	"heddle/steps"
	"heddle/store"
	"heddle/system"
	"heddle/telemetry"
	"heddle/templates"
	"heddle/versions"
	"log/slog"
	"net"
	"strings"
	"sync"
	"time"
)

// stack is the whole product, wired: every package's service over one store. Its fields
// do not change after open.
type stack struct {
	log         *slog.Logger       // scrubbed once secrets is open
	db          *store.DB          // closed last
	access      *access.Service    // tenants, keys and quotas
	links       *access.Links      // that serve prints
	definitions *workflows.Service // workflows and their versions
	stored      *quota.Bytes       // what tenants have stored; counts in the background
	executor    *executor.Service  // drives runs while serve runs
	schedules   *schedules.Service // starts due runs while serve runs
	bulk        *bulk.Service      // carries bulk jobs out while serve runs
	registry    *steps.Registry    // the step types; owns the scripts' sandbox
	secrets     *secrets.Service   // its key fits the database
	spans       *telemetry.Service // nil: no spans are made
	system      *system.Service    // notes that this node is there while serve runs
	handler     *api.Handler       // the HTTP API over all of these
	madeKey     string             // the admin key, "" unless this start made it
}

// open wires the product over the database that the settings name, migrates it, and
// ensures that there is an admin key. It waits a minute for a database that does not
// take connections yet. No run is driven before serve. The caller closes the stack.
func open(ctx context.Context, s settings, log *slog.Logger) (*stack, error) {
	return openWith(ctx, s, log, replaced{})
}

// replaced holds what benchmarks and tests put in place of parts of the product; a nil
// field keeps the product's own.
type replaced struct {
	runner executor.Runner // performs the attempts
	meter  schedules.Meter // is told how late schedules fire
}

// openWith is open with parts replaced. After an error the database is closed.
//
// The order is: the database, which everything needs; its clock, from which times are
// taken; then the parts in the order of wiring's methods; the API last, which needs all
// of them.
func openWith(ctx context.Context, s settings, log *slog.Logger, parts replaced) (*stack, error) {
	// Before the database is opened: a wrong setting should not wait for it.
	guard, err := steps.NewGuard(s.EgressAllow)
	if err != nil {
		return nil, err
	}
	people, err := s.provider(time.Now)
	if err != nil {
		return nil, err
	}
	// The lock keeps a second server from the same SQLite file; several servers may share
	// a PostgreSQL database.
	db, err := store.Open(ctx, s.DatabaseURL, store.WithLock(), store.WithWait(time.Minute, func(err error) {
		log.Warn("the database does not take connections yet; waiting for it", "error", err)
	}))
	if err != nil {
		return nil, fmt.Errorf("open the database %s: %w", maskURL(s.DatabaseURL), err)
	}
	w := &wiring{
		stack: &stack{log: log, db: db}, settings: s, parts: parts, guard: guard, people: people,
		newID: ids.New(time.Now).New, hub: events.NewHub(), meter: metrics.New(buildVersion()), clock: clock.New(time.Now, db.Clock, log),
	}
	// Measured before anything is stored or due, because times are taken from it.
	w.clock.Accurate(ctx)
	// The order is that of need: secrets before the steps that reveal them, steps before
	// the runs that perform them, and runs before the definitions, whose deletion may end
	// them.
	for _, part := range []func(context.Context) error{w.openAccess, w.openSecrets, w.openSteps, w.openRuns, w.openAuthoring} {
		if err := part(ctx); err != nil {
			return nil, errors.Join(err, db.Close())
		}
	}
	w.openAPI()
	return w.stack, nil
}

// wiring is a stack that is being opened, with what only its parts need. Each open
// method fills in fields of the stack and may use those of the methods before it, in the
// order of openWith.
type wiring struct {
	*stack
	settings settings
	parts    replaced
	guard    *steps.Guard               // which addresses steps may reach
	newID    func(prefix string) string // time-ordered ids with a prefix (package ids)
	meter    *metrics.Metrics
	hub      *events.Hub    // tells of runs whose journals have grown
	clock    *clock.Watch   // corrects Now by the database's clock, which all nodes share
	people   *oidc.Provider // nil: people do not sign in
	agents   *agents.Service
	patterns *templates.Service
	holder   string // this node's id
}

// openAccess opens tenants and keys, and ensures that there is an admin key. The key is
// in madeKey if this start made it.
func (w *wiring) openAccess(ctx context.Context) (err error) {
	w.access = access.New(access.Config{Store: w.db, Now: w.clock.Now, NewID: w.newID, Log: w.log, Quotas: w.settings.Quotas})
	w.links = access.NewLinks(w.access)
	w.madeKey, err = w.access.Bootstrap(ctx, w.settings.BootstrapKey)
	return err
}

// openSecrets opens the secrets and agents. It fails where the key does not fit
// the secrets in the store. From here on the log prints no secret.
func (w *wiring) openSecrets(ctx context.Context) error {
	keys := keySource{setting: w.settings.SecretKey, file: keyFile(w.settings.DatabaseURL), log: w.log}
	w.secrets = secrets.New(secrets.Config{Store: w.db, Key: keys.key, Now: w.clock.Now, Log: w.log})
	if err := w.secrets.Check(ctx); err != nil {
		return fmt.Errorf("secrets: %w", err)
	}
	// Before any secret is opened, so that the log never prints one.
	scrubLog(w.log, w.secrets.Scrub)
	w.agents = agents.New(w.db, w.clock.Now)
	return nil
}

// openSteps opens the step types and the tracer of what they do, and fills in the parts
// that are not replaced.
func (w *wiring) openSteps(context.Context) (err error) {
	w.registry = steps.Default(steps.Deps{
		Egress: w.guard, Agents: agentSource{w.agents, w.secrets}, Version: buildVersion(), Now: time.Now, Log: w.log,
		Scripts: w.settings.scripts(), IdlePerHost: w.settings.IdlePerHost,
	})
	// Asking for the limits here removes what a server that crashed left behind.
	w.log.Debug("scripts", "limits", w.registry.ScriptLimits())
	// A replaced runner still needs the registry, which is also the catalog for
	// validation.
	if w.parts.runner == nil {
		w.parts.runner = w.registry
	}
	if w.parts.meter == nil {
		w.parts.meter = w.meter
	}
	w.spans, err = spans(w.settings.Spans, func(stepType string) bool { return w.registry.Traits(stepType).SendsTrace }, w.log)
	return err
}

// openRuns opens the executor and the schedules, and makes the metrics watch them.
func (w *wiring) openRuns(context.Context) error {
	s, st := w.settings, w.stack
	w.holder = w.newID("node_")
	st.stored = quota.NewBytes(quota.BytesConfig{
		Limit: func(ctx context.Context, tenantID string) (int64, error) {
			q, err := st.access.Quotas(ctx, tenantID)
			return q.StoredBytes, err
		},
		Count: st.db.CountStoredBytes, Now: time.Now, Uncounted: uncounted(st.log),
	})
	st.executor = executor.New(executorConfig(executor.Config{
		Store: w.meter.Runs(st.db), Hub: w.hub, Now: time.Now, Clock: w.clock, NewID: w.newID, Log: st.log,
		Admission: executor.Admission{MaxRuns: s.MaxRuns, HoldNamed: s.RunnerTick, Quota: st.gate("open_runs", func(q access.Quotas) int { return q.OpenRuns }, st.db.CountOpenRuns)},
		Attempts:  executor.Attempts{Runner: w.parts.runner, Traits: st.registry.Traits, Secrets: st.secrets, MaxSteps: s.MaxSteps, MaxScripts: s.MaxScripts, MaxPerHost: s.MaxPerHost, Drain: drain, Tracer: tracer(st.spans)},
		Values:    executor.Values{Blobs: st.db, Stored: st.stored},
		Commits:   executor.Commits{Writers: writers(s.DatabaseURL)},
		Node:      executor.Node{Holder: w.holder, Terms: termNotes(s.DatabaseURL)},
	}))
	st.schedules = schedules.New(schedules.Config{
		Store: w.meter.Schedules(st.db), Runs: st.executor, Now: time.Now, Clock: w.clock, NewID: w.newID, Meter: w.parts.meter, Log: st.log,
		Quota:    st.gate("schedules", func(q access.Quotas) int { return q.Schedules }, st.db.CountSchedules),
		Announce: w.hub.Announce,
	})
	// Metrics read the state when they are scraped, so nothing counts in the background.
	w.meter.Watch(st.executor, st.db)
	w.meter.WatchClock(w.clock)
	if st.spans != nil {
		w.meter.WatchSpans(func() metrics.SpanCounts { return metrics.SpanCounts(st.spans.Stats()) })
	}
	return nil
}

// openAuthoring opens definitions and templates, and the jobs that change many of them.
func (w *wiring) openAuthoring(context.Context) (err error) {
	w.db.KeepUses(workflows.Uses(w.registry))
	w.definitions = workflows.NewService(workflows.ServiceConfig{
		Store: w.db, Catalog: w.registry, Runs: w.executor, Secrets: w.secrets, Agents: w.agents, Now: w.clock.Now, NewID: w.newID,
	})
	w.bulk = bulk.New(bulk.Config{
		Store: w.db, Runs: w.executor, Schedules: w.schedules, Workflows: w.definitions, Rights: w.access, Answers: w.db,
		Now: w.clock.Now, NewID: w.newID, Log: w.log,
	})
	w.patterns, err = templates.NewService(templates.ServiceConfig{
		Store: w.db, Definitions: w.definitions, Catalog: w.registry, Secrets: w.secrets, Now: w.clock.Now, NewID: w.newID,
	})
	return err
}

// openAPI opens the HTTP API over everything else.
func (w *wiring) openAPI() {
	s, st := w.settings, w.stack
	st.system = w.openSystem()
	st.handler = api.New(api.Config{
		Services: api.Services{
			Access: st.access, Links: st.links, Definitions: st.definitions, Versions: versions.NewService(versions.Config{Store: st.db, Schedules: scheduleImpact{st.db}, Holdings: holdings{st.secrets, w.agents}, Catalog: st.registry, Now: w.clock.Now}),
			Transfer: versions.NewTransfer(versions.TransferConfig{Store: st.db, Catalog: st.registry, Secrets: st.secrets, NewID: w.newID}), Executor: st.executor,
			Schedules: st.schedules, Approvals: approvals.New(st.db, st.executor), Bulk: st.bulk,
			Live:    live.New(live.Config{Source: st.db, Hub: w.hub, Details: st.executor.Details, Encode: api.EncodeChange, Now: w.clock.Now, Epoch: w.newID("live_"), Log: st.log}),
			Secrets: st.secrets, Agents: w.agents, System: st.system, Search: search.New(st.definitions, st.executor, st.schedules, w.patterns, st.db), Templates: w.patterns, Drafts: drafts.NewService(drafts.Config{Store: st.db, Secrets: st.secrets, Now: w.clock.Now, NewID: w.newID}), Answers: st.db, Turns: st.db,
			SignIn: w.signIn(), Isolation: st.registry.ScriptIsolation, ScriptLimits: st.registry.ScriptLimits,
		},
		Limits:    api.Limits{Rate: s.Rate, Stored: st.stored, StoreTime: s.DatabaseTimeout},
		Observers: api.Observers{Log: st.log, Metrics: w.meter.Handler(), Meter: w.meter},
		Version:   buildVersion(), Now: time.Now, NewID: w.newID, Clock: w.clock, RunnerTick: s.RunnerTick, Console: console.New().Serve,
	})
}

// signIn returns what signs people in; nil where the settings name no provider.
func (w *wiring) signIn() *signin.Service {
	if w.people == nil {
		return nil
	}
	roles, _ := signin.ParseRoles(w.settings.OIDC.RoleClaim, w.settings.OIDC.Roles) // checked with the settings
	return signin.New(signin.Config{Provider: w.people, Users: w.access, Tenant: w.settings.OIDC.Tenant, Roles: roles, PublicURL: w.settings.PublicURL})
}

// gate returns the gate that holds tenants to one of their quotas. of picks the quota;
// count counts in the store and stops at most, so that its cost is bounded by the quota.
func (st *stack) gate(name string, of func(access.Quotas) int, count func(ctx context.Context, tenantID string, most int) (int, error)) *quota.Gate {
	return &quota.Gate{Name: name, Now: time.Now, Count: count, Limit: func(ctx context.Context, tenantID string) (int, error) {
		q, err := st.access.Quotas(ctx, tenantID)
		return of(q), err
	}}
}

// uncounted returns the function that logs what the quota of stored bytes could not
// count. A nil error means that a count is still going on.
func uncounted(log *slog.Logger) func(tenantID string, err error) {
	return func(tenantID string, err error) {
		if err == nil {
			log.Warn("what a tenant has stored is still being counted; requests are let in meanwhile", "tenant", tenantID)
			return
		}
		log.Warn("what a tenant has stored could not be counted; the quota of stored bytes holds by what was counted before, or not at all", "tenant", tenantID, "error", err)
	}
}

// writers returns how many group commits may overlap. SQLite has one writer; on
// PostgreSQL the next group is prepared while the last one is flushed.
func writers(databaseURL string) int {
	if strings.HasPrefix(databaseURL, "postgres") {
		return 4
	}
	return 1
}

// endsNow records that the process ends by its own decision although serve has not
// returned, so that the runs in flight do not count a crash. It waits for at most 100
// ms, because the disk may be what hangs. A nil st means that nothing was opened yet.
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

// close releases everything, in the reverse order of need: the executor, the count of
// stored bytes, the spans, the step types' connections, the database. serve must have
// returned by then, or never have been called. The error is that of closing the
// database.
func (st *stack) close() error {
	// The executor first: what it still commits needs the store.
	st.executor.Close()
	st.stored.Close()
	flush(st.spans, st.log)
	st.registry.Close()
	return st.db.Close()
}

// serve drives runs and answers requests on ln until ctx ends; then it stops in order:
// no new work, attempts in flight get time to end, streams close. ready is called at
// most once, when requests are answered and this node either drives runs or is a
// standby. It takes ownership of ln. It returns why it ended; nil after a stop in order.
func (st *stack) serve(ctx context.Context, ln net.Listener, ready func()) error {
	// Driving ends after ctx, not with it: first the log says so, then the executor
	// drains.
	driving, stopDriving := context.WithCancel(context.WithoutCancel(ctx))
	defer stopDriving()
	driven := make(chan error, 1)
	go func() {
		// Schedules and jobs start runs, so they end before driven reports the executor's end.
		var timed sync.WaitGroup
		timed.Go(func() { st.schedules.Serve(driving) })
		timed.Go(func() { st.bulk.Serve(driving) })
		err := st.executor.Serve(driving)
		timed.Wait()
		driven <- err
	}()
	// It ends with driving. What it has not deleted by then stays until the next start.
	go purgeAnswers(driving, st.db, time.Now, st.log)
	go purgeStats(driving, st.db, time.Now, st.log)
	go purgeSessions(driving, st.db, time.Now, st.log)
	go purgeJobs(driving, st.db, time.Now, st.log)
	go st.system.Serve(driving)
	go saveUses(driving, st.secrets, st.log)
	go fillUses(driving, st.db, st.log)
	go hintAtSlots(driving, st.executor.Load, processCPU, st.log)

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
		driven <- nil // it is read again below
	}
	stopDriving()
	failure = errors.Join(failure, <-driven)
	// Requests and streams end last: they may still read what the drain committed.
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	// A client that does not let go of its connection is cut off.
	if err := srv.Shutdown(ending); err != nil {
		failure = errors.Join(failure, srv.Close())
	}
	return failure
}

// awaitReady polls until the executor is ready, and then calls ready; not if ctx ends
// first.
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

// databaseFiles returns the files that scripts must not read: a SQLite database with its
// companions, the notes of terms, and the file of the key for secrets. They need not
// exist.
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
