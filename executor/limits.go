package executor

import (
	"context"
	"heddle/definitions"
	"heddle/executor/machine"
	"heddle/fault"
	"slices"
	"sync"
)

// limits counts the open runs of workflows with a concurrency limit, on the
// node that leads. A run is a member of its group from the moment at which it
// may begin until it has ended. A group is all versions of a workflow and one
// rendered key; a limit belongs to the version that a run is on, so a run may
// begin while its group has fewer members than its own limit, whatever limits
// the others have. The runs that were found queued wait here in order. Of those
// that wait, none has a limit above the number of members.
type limits struct {
	mu     sync.Mutex
	groups map[group]*groupState
	byRun  map[string]group
	// admitted holds runs that were let in from the queue and are to begin.
	admitted []string
}

// group is what a limit counts together.
type group struct{ workflowID, key string }

type groupState struct {
	members map[string]bool // true: it is being cancelled to make room
	queue   []limitedRun    // first come first served
	waiting map[int]int     // how many of the queue have a limit
}

// limitedRun is a run that waits and the limit of the version that it is on.
type limitedRun struct {
	runID string
	limit int
}

func newLimits() *limits {
	return &limits{groups: make(map[group]*groupState), byRun: make(map[string]group)}
}

// groupOf tells what a run counts against; false: nothing.
func groupOf(run *machine.Run, key string) (group, *definitions.Concurrency, bool) {
	c := run.Concurrency()
	return group{run.WorkflowID, key}, c, c != nil && key != ""
}

func (l *limits) group(g group) *groupState {
	s := l.groups[g]
	if s == nil {
		s = &groupState{members: make(map[string]bool), waiting: make(map[int]int)}
		l.groups[g] = s
	}
	return s
}

// admit makes a run with that limit a member, if there is room for it or it is
// one already. It overtakes only runs that have a lower limit.
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

// join makes a run a member, whether it waited or not.
func (l *limits) join(runID string, g group, s *groupState) {
	if _, waits := l.byRun[runID]; waits {
		s.unqueue(runID)
	}
	s.members[runID] = false
	l.byRun[runID] = g
}

// dropIfEmpty forgets a group that has nobody.
func (l *limits) dropIfEmpty(g group, s *groupState) {
	if len(s.members)+len(s.queue) == 0 {
		delete(l.groups, g)
	}
}

// addMember makes a run that has begun a member, room or not.
func (l *limits) addMember(runID string, g group) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.group(g)
	if _, in := s.members[runID]; !in {
		l.join(runID, g, s)
	}
}

// enqueue lets a queued run wait for room; false: there is some by now. It
// returns the runs that a workflow with cancel_oldest gives up for it.
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

func (s *groupState) enqueue(r limitedRun) {
	s.queue = append(s.queue, r)
	s.count(r.limit, 1)
}

// relimit gives a run that waits the limit of the version that it is on by now.
// It keeps its place.
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

func (s *groupState) find(runID string) int {
	return slices.IndexFunc(s.queue, func(r limitedRun) bool { return r.runID == runID })
}

func (s *groupState) remove(i int) {
	s.count(s.queue[i].limit, -1)
	if i == 0 {
		s.queue = s.queue[1:]
		return
	}
	s.queue = slices.Delete(s.queue, i, i+1)
}

func (s *groupState) count(limit, by int) {
	s.waiting[limit] += by
	if s.waiting[limit] == 0 {
		delete(s.waiting, limit)
	}
}

// next takes the first run of the queue that there is room for by its own
// limit; false: there is none.
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

// oldest picks the runs beyond the limit, the oldest first; run ids rise with
// time. Members are marked, so that none is picked twice.
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

// remove takes a run out; true: others were let in for it.
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
		l.admitted = append(l.admitted, id)
		let = true
	}
	l.dropIfEmpty(g, s)
	return let
}

// popAdmitted takes the next run that may begin.
func (l *limits) popAdmitted() (string, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.admitted) == 0 {
		return "", false
	}
	id := l.admitted[0]
	l.admitted = l.admitted[1:]
	return id, true
}

// isQueued tells whether a queued run waits for room here.
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

// LimitedRun is an open run of a workflow with a concurrency limit.
type LimitedRun struct {
	RunID      string
	WorkflowID string
	Version    int
	Hash       string
	Key        string
	Begun      bool
	Named      bool
}

// replacedRuns is how many open runs end in favour of a start.
func replacedRuns(req StartRequest) int {
	if req.replaces {
		return 1
	}
	return 0
}

