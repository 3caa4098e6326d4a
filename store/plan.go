package store

import (
	"heddle/audit"
	"heddle/definitions/workflows"
	"heddle/events"
	"heddle/executor"
	"heddle/executor/machine"
	"heddle/fault"
	"slices"
)

// plan is what a group commit writes, one write per run, and what became of its
// members. It is used by one goroutine; an attempt that was rolled back is
// forgotten by reset and made again.
//
// A group of three members, two of run A (seq 4 to 5 and 5 to 7) and one of run
// B, has two writes: A's expects seq 4 and stores the row of seq 7 with the
// events 5 to 7, and its error is that of both members.
type plan struct {
	// writes has an entry per run, in the order of their first members.
	writes []*write
	// errs has an entry per member of the group; it is what Commit returns.
	errs []error
}

// write is the change of one run: one member's, or that of several which follow
// each other. A write of which expected is 0 inserts the run.
type write struct {
	// row is the state to be stored: that of the last member.
	row runRow
	// expected is the seq that the run must have, 0 for a new run.
	expected int64
	// stateBefore is the state that an advanced run had, once updateRuns has won.
	stateBefore string
	// revision and status are those of the workflow that a new run was decided
	// on; 0 and "": any.
	revision int64
	status   workflows.Status
	// events continue the journal densely from expected+1.
	events []events.Event
	// snapshot replaces the run's snapshot; nil: it stays.
	snapshot *snapshotRow
	// answer is kept under a new run's idempotency key; nil: the start had
	// none.
	answer *answerRow
	// taken are the commands of run_inbox whose effects this change holds.
	taken []executor.Taken
	// requests is what the events do to the run's input requests, in order.
	requests []machine.RequestChange
	// inputs are the rendered configs of attempts that end with the events.
	inputs []executor.RenderedInput
	// audit are the entries of the requests that made the change.
	audit []audit.Entry
	// input is a new run's input that has a row of its own, because it is
	// large.
	input string
	// member is a new run's place in a series; nil: it has no name.
	member *executor.Member
	// successor is the new run of the series that takes this one's place in the
	// same transaction; predecessor is its inverse. They are written together
	// or not at all.
	successor   *write
	predecessor *write
	// blobs are the ids of large values that the events name.
	blobs []string
	// members are the indexes of the members in the group.
	members []int
	// excluded: the write has lost, or cannot be made, and is left out.
	excluded bool
}

// planGroup checks the shape of the members and merges those of one run into
// one write, whose events are joined: a run that advanced several times since
// the last commit costs one update. A member whose row or events cannot be
// written has its error in errs and is left out; one that does not follow its run's earlier
// member is executor.ErrFenced. The group's slices are not changed, but those of
// a run's first member are kept.
func planGroup(group []executor.Commit, errs []error) *plan {
	p := &plan{writes: make([]*write, 0, len(group)), errs: errs}
	byRun := make(map[string]*write, len(group))
	for i, c := range group {
		row, err := checkCommit(c)
		if err != nil {
			errs[i] = err
			continue
		}
		earlier := byRun[c.Row.RunID]
		if earlier == nil {
			w := &write{row: row, expected: c.Expected, revision: c.Revision, status: c.Status, events: c.Events, members: []int{i}, member: c.Member}
			w.setInputApart()
			if errs[i] = w.attach(c); errs[i] == nil {
				byRun[c.Row.RunID] = w
				p.writes = append(p.writes, w)
			}
			continue
		}
		// Nothing follows on a run whose place is taken in the same group.
		if c.Expected != earlier.row.Seq || c.Expected == 0 || earlier.successor != nil {
			errs[i] = executor.ErrFenced
			continue
		}
		if errs[i] = earlier.attach(c); errs[i] != nil {
			continue
		}
		earlier.row = row
		earlier.setInputApart()
		// Clip, because the events belong to the caller: appending must copy them.
		earlier.events = append(slices.Clip(earlier.events), c.Events...)
		earlier.members = append(earlier.members, i)
	}
	return p
}

