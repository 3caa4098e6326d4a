package executor

import (
	"context"
	"heddle/executor/machine"
	"slices"
	"time"
)

// resume recovers a run of a dead process, with a slot beyond the limit, and reports
// whether it did: a run that is driven here, waits for a slot or is quarantined is left
// alone. With isolationEnded, which is closed as soon as an attempt of the run ended or it
// has none in flight, only a run that is not recovered yet is resumed.
func (r *registry) resume(id string, isolationEnded chan struct{}) bool {
	r.mu.Lock()
	// A run that begins to wait for a slot does so before it leaves runs, so that
	// looking there first misses none.
	known := r.runs[id] != nil || r.dispatcher.isReady(id) || r.quarantined[id] || isolationEnded != nil && !r.unrecovered[id]
	if known {
		r.mu.Unlock()
		return false
	}
	a := r.newDriven(id, isolationEnded)
	delete(r.unrecovered, id)
	// In the same moment under mu as the removal from unrecovered, so that a message which
	// comes now finds the run in memory, behind its recovery.
	a.messages = r.recovery(a)
	r.runs[id] = a
	r.mu.Unlock()
	r.dispatcher.slots.acquireBeyondLimit()
	go r.drive(a)
	return true
}

// newDriven makes a run that the caller starts to drive, with a slot that it takes before.
// isolationEnded is nil for a run that is not isolated.
func (r *registry) newDriven(id string, isolationEnded chan struct{}) *activeRun {
	return &activeRun{
		id: id, epoch: r.term.epoch.Load(),
		mailbox:    mailbox{driven: true, granted: true},
		driveState: driveState{isolationEnded: isolationEnded},
	}
}

// resumeAlone is resume for a suspect, also where a message reached it meanwhile and left
// it waiting for a slot. While the run is in memory it waits for it to come to rest. It
// returns false if there is nothing to do, or ctx ended.
func (r *registry) resumeAlone(ctx context.Context, id string, isolationEnded chan struct{}) bool {
	for {
		if r.resume(id, isolationEnded) {
			return true
		}
		r.mu.Lock()
		busy := r.runs[id] != nil
		if !busy && r.dispatcher.removeReady(id) {
			a := r.newDriven(id, isolationEnded)
			a.messages = []message{{input: machine.Tick{}}}
			r.runs[id] = a
			r.mu.Unlock()
			r.dispatcher.slots.acquireBeyondLimit()
			go r.drive(a)
			return true
		}
		r.mu.Unlock()
		if !busy || !sleep(ctx, time.Millisecond) {
			return false
		}
	}
}

// holdRecovery keeps the runs of a dead process, ids, from being driven until the suspects
// among them were isolated, and those that are to be quarantined until endQuarantine or the
// end of the term. A message for a held run still drives it, recovery first; without a slot
// its attempts wait.
func (r *registry) holdRecovery(ids []string, suspects []Suspect) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.unrecovered = make(map[string]bool, len(ids))
	for _, id := range ids {
		r.unrecovered[id] = true
	}
	r.quarantined = make(map[string]bool)
	for _, s := range suspects {
		if s.mustQuarantine() {
			r.quarantined[s.RunID] = true
		}
	}
}

// heldRuns returns the ids of the runs that still wait for their recovery, sorted.
func (r *registry) heldRuns() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	ids := make([]string, 0, len(r.unrecovered))
	for id := range r.unrecovered {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

// endRecovery forgets which runs were held, at the end of a term.
func (r *registry) endRecovery() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.unrecovered, r.quarantined = nil, nil
}

// endQuarantine lets a run be driven again, after it has been failed: a user may resume it.
func (r *registry) endQuarantine(id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.quarantined, id)
	delete(r.unrecovered, id)
}

// isQuarantined reports whether nothing of a run is started because the process died with
// it isolated.
func (r *registry) isQuarantined(id string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.quarantined[id]
}

// unjournalledResults are ends of attempts that this process learned and could not journal
// before it lost the lease. Where it gets the same term back, no other node drove the runs
// meanwhile, and the attempts need not be made again. The results of one epoch are kept at
// a time; those of another are dropped when the first of the new ones comes.
type unjournalledResults struct {
	epoch int64                          // of the lease under which the attempts ran
	ends  map[string][]machine.StepEnded // by run id
}

// keepResults remembers the ends of attempts among messages that were not applied, or whose
// change was not stored; other messages are ignored. Outputs in blobs are not kept: a blob
// that no commit names is swept, and the attempt is made again.
func (r *registry) keepResults(a *activeRun, messages []message) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, m := range messages {
		end, ended := m.input.(machine.StepEnded)
		if held, ok := m.input.(machine.JournalOnly); ok {
			end, ended = held.Input.(machine.StepEnded)
		}
		if !ended || m.blob != "" || a.epoch == 0 {
			continue
		}
		// Results of an older term: another node may have driven the runs since.
		if r.results.epoch != a.epoch {
			r.results = unjournalledResults{epoch: a.epoch, ends: make(map[string][]machine.StepEnded)}
		}
		r.results.ends[a.id] = append(r.results.ends[a.id], end)
	}
}

// recovery returns the first messages of a run of a dead process: the ends of attempts that
// are known, then that all others are interrupted. The ends are JournalOnly, so that
// nothing starts before the interruption. Kept results are handed out once. mu is held.
func (r *registry) recovery(a *activeRun) []message {
	var list []message
	if r.results.epoch == a.epoch {
		for _, end := range r.results.ends[a.id] {
			list = append(list, message{input: machine.JournalOnly{Input: end}})
		}
		delete(r.results.ends, a.id)
	}
	return append(list, message{input: machine.Recover{}})
}
