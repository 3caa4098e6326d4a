package schedules

import (
	"heddle/definitions"
	"strings"
	"time"
)

// decision is a firing in the making. The slots in start get a run each.
type decision struct {
	st   State
	spec Spec
	loc  *time.Location
	now  time.Time

	next     time.Time
	status   Status
	recorded []Slot // that get no run
	starts   []Slot // that get one
	open     int    // runs of the schedule itself
	waiting  int
	cancel   []string
	ended    []string
}

// decide says what becomes of everything that is due by now, and whose turn it
// is in the queue. It is pure.
func decide(st State, spec Spec, loc *time.Location, now time.Time) *decision {
	d := &decision{st: st, spec: spec, loc: loc, now: now, next: st.NextDue, status: st.Status, waiting: st.WaitingCount}
	backfills := 0
	for _, r := range st.Tracked {
		switch {
		case !r.Open:
			d.ended = append(d.ended, r.RunID)
		case r.Backfill:
			backfills++
		default:
			d.open++
		}
	}
	running := st.Status != Paused && st.WorkflowStatus == definitions.Active
	if running && d.open == 0 && len(st.Waiting) > 0 {
		d.dequeue(st.Waiting[0])
		d.waiting--
	}
	if running && backfills == 0 && len(st.Backfill) > 0 {
		d.dequeue(st.Backfill[0])
	}
	if upto := now.Add(-st.Delay()); st.Status == Active && !st.NextDue.IsZero() && !st.NextDue.After(upto) {
		d.decideDue(upto)
	}
	return d
}

// dequeue gives a waiting slot its run.
func (d *decision) dequeue(s Slot) {
	s.Outcome = Late
	if s.Reason == reasonMissed {
		s.Outcome = CaughtUp
	}
	d.start(s)
}

func (d *decision) start(s Slot) {
	s.At = d.now
	d.starts = append(d.starts, s)
	if !strings.HasPrefix(s.Origin, "backfill:") {
		d.open++
	}
}

// The reasons that the ledger gives.
const (
	reasonOverlap    = "overlap"
	reasonQueueFull  = "queue_full"
	reasonMissed     = "missed"
	reasonBackfill   = "backfill"
	reasonNoCatchUp  = "catch_up_none"
	reasonWindow     = "outside_window"
	reasonMax        = "over_max"
	reasonLater      = "later_due_time"
	reasonSuperseded = "superseded"
)

// decideDue decides about the due times from NextDue to upto.
func (d *decision) decideDue(until time.Time) {
	first := d.st.NextDue.Add(-1) // exclusive
	d.next = d.nextAfter(until)
	if d.next.IsZero() {
		d.status = Ended
	}
	if end := d.st.EndsAt; !end.IsZero() && until.After(end) {
		until = end
	}
	if d.st.WorkflowStatus != definitions.Active {
		d.recordRange(first, until, Skipped, "workflow_"+string(d.st.WorkflowStatus))
		return
	}
	grace := d.now.Add(-d.st.Delay() - missedThreshold)
	if grace.Before(first) {
		grace = first
	}
	if grace.After(until) {
		grace = until
	}
	regular := d.dueTimes(grace, until, 100)
	if first.Before(grace) {
		d.decideMissed(first, grace, len(regular) > 0)
	}
	for _, due := range regular {
		d.applyOverlap(d.slot(due), MaxQueue)
	}
}

// nextAfter is the next due time within the schedule's dates, zero when there
// is none.
func (d *decision) nextAfter(t time.Time) time.Time {
	return nextDue(d.st.Schedule, d.spec, d.loc, t)
}

// nextDue is the first due time after t within the schedule's dates.
func nextDue(s Schedule, spec Spec, loc *time.Location, t time.Time) time.Time {
	if !s.StartsAt.IsZero() && t.Before(s.StartsAt) {
		t = s.StartsAt.Add(-1)
	}
	next, ok := spec.Next(t, loc, s.rules())
	if !ok || !s.EndsAt.IsZero() && next.After(s.EndsAt) {
		return time.Time{}
	}
	return next
}

// dueTimes lists the last most due times after a and up to b.
func (d *decision) dueTimes(a, b time.Time, limit int) []time.Time {
	var list []time.Time
	for t, ok := d.spec.Next(a, d.loc, d.st.rules()); ok && !t.After(b); t, ok = d.spec.Next(t, d.loc, d.st.rules()) {
		if len(list) == limit {
			list = append(list[:0], list[1:]...)
		}
		list = append(list, t)
	}
	return list
}

// decideMissed decides about due times that nobody could fire when they were due.
func (d *decision) decideMissed(first, last time.Time, dueNow bool) {
	c := d.st.CatchUp
	if c.Policy == CatchUpNone {
		d.recordRange(first, last, Skipped, reasonNoCatchUp)
		return
	}
	if from := d.now.Add(-d.st.Delay() - c.Window); from.After(first) {
		if from.After(last) {
			from = last
		}
		d.recordRange(first, from, Skipped, reasonWindow)
		first = from
	}
	latest := c.Policy == CatchUpLatest || d.st.Overlap == OverlapCancelRunning
	if latest && dueNow {
		d.recordRange(first, last, Coalesced, reasonLater)
		return
	}
	limit := c.Max
	if latest {
		limit = 1
	}
	kept := d.dueTimes(first, last, limit)
	if len(kept) == 0 {
		return
	}
	if latest {
		d.recordRange(first, kept[0].Add(-1), Coalesced, reasonLater)
	} else {
		d.recordRange(first, kept[0].Add(-1), Skipped, reasonMax)
	}
	for _, due := range kept {
		d.catchUp(due)
	}
}

