// Package queue decides which of the runs that wait for a slot is next. Tenants take turns;
// within a tenant its workflows do, all with equal weight; within a workflow woken runs come
// before those that its concurrency limit has just admitted, and those before new ones, which
// go by start time.
//
// What it promises: between two turns of a workflow that has runs waiting, every other
// workflow of its tenant has at most one turn, and every other tenant has at most one turn
// between two of its tenant. A turn costs O(log n) of the runs that wait in that workflow,
// whatever the number of workflows.
//
// A Queue may hold only the head of what waits. Of a workflow that is marked as unread, the
// place where all runs are kept may have more than the queue knows; Next then asks for them
// when that workflow's turn has come. The package reads nothing itself, and knows neither
// clock nor store.
package queue

import (
	"container/heap"
	"container/list"
	"strings"
	"time"
)

// Class is why a run waits. Within a workflow a lower class goes first.
type Class int

// The classes, in their order.
const (
	Woken    Class = iota // it has begun before, and its time has come: first come, first served
	Admitted              // its concurrency limit has let it in: first come, first served
	Queued                // it is to begin: by start time, and by id where that is equal
)

// Workflow is what takes turns.
type Workflow struct{ TenantID, ID string }

// Run is a run that waits. CreatedAt is used for the class Queued only.
type Run struct {
	ID        string
	Workflow  Workflow
	Class     Class
	CreatedAt time.Time
}

// Limits bound how many runs of the class Queued a Queue takes by Offer: beyond them a run is
// left where it is stored. Zero is no room at all.
type Limits struct{ PerWorkflow, InAll int }

// Queue holds the runs that wait. It is not safe for concurrent use.
type Queue struct {
	limits  Limits
	tenants list.List // of *tenant, each with a workflow whose turn can come; front: next
	byID    map[string]*tenant
	runs    map[string]*waiting // by run id
	seq     uint64              // of the last run that was added
	marks   uint64              // of the last mark; see flow.marked
	byClass [Queued + 1]int     // how many runs wait, by class
}

// tenant is the workflows of one tenant that take turns.
type tenant struct {
	id    string
	flows list.List // of *flow; front: next
	byID  map[string]*flow
	place *list.Element // in Queue.tenants
}

// flow is a workflow that takes turns: it has runs, or is unread.
type flow struct {
	workflow Workflow
	tenant   *tenant
	runs     runHeap
	fresh    int           // how many of the runs are Queued
	place    *list.Element // in tenant.flows
	// marked, unless 0, says that the workflow is unread, and which call made it so: a read
	// that began before that call has perhaps not seen what the call is about.
	marked uint64
	// stale: the next turn reads, although there are runs; some that wait longer may be
	// missing.
	stale bool
}

// waiting is a run in the heap of its workflow.
type waiting struct {
	Run
	seq   uint64 // rises with each run that was added
	index int    // in the heap
	flow  *flow
}

// before reports whether a comes before b in one workflow.
func (a *waiting) before(b *waiting) bool {
	if a.Class != b.Class {
		return a.Class < b.Class
	}
	if a.Class != Queued {
		return a.seq < b.seq
	}
	if c := a.CreatedAt.Compare(b.CreatedAt); c != 0 {
		return c < 0
	}
	return strings.Compare(a.ID, b.ID) < 0
}

// New returns an empty queue with these limits.
func New(limits Limits) *Queue {
	q := &Queue{limits: limits}
	q.Clear()
	return q
}

// Clear forgets all runs and marks.
func (q *Queue) Clear() {
	q.tenants.Init()
	q.byID, q.runs, q.byClass = make(map[string]*tenant), make(map[string]*waiting), [Queued + 1]int{}
}

// Len returns how many runs of a class wait here.
func (q *Queue) Len(c Class) int { return q.byClass[c] }

// Idle reports whether no run waits here and no workflow is unread.
func (q *Queue) Idle() bool { return q.tenants.Len() == 0 }

// Class returns why a run waits here; false: it does not.
func (q *Queue) Class(runID string) (Class, bool) {
	w := q.runs[runID]
	if w == nil {
		return 0, false
	}
	return w.Class, true
}

// Add lets a run wait, whatever the limits. One that waits already keeps its place, or
// gets the one of a class that goes before its own.
func (q *Queue) Add(r Run) {
	if w := q.runs[r.ID]; w != nil {
		if r.Class >= w.Class {
			return
		}
		q.Remove(r.ID)
	}
	f := q.flow(r.Workflow)
	q.seq++
	w := &waiting{Run: r, seq: q.seq, flow: f}
	q.runs[r.ID] = w
	heap.Push(&f.runs, w)
	q.count(w, 1)
}