// attach adds what a member brings besides row and events: blobs, snapshot,
// inputs taken, audit entries, successor and kept answer. Only a new run's
// answer counts. The newest snapshot of a run's members wins. An error, of a
// successor or an answer that cannot be encoded, is the member's, and leaves the
// write as it was.
func (w *write) attach(c executor.Commit) error {
	switch {
	case c.With != nil:
		n, err := successorOf(w, *c.With)
		if err != nil {
			return err
		}
		w.successor = n
	case c.Answer != nil && c.Expected == 0:
		answer, err := toAnswerRow(*c.Answer)
		if err != nil {
			return translate(err)
		}
		w.answer = &answer
	}
	w.blobs = append(w.blobs, c.Blobs...)
	if c.Snapshot != nil {
		w.snapshot = &snapshotRow{RunID: c.Row.RunID, Seq: c.Row.Seq, Data: c.Snapshot}
	}
	w.taken = append(w.taken, c.Taken...)
	w.audit = append(w.audit, c.Audit...)
	w.requests = append(w.requests, c.Requests...)
	w.inputs = append(w.inputs, c.Inputs...)
	return nil
}

// successorOf returns the write of the new run that is written with w or not at
// all. The member's error stands for both. A successor has none of its own: its
// write has no members.
func successorOf(w *write, c executor.Commit) (*write, error) {
	row, err := checkCommit(c)
	if err != nil {
		return nil, err
	}
	n := &write{row: row, revision: c.Revision, status: c.Status, events: c.Events, member: c.Member, predecessor: w}
	n.setInputApart()
	return n, n.attach(c)
}

// setInputApart takes a large input (largeInput) out of the row. Only
// insertions write it; updates leave it where it is.
func (w *write) setInputApart() {
	if len(w.row.Input) >= largeInput {
		w.input, w.row.Input = w.row.Input, ""
	}
}

// checkCommit returns the member's row. It makes sure that the journal stays
// dense: the events are numbered from Expected+1 without a gap to the row's
// Seq. A member for which that is not so has a fault of kind Internal and is
// never written: recovery relies on dense events.
func checkCommit(c executor.Commit) (runRow, error) {
	next := c.Expected
	for _, e := range c.Events {
		next++
		if e.Seq != next || e.RunID != c.Row.RunID {
			return runRow{}, fault.New(fault.Internal, "internal", "The events of %s are not dense after %d.", c.Row.RunID, c.Expected)
		}
	}
	if next != c.Row.Seq {
		return runRow{}, fault.New(fault.Internal, "internal", "The row of %s has seq %d, its last event %d.", c.Row.RunID, c.Row.Seq, next)
	}
	row, err := toRunRow(c.Row)
	return row, translate(err)
}

// fail leaves a write out and sets the error of its members. Of a new run only
// the first member has err: those that built on the run, which does not exist
// now, are fenced. A successor fails with its predecessor and the other way
// round.
func (p *plan) fail(w *write, err error) {
	if w.predecessor != nil {
		w = w.predecessor
	}
	w.excluded = true
	if w.successor != nil {
		w.successor.excluded = true
	}
	for n, i := range w.members {
		if n > 0 && w.expected == 0 {
			err = executor.ErrFenced
		}
		p.errs[i] = err
	}
}

// failRemaining sets err as the error of every write that is not excluded yet,
// and leaves it out.
func (p *plan) failRemaining(err error) {
	for _, w := range p.writes {
		if !w.excluded {
			p.fail(w, err)
		}
	}
}

// reset forgets what an attempt found out that was rolled back: no write is
// excluded any more, and their members have no error. Members that planGroup left
// out belong to no write and keep theirs.
func (p *plan) reset() {
	for _, w := range p.writes {
		w.excluded = false
		if w.successor != nil {
			w.successor.excluded = false
		}
		for _, i := range w.members {
			p.errs[i] = nil
		}
	}
}

// remaining returns the writes that are not excluded, each followed by its
// successor.
func (p *plan) remaining() []*write {
	return p.filter(func(*write) bool { return true })
}

// inserts returns those of the remaining writes that make a new run.
func (p *plan) inserts() []*write {
	return p.filter(func(w *write) bool { return w.expected == 0 })
}

// updates returns those of the remaining writes that advance a run.
func (p *plan) updates() []*write {
	return p.filter(func(w *write) bool { return w.expected > 0 })
}

// filter returns the writes that are not excluded and that keep accepts, in the
// order of the plan, a successor right behind its predecessor.
func (p *plan) filter(keep func(*write) bool) []*write {
	list := make([]*write, 0, len(p.writes))
	for _, w := range p.writes {
		if !w.excluded && keep(w) {
			list = append(list, w)
		}
		if n := w.successor; n != nil && !n.excluded && keep(n) {
			list = append(list, n)
		}
	}
	return list
}
