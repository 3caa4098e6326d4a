package store

import (
	"heddle/audit"
	"heddle/definitions"
	"heddle/events"
	"heddle/executor"
	"heddle/fault"
	"slices"
)

// plan is what a group commit writes, one write per run.
type plan struct {
	writes []*write
	errs   []error // of the group's members
}

// write is the change of one run: one member, or several that follow each
// other.
type write struct {
	row         runRow
	expected    int64
	revision    int64              // of the workflow, that a new run was decided on; 0: any
	status      definitions.Status // likewise; "": any
	events      []events.Event
	snapshot    *snapshotRow
	answer      *answerRow
	taken       []executor.Taken
	audit       []audit.Entry
	input       string // stored apart: a new run's, when large
	member      *executor.Member
	successor   *write // the new run that takes this one's place
	predecessor *write // the run whose place this one takes
	blobs       []string
	members     []int // indexes into the group
	excluded    bool
}

// planGroup checks the members' shape and merges those of one run. A member
// that cannot be written has its error set and is left out.
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
			byRun[c.Row.RunID] = w
			p.writes = append(p.writes, w)
			errs[i] = w.attach(c)
			continue
		}
		// Nothing follows on a run whose place is taken in the same group.
		if c.Expected != earlier.row.Seq || c.Expected == 0 || earlier.successor != nil {
			errs[i] = executor.ErrFenced
			continue
		}
		earlier.row = row
		earlier.setInputApart()
		earlier.events = append(slices.Clip(earlier.events), c.Events...)
		earlier.members = append(earlier.members, i)
		errs[i] = earlier.attach(c)
	}
	return p
}

// attach adds a member's blobs, snapshot and answer.
func (w *write) attach(c executor.Commit) error {
	w.blobs = append(w.blobs, c.Blobs...)
	if c.Snapshot != nil {
		w.snapshot = &snapshotRow{RunID: c.Row.RunID, Seq: c.Row.Seq, Data: c.Snapshot}
	}
	w.taken = append(w.taken, c.Taken...)
	w.audit = append(w.audit, c.Audit...)
	if c.With != nil {
		return w.attachSuccessor(*c.With)
	}
	if c.Answer == nil || c.Expected != 0 {
		return nil
	}
	answer, err := toAnswerRow(*c.Answer)
	w.answer = &answer
	return translate(err)
}

// attachSuccessor adds the new run that is written with this one or not at all.
func (w *write) attachSuccessor(c executor.Commit) error {
	row, err := checkCommit(c)
	if err != nil {
		return err
	}
	n := &write{row: row, revision: c.Revision, status: c.Status, events: c.Events, member: c.Member, predecessor: w}
	n.setInputApart()
	w.successor = n
	return n.attach(c)
}

// setInputApart takes a large input out of the row. Only insertions write it.
func (w *write) setInputApart() {
	if len(w.row.Input) >= largeInput {
		w.input, w.row.Input = w.row.Input, ""
	}
}

// checkCommit makes sure that the journal stays dense.
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

// fail leaves a write out and gives its members the error; those that build on
// a new run that did not come to be are fenced.
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

// failRemaining gives every member that had no error yet the same one.
func (p *plan) failRemaining(err error) {
	for _, w := range p.writes {
		if !w.excluded {
			p.fail(w, err)
		}
	}
}

// reset forgets what an attempt that was rolled back found out.
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

func (p *plan) remaining() []*write {
	return p.filter(func(*write) bool { return true })
}

func (p *plan) inserts() []*write {
	return p.filter(func(w *write) bool { return w.expected == 0 })
}

func (p *plan) updates() []*write {
	return p.filter(func(w *write) bool { return w.expected > 0 })
}

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
