package executor

import (
	"heddle/definitions"
	"heddle/executor/machine"
	"heddle/fault"
	"slices"
	"sync"
)

// limits counts the open runs of workflows with a concurrency limit, on the node that
// leads. A run is a member of its group from when it may begin until it has ended. A group
// is all versions of a workflow with one rendered key; a limit belongs to the version that
// a run is on, so a run may begin while its group has fewer members than its own limit,
// whatever limits the others have. Runs that were found queued wait here in order.
//
// An invariant holds between calls: of the runs that wait in a group, none has a limit
// above the number of members. remove restores it by admitting runs. It is safe for
// concurrent use; a restart counts everything afresh from the store.
type limits struct {
	// mu guards all that follows, the states of the groups included.
	mu     sync.Mutex
	groups map[group]*groupState
	byRun  map[string]group
	// admitted holds runs that were let in from a queue and are to begin, in order. They
	// are members already.
	admitted []admittedRun
}

// admittedRun is a run that was let in, and its group.
type admittedRun struct {
	runID string
	group group
}

// group is what a limit counts together: all runs of a workflow with one rendered key.
type group struct{ tenantID, workflowID, key string }

// groupState is a group: its members, and the runs that wait for it. limits.mu
// guards it.
type groupState struct {
	members map[string]bool // by run id; true: it is being cancelled to make room
	queue   []limitedRun    // first come first served
	waiting map[int]int     // how many runs of the queue have a limit, by that limit
}

// limitedRun is a run that waits, and the limit of the version that it is on.
type limitedRun struct {
	runID string
	limit int
}

// newLimits returns limits without any group.
func newLimits() *limits {
	return &limits{groups: make(map[group]*groupState), byRun: make(map[string]group)}
}

// groupOf returns the group that a run counts in and the limit of its version; false: the
// run has no limit, and the other results mean nothing.
func groupOf(run *machine.Run, key string) (group, *definitions.Concurrency, bool) {
	c := run.Concurrency()
	return group{run.TenantID, run.WorkflowID, key}, c, c != nil && key != ""
}

// group returns the state of a group, a new one where there is none. mu is held.
func (l *limits) group(g group) *groupState {
	s := l.groups[g]
	if s == nil {
		s = &groupState{members: make(map[string]bool), waiting: make(map[int]int)}
		l.groups[g] = s
	}
	return s
}

// admit makes a run with that limit a member, where the group has room or the run is a
// member already, and reports whether it is one. A run that waited leaves the queue. By the
// invariant it overtakes only runs with a lower limit, which could not begin.
func (l *limits) admit(runID string, g group, limit int) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.group(g)
	if _, in := s.members[runID]; in {
		return true
	}
	if len(s.members) >= limit {
		l.dropIfEmpty(g, s)
		return false
	}
	l.join(runID, g, s)
	return true
}

// join makes a run a member, whether it waited or not. mu is held. O(queue) if it waited.
func (l *limits) join(runID string, g group, s *groupState) {
	if _, waits := l.byRun[runID]; waits {
		s.unqueue(runID)
	}
	s.members[runID] = false
	l.byRun[runID] = g
}

// dropIfEmpty forgets a group without members and waiting runs. mu is held.
func (l *limits) dropIfEmpty(g group, s *groupState) {
	if len(s.members)+len(s.queue) == 0 {
		delete(l.groups, g)
	}
}

// addMember makes a run that has begun a member, beyond the limit if need be, because it
// runs already. A member stays as it is.
func (l *limits) addMember(runID string, g group) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.group(g)
	if _, in := s.members[runID]; !in {
		l.join(runID, g, s)
	}
}

// enqueue lets a queued run wait for its group; held is false if there is room by now, or
// the run is a member. A run that waits already keeps its place, with the limit of the
// version that it is on by now. giveUp are the runs that a workflow with cancel_oldest has
// to cancel for it.
func (l *limits) enqueue(runID string, g group, c *definitions.Concurrency) (held bool, giveUp []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.group(g)
	if _, in := s.members[runID]; in || len(s.members) < c.Limit {
		return false, nil
	}
	if _, waits := l.byRun[runID]; waits {
		s.relimit(runID, c.Limit)
	} else {
		s.enqueue(limitedRun{runID, c.Limit})
		l.byRun[runID] = g
	}
	if c.OnLimit == "cancel_oldest" {
		giveUp = s.oldest(c.Limit)
	}
	return true, giveUp
}

// enqueue adds a run to the end of the queue.
func (s *groupState) enqueue(r limitedRun) {
	s.queue = append(s.queue, r)
	s.count(r.limit, 1)
}

// relimit changes the limit of a run that waits to that of the version which it is on by
// now. It keeps its place.
func (s *groupState) relimit(runID string, limit int) {
	if i := s.find(runID); i >= 0 {
		s.count(s.queue[i].limit, -1)
		s.queue[i].limit = limit
		s.count(limit, 1)
	}
}

