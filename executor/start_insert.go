package executor

import (
	"context"
	"errors"
	"heddle/events"
	"heddle/executor/machine"
	"heddle/fault"
)

// beginOrQueue begins the run at once where it needs no slot or one is free; otherwise the
// run is stored as queued. Either way it is one commit. Where the lease was lost meanwhile
// the run is stored as queued, without an epoch.
func (s *Starter) beginOrQueue(created machine.Change, key string, target Target, req StartRequest) (Record, error) {
	a := &activeRun{id: created.Run.RunID, driveState: driveState{key: key, trace: req.Trace}}
	change, begun := s.tryBegin(created, a)
	row, err := s.insert(a, change, begun, target, req)
	if errors.Is(err, ErrFenced) && a.epoch != 0 {
		// Another node leads by now and finds the run in the queue.
		return s.insert(&activeRun{id: a.id, driveState: driveState{key: key, trace: a.trace}}, created, false, target, req)
	}
	return row, err
}

// insert stores a new run in one commit and acts on it once that is durable. begun: the
// change holds the run's Begin. A run with a slot is tracked before the commit, so that
// messages for it wait, and driven after it. If the insertion fails the run is unloaded;
// where its outcome is unknown it may be stored as running, so it is also recovered.
func (s *Starter) insert(a *activeRun, change machine.Change, begun bool, target Target, req StartRequest) (Record, error) {
	row := newRow(change.Run, req)
	row.ConcurrencyKey = a.key
	commit := Commit{Row: row, Events: change.Events, Requests: change.Requests, Audit: insertionLines(req.trail, row.RunID)}
	target.fence(&commit)
	if req.Keep != nil {
		commit.Answer = req.Keep(row)
	}
	if req.Name != "" {
		commit.Member = &Member{Name: req.Name}
	}
	// Read before the commit: afterwards the run's driver may change it.
	slot := a.slot
	if slot {
		s.registry.track(a)
	}
	err := s.commitNew(a.epoch, commit)
	if err != nil {
		s.driver.unload(a)
		if slot && fault.CodeOf(err) == "outcome_unknown" {
			s.registry.deliver(a.id, message{input: machine.Recover{}}, false) // it may be there, as running
		}
		return Record{}, err
	}
	s.driver.committed(a, change)
	switch {
	case slot:
		go s.driver.drive(a)
	case !begun:
		s.dispatcher.offer(a, change.Run)
	}
	return row, nil
}

// newRow returns the row with which a run is inserted, without its concurrency key.
func newRow(run *machine.Run, req StartRequest) Record {
	row := rowOf(run, req.Trace, run.CreatedAt)
	row.ScheduleID, row.DueAt, row.Labels = req.ScheduleID, req.DueAt, req.Labels
	return row
}

// tryBegin returns the change with which the run begins, or the bare creation where it has
// to queue: this node does not lead, the concurrency limit does not admit it, other runs
// are queued before it, or no slot is free. It returns true if the run begins. a gets the
// epoch and, where one is needed, the slot; nothing is stored.
func (s *Starter) tryBegin(created machine.Change, a *activeRun) (machine.Change, bool) {
	a.epoch = s.term.epoch.Load()
	if a.epoch == 0 || !s.term.state().takesCommands() {
		return created, false
	}
	// A run that startLimited admitted is a member already; any other stays queued.
	if g, c, limited := groupOf(created.Run, a.key); limited && !s.dispatcher.limits.admit(a.id, g, c.Limit) {
		return created, false
	}
	begun, ok := s.withBegin(created)
	if !ok {
		return created, false
	}
	if needsSlot(begun) {
		// A new run does not overtake those that are queued.
		if s.dispatcher.mayWait() || !s.dispatcher.slots.tryAcquire() {
			return created, false
		}
		a.slot = true
		if begun.More {
			a.messages = append(a.messages, message{input: machine.Continue{}})
		}
	}
	return begun, true
}

// withBegin returns the change that creates a run and begins it; false: it cannot begin in
// the same commit, and is left to its driver as queued. It has no contents of blobs, and a
// new run has none.
func (s *Starter) withBegin(created machine.Change) (machine.Change, bool) {
	began, err := apply(s.cfg.Log, created.Run, machine.Begin{}, created.Run.CreatedAt, s.values.supply())
	if _, ok := errors.AsType[*machine.BlobRequest](err); ok {
		return created, false // it makes large values at once: its driver stores them
	}
	if err != nil {
		s.cfg.Log.Error("a new run did not begin", "run_id", created.Run.RunID, "error", err)
		return created, false
	}
	return machine.Change{
		Run:      began.Run,
		Events:   append(append(make([]events.Event, 0, len(created.Events)+len(began.Events)), created.Events...), began.Events...),
		Effects:  began.Effects,
		Requests: began.Requests,
		More:     began.More,
	}, true
}

// needsSlot reports whether a change begins attempts, or has more to begin: such a run
// counts against Config.MaxRuns.
func needsSlot(c machine.Change) bool { return c.Run.InFlight() > 0 || c.More }

// commitNew submits an insertion and settles an unknown outcome by reading the run back.
// Errors: ErrStale and ErrFenced as they are, for the caller to decide anew; fault.Conflict
// idempotency_key_taken and run_name_taken; those of confirmInsertion.
func (s *Starter) commitNew(epoch int64, c Commit) error {
	s.cfg.Crash("before_commit")
	err := s.commits.submit(epoch, c)
	switch {
	case err == nil:
		s.cfg.Crash("after_commit")
		return nil
	case errors.Is(err, ErrStale):
		return err
	case errors.Is(err, ErrDuplicateKey):
		return keyTaken()
	case errors.Is(err, ErrNameTaken):
		return fault.New(fault.Conflict, "run_name_taken", "The workflow has a run named %q already.", c.Member.Name)
	case fault.CodeOf(err) == "outcome_unknown":
		return s.confirmInsertion(c, err)
	default:
		return err
	}
}

// keyTaken returns fault.Conflict idempotency_key_taken, the answer to a start whose
// Idempotency-Key was used before.
func keyTaken() error {
	return fault.New(fault.Conflict, "idempotency_key_taken", "This Idempotency-Key was used before.")
}

// confirmInsertion reads a run back whose insertion has an unknown outcome: nil where it is
// stored, fault.Unavailable store_unavailable where it is not, outcome_unknown where that
// cannot be learned within confirmTimeout. cause is the error of the insertion.
func (s *Starter) confirmInsertion(c Commit, cause error) error {
	ctx, cancel := context.WithTimeout(context.Background(), confirmTimeout)
	defer cancel()
	for {
		_, err := s.cfg.Store.Run(ctx, c.Row.TenantID, c.Row.RunID)
		if err == nil {
			return nil
		}
		if fault.KindOf(err) == fault.NotFound {
			return fault.Wrap(cause, fault.Unavailable, "store_unavailable", "The run was not stored; try again.")
		}
		if !sleep(ctx, storeRetryDelay) {
			return fault.Wrap(cause, fault.Unavailable, "outcome_unknown",
				"The database went away while the run %s was being stored; look whether it is there before trying again.", c.Row.RunID)
		}
	}
}
