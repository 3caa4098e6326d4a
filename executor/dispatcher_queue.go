package executor

import (
	"context"
	"heddle/executor/machine"
	"heddle/executor/queue"
	"sync"
)

// How much of the store's queue is read at once: runs of one workflow, workflows of a look
// around, and how many runs may begin between two such looks while other nodes queue runs.
const (
	queueRead   = 256
	surveyPage  = 256
	surveyEvery = 64
)

// queueEntry returns a run as the queue has it.
func queueEntry(run *machine.Run, class queue.Class) queue.Run {
	return queue.Run{ID: run.RunID, Workflow: workflowOf(run), Class: class, CreatedAt: run.CreatedAt}
}

// workflowOf returns what takes turns for a run.
func workflowOf(run *machine.Run) queue.Workflow {
	return queue.Workflow{TenantID: run.TenantID, ID: run.WorkflowID}
}

// mayWait reports whether runs may wait for a slot, here or in the store.
func (dp *dispatcher) mayWait() bool {
	if dp.backlog.mayExist() {
		return true
	}
	dp.mu.Lock()
	defer dp.mu.Unlock()
	return !dp.queue.Idle()
}

// offer lets a run wait that this node has just stored as queued under the present term, and
// keeps its state in memory as far as there is room. Where the queue cannot take it in its
// order it is left to the store. A run that is not admitted by its concurrency limit waits
// there, see queueBehindLimit, and only its state is kept.
func (dp *dispatcher) offer(a *activeRun, run *machine.Run) {
	if !dp.registry.keepWaiting(a, run) {
		dp.queued() // this node does not lead, or no longer
		return
	}
	if _, _, limited := groupOf(run, a.key); limited && !dp.limits.isMember(a.id) {
		return
	}
	dp.mu.Lock()
	if dp.cfg.HoldNamed {
		dp.queue.MarkUnread(workflowOf(run)) // it may have a name
	} else {
		dp.queue.Offer(queueEntry(run, queue.Queued))
	}
	dp.mu.Unlock()
	dp.wake()
}

// enqueueAgain lets a queued run wait that leaves memory and has not begun, in the place
// that it has by its start. One that waits for its concurrency limit does so there.
func (dp *dispatcher) enqueueAgain(run *machine.Run) {
	if dp.limits.isQueued(run.RunID) {
		return
	}
	dp.mu.Lock()
	if dp.cfg.HoldNamed {
		dp.queue.MarkStale(workflowOf(run)) // it may have a name
	} else {
		dp.queue.Add(queueEntry(run, queue.Queued))
	}
	dp.mu.Unlock()
	dp.wake()
}

// unread tells the dispatcher that a queued run of a workflow was stored which waits nowhere
// in memory.
func (dp *dispatcher) unread(w queue.Workflow) {
	if !dp.registry.term.state().takesCommands() {
		dp.queued()
		return
	}
	dp.mu.Lock()
	dp.queue.MarkUnread(w)
	dp.mu.Unlock()
	dp.wake()
}

// dropQueued forgets a queued run that has begun or ended. A woken one stays.
func (dp *dispatcher) dropQueued(runID string) {
	dp.mu.Lock()
	defer dp.mu.Unlock()
	if class, waits := dp.queue.Class(runID); waits && class != queue.Woken {
		dp.queue.Remove(runID)
	}
}

// next returns the run whose turn it is, which waits no more; false: none waits, as far as
// is known, or the store could not be read, which is logged: the next tick tries again. It
// reads what it has to from the store. Only the dispatch loop calls it.
func (dp *dispatcher) next(ctx context.Context) (queue.Run, bool) {
	for {
		dp.takeAdmitted()
		dp.mu.Lock()
		step := dp.queue.Next()
		dp.mu.Unlock()
		switch {
		case step.Begin != nil:
			return *step.Begin, true
		case step.Read != nil:
			if !dp.fill(ctx, *step.Read) {
				return queue.Run{}, false
			}
		case !dp.backlog.mayExist() || !dp.lookAround(ctx):
			return queue.Run{}, false
		}
	}
}

