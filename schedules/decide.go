package schedules

import (
	"heddle/definitions/workflows"
	"strings"
	"time"
)

// decision is a firing that is being decided. It belongs to one goroutine; st is
// never changed, so that what it was decided on stays comparable with the row.
type decision struct {
	st   State
	spec Spec
	loc  *time.Location
	now  time.Time

	next     time.Time // the schedule's next due time; zero: none
	status   Status    // the schedule's status afterwards
	recorded []Slot    // slots that get no run now
	starts   []Slot    // slots that get a run each, which the Service prepares
	open     int       // open runs of the schedule itself, backfills excluded
	waiting  int       // length of the queue, backfills excluded
	cancel   []string  // ids of runs to cancel
	ended    []string  // ids of tracked runs that have ended
}

// decide decides what becomes of every due time up to now, and which waiting slot
// may start. It is pure: time, zone and state are arguments, and the state is not
// changed, so it may be called again after a conflict.
//
// At most one waiting slot and one slot of a backfill start per decision; the
// loop comes back at once while queues move. A paused schedule, or one whose workflow is not
// active, starts nothing, but backfills and queued slots stay waiting.
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
	running := st.Status != Paused && st.WorkflowStatus == workflows.Active
	if running && d.open == 0 && len(st.Waiting) > 0 {
		d.dequeue(st.Waiting[0])
		d.st.Waiting = st.Waiting[1:] // what starts waits no more
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

// dequeue starts a waiting slot. A slot that waited for an earlier run is late; one
// that was missed counts as caught up.
func (d *decision) dequeue(s Slot) {
	s.Outcome = Late
	if s.Reason == reasonMissed {
		s.Outcome = CaughtUp
	}
	d.start(s)
}

// start lets a slot start now. Backfills do not count as open runs of the
// schedule itself: they have an overlap rule of their own.
func (d *decision) start(s Slot) {
	s.At = d.now
	d.starts = append(d.starts, s)
	if !strings.HasPrefix(s.Origin, "backfill:") {
		d.open++
	}
}

// The values of Slot.Reason, apart from error codes of a start and
// "workflow_<status>".
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
	reasonEnded      = "schedule_ended" // what waited when the schedule was deleted
)

// decideDue decides about the due times from NextDue to until. Those of the last
// minute (missedThreshold) follow the overlap rule; earlier ones were missed and
// follow the catch-up rule. A workflow that is not active gets one line for all
// of them.
func (d *decision) decideDue(until time.Time) {
	first := d.st.NextDue.Add(-1) // exclusive
	// From until and not from now: what lies in between is still delayed by jitter.
	d.next = d.nextAfter(until)
	if d.next.IsZero() {
		d.status = Ended
	}
	if end := d.st.EndsAt; !end.IsZero() && until.After(end) {
		until = end
	}
	if d.st.WorkflowStatus != workflows.Active {
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

// nextAfter returns the first due time after t within the schedule's dates, zero
// where there is none.
func (d *decision) nextAfter(t time.Time) time.Time {
	return nextDue(d.st.Schedule, d.spec, d.loc, t)
}

// nextDue returns the first due time after t within StartsAt (inclusive) and
// EndsAt (inclusive), the zero time where there is none.
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

// dueTimes lists the due times after a and up to b, oldest first; of more than
// limit, the latest ones. It walks all of them but holds at most limit.
func (d *decision) dueTimes(a, b time.Time, limit int) []time.Time {
	var list []time.Time
	if limit <= 0 {
		return nil
	}
	for t, ok := d.spec.Next(a, d.loc, d.st.rules()); ok && !t.After(b); t, ok = d.spec.Next(t, d.loc, d.st.rules()) {
		if len(list) == limit {
			list = append(list[:0], list[1:]...)
		}
		list = append(list, t)
	}
	return list
}

// decideMissed decides about the due times after first and up to last, which
// passed while no node could fire them. In order: with catch-up none all are
// skipped; those before the window are skipped; with catch-up latest (or overlap
// cancel_running, where only the latest can survive) one run stands for all, and
// it is the one that is due now (dueNow) if there is one; with catch-up all, the
// latest Max of them, MaxCatchUp at most, get a run each and the others are skipped.
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
	// Whatever is stored: a row may be older than its checks.
	limit := min(max(c.Max, 0), MaxCatchUp)
	if latest {
		limit = 1
	}
	kept := d.dueTimes(first, last, limit)
	if limit == 0 {
		d.recordRange(first, last, Skipped, reasonMax)
	}
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

// catchUp decides how a missed due time that is kept gets its run. Several run one
// after another, also with overlap skip, unless the schedule allows overlap: what
// the catch-up rule keeps, the overlap rule must not drop.
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

// slot returns the ledger's line of a due time that starts now: fired, or late
// where that is more than LateThreshold after its time and jitter.
func (d *decision) slot(due time.Time) Slot {
	s := Slot{ScheduleID: d.st.ID, Due: due, Until: due, Count: 1, Origin: FromSchedule, Outcome: Fired, At: d.now}
	if d.now.Sub(due) > d.st.Delay()+LateThreshold {
		s.Outcome = Late
	}
	return s
}

// applyOverlap applies the overlap rule to a slot that would start now, with at
// most maxWaiting slots in the queue.
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

// replaceRunning requests the cancel of the open runs and lets the slot wait until
// they have ended, so that two runs never overlap. It replaces every slot that
// waits already, and every slot that this decision was about to start; these are
// recorded as superseded. If nothing else is open it starts at once.
func (d *decision) replaceRunning(s Slot) {
	d.cancel = d.cancel[:0]
	for _, r := range d.st.Tracked {
		if r.Open && !r.Backfill {
			d.cancel = append(d.cancel, r.RunID)
		}
	}
	for _, w := range d.st.Waiting {
		d.record(w, Coalesced, reasonSuperseded)
	}
	d.st.Waiting = nil // each is recorded once, however many slots replace others
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

// onlyBackfills returns the slots of the list that do not come from the
// expression itself.
func onlyBackfills(list []Slot) []Slot {
	var kept []Slot
	for _, s := range list {
		if s.Origin != FromSchedule {
			kept = append(kept, s)
		}
	}
	return kept
}

// enqueue records a slot as waiting for its run.
func (d *decision) enqueue(s Slot, reason string) {
	s.At, s.Outcome, s.Reason = d.now, Waiting, reason
	d.recorded = append(d.recorded, s)
	d.waiting++
}

// record adds a line of the ledger for a slot that gets no run now.
func (d *decision) record(s Slot, outcome Outcome, reason string) {
	s.At, s.Outcome, s.Reason = d.now, outcome, reason
	d.recorded = append(d.recorded, s)
}

// recordRange records one line for all due times after a and up to b, with their
// number, so that a schedule that was down for a year adds one line and not half
// a million. Without a due time in the range it records nothing.
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

// firing returns what the decision writes, without the slots in starts, which are
// added with their runs, or as skipped where the workflow refuses the run.
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

// empty reports whether the decision changes nothing, so that it is not stored.
func (d *decision) empty() bool {
	return len(d.recorded) == 0 && len(d.starts) == 0 && len(d.ended) == 0 && d.next.Equal(d.st.NextDue) && d.status == d.st.Status
}
