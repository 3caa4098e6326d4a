package store

import "heddle/events"

// runArrays holds rows of runs column by column, as PostgreSQL's unnest takes
// them: one statement then writes any number of rows, and is planned once.
type runArrays struct {
	id, tenant, workflow, slug, hash, trigger, input, traceParent, traceState, state, output, failure, versions, concurrencyKey, startedBy, schedule, starter, labels, errorCode, waiting, steps []string
	version, createdAt, seq, startedAt, completedAt, updatedAt, wakeAt, tokens, cost, dueAt                                                                                                      []int64
}

// add appends a row to every column, so that all have the same length: unnest
// would fill up shorter ones with NULL.
func (a *runArrays) add(r *runRow) {
	a.id = append(a.id, r.ID)
	a.tenant = append(a.tenant, r.TenantID)
	a.workflow = append(a.workflow, r.WorkflowID)
	a.slug = append(a.slug, r.Slug)
	a.version = append(a.version, int64(r.Version))
	a.hash = append(a.hash, r.Hash)
	a.trigger = append(a.trigger, r.TriggerKind)
	a.input = append(a.input, r.Input)
	a.traceParent = append(a.traceParent, r.TraceParent)
	a.traceState = append(a.traceState, r.TraceState)
	a.createdAt = append(a.createdAt, r.CreatedAt)
	a.state = append(a.state, r.State)
	a.seq = append(a.seq, r.Seq)
	a.startedAt = append(a.startedAt, r.StartedAt)
	a.completedAt = append(a.completedAt, r.CompletedAt)
	a.updatedAt = append(a.updatedAt, r.UpdatedAt)
	a.wakeAt = append(a.wakeAt, r.WakeAt)
	a.output = append(a.output, r.Output)
	a.failure = append(a.failure, r.Error)
	a.tokens = append(a.tokens, r.Tokens)
	a.cost = append(a.cost, r.CostMicroUsd)
	a.versions = append(a.versions, r.Versions)
	a.concurrencyKey = append(a.concurrencyKey, r.ConcurrencyKey)
	a.startedBy = append(a.startedBy, r.StartedBy)
	a.schedule = append(a.schedule, r.ScheduleID)
	a.dueAt = append(a.dueAt, r.DueAt)
	a.starter = append(a.starter, r.StarterID)
	a.labels = append(a.labels, r.Labels)
	a.errorCode = append(a.errorCode, r.ErrorCode)
	a.waiting = append(a.waiting, r.Waiting)
	a.steps = append(a.steps, r.Steps)
}

// eventArrays holds rows of run_events column by column, like runArrays.
type eventArrays struct {
	run, kind, step, iteration, data []string
	seq, attempt, at                 []int64
}

// add appends an event to every column.
func (a *eventArrays) add(e *events.Event) {
	a.run = append(a.run, e.RunID)
	a.seq = append(a.seq, e.Seq)
	a.kind = append(a.kind, string(e.Kind))
	a.step = append(a.step, e.StepID)
	a.iteration = append(a.iteration, e.Iteration)
	a.attempt = append(a.attempt, int64(e.Attempt))
	a.at = append(a.at, millis(e.At))
	a.data = append(a.data, string(e.Data))
}
