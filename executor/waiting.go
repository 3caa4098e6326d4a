package executor

import "heddle/executor/machine"

// How many bytes the states of waiting runs may take, in all and those of one definition.
// They are estimates, see stateSize. What has no room is read from the store when it begins.
const (
	waitingBytes          = 64 << 20
	waitingBytesPerSource = 32 << 20
)

// waitingRuns keeps the states of queued runs, so that one which begins is neither read nor
// folded again. A state is handed out once, to the driver that brings its run into memory,
// and belongs to the lease under which it was kept; so it is as new as the store's. It needs
// the registry's lock.
type waitingRuns struct {
	byID    map[string]waitingRun
	sources map[waitingSource]*waitingTotal
	bytes   int
}

// waitingRun is what driver.load would read: the state of a run and what belongs to it.
type waitingRun struct {
	epoch     int64
	run       *machine.Run
	key       string
	trace     Trace
	snapshots snapshotDebt
	size      int
}

// waitingSource is a definition that waiting runs share, and keep in memory.
type waitingSource struct{ workflowID, hash string }

// waitingTotal is what the runs of one definition take together.
type waitingTotal struct{ runs, bytes int }

// newWaitingRuns returns one without any run.
func newWaitingRuns() waitingRuns {
	return waitingRuns{byID: make(map[string]waitingRun), sources: make(map[waitingSource]*waitingTotal)}
}

// put keeps a run's state if there is room.
func (w *waitingRuns) put(id string, r waitingRun) {
	w.drop(id)
	source := waitingSource{r.run.WorkflowID, r.run.Hash}
	total := w.sources[source]
	if total == nil {
		// The first one keeps the compiled definition.
		total = &waitingTotal{bytes: definitionSize(r.run)}
	}
	r.size = stateSize(r.run)
	added := r.size
	if total.runs == 0 {
		added += total.bytes
	}
	if w.bytes+added > waitingBytes || total.bytes+r.size > waitingBytesPerSource {
		return
	}
	w.sources[source] = total
	w.byID[id] = r
	w.bytes += added
	total.runs++
	total.bytes += r.size
}

// take returns the state of a run, if one of this epoch is kept, and keeps it no more.
func (w *waitingRuns) take(id string, epoch int64) (waitingRun, bool) {
	r, ok := w.byID[id]
	w.drop(id)
	return r, ok && r.epoch == epoch
}

// drop forgets a run's state, if it is kept.
func (w *waitingRuns) drop(id string) {
	r, ok := w.byID[id]
	if !ok {
		return
	}
	delete(w.byID, id)
	source := waitingSource{r.run.WorkflowID, r.run.Hash}
	total := w.sources[source]
	total.runs--
	total.bytes -= r.size
	w.bytes -= r.size
	if total.runs == 0 {
		w.bytes -= total.bytes
		delete(w.sources, source)
	}
}

// stateSize estimates the bytes that the state of a run which has not begun takes.
func stateSize(run *machine.Run) int {
	return 3<<10 + 512*run.DefinedSteps() + len(run.Input)
}

// definitionSize estimates the bytes that a run's compiled definition takes.
func definitionSize(run *machine.Run) int { return 16<<10 + 4<<10*run.DefinedSteps() }

// keepWaiting keeps the state of a queued run that is not in memory, and reports whether
// this node leads under the epoch that a has.
func (r *registry) keepWaiting(a *activeRun, run *machine.Run) bool {
	if a.epoch == 0 || a.epoch != r.term.epoch.Load() || !r.term.state().takesCommands() {
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	// A message may have brought it into memory, or have left it there, since it was stored.
	if r.runs[a.id] == nil {
		r.waiting.put(a.id, waitingRun{epoch: a.epoch, run: run, key: a.key, trace: a.trace, snapshots: a.snapshots})
	}
	return true
}

// clearWaiting forgets the states of all queued runs, at the end of a term.
func (r *registry) clearWaiting() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.waiting = newWaitingRuns()
}
