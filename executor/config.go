package executor

import (
	"heddle/clock"
	"heddle/definitions"
	"heddle/events"
	"heddle/quota"
	"log/slog"
	"time"
)

// Config is what a Service is made of: what all of its objects use, and a part for each object
// of docs/ARCHITECTURE.md. Store, Hub, Now and NewID are required; Runner and Holder are where
// Serve runs. Zero numbers take the defaults named beside them; a negative one is a caller's
// mistake. New copies the struct, and nothing that it refers to may be replaced afterwards. What
// it refers to is used by several goroutines at a time, unless its type says otherwise.
type Config struct {
	// Store is where runs are kept.
	Store Store
	// Hub wakes those who follow runs on this node.
	Hub *events.Hub
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
	// Heartbeat is the silence after which Follow calls Sink.Idle: 15 s.
	Heartbeat time.Duration
	// Crash, when set, is called at named points of a commit, a start and an attempt; tests
	// kill the process there. nil: nothing is called.
	Crash func(point string)

	Admission
	Attempts
	Values
	Commits
	Node
}

// Admission is how many runs the dispatcher lets run, and starts let in.
type Admission struct {
	MaxRuns int // runs with an attempt in flight, all tenants': 10
	// HoldNamed leaves queued runs that have a name in the queue until Advance
	// lets them begin.
	HoldNamed bool
	// Quota is how many runs of a tenant may be open; nil: as many as it likes.
	Quota *quota.Gate
}

// Attempts is what the performer runs attempts with, and how many at a time.
type Attempts struct {
	Runner Runner
	// Traits returns what a step type declares about itself; nil: no type has
	// any. It must be the same on every node and at every time, for recovery
	// replays a run with it.
	Traits func(stepType string) definitions.Traits
	// Secrets may be nil: then there are none.
	Secrets Secrets
	// Tracer may be nil: then no spans are made. The goroutine that drives a run calls it
	// while the run waits.
	Tracer     Tracer
	MaxSteps   int // attempts in flight, scripts included: 256
	MaxScripts int // attempts of scripts in flight: 4
	// MaxPerHost is how many attempts go to one host at a time (HostNamer): 5, and
	// never more than half of MaxRuns.
	MaxPerHost int
	Drain      time.Duration // how long attempts in flight may go on at a stop: 10 s
}

// Values is where values above 1 MiB are kept, and what a run and a tenant may store.
type Values struct {
	// Blobs may be nil: then large values stay in the journal.
	Blobs    BlobStore
	RunBlobs int64 // bytes that one run may have stored apart: MaxRunBlobs, 256 MiB
	// Stored is how many bytes a tenant may have stored; nil: as many as it likes.
	Stored *quota.Bytes
}

// Commits is how the committer groups commits.
type Commits struct {
	Writers int // groups that are committed at once: 1
	Group   int // members of a group: 256
}

// Node is this process among those on the same database: how it leads, and waits for who leads.
type Node struct {
	// Holder names this process in the executor's lease; unique per process.
	Holder string
	// OutcomeWait is how long a node that does not lead waits for what becomes of an input
	// that it stored: 3.5 s. After that the input is answered as pending.
	OutcomeWait time.Duration
	// Terms keeps, apart from the store, which terms ended in order while the store could
	// not be told; nil: that is lost with the process, and such an end counts as a crash.
	Terms TermNotes
	// Isolation says how runs are isolated that were in flight at several crashes.
	Isolation Isolation
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
