package live

import (
	"context"
	"heddle/approvals"
	"maps"
	"time"
)

// pumpTimeout bounds the reads of one round.
const pumpTimeout = 5 * time.Second

// pumped is what the goroutine that reads knows of earlier rounds. It belongs to that goroutine.
type pumped struct {
	begun     time.Time
	approvals map[string]approvals.State // as they were last told; bounded by maxTold
}

// maxTold bounds pumped.approvals: beyond it one may be told twice.
const maxTold = 10_000

// pump reads what was noted, every interval, until stop is closed.
func (s *Service) pump(stop chan struct{}) {
	p := &pumped{begun: s.cfg.Now().Add(-clockSlack), approvals: map[string]approvals.State{}}
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

// workflowRounds is how many rounds are between two looks for workflows.
const workflowRounds = 4

// runOnce is one round. What cannot be read is a Reset: listeners read their lists again.
func (s *Service) runOnce(p *pumped, round int) {
	ids, lost := s.take()
	ctx, cancel := context.WithTimeout(context.Background(), pumpTimeout)
	defer cancel()
	var frames []*Frame
	err := s.readRuns(ctx, p, ids, &frames)
	if err == nil && round%workflowRounds == 0 {
		err = s.readWorkflows(ctx, &frames)
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
	for i := range runs {
		r := &runs[i]
		if err := s.add(frames, Frame{Topic: Runs, Event: RunChanged, TenantID: r.TenantID, WorkflowID: r.WorkflowID, ObjectID: r.RunID}, Change{Run: r}); err != nil {
			return err
		}
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
	f.Data = data
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
