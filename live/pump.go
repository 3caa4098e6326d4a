package live

import (
	"context"
	"heddle/approvals"
	"heddle/executor"
	"heddle/schedules"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"time"
)

// pumpTimeout bounds the reads of one round.
const pumpTimeout = 5 * time.Second

// pumped is what the goroutine that reads knows of earlier rounds. It belongs to that goroutine.
type pumped struct {
	begun     time.Time
	approvals map[string]approvals.State // as they were last told; bounded by maxTold
	schedules map[string]toldSchedule    // the same
	// counted are the workflows, by tenant, whose runs changed since counts were last told.
	counted map[string]map[string]bool
}

// newPumped returns what is known at the beginning.
func newPumped(begun time.Time) *pumped {
	return &pumped{begun: begun, approvals: map[string]approvals.State{}, schedules: map[string]toldSchedule{}, counted: map[string]map[string]bool{}}
}

// toldSchedule is what was last told of a schedule.
type toldSchedule struct {
	revision int64
	due, at  time.Time // of its latest line
	outcome  schedules.Outcome
}

// maxTold bounds what pumped keeps of each kind: beyond it one may be told twice.
const maxTold = 10_000

// pump reads what was noted, every interval, until stop is closed.
func (s *Service) pump(stop chan struct{}) {
	p := newPumped(s.cfg.Now().Add(-clockSlack))
	tick := time.NewTicker(s.cfg.Interval)
	defer tick.Stop()
	for round := 0; ; round++ {
		select {
		case <-tick.C:
			s.runOnce(p, round)
		case <-stop:
			return
		}
	}
}

// workflowRounds is how many rounds are between two looks for workflows, and two counts of what
// is open.
const workflowRounds = 4

// runOnce is one round. What cannot be read is a Reset: listeners read their lists again.
func (s *Service) runOnce(p *pumped, round int) {
	ids, lost := s.take()
	runIDs, scheduleIDs := splitIDs(ids)
	ctx, cancel := context.WithTimeout(context.Background(), pumpTimeout)
	defer cancel()
	var frames []*Frame
	err := s.readRuns(ctx, p, runIDs, &frames)
	if err == nil {
		err = s.readSchedules(ctx, p, scheduleIDs, &frames)
	}
	if err == nil && round%workflowRounds == 0 {
		if err = s.readWorkflows(ctx, &frames); err == nil {
			err = s.readCounts(ctx, p, &frames)
		}
	}
	if err != nil {
		s.cfg.Log.Warn("changes could not be read for those who listen; they read their lists again", "error", err)
		lost = true
	}
	if lost {
		frames = append(frames, &Frame{Event: Reset})
	}
	s.publish(frames)
}

// take returns the runs that were noted since the last round, and whether some were not.
func (s *Service) take() (ids []string, lost bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id := range s.dirty {
		ids = append(ids, id)
	}
	clear(s.dirty)
	lost, s.lost = s.lost, false
	return ids, lost
}

// readRuns adds the frames of runs that have changed, and of their approvals.
func (s *Service) readRuns(ctx context.Context, p *pumped, ids []string, frames *[]*Frame) error {
	if len(ids) == 0 {
		return nil
	}
	runs, err := s.cfg.Source.ChangedRuns(ctx, ids)
	if err != nil {
		return err
	}
	if err := s.addRuns(ctx, p, runs, frames); err != nil {
		return err
	}
	asked, err := s.cfg.Source.ChangedApprovals(ctx, ids, p.begun, maxApprovals)
	if err != nil {
		return err
	}
	if len(p.approvals) > maxTold {
		clear(p.approvals)
	}
	for i := range asked {
		a := &asked[i]
		if p.approvals[a.ID] == a.State {
			continue
		}
		p.approvals[a.ID] = a.State
		event := ApprovalClosed
		if a.State == approvals.Open {
			event = ApprovalOpened
		}
		if err := s.add(frames, Frame{Topic: Approvals, Event: event, TenantID: a.TenantID, WorkflowID: a.WorkflowID, ObjectID: a.ID}, Change{Approval: a}); err != nil {
			return err
		}
	}
	return nil
}

// addRuns adds the frames of runs of those tenants that listen, with their details, which are
// read once for each tenant.
func (s *Service) addRuns(ctx context.Context, p *pumped, runs []executor.Record, frames *[]*Frame) error {
	listening := s.tenants()
	byTenant := map[string][]executor.Record{}
	for _, r := range runs {
		if _, heard := listening[r.TenantID]; heard {
			byTenant[r.TenantID] = append(byTenant[r.TenantID], r)
		}
	}
	for tenantID, list := range byTenant {
		details := make([]executor.RunDetails, len(list))
		if s.cfg.Details != nil {
			var err error
			if details, err = s.cfg.Details(ctx, tenantID, list); err != nil {
				return err
			}
		}
		if p.counted[tenantID] == nil {
			p.counted[tenantID] = map[string]bool{}
		}
		for i, r := range list {
			p.counted[tenantID][r.WorkflowID] = true
			f := Frame{Topic: Runs, Event: RunChanged, TenantID: tenantID, WorkflowID: r.WorkflowID, ObjectID: r.RunID}
			if err := s.add(frames, f, Change{Run: &Run{r, details[i]}}); err != nil {
				return err
			}
		}
	}
	return nil
}

