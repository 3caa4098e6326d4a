package machine

import (
	"encoding/json"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// place is one execution place: a step of the list that frame at runs (nil:
// the definition's own list). With step -1 it is the list itself.
type place struct {
	at   *frame
	step int32
}

// whole is the definition's own list.
var whole = place{step: -1}

// frame is one iteration of a loop. It never changes.
type frame struct {
	up    *frame // the iteration that the loop itself runs in
	loop  *node
	index int
	id    uint64 // seq of its iteration_started: a loop tried anew has a path twice
	path  string // "each[3].inner[0]"
}

func newFrame(up *frame, loop *node, index int, id uint64) *frame {
	path := loop.step.ID + "[" + strconv.Itoa(index) + "]"
	if up != nil {
		path = up.path + "." + path
	}
	return &frame{up: up, loop: loop, index: index, id: id, path: path}
}

// identity is the frame's id, 0 for the definition's own list.
func (f *frame) identity() uint64 {
	if f == nil {
		return 0
	}
	return f.id
}

// home is the loop's own place.
func (f *frame) home() place { return place{f.up, f.loop.at} }

func (p place) path() string {
	if p.at == nil {
		return ""
	}
	return p.at.path
}

// scopeState is one list of steps under way.
type scopeState struct {
	edit       uint64
	id         uint64 // of the iteration's frame
	list       *list
	steps      trie[*stepState] // touched ones only; a missing one is pending
	left       int32            // steps not finished
	busy       int32            // attempts in action in it, inner iterations included
	parked     int32            // waits and retries in it, inner iterations included
	undos      int32            // compensations that remember it
	failed     *Error           // of an iteration: its first error, nothing starts any more
	generation int32            // of the loop that it belongs to
	base       int32            // attempts are numbered from here
	ticket     uint64           // in the agenda, 0: none
	begun      int64            // when it was opened
	lagging    bool             // a step of it, or in it, was cut off before: see cutOff
}

// stepState is one step of one list under way.
type stepState struct {
	edit        uint64
	unmet       int32 // dependencies not finished
	live        int32 // dependencies finished otherwise than skipped
	status      StepStatus
	skip        string // to be skipped for this reason, whatever its dependencies
	falling     bool   // its fallback step runs in its place
	interrupted bool   // to be started again without asking its guard
	unknown     bool   // its last attempt was cut off and failed so, by on_interrupt: it may have taken effect
	undone      bool   // a compensation of it, or inside it, started
	attempt     int32  // the last number used, compensations included
	last        int32  // the last attempt of the step itself
	tries       int32  // failed attempts that count against max_attempts
	generation  int32
	ticket      uint64 // in the agenda, 0: none
	slot        uint64 // its key in action, parked or loops, 0: none
	order       int64  // seq of its first start or skip
	started     int64  // the first attempt of this generation
	since       int64  // the first attempt under its idempotency key, which may have been before a resume
	begun       int64  // the last attempt
	acted       int64  // what it last did outside: an attempt, or a probe of a wait
	ended       int64
	due         int64 // of the parked retry or wait, 0: none
	output      json.RawMessage
	err         *Error
	fallback    string
	usage       Usage
	wait        *waitState // never changed in place
	loop        *loopState
	counts      *IterationCounts // of a loop that is through
	redo        *redoState       // of a loop that failed or is redriven; never changed in place
	cut         trie[*cutOff]    // of a loop that is not under way: what was cut off in it, by iteration
}

// finished tells whether dependants can count on the step.
func (s *stepState) finished() bool {
	return s.status == StepCompleted || s.status == StepSkipped || s.status == StepFailed || s.status == StepCancelled
}

// waitState is an open wait.
type waitState struct {
	Kind      string `json:"kind"` // timer, condition, signal
	Name      string `json:"name,omitempty"`
	RequestID string `json:"request_id,omitempty"`
	Prompt    string `json:"prompt,omitempty"`
	Until     int64  `json:"until,omitempty"`
	TimeoutAt int64  `json:"timeout_at,omitempty"`
}

// loopState is a loop under way.
type loopState struct {
	edit       uint64
	total      int // -1: not known before the end
	next       int
	completed  int
	failed     int
	doomed     *Error            // no more iterations start, and the loop fails
	open       trie[*scopeState] // by index; at most concurrency
	kept       trie[*scopeState] // ended ones that compensations need, by id
	failedAt   trie[struct{}]    // indexes of failed iterations
	again      []uint64          // of a redriven loop: to start before next, in order
	cut        trie[*cutOff]     // what was cut off in iterations that have not started anew
	results    resultList
	size       int             // bytes in results
	last       json.RawMessage // the previous iteration's value, of a while loop
	generation int32
	base       int32
	fixed      json.RawMessage // the items, where they cannot be evaluated again
	items      *itemBox        // shared by all copies
}

// itemBox caches the list that a loop walks. Its value is a function of the
// run's state, so whoever needs it first fills it; readers may be concurrent.
type itemBox struct{ v atomic.Pointer[itemList] }

func (r *Run) node(p place) *node {
	if p.at == nil {
		return r.plan.top.nodes[p.step]
	}
	return p.at.loop.loop.body.nodes[p.step]
}

// scope finds a list under way; nil when its iteration is gone.
func (r *Run) scope(f *frame) *scopeState {
	if f == nil {
		return r.root
	}
	up := r.scope(f.up)
	if up == nil {
		return nil
	}
	st, ok := up.steps.get(uint64(f.loop.at))
	if !ok || st.loop == nil {
		return nil
	}
	if s, ok := st.loop.open.get(uint64(f.index)); ok && s.id == f.id {
		return s
	}
	s, _ := st.loop.kept.get(f.id)
	return s
}

// stepAt reads a step's state; it must not be changed.
func (r *Run) stepAt(p place) *stepState {
	s := r.scope(p.at)
	if s == nil {
		return &r.node(p).initial
	}
	return s.step(p.step)
}

func (s *scopeState) step(at int32) *stepState {
	if st, ok := s.steps.get(uint64(at)); ok {
		return st
	}
	return &s.list.nodes[at].initial
}

// editScope gives a list's state for changing, copying the way to it once per
// edit.
func (r *Run) editScope(f *frame) *scopeState {
	if f == nil {
		if r.root.edit != r.edit {
			c := *r.root
			c.edit = r.edit
			r.root = &c
		}
		return r.root
	}
	l := r.editLoop(f.home())
	in, key := &l.open, uint64(f.index)
	s, ok := in.get(key)
	if !ok || s.id != f.id {
		in, key = &l.kept, f.id
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

// editStep gives a step's state for changing.
func (r *Run) editStep(p place) *stepState {
	s := r.editScope(p.at)
	st := s.step(p.step)
	if st.edit == r.edit {
		return st
	}
	c := *st
	c.edit = r.edit
	s.steps.set(r.edit, uint64(p.step), &c)
	return &c
}

func (r *Run) editLoop(p place) *loopState {
	st := r.editStep(p)
	if st.loop.edit != r.edit {
		c := *st.loop
		c.edit = r.edit
		st.loop = &c
	}
	return st.loop
}

// openScope begins a list: its roots go on the agenda.
func (r *Run) openScope(f *frame, s *scopeState) {
	s.edit, s.left, s.begun = r.edit, s.list.count[partMain], r.updated
	if f == nil {
		r.root = s
	} else {
		s.id = f.id
		l := r.editLoop(f.home())
		l.open.set(r.edit, uint64(f.index), s)
	}
	for _, at := range s.list.roots {
		r.enqueue(place{f, at})
	}
}

// generation counts how often the step was run again on purpose, the loops
// around it included.
func (r *Run) generation(p place) int {
	s := r.scope(p.at)
	return int(s.generation + s.step(p.step).generation)
}

// halted tells whether nothing may start in a list any more.
func (r *Run) halted(f *frame) bool {
	if r.ending != nil {
		return true
	}
	for ; f != nil; f = f.up {
		if s := r.scope(f); s == nil || s.failed != nil {
			return true
		}
	}
	return false
}

// find resolves a ref of the outside; false when there is no such place now.
func (r *Run) find(stepID, iteration string) (place, bool) {
	n := r.plan.index[stepID]
	if n == nil {
		return place{}, false
	}
	f, ok := r.findFrame(iteration)
	if !ok || n.list != r.listOf(f) {
		return place{}, false
	}
	return place{f, n.at}, true
}

func (r *Run) listOf(f *frame) *list {
	if f == nil {
		return r.plan.top
	}
	return f.loop.loop.body
}

// findFrame parses an iteration path; every part must be under way, but for
// the last, which may be about to start: its id is 0.
func (r *Run) findFrame(path string) (*frame, bool) {
	var f *frame
	for path != "" {
		part, rest, _ := strings.Cut(path, ".")
		id, number, ok := strings.Cut(strings.TrimSuffix(part, "]"), "[")
		index, err := strconv.Atoi(number)
		loop := r.plan.index[id]
		if !ok || err != nil || index < 0 || loop == nil || loop.loop == nil || loop.list != r.listOf(f) || r.scope(f) == nil {
			return nil, false
		}
		l := r.stepAt(place{f, loop.at}).loop
		if l == nil {
			return nil, false
		}
		born := uint64(0)
		if s, open := l.open.get(uint64(index)); open {
			born = s.id
		}
		f, path = newFrame(f, loop, index, born), rest
	}
	return f, true
}

func later(ms int64, d time.Duration) int64 { return ms + d.Milliseconds() }