// Offer adds a new run, which must be the latest of its workflow, if it can wait here in its
// order: all that wait before it are here, and the limits have room. Otherwise it reports
// false and the workflow is unread: the run has to be found where it is stored.
func (q *Queue) Offer(r Run) bool {
	f := q.flow(r.Workflow)
	if f.marked != 0 || f.fresh >= q.limits.PerWorkflow || q.byClass[Queued] >= q.limits.InAll {
		q.mark(f)
		return false
	}
	q.Add(r)
	return true
}

// Remove takes a run out, and reports whether it was here.
func (q *Queue) Remove(runID string) bool {
	w := q.runs[runID]
	if w == nil {
		return false
	}
	heap.Remove(&w.flow.runs, w.index)
	q.left(w)
	q.dropIfDone(w.flow)
	return true
}

// MarkUnread says that runs of a workflow may wait which are not here, behind those that are.
func (q *Queue) MarkUnread(w Workflow) { q.mark(q.flow(w)) }

// MarkStale is MarkUnread for a workflow of which runs may be missing that come before those
// that are here, so that its next turn reads.
func (q *Queue) MarkStale(w Workflow) {
	f := q.flow(w)
	q.mark(f)
	f.stale = true
}

// Step is what is to be done next: exactly one of the fields is set, or none where nothing
// waits.
type Step struct {
	Begin *Run  // it has had its turn and is here no more
	Read  *Read // its turn has come; it is to be read, and then Next called again
}

// Read asks for the first runs of a workflow in its order, as they are stored. The result is
// passed to Fill.
type Read struct {
	Workflow Workflow
	mark     uint64
}

// Next gives the next workflow its turn. Where that has to be read first, nothing changes
// until Fill has been called.
func (q *Queue) Next() Step {
	front := q.tenants.Front()
	if front == nil {
		return Step{}
	}
	t, _ := front.Value.(*tenant)
	f, _ := t.flows.Front().Value.(*flow)
	if f.marked != 0 && (f.stale || len(f.runs) == 0) {
		return Step{Read: &Read{Workflow: f.workflow, mark: f.marked}}
	}
	w, _ := heap.Pop(&f.runs).(*waiting)
	q.left(w)
	q.tenants.MoveToBack(t.place)
	t.flows.MoveToBack(f.place)
	q.dropIfDone(f)
	return Step{Begin: &w.Run}
}

// Fill adds what was read, and takes the mark away unless more are stored behind it, or the
// workflow was marked again since Next asked for it. What is here already keeps its place.
func (q *Queue) Fill(read Read, runs []Run, more bool) {
	for _, r := range runs {
		q.Add(r)
	}
	f := q.flow(read.Workflow)
	f.stale = false
	if f.marked == read.mark && !more {
		f.marked = 0
	}
	q.dropIfDone(f)
}

// flow returns a workflow that takes turns, a new one behind all others if need be.
func (q *Queue) flow(w Workflow) *flow {
	t := q.byID[w.TenantID]
	if t == nil {
		t = &tenant{id: w.TenantID, byID: make(map[string]*flow)}
		t.place = q.tenants.PushBack(t)
		q.byID[w.TenantID] = t
	}
	f := t.byID[w.ID]
	if f == nil {
		f = &flow{workflow: w, tenant: t}
		f.place = t.flows.PushBack(f)
		t.byID[w.ID] = f
	}
	return f
}

// dropIfDone forgets a workflow that has no turn to take, and its tenant with the last one.
func (q *Queue) dropIfDone(f *flow) {
	if len(f.runs) > 0 || f.marked != 0 {
		return
	}
	t := f.tenant
	t.flows.Remove(f.place)
	delete(t.byID, f.workflow.ID)
	if t.flows.Len() == 0 {
		q.tenants.Remove(t.place)
		delete(q.byID, t.id)
	}
}

// mark makes a workflow unread from now on.
func (q *Queue) mark(f *flow) {
	q.marks++
	f.marked = q.marks
}

// left notes that a run has left the heap of its workflow.
func (q *Queue) left(w *waiting) {
	delete(q.runs, w.ID)
	q.count(w, -1)
}

// count adds n to the numbers of waiting runs of a run's class.
func (q *Queue) count(w *waiting, n int) {
	q.byClass[w.Class] += n
	if w.Class == Queued {
		w.flow.fresh += n
	}
}

// runHeap is the runs of one workflow in their order, for container/heap.
type runHeap []*waiting

func (h runHeap) Len() int           { return len(h) }
func (h runHeap) Less(i, j int) bool { return h[i].before(h[j]) }
func (h runHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}

// Push adds a *waiting.
func (h *runHeap) Push(x any) {
	w, _ := x.(*waiting)
	w.index = len(*h)
	*h = append(*h, w)
}

// Pop removes the last one.
func (h *runHeap) Pop() any {
	old := *h
	w := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	return w
}