// splitIDs tells runs and schedules apart, by what their ids begin with.
func splitIDs(ids []string) (runs, schedules []string) {
	for _, id := range ids {
		if strings.HasPrefix(id, "sched_") {
			schedules = append(schedules, id)
		} else {
			runs = append(runs, id)
		}
	}
	return runs, schedules
}

// readSchedules adds the frames of schedules that were changed or have decided: of several lines
// since the last round that of the latest due time.
func (s *Service) readSchedules(ctx context.Context, p *pumped, ids []string, frames *[]*Frame) error {
	if len(ids) == 0 {
		return nil
	}
	list, err := s.cfg.Source.ChangedSchedules(ctx, ids)
	if err != nil {
		return err
	}
	if len(p.schedules) > maxTold {
		clear(p.schedules)
	}
	for i := range list {
		c := &list[i]
		before, known := p.schedules[c.ID]
		now := toldSchedule{revision: c.Revision}
		if c.Last != nil {
			now.due, now.at, now.outcome = c.Last.Due, c.Last.At, c.Last.Outcome
		}
		p.schedules[c.ID] = now
		f := Frame{Topic: Schedules, Event: ScheduleChanged, TenantID: c.TenantID, WorkflowID: c.WorkflowID, ObjectID: c.ID}
		if known && before.revision != now.revision || !known && (c.Deleted || !c.UpdatedAt.Before(p.begun)) {
			if err := s.add(frames, f, Change{Schedule: c}); err != nil {
				return err
			}
		}
		before.revision = now.revision
		if f.Event = SlotDecided; c.Last != nil && before != now && (known || !c.Last.At.Before(p.begun)) {
			if err := s.add(frames, f, Change{Slot: c}); err != nil {
				return err
			}
		}
	}
	return nil
}

// readCounts adds a frame for each workflow whose runs changed since the last one.
func (s *Service) readCounts(ctx context.Context, p *pumped, frames *[]*Frame) error {
	defer clear(p.counted)
	for tenantID, workflows := range p.counted {
		ids := slices.Sorted(maps.Keys(workflows))
		open, err := s.cfg.Source.OpenByWorkflow(ctx, tenantID, ids)
		if err != nil {
			return err
		}
		for _, id := range ids {
			f := Frame{Topic: Stats, Event: StatsChanged, TenantID: tenantID, WorkflowID: id, ObjectID: id}
			if err := s.add(frames, f, Change{Stats: &Counts{id, open[id]}}); err != nil {
				return err
			}
		}
	}
	return nil
}

// readWorkflows adds the frames of workflows that have changed, of the tenants that listen.
func (s *Service) readWorkflows(ctx context.Context, frames *[]*Frame) error {
	for tenantID, after := range s.tenants() {
		list, last, err := s.cfg.Source.ChangedWorkflows(ctx, tenantID, after, maxWorkflows)
		if err != nil {
			return err
		}
		s.read(tenantID, last)
		for i := range list {
			w := &list[i]
			if err := s.add(frames, Frame{Topic: Workflows, Event: WorkflowChanged, TenantID: tenantID, WorkflowID: w.ID, ObjectID: w.ID}, Change{Workflow: w}); err != nil {
				return err
			}
		}
	}
	return nil
}

// tenants returns those of which somebody listens, with the change of a workflow that was read
// last.
func (s *Service) tenants() map[string]int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.changes)
}

// read notes the change that was read last, unless nobody listens to the tenant any more.
func (s *Service) read(tenantID string, change int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, listened := s.changes[tenantID]; listened {
		s.changes[tenantID] = change
	}
}

// add adds a frame with its data. An error is that of encoding the change.
func (s *Service) add(frames *[]*Frame, f Frame, c Change) error {
	data, err := s.cfg.Encode(c)
	if err != nil {
		return err
	}
	f.Data, f.shown = data, &atomic.Pointer[shown]{}
	*frames = append(*frames, &f)
	return nil
}

// publish puts frames into the ring and wakes every listener. It does not block.
func (s *Service) publish(frames []*Frame) {
	if len(frames) == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range frames {
		s.last++
		f.Seq = s.last
		s.ring[s.last%ringSize] = f
	}
	for l := range s.listeners {
		select {
		case l.wake <- struct{}{}:
		default:
		}
	}
}
