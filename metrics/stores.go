package metrics

import (
	"context"
	"heddle/events"
	"heddle/executor"
	"heddle/executor/machine"
	"heddle/executor/queue"
	"heddle/schedules"
	"slices"
	"time"
)

// Runs returns a store that measures what the executor does with it. Methods that
// are not measured are the store's own.
func (m *Metrics) Runs(store executor.Store) executor.Store { return &runStore{store, m} }

// runStore counts and times the calls that write and find runs. It is the store
// otherwise, answers included.
type runStore struct {
	executor.Store
	m *Metrics
}

// Commit measures a group commit and counts its members' runs and errors.
func (s *runStore) Commit(ctx context.Context, epoch int64, group []executor.Commit) []error {
	begun := time.Now()
	errs := s.Store.Commit(ctx, epoch, group)
	s.m.countCommit("runs", len(group), time.Since(begun))
	for i := range group {
		s.m.countError("commit", errs[i])
		if errs[i] == nil {
			s.m.countRun(&group[i])
		}
	}
	return errs
}

// StartAll measures a batch of starts as one commit. Runs whose name was taken are
// not counted as started.
func (s *runStore) StartAll(ctx context.Context, epoch int64, runs []executor.Commit) ([]bool, error) {
	begun := time.Now()
	taken, err := s.Store.StartAll(ctx, epoch, runs)
	s.m.countCommit("runs", len(runs), time.Since(begun))
	s.m.countError("commit", err)
	for i := range runs {
		if err == nil && !taken[i] {
			s.m.countRun(&runs[i])
		}
	}
	return taken, err
}

// AcquireLease counts errors, without those that say that another node leads.
func (s *runStore) AcquireLease(ctx context.Context, holder string, now time.Time, ttl time.Duration) (int64, error) {
	epoch, err := s.Store.AcquireLease(ctx, holder, now, ttl)
	s.m.countError("lease", err)
	return epoch, err
}

// Isolate counts the runs that are recovered alone.
func (s *runStore) Isolate(ctx context.Context, runID string) error {
	err := s.Store.Isolate(ctx, runID)
	s.m.countError("isolate", err)
	if err == nil {
		s.m.isolated.Inc()
	}
	return err
}

// Journal counts errors.
func (s *runStore) Journal(ctx context.Context, runID string) (executor.Journal, error) {
	j, err := s.Store.Journal(ctx, runID)
	s.m.countError("journal", err)
	return j, err
}

// QueuedWorkflows counts errors.
func (s *runStore) QueuedWorkflows(ctx context.Context, after queue.Workflow, limit int) ([]executor.QueuedWorkflow, error) {
	list, err := s.Store.QueuedWorkflows(ctx, after, limit)
	s.m.countError("queue", err)
	return list, err
}

// QueuedRuns counts errors.
func (s *runStore) QueuedRuns(ctx context.Context, w queue.Workflow, unnamed bool, limit int) ([]queue.Run, error) {
	list, err := s.Store.QueuedRuns(ctx, w, unnamed, limit)
	s.m.countError("queue", err)
	return list, err
}

// Due counts errors.
func (s *runStore) Due(ctx context.Context, after executor.DueRun, t time.Time, limit int) ([]executor.DueRun, error) {
	list, err := s.Store.Due(ctx, after, t, limit)
	s.m.countError("due_runs", err)
	return list, err
}

// Schedules returns a store that measures what the schedules do with it.
func (m *Metrics) Schedules(store schedules.Store) schedules.Store { return &scheduleStore{store, m} }

// scheduleStore counts and times the calls that fire schedules. It is the store
// otherwise, answers included.
type scheduleStore struct {
	schedules.Store
	m *Metrics
}

// Fire measures a group of firings and counts their runs and errors. Due times are
// counted by SlotRecorded.
func (s *scheduleStore) Fire(ctx context.Context, group []schedules.Firing) []error {
	begun := time.Now()
	errs := s.Store.Fire(ctx, group)
	s.m.countCommit("schedules", len(group), time.Since(begun))
	for i := range group {
		s.m.countError("fire", errs[i])
		for n := range group[i].Runs {
			if errs[i] == nil {
				s.m.countRun(&group[i].Runs[n].Commit)
			}
		}
	}
	return errs
}

// DueSchedules counts errors.
func (s *scheduleStore) DueSchedules(ctx context.Context, t time.Time, after schedules.DueSchedule, limit int) ([]schedules.DueSchedule, error) {
	list, err := s.Store.DueSchedules(ctx, t, after, limit)
	s.m.countError("due_schedules", err)
	return list, err
}

// States counts errors.
func (s *scheduleStore) States(ctx context.Context, ids []string) ([]schedules.State, error) {
	list, err := s.Store.States(ctx, ids)
	s.m.countError("schedules", err)
	return list, err
}

// countCommit records one transaction with its members, however it ended. Where a
// group failed and its members were written one by one, that is one record as well.
func (m *Metrics) countCommit(of string, members int, took time.Duration) {
	m.commits.WithLabelValues(of).Observe(took.Seconds())
	m.groups.WithLabelValues(of).Observe(float64(members))
}

// countRun counts a run that a commit began or ended, and its successor. A run that
// ended before and has another event is not counted again.
func (m *Metrics) countRun(c *executor.Commit) {
	if c.Expected == 0 {
		m.started.WithLabelValues(c.Row.Trigger).Inc()
	}
	if c.Row.State.Terminal() && slices.ContainsFunc(c.Events, func(e events.Event) bool { return e.Kind.Terminal() }) {
		m.ended.WithLabelValues(string(c.Row.State)).Inc()
		if e := c.Row.Error; e != nil && e.Code == "run_quarantined" && c.Row.State == machine.Failed {
			m.quarantined.Inc()
		}
	}
	if c.With != nil {
		m.countRun(c.With)
	}
}
