package executor

import (
	"context"
	"heddle/events"
	"heddle/fault"
	"time"
)

// Sink receives what Follow reads. Its methods are called one at a time; an error ends the
// stream and is Follow's.
type Sink interface {
	// Events takes the next events of the run, in order, at least one. They are
	// shared with other sinks and must not be changed.
	Events(batch []events.Event) error
	// Idle is called after each Heartbeat without an event.
	Idle() error
}

// followPage is how many events one read of a stream returns at most.
const followPage = 500

// Follower streams the events of runs to those who follow them. It works on every node: a
// stream reads the journal, and the hub only says when to look. It is safe for concurrent
// use.
type Follower struct {
	cfg   *Config
	term  *term
	plans *planCache
	tail  *tail // reads shared by all streams of this node
}

// StepTypes returns the types of a run's steps, by id, in the version that it was on at the
// event seq, and the first event of the next version (0: it is on it still). An id that the
// version lacks has the type "". Errors: fault.NotFound run_not_found, and those of the
// plan.
func (s *Follower) StepTypes(ctx context.Context, tenantID, runID string, seq int64) (typeOf func(stepID string) string, next int64, err error) {
	row, err := s.tail.row(ctx, tenantID, runID)
	if err != nil {
		return nil, 0, err
	}
	span, next := row.VersionAt(seq)
	p, err := s.plans.get(ctx, row.WorkflowID, span.Version, span.Hash)
	if err != nil {
		return nil, 0, err
	}
	return p.plan.StepType, next, nil
}

// Follow passes the run's events after seq to sink, as they come and without a gap, until
// the run's last terminal event or its deletion (nil), the end of ctx, or the sink's error.
// A seq beyond the run's last is fault.Malformed invalid_last_event_id; the last seq of a
// finished run is ErrFinished.
func (s *Follower) Follow(ctx context.Context, tenantID, runID string, after int64, sink Sink) error {
	row, err := s.tail.row(ctx, tenantID, runID)
	if err != nil {
		return err
	}
	switch {
	case after < 0 || after > row.Seq:
		return fault.New(fault.Malformed, "invalid_last_event_id",
			"Last-Event-ID %d is not an event of run %s, whose last is %d.", after, runID, row.Seq)
	case after == row.Seq && row.State.Terminal():
		return ErrFinished
	}
	// Watched before the first read, so that no growth after it goes unnoticed.
	grown, unwatch := s.cfg.Hub.Watch(runID)
	defer unwatch()
	for {
		next, ended, err := s.deliver(ctx, runID, after, sink)
		if err != nil {
			return err
		}
		if next > after {
			after = next
			if !ended {
				continue
			}
			if done, err := s.finished(ctx, tenantID, runID, after); done || err != nil {
				return err
			}
			continue
		}
		beaten, err := s.await(ctx, grown, sink)
		if err != nil {
			return err
		}
		if beaten { // no event comes of a run that was deleted meanwhile
			if done, err := s.finished(ctx, tenantID, runID, after); done || err != nil {
				return err
			}
		}
	}
}

// deliver passes on what the journal holds after seq, one page at most, and returns the
// last seq and whether the run may have ended with it. next is after where there was
// nothing.
func (s *Follower) deliver(ctx context.Context, runID string, after int64, sink Sink) (next int64, ended bool, err error) {
	batch, err := s.tail.events(ctx, page{runID, after})
	if err != nil || len(batch) == 0 {
		return after, false, err
	}
	last := batch[len(batch)-1]
	// What the sink does may make a stack large, and the stream's own would stay so while
	// it waits.
	onOwnStack(func() { err = sink.Events(batch) })
	return last.Seq, last.Kind.Terminal(), err
}

// finished reports whether seq is the last of a finished run, or the run is deleted. A
// resumed run has terminal events in its middle, so the row decides.
func (s *Follower) finished(ctx context.Context, tenantID, runID string, seq int64) (bool, error) {
	row, err := s.tail.row(ctx, tenantID, runID)
	if fault.KindOf(err) == fault.NotFound {
		return true, nil // deleted while it was followed
	}
	return err == nil && row.State.Terminal() && row.Seq == seq, err
}

// await returns when the journal may have grown, or after a heartbeat (true). A node that
// does not drive runs may hear of growth late or not at all, so it looks again after
// pollEvery.
func (s *Follower) await(ctx context.Context, grown <-chan struct{}, sink Sink) (beaten bool, err error) {
	heartbeat := time.NewTimer(s.cfg.Heartbeat)
	defer heartbeat.Stop()
	var poll <-chan time.Time
	if !s.term.state().drives() {
		t := time.NewTimer(pollEvery)
		defer t.Stop()
		poll = t.C
	}
	select {
	case <-grown:
		return false, nil
	case <-poll:
		return false, nil
	case <-heartbeat.C:
		return true, sink.Idle()
	case <-ctx.Done():
		return false, ctx.Err()
	}
}