// unqueue takes a run out of the queue, if it is there.
func (s *groupState) unqueue(runID string) {
	if i := s.find(runID); i >= 0 {
		s.remove(i)
	}
}

// find returns the index of a run in the queue; -1: it is not there. O(queue).
func (s *groupState) find(runID string) int {
	return slices.IndexFunc(s.queue, func(r limitedRun) bool { return r.runID == runID })
}

// remove takes the run at index i out of the queue.
func (s *groupState) remove(i int) {
	s.count(s.queue[i].limit, -1)
	if i == 0 {
		s.queue = s.queue[1:]
		return
	}
	s.queue = slices.Delete(s.queue, i, i+1)
}

// count adds by to the number of waiting runs that have a limit, so that next need not look
// at the queue where none can be admitted.
func (s *groupState) count(limit, by int) {
	s.waiting[limit] += by
	if s.waiting[limit] == 0 {
		delete(s.waiting, limit)
	}
}

// next removes and returns the first run of the queue that its own limit admits; false:
// there is none. O(different limits) where there is none, O(queue) otherwise.
func (s *groupState) next() (string, bool) {
	highest := 0
	for limit := range s.waiting {
		highest = max(highest, limit)
	}
	if len(s.members) >= highest {
		return "", false
	}
	i := slices.IndexFunc(s.queue, func(r limitedRun) bool { return len(s.members) < r.limit })
	id := s.queue[i].runID
	s.remove(i)
	return id, true
}

// oldest picks the members and waiting runs beyond the limit, the oldest first; run ids
// rise with time. Members that are picked are marked, so that none is picked twice; a
// waiting run may be, and ignores the second cancel. O(n log n) of the group.
func (s *groupState) oldest(limit int) []string {
	var open []string
	for id, leaving := range s.members {
		if !leaving {
			open = append(open, id)
		}
	}
	for _, r := range s.queue {
		open = append(open, r.runID)
	}
	slices.Sort(open)
	open = open[:max(len(open)-limit, 0)]
	for _, id := range open {
		if _, in := s.members[id]; in {
			s.members[id] = true
		}
	}
	return open
}

// remove takes a run out of its group, or out of the group's queue, and reports whether
// others were admitted for it. A run that is not known has no effect.
func (l *limits) remove(runID string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	g, known := l.byRun[runID]
	if !known {
		return false
	}
	s := l.groups[g]
	delete(l.byRun, runID)
	if _, in := s.members[runID]; in {
		delete(s.members, runID)
	} else {
		s.unqueue(runID)
	}
	let := false
	for id, ok := s.next(); ok; id, ok = s.next() {
		s.members[id] = false
		l.admitted = append(l.admitted, admittedRun{id, g})
		let = true
	}
	l.dropIfEmpty(g, s)
	return let
}

// popAdmitted removes and returns the next run that was let in; false: there is none.
func (l *limits) popAdmitted() (runID string, g group, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.admitted) == 0 {
		return "", group{}, false
	}
	first := l.admitted[0]
	l.admitted = l.admitted[1:]
	return first.runID, first.group, true
}

// isMember reports whether a run counts in its group: it was admitted, or has begun.
func (l *limits) isMember(runID string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	g, known := l.byRun[runID]
	if !known {
		return false
	}
	_, in := l.groups[g].members[runID]
	return in
}

// isQueued reports whether a queued run waits for its group here, so that the store's queue
// need not offer it.
func (l *limits) isQueued(runID string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	g, known := l.byRun[runID]
	if !known {
		return false
	}
	_, in := l.groups[g].members[runID]
	return !in
}

// LimitedRun is an open run of a workflow with a concurrency limit, as LimitStore lists
// them. Version and Hash name the definition that it is on.
type LimitedRun struct {
	RunID      string
	TenantID   string
	WorkflowID string
	Version    int
	Hash       string
	Key        string
	Begun      bool // it is not queued
	Named      bool // it has a name, see Member
}

// replacedRuns returns how many open runs end in the transaction that stores a start: 1 or
// 0.
func replacedRuns(req StartRequest) int {
	if req.replaces {
		return 1
	}
	return 0
}

// concurrencyLimitReached returns fault.Conflict concurrency_limit, the answer to a start
// that a workflow rejects (on_limit: reject).
func concurrencyLimitReached(c *definitions.Concurrency) error {
	return fault.New(fault.Conflict, "concurrency_limit",
		"The workflow allows %d open runs of this concurrency key and rejects more; wait for one to end.", c.Limit)
}

// OpenCount counts the open runs of one concurrency group that are on one version. Begun is
// false for those that are queued. LimitStore.OpenByVersion returns a list of them in the
// order in which they are to be counted.
type OpenCount struct {
	Version int
	Hash    string
	Begun   bool
	Count   int
}
