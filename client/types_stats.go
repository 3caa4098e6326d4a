package client

import (
	"time"
)

// RunStats is what happened to runs in a span of time, and what is open now.
type RunStats struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
	// One of 5m, 1h, 1d.
	Bucket string       `json:"bucket"`
	Open   OpenByStatus `json:"open"`
	// Oldest first; with by only those in which something happened.
	Buckets []StatsBucket `json:"buckets"`
	// Of all tenants at this server; null where another one drives the runs.
	Slots *SlotUse `json:"slots"`
}

// OpenByStatus counts the runs that have not ended, by this dialect's words.
type OpenByStatus struct {
	Queued  int `json:"queued"`
	Running int `json:"running"`
	Waiting int `json:"waiting"`
	Paused  int `json:"paused"`
}

// StatsBucket counts the runs that were created, and that ended, within one bucket.
type StatsBucket struct {
	// When the bucket begins, UTC.
	At time.Time `json:"at"`
	// The version's number or the workflow's id, where they are told apart.
	By        string `json:"by,omitempty"`
	Started   int64  `json:"started"`
	Completed int64  `json:"completed"`
	Failed    int64  `json:"failed"`
	Cancelled int64  `json:"cancelled"`
	// Seconds from start to end that half of those which ended did not exceed, to within a factor
	// of 1.8.
	P50 *float64 `json:"p50"`
	P95 *float64 `json:"p95"`
	// The longest, in seconds, exactly.
	Max *float64 `json:"max"`
}

// SlotUse says how many runs have a step in flight.
type SlotUse struct {
	Used int `json:"used"`
	// WORKFLOW_MAX_CONCURRENT_RUNS.
	Of int `json:"of"`
	// For how long the run of this tenant has waited that waits longest; null: none is queued.
	QueuedOldestSeconds *int `json:"queued_oldest_seconds"`
}

// Usage is the sum of what a workflow's runs consumed.
type Usage struct {
	WorkflowID   string    `json:"workflow_id"`
	From         time.Time `json:"from"`
	To           time.Time `json:"to"`
	Runs         int64     `json:"runs"`
	Tokens       int64     `json:"tokens"`
	CostMicroUSD int64     `json:"cost_micro_usd"`
}

// AgentUsage is what attempts of steps consumed that were charged to an agent, from the beginning of
// a day on and before that of another.
type AgentUsage struct {
	AgentID string    `json:"agent_id"`
	From    time.Time `json:"from"`
	To      time.Time `json:"to"`
	AgentUsed
	// Those without any are left out; oldest first.
	Days []AgentDay `json:"days"`
}

// AgentDay is one day of it.
type AgentDay struct {
	// Of UTC, as in 2026-03-01.
	Day string `json:"day"`
	AgentUsed
}

// AgentUsed is what was consumed.
type AgentUsed struct {
	// Attempts that consumed something, failed ones too.
	Attempts     int64 `json:"attempts"`
	Tokens       int64 `json:"tokens"`
	CostMicroUSD int64 `json:"cost_micro_usd"`
}

// SearchHit is one of them.
type SearchHit struct {
	// One of workflow, run, schedule, template, step.
	Type string `json:"type"`
	ID   string `json:"id"`
	// A workflow's or template's name, a run's workflow, a schedule's expression and zone, a step's
	// name, or its id without one.
	Title string `json:"title"`
	// A run's, a workflow's or a schedule's.
	Status string `json:"status,omitempty"`
	// Left out of templates.
	Of *SearchWorkflow `json:"workflow,omitempty"`
}

// SearchWorkflow is the workflow that a hit is, or belongs to.
type SearchWorkflow struct {
	ID   string `json:"id"`
	Slug string `json:"slug"`
}
