// Package live tells those who listen what changes in a tenant: its runs, approvals, workflows and
// schedules. It is for screens that show lists: a frame says how an object is now, and several
// changes of one object within a moment are one frame. Nothing is durable. Who missed frames is
// told so, and reads its lists again.
//
// It promises that no listener delays a commit: what changed is noted in a set, read from the
// store by one goroutine at most every interval, and kept in a ring from which each listener
// reads at its own pace. While nobody listens nothing is noted, and no goroutine runs. It works on
// every node, since it hears of changes where those who follow runs do (events.Hub), and of
// workflows by their change numbers in the store. It knows no HTTP and no SQL.
package live

import (
	"context"
	"encoding/json"
	"heddle/approvals"
	"heddle/audit"
	"heddle/definitions/workflows"
	"heddle/executor"
	"heddle/executor/machine"
	"heddle/schedules"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// Topic is a kind of objects.
type Topic string

// The topics.
const (
	Runs      Topic = "runs"
	Approvals Topic = "approvals"
	Workflows Topic = "workflows"
	Schedules Topic = "schedules"
	Stats     Topic = "stats"
)

// Topics returns all of them, in a new slice.
func Topics() []Topic { return []Topic{Runs, Approvals, Workflows, Schedules, Stats} }

// The names of frames. Reset says that frames are missing: the client reads its lists again.
const (
	RunChanged      = "run_changed"
	ApprovalOpened  = "approval_opened"
	ApprovalClosed  = "approval_closed"
	WorkflowChanged = "workflow_changed"
	ScheduleChanged = "schedule_changed" // created, edited, paused, resumed, deleted
	SlotDecided     = "slot_decided"
	StatsChanged    = "stats"
	Reset           = "reset"
)

// Change is an object as it is now; one of the pointers is set.
type Change struct {
	Run      *Run
	Approval *approvals.Approval
	Workflow *Workflow
	Schedule *Schedule // of ScheduleChanged
	Slot     *Schedule // of SlotDecided; its Last is not nil
	Stats    *Counts
}

// Run is a run as it is now, without input and output.
type Run struct {
	executor.Record
	Details executor.RunDetails
}

// Schedule is a schedule as it is now, deleted or not, with the line of its latest due time.
type Schedule struct {
	schedules.Schedule
	Deleted bool
	Last    *schedules.Slot
	Run     *schedules.SlotRun // of Last
}

// Counts is how many runs of a workflow have not ended, by state.
type Counts struct {
	WorkflowID string
	Open       map[machine.State]int
}

// Workflow is a workflow as it is now, deleted or not.
type Workflow struct {
	workflows.Workflow
	Deleted bool
	By      audit.Actor // who made its last change that is on the audit trail; zero: unknown
}

// Frame is a change as listeners get it. It is shared and must not be changed.
type Frame struct {
	Seq                            int64 // from 1, dense
	Topic                          Topic // "": for everybody, a Reset
	Event                          string
	TenantID, WorkflowID, ObjectID string
	Data                           json.RawMessage

	shown *atomic.Pointer[shown] // what Text made last
}

// shown is a frame as some listeners get it.
type shown struct {
	variant string
	text    []byte
}

// Text returns what render makes of the frame for the listeners of a variant, such as those with the
// same rights. It is kept until another variant is wanted, so that listeners who are alike share one
// text, which must not be changed. render is pure. Text is safe for concurrent use.
func (f *Frame) Text(variant string, render func(f *Frame, variant string) []byte) []byte {
	if f.shown == nil { // made for one listener
		return render(f, variant)
	}
	if s := f.shown.Load(); s != nil && s.variant == variant {
		return s.text
	}
	s := &shown{variant, render(f, variant)}
	f.shown.Store(s)
	return s.text
}

// Source reads the objects that changed, of any tenant.
type Source interface {
	// ChangedRuns reads rows without input and output; what is not there is left out.
	ChangedRuns(ctx context.Context, ids []string) ([]executor.Record, error)
	// ChangedApprovals reads those approvals of the runs that were opened or closed at or after
	// a moment, at most limit.
	ChangedApprovals(ctx context.Context, runIDs []string, since time.Time, limit int) ([]approvals.Approval, error)
	// ChangedWorkflows reads the tenant's workflows with a change number above after, at most
	// limit, and returns the highest number; with after -1 none, and the highest there is.
	ChangedWorkflows(ctx context.Context, tenantID string, after int64, limit int) ([]Workflow, int64, error)
	// ChangedSchedules reads schedules, deleted ones too, without their inputs.
	ChangedSchedules(ctx context.Context, ids []string) ([]Schedule, error)
	// OpenByWorkflow counts the runs of a tenant's workflows that have not ended, by workflow and
	// state, from kept counts; a workflow without any is left out.
	OpenByWorkflow(ctx context.Context, tenantID string, workflowIDs []string) (map[string]map[machine.State]int, error)
}

// Hub tells which runs and schedules have changed; events.Hub does.
type Hub interface {
	// Tap has f called with the id of each run or schedule that changes, or "" where any may have, until
	// it is called with nil. f must not block.
	Tap(f func(runID string))
}

// Config holds what New needs. Log may be nil.
type Config struct {
	Source Source
	Hub    Hub
	// Details returns what lists say of a tenant's runs, in their order; nil: nothing.
	Details func(ctx context.Context, tenantID string, runs []executor.Record) ([]executor.RunDetails, error)
	Encode  func(Change) (json.RawMessage, error)
	Now     func() time.Time
	// Epoch names this process: the numbers of its frames mean nothing to another.
	Epoch string
	Log   *slog.Logger
	// Interval is the least time between two frames of an object; 0 is 250 ms.
	Interval time.Duration
}

const (
	ringSize     = 4096 // frames that are kept
	maxDirty     = 4096 // objects that are noted between two reads; more are a Reset
	maxApprovals = 1000 // of one read
	maxWorkflows = 1000
	// clockSlack is how much the times of rows may differ from this node's clock.
	clockSlack = 5 * time.Second
)

// Service keeps the ring and its listeners. It is safe for concurrent use.
type Service struct {
	cfg Config

	mu        sync.Mutex // guards the fields below
	ring      [ringSize]*Frame
	last      int64 // the seq of the newest frame; 0: none yet
	listeners map[*Listener]struct{}
	dirty     map[string]struct{}
	lost      bool             // changes were not noted
	changes   map[string]int64 // the highest change number of workflows that was read, by tenant that listens
	stop      chan struct{}    // closed when the last listener has left; nil: none
}

// New returns a service that does nothing until somebody listens.
func New(cfg Config) *Service {
	if cfg.Interval == 0 {
		cfg.Interval = 250 * time.Millisecond
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	return &Service{cfg: cfg, listeners: map[*Listener]struct{}{}, dirty: map[string]struct{}{}, changes: map[string]int64{}}
}

// Epoch names the process whose numbers the frames have.
func (s *Service) Epoch() string { return s.cfg.Epoch }

// Listener reads frames at its own pace. One goroutine uses it.
type Listener struct {
	s        *Service
	tenantID string
	at       int64 // the seq of the last frame that it was given
	wake     chan struct{}
}

// Listen returns a listener of a tenant, which hears what changes from now on, or from behind the
// frame after, where that is still kept; resumed says whether it is. Close ends it and must be
// called. Errors: those of the source.
func (s *Service) Listen(ctx context.Context, tenantID string, after int64) (l *Listener, resumed bool, err error) {
	// Before it hears anything, so that no change of a workflow falls between.
	_, change, err := s.cfg.Source.ChangedWorkflows(ctx, tenantID, -1, 0)
	if err != nil {
		return nil, false, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, known := s.changes[tenantID]; !known {
		s.changes[tenantID] = change
	}
	l = &Listener{s: s, tenantID: tenantID, at: s.last, wake: make(chan struct{}, 1)}
	// Only while others listened meanwhile was everything noted.
	if after > 0 && after <= s.last && after > s.last-ringSize && len(s.listeners) > 0 {
		l.at, resumed = after, true
		l.wake <- struct{}{}
	}
	s.listeners[l] = struct{}{}
	if s.stop == nil {
		s.stop = make(chan struct{})
		s.cfg.Hub.Tap(s.note)
		go s.pump(s.stop)
	}
	return l, resumed, nil
}

// Close ends a listener. The last one ends the reading.
func (l *Listener) Close() {
	s := l.s
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.listeners, l)
	if !s.heard(l.tenantID) {
		delete(s.changes, l.tenantID)
	}
	if len(s.listeners) > 0 || s.stop == nil {
		return
	}
	s.cfg.Hub.Tap(nil)
	close(s.stop)
	s.stop, s.dirty, s.lost = nil, map[string]struct{}{}, false
}

// heard reports whether somebody listens to a tenant. mu must be held.
func (s *Service) heard(tenantID string) bool {
	for l := range s.listeners {
		if l.tenantID == tenantID {
			return true
		}
	}
	return false
}

// Wait waits until there may be frames, or until ctx ends or the time is over; false: the time
// is over.
func (l *Listener) Wait(ctx context.Context, atMost time.Duration) bool {
	timer := time.NewTimer(atMost)
	defer timer.Stop()
	select {
	case <-l.wake:
		return true
	case <-ctx.Done():
		return true
	case <-timer.C:
		return false
	}
}

// Frames returns the frames since the last call that are of the tenant, or for everybody. Where
// some of them are not kept any more, it is a Reset, and later calls go on from now.
func (l *Listener) Frames() []*Frame {
	s := l.s
	s.mu.Lock()
	defer s.mu.Unlock()
	from := l.at
	l.at = s.last
	if s.last-from > ringSize {
		return []*Frame{{Seq: s.last, Event: Reset}}
	}
	var list []*Frame
	for seq := from + 1; seq <= s.last; seq++ {
		if f := s.ring[seq%ringSize]; f.Topic == "" || f.TenantID == l.tenantID {
			list = append(list, f)
		}
	}
	return list
}

// note notes a run or a schedule that has changed, "" for any. It is called by whoever commits and does not
// block.
func (s *Service) note(runID string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if runID == "" || len(s.dirty) >= maxDirty {
		s.lost = true
		return
	}
	s.dirty[runID] = struct{}{}
}
