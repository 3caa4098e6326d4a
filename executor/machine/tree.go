package machine

import (
	"encoding/json"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// position names one step within a run: a step of the list that frame runs (a nil frame:
// the definition's own list). With step -1 it is the list itself. A position never changes,
// and two of one step are equal only if they hold the same frame pointer; whether the step
// is there is a question to the run.
type position struct {
	frame *frame
	step  int32
}

// wholeRun is the position of events that concern no step: the definition's own
// list.
var wholeRun = position{step: -1}

// frame is one iteration of a loop, and through parent the iterations around
// it. It never changes, and may be kept after the iteration has ended.
type frame struct {
	parent *frame // the iteration that the loop itself runs in
	loop   *node  // the loop's node in the plan
	index  int    // of the iteration, from 0
	id     uint64 // seq of its iteration_started: a loop tried anew has a path twice
	path   string // "each[3].inner[0]"
}

// newFrame returns the frame of the iteration index of a loop that itself runs in up (nil:
// in the definition's own list). id is the seq of its iteration_started.
func newFrame(up *frame, loop *node, index int, id uint64) *frame {
	path := loop.step.ID + "[" + strconv.Itoa(index) + "]"
	if up != nil {
		path = up.path + "." + path
	}
	return &frame{parent: up, loop: loop, index: index, id: id, path: path}
}

// identity returns the frame's id, 0 for the definition's own list.
func (f *frame) identity() uint64 {
	if f == nil {
		return 0
	}
	return f.id
}

// loopPosition returns the position of the loop whose iteration f is.
func (f *frame) loopPosition() position { return position{f.parent, f.loop.index} }

// path returns the iteration's path as events name it, "" outside loops.
func (p position) path() string {
	if p.frame == nil {
		return ""
	}
	return p.frame.path
}

// scopeState is one list of steps under way: the definition's, or an open iteration's body.
// The counters spare walks over the steps; all but compensations follow from the steps, so
// snapshots leave them out. It is changed only through editScope.
type scopeState struct {
	edit          uint64 // the edit that made this copy; see stepTree
	id            uint64 // of the iteration's frame
	list          *list
	steps         trie[*stepState] // touched ones only; a missing one is pending
	unfinished    int32            // steps not finished
	inFlight      int32            // attempts in flight in it, inner iterations included
	parked        int32            // waits and retries in it, inner iterations included
	compensations int32            // compensations that remember it
	err           *Error           // of an iteration: its first error, nothing starts any more
	generation    int32            // of the loop that it belongs to
	attemptBase   int32            // attempts are numbered from here
	agendaKey     uint64           // in the agenda, 0: none
	startedAt     int64            // when it was opened, in milliseconds
	hasCutOff     bool             // a step of it, or in it, was cut off before: see cutOff
}

// stepState is one step of one list under way. Times are in milliseconds since 1970, 0:
// never. Attempt numbers rise over the whole run and are never reused, so that a late
// answer cannot be taken for that of a newer attempt. It is changed only through editStep.
type stepState struct {
	edit            uint64 // the edit that made this copy
	counted         uint8  // as what stepTally counts it; see stepTally.kindOf
	unmet           int32  // dependencies not finished
	notSkipped      int32  // dependencies finished otherwise than skipped
	status          StepStatus
	skipReason      string // to be skipped for this reason, whatever its dependencies
	fallbackRunning bool   // its fallback step runs in its place
	interrupted     bool   // to be started again without asking its guard
	outcomeUnknown  bool   // its last attempt was cut off and failed so, by on_interrupt: it may have taken effect
	compensated     bool   // a compensation of it, or inside it, started
	stepAttempts
	agendaKey   uint64 // in the agenda, 0: none
	activityKey uint64 // its key in flight, parked or loops, 0: none
	firstSeq    int64  // seq of its first start or skip
	lastSeq     int64  // seq of its last event, or of the begin or end of an iteration of it; 0 in older snapshots
	stepTimes
	stepOutcome
	wait       *waitState // never changed in place
	loop       *loopState
	loopCounts *IterationCounts // of a loop that is through
	redrive    *redriveState    // of a loop that failed or is redriven; never changed in place
	cutOff     trie[*cutOff]    // of a loop that is not under way: what was cut off in it, by iteration
}

// stepAttempts numbers the attempts of a step. It and the two structs after it are parts of
// stepState, embedded so that they cost no allocation.
type stepAttempts struct {
	attemptNumber  int32 // the last number used, compensations included
	lastAttempt    int32 // the last attempt of the step itself
	failedAttempts int32 // failed attempts that count against max_attempts
	generation     int32 // see stepTree.generation, without that of the list
}

// stepTimes are when things happened to a step.
type stepTimes struct {
	startedAt        int64 // the first attempt of this generation
	keyFirstUsedAt   int64 // the first attempt under its idempotency key, which may have been before a resume
	attemptStartedAt int64 // the last attempt
	executedAt       int64 // what it last did outside: an attempt, or a probe of a wait
	endedAt          int64 // when it finished
	dueAt            int64 // of the parked retry or wait, 0: none
}

// stepOutcome is what a step has come to.
type stepOutcome struct {
	output       json.RawMessage // of a completed step: a JSON value, or the reference of a blob; nil: none
	err          *Error          // of the last failed attempt, and of a step that failed; nil: none
	fallbackStep string          // the step that ended in its place; "": none
	usage        Usage           // the sum over its attempts, in earlier generations too
}

// finished reports whether the step has ended, in whatever way: dependants
// count it.
func (s *stepState) finished() bool {
	return s.status == StepCompleted || s.status == StepSkipped || s.status == StepFailed || s.status == StepCancelled
}

// waitState is an open wait. It never changes once a step holds it. The JSON
// names are those of snapshots.
type waitState struct {
	Kind      string `json:"kind"` // timer, condition, signal
	Name      string `json:"name,omitempty"`
	RequestID string `json:"request_id,omitempty"`
	Prompt    string `json:"prompt,omitempty"`
	Until     int64  `json:"until,omitempty"`
	TimeoutAt int64  `json:"timeout_at,omitempty"`
}

// loopState is a loop under way. It holds its open iterations and, of those that ended,
// counts and results only: a loop of a million items takes as many scopes as its
// concurrency. It is changed only through editLoop.
type loopState struct {
	edit          uint64
	total         int // -1: not known before the end
	nextIndex     int // index of the next iteration to start, reruns aside
	completed     int // iterations that completed, those that a redrive kept included
	failed        int
	failing       *Error            // no more iterations start, and the loop fails
	open          trie[*scopeState] // by index; at most concurrency
	retained      trie[*scopeState] // ended ones that compensations need, by id
	failedIndexes trie[struct{}]    // indexes of failed iterations
	rerun         []uint64          // of a redriven loop: to start before next, in order
	cutOff        trie[*cutOff]     // what was cut off in iterations that have not started anew
	results       resultList        // what collect returned, by index
	resultBytes   int               // bytes in results
	lastResult    json.RawMessage   // the previous iteration's value, of a while loop
	generation    int32             // of the loop step when it started; its iterations inherit it
	attemptBase   int32             // attempts of its body are numbered from here
	storedItems   json.RawMessage   // the items, where they cannot be evaluated again
	items         *itemCache        // shared by all copies
}

// itemCache holds the list that a loop walks, once it was evaluated. The list is a function
// of the run's state, so any reader may fill the cache, concurrently too: they all come to
// the same list. It is the only part of a run that changes after the run was returned.
type itemCache struct{ list atomic.Pointer[itemList] }

// stepTree is the state of every step: the definition's own list and, below each loop under
// way, the lists of its open iterations. It is persistent: an edit copies what lies on the
// way from the root to the step, once per edit number, and every older tree stays as it
// was.
//
// What a tree looks like while a loop each runs two iterations at a time:
//
//	root scopeState           the definition's list
//	  stepState a             completed
//	  stepState each          loopState
//	    open[3] scopeState    iteration each[3]
//	      stepState send      in flight
//	    open[4] scopeState    iteration each[4]
//
// Changing send copies send, the list of each[3], the loop, each and the root: O(depth)
// copies of small structs and O(log n) trie nodes.
type stepTree struct {
	plan *Plan
	edit uint64 // what carries this number was made by the edit under way; see trie
	root *scopeState
	// tally counts the steps of the definition's own list; see stepTally.
	tally stepTally
}

// node returns what the plan says of the step at p, which must not be a list.
func (r *stepTree) node(p position) *node {
	if p.frame == nil {
		return r.plan.top.nodes[p.step]
	}
	return p.frame.loop.loop.body.nodes[p.step]
}

// scope returns a list under way, in O(depth of f); nil when its iteration is
// gone. Ended iterations that compensations need are found as well.
func (r *stepTree) scope(f *frame) *scopeState {
	if f == nil {
		return r.root
	}
	up := r.scope(f.parent)
	if up == nil {
		return nil
	}
	st, ok := up.steps.get(uint64(f.loop.index))
	if !ok || st.loop == nil {
		return nil
	}
	// A loop that was tried again has the path open under another id.
	if s, ok := st.loop.open.get(uint64(f.index)); ok && s.id == f.id {
		return s
	}
	s, _ := st.loop.retained.get(f.id)
	return s
}

// stepAt returns a step's state for reading. A step that was never touched, or whose
// iteration is gone, has its plan's initial state.
func (r *stepTree) stepAt(p position) *stepState {
	s := r.scope(p.frame)
	if s == nil {
		return &r.node(p).initial
	}
	return s.step(p.step)
}

// step returns the state of the step at an index of the list, for reading: the plan's
// initial state where it was never touched.
func (s *scopeState) step(at int32) *stepState {
	if st, ok := s.steps.get(uint64(at)); ok {
		return st
	}
	return &s.list.nodes[at].initial
}

// editScope returns a list's state for changing; what lies on the way to it is copied once
// per edit. The list must be under way, or retained for compensations. The result is valid
// until the edit ends.
func (r *stepTree) editScope(f *frame) *scopeState {
	if f == nil {
		if r.root.edit != r.edit {
			c := *r.root
			c.edit = r.edit
			r.root = &c
		}
		return r.root
	}
	l := r.editLoop(f.loopPosition())
	// Open iterations are found by index, retained ones by id, as in scope.
	in, key := &l.open, uint64(f.index)
	s, ok := in.get(key)
	if !ok || s.id != f.id {
		in, key = &l.retained, f.id
		s, _ = in.get(key)
	}
	if s.edit == r.edit {
		return s
	}
	c := *s
	c.edit = r.edit
	in.set(r.edit, key, &c)
	return &c
}

// editStep returns a step's state for changing. The result is valid until the
// edit ends.
func (r *stepTree) editStep(p position) *stepState {
	s := r.editScope(p.frame)
	st := s.step(p.step)
	if st.edit == r.edit {
		return st
	}
	c := *st
	c.edit = r.edit
	s.steps.set(r.edit, uint64(p.step), &c)
	if p.frame == nil {
		r.tally.touch(p.step)
	}
	return &c
}

// editLoop returns a loop's state for changing; the step must be a loop that
// has started.
func (r *stepTree) editLoop(p position) *loopState {
	st := r.editStep(p)
	if st.loop.edit != r.edit {
		c := *st.loop
		c.edit = r.edit
		st.loop = &c
	}
	return st.loop
}

// openScope begins a list: the steps that depend on nothing go on the agenda. s is new and
// belongs to the tree from here on.
func (r draft) openScope(f *frame, s *scopeState) {
	s.edit, s.unfinished, s.startedAt = r.edit, s.list.count[partMain], r.updatedAt
	if f == nil {
		r.root, r.tally = s, stepTally{}
	} else {
		s.id = f.id
		l := r.editLoop(f.loopPosition())
		l.open.set(r.edit, uint64(f.index), s)
	}
	// In document order, which is therefore the order in which the first steps start.
	for _, at := range s.list.roots {
		r.enqueue(position{f, at})
	}
}

// generation returns how often the step was run again on purpose, the loops around it
// included. It is part of the idempotency key: a retry keeps it, a rerun raises it.
// Example: a loop that is resumed from the start begins a new generation, and so do the
// steps of its body, which may have been cut off in an older one; see cutOff.
func (r *stepTree) generation(p position) int {
	s := r.scope(p.frame)
	return int(s.generation + s.step(p.step).generation)
}

// halted reports whether nothing may start any more in a list: the run is ending, or an
// iteration around it has failed or is gone. O(depth²).
func (r *Run) halted(f *frame) bool {
	if r.ending != nil {
		return true
	}
	for ; f != nil; f = f.parent {
		if s := r.scope(f); s == nil || s.err != nil {
			return true
		}
	}
	return false
}

// find resolves a Ref; false when the run has no such position now, because the plan lacks
// the step, the step is in another list, or an iteration of the path is not under way.
func (r *stepTree) find(stepID, iteration string) (position, bool) {
	n := r.plan.index[stepID]
	if n == nil {
		return position{}, false
	}
	f, ok := r.findFrame(iteration)
	if !ok || n.list != r.listOf(f) {
		return position{}, false
	}
	return position{f, n.index}, true
}

// listOf returns the plan of the list that f runs.
func (r *stepTree) listOf(f *frame) *list {
	if f == nil {
		return r.plan.top
	}
	return f.loop.loop.body
}

// findFrame parses an iteration path such as each[3].inner[0]; every part must be under
// way, but for the last, which may be about to begin: its id is then 0. "" is the nil
// frame. It returns false for any other path. The ids of the outer parts are those of the
// open iterations, so a path is enough to name them: one index is open once at a time.
func (r *stepTree) findFrame(path string) (*frame, bool) {
	var f *frame
	for path != "" {
		part, rest, _ := strings.Cut(path, ".")
		id, number, ok := strings.Cut(strings.TrimSuffix(part, "]"), "[")
		index, err := strconv.Atoi(number)
		loop := r.plan.index[id]
		if !ok || err != nil || index < 0 || loop == nil || loop.loop == nil || loop.list != r.listOf(f) || r.scope(f) == nil {
			return nil, false
		}
		l := r.stepAt(position{f, loop.index}).loop
		if l == nil {
			return nil, false
		}
		// 0 stands for an iteration that is about to begin: its event has no seq yet.
		born := uint64(0)
		if s, open := l.open.get(uint64(index)); open {
			born = s.id
		}
		f, path = newFrame(f, loop, index, born), rest
	}
	return f, true
}

// addDuration returns the time d after ms, in milliseconds; what d has beyond whole
// milliseconds is cut off.
func addDuration(ms int64, d time.Duration) int64 { return ms + d.Milliseconds() }