// catchUp starts a missed due time's run, one after another unless the
// schedule allows overlap.
func (d *decision) catchUp(due time.Time) {
	s := d.slot(due)
	s.Outcome, s.Reason = CaughtUp, reasonMissed
	switch {
	case d.st.Overlap == OverlapCancelRunning:
		d.applyOverlap(s, MaxQueue)
	case d.st.Overlap == OverlapAllow || d.open == 0 && d.waiting == 0:
		d.start(s)
	default:
		d.enqueue(s, reasonMissed)
	}
}

// slot is the line of a due time that starts now.
func (d *decision) slot(due time.Time) Slot {
	s := Slot{ScheduleID: d.st.ID, Due: due, Until: due, Count: 1, Origin: FromSchedule, Outcome: Fired, At: d.now}
	if d.now.Sub(due) > d.st.Delay()+LateThreshold {
		s.Outcome = Late
	}
	return s
}

// applyOverlap applies the overlap rule to a slot that would start now.
func (d *decision) applyOverlap(s Slot, maxWaiting int) {
	busy := d.open > 0 || d.waiting > 0
	switch {
	case !busy, d.st.Overlap == OverlapAllow:
		d.start(s)
	case d.st.Overlap == OverlapQueue && d.waiting < maxWaiting:
		d.enqueue(s, reasonOverlap)
	case d.st.Overlap == OverlapQueue:
		d.record(s, Skipped, reasonQueueFull)
	case d.st.Overlap == OverlapCancelRunning:
		d.replaceRunning(s)
	default:
		d.record(s, Skipped, reasonOverlap)
	}
}

// replaceRunning lets the slot wait until the open runs, which are to be cancelled,
// have ended. It takes the place of one that waits already.
func (d *decision) replaceRunning(s Slot) {
	for _, r := range d.st.Tracked {
		if r.Open && !r.Backfill {
			d.cancel = append(d.cancel, r.RunID)
		}
	}
	for _, w := range d.st.Waiting {
		d.record(w, Coalesced, reasonSuperseded)
	}
	for i := range d.recorded {
		if d.recorded[i].Outcome == Waiting {
			d.recorded[i].Outcome, d.recorded[i].Reason = Coalesced, reasonSuperseded
		}
	}
	d.waiting = 0
	for _, earlier := range d.starts {
		if earlier.Origin == FromSchedule {
			d.record(earlier, Coalesced, reasonSuperseded)
		}
	}
	if n := len(d.starts); n > 0 {
		d.starts = onlyBackfills(d.starts)
		if d.open -= n - len(d.starts); d.open == 0 {
			d.start(s)
			return
		}
	}
	d.enqueue(s, reasonOverlap)
}

func onlyBackfills(list []Slot) []Slot {
	var kept []Slot
	for _, s := range list {
		if s.Origin != FromSchedule {
			kept = append(kept, s)
		}
	}
	return kept
}

func (d *decision) enqueue(s Slot, reason string) {
	s.At, s.Outcome, s.Reason = d.now, Waiting, reason
	d.recorded = append(d.recorded, s)
	d.waiting++
}

func (d *decision) record(s Slot, outcome Outcome, reason string) {
	s.At, s.Outcome, s.Reason = d.now, outcome, reason
	d.recorded = append(d.recorded, s)
}

// recordRange writes one line for all due times after a and up to b.
func (d *decision) recordRange(a, b time.Time, outcome Outcome, reason string) {
	r := d.st.rules()
	first, ok := d.spec.Next(a, d.loc, r)
	if !ok || first.After(b) {
		return
	}
	last, _ := d.spec.Last(a, b, d.loc, r)
	d.record(Slot{
		ScheduleID: d.st.ID, Due: first, Until: last, Count: d.spec.Count(a, b, d.loc, r), Origin: FromSchedule,
	}, outcome, reason)
}

// firing is the decision without its runs. A slot whose run could not be made
// is in it as skipped.
func (d *decision) firing() Firing {
	f := Firing{
		ScheduleID: d.st.ID, Fence: d.st.Fence, NextDue: d.next, Status: d.status, LastRunAt: d.st.LastRunAt,
		Delay: d.st.Delay(), Slots: d.recorded, Ended: d.ended, Cancel: d.cancel,
	}
	s := d.st.Schedule
	s.NextDue, s.Status = d.next, d.status
	f.WakeAt = s.WakeAt()
	return f
}

// empty tells whether there is nothing to write.
func (d *decision) empty() bool {
	return len(d.recorded) == 0 && len(d.starts) == 0 && len(d.ended) == 0 && d.next.Equal(d.st.NextDue) && d.status == d.st.Status
}
