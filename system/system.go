// Package system says what this server is and how it goes, for those who operate it: the
// nodes over the database, which of them leads, the database, this node's work and clock,
// and the settings with their sources.
//
// It promises that no secret's value is in what it says: settings are handed to it as they
// may be shown. It knows neither SQL nor HTTP.
package system

import (
	"context"
	"heddle/executor"
	"log/slog"
	"runtime"
	"time"
)

// How often a node notes that it is there, after which silence it counts as gone, and after
// which its row is removed.
const (
	BeatEvery   = 30 * time.Second
	GoneAfter   = 90 * time.Second
	ForgetAfter = 24 * time.Hour
)

// Node is a process that serves over the database.
type Node struct {
	ID        string
	Host      string // the machine's name
	Version   string
	StartedAt time.Time
	SeenAt    time.Time // when it last noted that it is there
}

// Setting is one setting as it may be shown.
type Setting struct {
	Name   string
	Value  string // "***" of a secret; "" where it is absent
	Source string // a flag, a variable, a file or "default"
	Secret bool
}

// Database says how the database is.
type Database struct {
	Kind      string // sqlite or postgres
	Schema    int64  // the newest migration that was applied
	SizeBytes int64  // with what is free in it
	Nodes     []Node // seen since the time that was given, by id
	Leader    string // the id of the node that has the lease; "": none has
	// LeaseExpires is until when the lease is held unless it is renewed.
	LeaseExpires time.Time
}

// Clock is this node's clock against the database's.
type Clock struct {
	Offset time.Duration // ahead of it, if above 0
	Waits  bool          // it is so far off that schedules wait
}

// Report is the state of the server at one moment.
type Report struct {
	Version, Go, Platform string
	At                    time.Time
	Node                  Node   // this one
	State                 string // what this node may do: leading, standby, …
	Leads                 bool
	Load                  executor.Load // of this node; queued runs are known to the one that leads
	Clock                 *Clock        // nil: not measured yet
	// Database and Settings are nil unless they were asked for.
	Database *Database
	Settings []Setting
}

// Store reads and notes what is in the database. Every method is one transaction.
type Store interface {
	// NoteNode stores that a node is there, and removes those last seen before forget.
	NoteNode(ctx context.Context, n Node, forget time.Time) error
	// Database says how the database is, with the nodes seen since a time.
	Database(ctx context.Context, since time.Time) (Database, error)
}

// Runs is the part of the executor that is shown.
type Runs interface {
	Load() executor.Load
	Leading() bool
	State() string
}

// Config is what a Service is made of; all of it is required but Log.
type Config struct {
	Store    Store
	Runs     Runs
	Clock    func() *Clock // nil: not measured yet
	Now      func() time.Time
	Node     Node // this one, without SeenAt
	Settings []Setting
	Log      *slog.Logger
}

// Service makes reports and notes that this node is there. It is safe for concurrent use.
type Service struct{ cfg Config }

// New returns a Service. It reads nothing.
func New(cfg Config) *Service {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	return &Service{cfg}
}

// Report returns the state of the server; whole says whether with the database and the
// settings, which are the operator's to see.
func (s *Service) Report(ctx context.Context, whole bool) (Report, error) {
	c := s.cfg
	r := Report{
		Version: c.Node.Version, Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH, At: c.Now(),
		Node: c.Node, State: c.Runs.State(), Leads: c.Runs.Leading(), Load: c.Runs.Load(), Clock: c.Clock(),
	}
	if !whole {
		return r, nil
	}
	db, err := c.Store.Database(ctx, r.At.Add(-GoneAfter))
	if err != nil {
		return Report{}, err
	}
	r.Database, r.Settings = &db, c.Settings
	return r, nil
}

// Serve notes at once and every BeatEvery that this node is there, until ctx ends. A failure is
// logged; the next note makes up for it.
func (s *Service) Serve(ctx context.Context) {
	tick := time.NewTicker(BeatEvery)
	defer tick.Stop()
	for {
		if err := s.beat(ctx); err != nil && ctx.Err() == nil {
			s.cfg.Log.Warn("that this node is there could not be noted", "error", err)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// beat is one note.
func (s *Service) beat(ctx context.Context) error {
	n := s.cfg.Node
	n.SeenAt = s.cfg.Now()
	return s.cfg.Store.NoteNode(ctx, n, n.SeenAt.Add(-ForgetAfter))
}
