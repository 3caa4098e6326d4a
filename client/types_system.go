package client

import (
	"time"
)

// Info says which server this is, and which key is calling.
type Info struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	// The slug of the caller's tenant.
	Tenant string `json:"tenant"`
	// The name of the caller's tenant, for people.
	TenantName string    `json:"tenant_name"`
	Key        CallerKey `json:"key"`
	// What the caller's role allows on everything of the tenant.
	Can  []string `json:"can"`
	Auth AuthInfo `json:"auth"`
	// The server's time.
	Time time.Time `json:"time"`
	// What this server is set up for.
	Features []string `json:"features"`
	// How scripts are confined on this server, or that they are refused.
	Scripts string `json:"scripts"`
	// Whether a script is limited as a whole or in each of its processes, and why.
	Limits string `json:"script_limits"`
}

// AuthInfo says how callers may show who they are, and how this one did.
type AuthInfo struct {
	// How one may sign in here.
	Methods []string `json:"methods"`
	// Whether the request was made with a session's cookie.
	Session bool `json:"session"`
}

// CallerKey is the caller's key without its text, or the user.
type CallerKey struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	// One of viewer, editor, operator, admin, none.
	Role string `json:"role"`
}

// Readiness is the answer of a node that takes requests for runs.
type Readiness struct {
	Status string `json:"status"`
	// What the last comparison of this server's clock with the database's found. Absent before the
	// first one.
	Clock *ClockReading `json:"clock,omitempty"`
}

// ClockReading compares this server's clock with the database's.
type ClockReading struct {
	// This server's clock minus the database's.
	Offset float64 `json:"offset_seconds"`
	// Whether this server fires no schedules, because its clock is more than 5 s off.
	Waits bool `json:"schedules_wait"`
}

// System is how the server is.
type System struct {
	Build Build     `json:"build"`
	Time  time.Time `json:"time"`
	// The node that answers.
	Node NodeState `json:"node"`
	// Null until it was compared with the database's.
	Clock *ClockOffset `json:"clock"`
	// Of the node that answers, where it leads.
	Slots *SystemSlots `json:"slots,omitempty"`
	// Of the node that answers, where it leads.
	Queue *SystemQueue `json:"queue,omitempty"`
	// Left out where no node leads.
	Leader *Leader `json:"leader,omitempty"`
	// Those seen in the last 90 seconds, by id: at most 100.
	Nodes []Node    `json:"nodes,omitempty"`
	Store *Database `json:"store,omitempty"`
	// Of the node that answers.
	Settings []Setting `json:"settings,omitempty"`
	// Of the node that answers.
	StartedAt time.Time `json:"started_at"`
}

// Build is what was built.
type Build struct {
	Version  string `json:"version"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

// NodeState is what a node may do.
type NodeState struct {
	ID string `json:"id"`
	// One of standby, recovering, resuming, isolating, leading, draining, aborting.
	State string `json:"state"`
}

// ClockOffset is how far the node's clock is from the database's.
type ClockOffset struct {
	// Above 0: it is ahead of the database's.
	OffsetSeconds float64 `json:"offset_seconds"`
	// Whether it is so far off that schedules wait.
	Waits bool `json:"waits"`
}

// SystemSlots are the runs with a step in flight.
type SystemSlots struct {
	Used int `json:"used"`
	// WORKFLOW_MAX_CONCURRENT_RUNS.
	Of int `json:"of"`
}

// SystemQueue is what waits on the node that leads.
type SystemQueue struct {
	// Queued runs that the node holds in memory; the database may have more.
	Queued int `json:"queued"`
	// Runs that go on as soon as there is a slot.
	Woken int `json:"woken"`
	// Runs in memory.
	Runs int `json:"runs"`
	// Attempts in flight.
	Steps int `json:"steps"`
}

// Leader is the node that drives the runs.
type Leader struct {
	ID string `json:"id"`
	// Unless it is renewed.
	LeaseExpiresAt time.Time `json:"lease_expires_at"`
}

// Node is a process that serves over the database.
type Node struct {
	ID      string `json:"id"`
	Host    string `json:"host"`
	Version string `json:"version"`
	Leads   bool   `json:"leads"`
	// Whether it is the one that answers.
	Answers   bool      `json:"answers"`
	StartedAt time.Time `json:"started_at"`
	// To the half minute.
	SeenAt time.Time `json:"seen_at"`
}

// Database is the database.
type Database struct {
	// One of sqlite, postgres.
	Kind string `json:"kind"`
	// The newest migration that was applied.
	Schema int64 `json:"schema"`
	// With what is free in it.
	SizeBytes int64 `json:"size_bytes"`
}

// Setting is one setting.
type Setting struct {
	Name string `json:"name"`
	// *** of a secret one that is set, empty where it is absent.
	Value string `json:"value"`
	// A flag, a variable, a file or default.
	Source string `json:"source"`
	Secret bool   `json:"secret"`
}