// restoreLimits counts afresh what the store has: first the runs that have
// begun, then the queued ones in their order, as far as there is room.
func (e *engine) restoreLimits(ctx context.Context) error {
	open, err := e.store.LimitedRuns(ctx)
	if err != nil {
		return err
	}
	fresh := newLimits()
	for _, begun := range []bool{true, false} {
		for _, r := range open {
			if r.Begun != begun || !begun && r.Named && e.svc.cfg.HoldNamed {
				continue
			}
			c, err := e.svc.plans.get(ctx, r.WorkflowID, r.Version, r.Hash)
			if fault.KindOf(err) == fault.Unavailable {
				return err
			}
			if err != nil || c.plan.Definition().Concurrency == nil {
				continue // such a run cannot be driven, or has no limit any more
			}
			g, limit := group{r.WorkflowID, r.Key}, c.plan.Definition().Concurrency.Limit
			if begun {
				fresh.addMember(r.RunID, g)
			} else {
				fresh.admit(r.RunID, g, limit)
			}
		}
	}
	e.limits.mu.Lock()
	defer e.limits.mu.Unlock()
	e.limits.groups, e.limits.byRun, e.limits.admitted = fresh.groups, fresh.byRun, nil
	return nil
}

// enforceLimit drops the Begin of a queued run that has to wait for room.
func (e *engine) enforceLimit(l *activeRun, envs []message) []message {
	g, c, limited := groupOf(l.run, l.key)
	if !limited || l.run.State != machine.Queued {
		return envs
	}
	begins := func(env message) bool { _, begin := env.input.(machine.Begin); return begin }
	if !slices.ContainsFunc(envs, begins) || e.limits.admit(l.id, g, c.Limit) {
		return envs
	}
	e.holdQueued(l.id, g, c)
	for _, env := range envs {
		if begins(env) && env.answer != nil {
			env.answer <- outcome{row: rowOf(l.run, l.trace, e.now())}
		}
	}
	return slices.DeleteFunc(envs, begins)
}

// holdQueued lets a run that is stored as queued wait for room, and cancels
// what has to make room.
func (e *engine) holdQueued(runID string, g group, c *definitions.Concurrency) {
	held, giveUp := e.limits.enqueue(runID, g, c)
	if !held {
		e.queued()
	}
	for _, id := range giveUp {
		e.deliver(id, message{input: machine.Cancel{Reason: "A newer run took its place: the workflow's concurrency limit is reached.", By: bySystem}}, false)
	}
}

// leaveLimits takes a run out of its group.
func (e *engine) leaveLimits(runID string) {
	if e.limits.remove(runID) {
		e.wakeDispatcher()
	}
}

// concurrencyLimitReached is the answer to a start that a workflow rejects.
func concurrencyLimitReached(c *definitions.Concurrency) error {
	return fault.New(fault.Conflict, "concurrency_limit",
		"The workflow allows %d open runs of this concurrency key and rejects more; wait for one to end.", c.Limit)
}

// OpenCount counts the open runs of one concurrency group that are on one
// version. Begun is false for those that are queued.
type OpenCount struct {
	Version int
	Hash    string
	Begun   bool
	Count   int
}

// concurrencyKey gives the key of a run that is about to be stored as queued. Where
// the workflow rejects runs beyond its limit and none is free just now, it is
// fault.Conflict concurrency_limit. leaving is how many end in its favour, less
// those of its group that are stored with it.
func (s *Service) concurrencyKey(ctx context.Context, run *machine.Run, leaving int) (string, error) {
	key, err := run.ConcurrencyKey()
	c := run.Concurrency()
	if err != nil || c == nil || c.OnLimit != "reject" {
		return key, err
	}
	open, err := s.countMembers(ctx, run.WorkflowID, key)
	if err == nil && open-leaving >= c.Limit {
		err = concurrencyLimitReached(c)
	}
	return key, err
}

// countMembers counts the members of a group as the node that leads would by what
// is stored: the runs that have begun, and of the queued ones, in their order,
// those for which there is room by the limits of their own versions.
func (s *Service) countMembers(ctx context.Context, workflowID, key string) (int, error) {
	open, err := s.cfg.Store.OpenByVersion(ctx, workflowID, key)
	if err != nil {
		return 0, err
	}
	n := 0
	for _, o := range open {
		room := o.Count
		if !o.Begun {
			c, err := s.plans.get(ctx, workflowID, o.Version, o.Hash)
			if fault.KindOf(err) == fault.Unavailable {
				return 0, err
			}
			if err == nil && c.plan.Definition().Concurrency != nil {
				room = max(c.plan.Definition().Concurrency.Limit-n, 0)
			}
		}
		n += min(o.Count, room)
	}
	return n, nil
}