// takeAdmitted puts the runs that concurrency limits have let in into the queue.
func (dp *dispatcher) takeAdmitted() {
	for id, g, ok := dp.limits.popAdmitted(); ok; id, g, ok = dp.limits.popAdmitted() {
		dp.mu.Lock()
		dp.queue.Add(queue.Run{ID: id, Workflow: queue.Workflow{TenantID: g.tenantID, ID: g.workflowID}, Class: queue.Admitted})
		dp.mu.Unlock()
	}
}

// fill reads the head of a workflow's queue, without the runs that are in memory or wait for
// their concurrency limit. Where those fill all that it reads it reads more, up to the end
// of the queue. It returns false after an error, which it logs.
func (dp *dispatcher) fill(ctx context.Context, read queue.Read) bool {
	// Runs that are just beginning are queued in the store still.
	for limit := queueRead; ; limit *= 2 {
		runs, err := dp.cfg.Store.QueuedRuns(ctx, read.Workflow, dp.cfg.HoldNamed, limit)
		if err != nil {
			dp.cfg.Log.Warn("the queue could not be read", "error", err)
			return false
		}
		more := len(runs) == limit
		if runs = dp.registry.withoutActive(runs); len(runs) > 0 || !more {
			dp.mu.Lock()
			dp.queue.Fill(read, runs, more)
			dp.mu.Unlock()
			return true
		}
	}
}

// survey is where the dispatch loop is on its way over the workflows that have queued runs
// in the store.
type survey struct {
	after  queue.Workflow // the last that was seen; zero: the next look begins anew
	seeAll func()         // tells the backlog that a way begun with this was gone to its end
}

// lookAround looks at the next workflows that have queued runs in the store. Where the first
// run is not known here, the workflow is read at its next turn; where only the last is not,
// once what is here has begun. It returns true if it saw a workflow to be read, or there are
// more to look at; an error is logged and is false. Only the dispatch loop calls it.
func (dp *dispatcher) lookAround(ctx context.Context) (more bool) {
	if dp.survey.after == (queue.Workflow{}) {
		// Before the read: a run that is queued during it must not be taken for seen.
		dp.survey.seeAll = dp.backlog.observe()
	}
	list, err := dp.cfg.Store.QueuedWorkflows(ctx, dp.survey.after, surveyPage)
	if err != nil {
		if ctx.Err() == nil {
			dp.cfg.Log.Warn("the queue could not be read", "error", err)
		}
		return false
	}
	for _, w := range list {
		more = dp.compare(w) || more
	}
	if len(list) == surveyPage {
		dp.survey.after = list[len(list)-1].Workflow
		return true
	}
	dp.survey.after = queue.Workflow{}
	dp.survey.seeAll()
	return more
}

// compare marks a workflow that has queued runs which are not known here, and reports
// whether it did.
func (dp *dispatcher) compare(w QueuedWorkflow) bool {
	unknown := dp.registry.withoutActive([]queue.Run{{ID: w.First}, {ID: w.Last}})
	dp.mu.Lock()
	defer dp.mu.Unlock()
	marked := false
	for _, r := range unknown {
		if _, waits := dp.queue.Class(r.ID); waits {
			continue
		}
		marked = true
		if r.ID == w.First {
			dp.queue.MarkStale(w.Workflow)
		} else {
			dp.queue.MarkUnread(w.Workflow)
		}
	}
	return marked
}

// backlog knows whether the store may have queued runs of which the dispatcher knows
// nothing, because another node stored them or because this one has just begun to lead. It
// errs towards yes. It is safe for concurrent use.
type backlog struct {
	mu     sync.Mutex
	marked uint64 // how often mark was called
	empty  bool   // all was seen, and mark was not called since that look began
}

// mark notes that there may be such a run.
func (b *backlog) mark() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.marked++
	b.empty = false
}

// mayExist reports whether there may be such a run.
func (b *backlog) mayExist() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return !b.empty
}

// observe is called before the queue is read. It returns a function for when all of it was
// seen: it notes that nothing is unknown, unless mark was called after the read began, since
// that run may not have been in what was read.
func (b *backlog) observe() (seeAll func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	seen := b.marked
	return func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		if b.marked == seen {
			b.empty = true
		}
	}
}
