package bulk

import (
	"context"
	"errors"
	"heddle/access"
	"heddle/audit"
	"heddle/fault"
	"sync"
	"time"
)

// How fast jobs are carried out: batchSize items every batchEvery are 100 a second, whatever the
// number of jobs. Of these itemsAtOnce are under way at one time, so that starts and commands of
// others find their place between them.
const (
	batchSize   = 25
	batchEvery  = 250 * time.Millisecond
	itemsAtOnce = 8
	// idleEvery is how often a node looks for jobs that were accepted elsewhere.
	idleEvery = time.Second
	// itemWithin bounds one command. A longer one is looked up and repeated.
	itemWithin = 30 * time.Second
)

// Serve carries jobs out until ctx ends, while this node leads. Every node may run it, once.
func (s *Service) Serve(ctx context.Context) {
	for ctx.Err() == nil {
		pause := time.NewTimer(s.cfg.Every)
		if !s.RunBatch(ctx) {
			pause.Reset(max(s.cfg.Every, idleEvery))
			select {
			case <-s.wake:
			case <-pause.C:
			case <-ctx.Done():
			}
			pause.Stop()
			continue
		}
		select {
		case <-pause.C:
		case <-ctx.Done():
			pause.Stop()
		}
	}
}

// RunBatch carries out one batch of the job whose turn it is, and reports whether there was
// one. Only one call may be under way. Errors of the store are logged: the next batch tries
// again.
func (s *Service) RunBatch(ctx context.Context) bool {
	if !s.cfg.Runs.Leading() {
		return false
	}
	job, there, err := s.cfg.Store.RunningBulkJob(ctx, s.last)
	if err == nil && there {
		s.last = job.ID
		err = s.advance(ctx, job)
	}
	if err != nil && ctx.Err() == nil {
		s.cfg.Log.Warn("a bulk job could not go on", "job", job.ID, "error", err)
	}
	return err == nil && there
}

// advance carries out a batch of a job, or stops the job where who asked may do nothing any
// more.
func (s *Service) advance(ctx context.Context, job Job) error {
	p, err := s.cfg.Rights.PrincipalOf(ctx, job.TenantID, job.By)
	if fault.KindOf(err) == fault.Unauthenticated && err != nil {
		why := Stop{Code: "access_ended", Message: "The key or user that asked for it was revoked, disabled or has expired.", By: audit.Actor{Type: audit.System}}
		_, err = s.cfg.Store.StopBulkJob(ctx, job.TenantID, job.ID, why, s.cfg.Now())
	}
	if err != nil {
		return err
	}
	if p.Actor.ID == "" {
		return nil // it was stopped
	}
	items, err := s.cfg.Store.OpenBulkItems(ctx, job.ID, batchSize)
	if err != nil {
		return err
	}
	// The job's actor is as it was when it asked; the journals of all its runs say the same.
	work := audit.WithActor(ctx, job.By, job.Reason)
	settled, claims, was := s.prepare(work, job, p, items)
	claimed, err := s.cfg.Store.ClaimBulkItems(ctx, claims, was)
	if err != nil {
		return err
	}
	settled = append(settled, s.perform(work, job, claimed)...)
	// Outcomes are stored also where the process stops meanwhile: what was done is known now.
	done, cancel := context.WithTimeout(context.WithoutCancel(ctx), itemWithin)
	defer cancel()
	_, err = s.cfg.Store.SettleBulkItems(done, job.ID, settled, s.cfg.Now())
	return err
}

// prepare looks at items before their commands: what has its outcome already, by an earlier
// process or because who asked lacks the right by now, is settled; the rest is to be claimed.
// was are those items as they were read. One that cannot be looked at stays for a later batch.
func (s *Service) prepare(ctx context.Context, job Job, p access.Principal, items []Item) (settled, claims, was []Item) {
	for _, it := range items {
		if need := right(job.Kind, job.Action); !access.Can(p, need, it.WorkflowID) {
			settled = append(settled, it.ended(access.Denied(need, "workflow:"+it.WorkflowID)))
			continue
		}
		claim, done, err := s.look(ctx, job, it)
		switch {
		case transient(err) || ctx.Err() != nil:
		case err != nil:
			settled = append(settled, it.ended(err))
		case done:
			settled = append(settled, it.ended(nil))
		default:
			claims, was = append(claims, claim), append(was, it)
		}
	}
	return settled, claims, was
}

// look returns an item with the seq at which its command may take effect; done: it took effect
// before.
func (s *Service) look(ctx context.Context, job Job, it Item) (claim Item, done bool, err error) {
	claim = it
	claim.State = ItemBegun
	// A restart is found by its kept answer.
	if job.Kind != Runs || job.Action == Restart {
		return claim, false, nil
	}
	run, err := s.cfg.Runs.Run(ctx, job.TenantID, it.ObjectID)
	if fault.CodeOf(err) == "run_not_found" && job.Action == Delete && it.State == ItemBegun {
		return claim, true, nil
	}
	if err != nil {
		return claim, false, err
	}
	if it.State == ItemBegun && (job.Action == Resume || job.Action == Redrive) && run.Seq != it.Seq {
		if done, err = s.cfg.Runs.ResumedBy(ctx, job.TenantID, it.ObjectID, it.Seq, it.key()); done || err != nil {
			return claim, done, err
		}
	}
	claim.Seq = run.Seq
	return claim, false, nil
}

// perform gives the commands of claimed items, and returns those that have an outcome.
func (s *Service) perform(ctx context.Context, job Job, items []Item) []Item {
	results := make([]*Item, len(items))
	places := make(chan struct{}, itemsAtOnce)
	var all sync.WaitGroup
	for i, it := range items {
		places <- struct{}{}
		all.Go(func() {
			defer func() { <-places }()
			ctx, cancel := context.WithTimeout(ctx, itemWithin)
			defer cancel()
			made, err := s.command(ctx, job, it)
			if transient(err) || ctx.Err() != nil {
				return // it is looked up by a later batch
			}
			it := it.ended(err)
			it.ResultID = made
			results[i] = &it
		})
	}
	all.Wait()
	var settled []Item
	for _, it := range results {
		if it != nil {
			settled = append(settled, *it)
		}
	}
	return settled
}

// transient reports whether an error says nothing about the item: another attempt may succeed.
func transient(err error) bool {
	code := fault.CodeOf(err)
	return err != nil && (fault.KindOf(err) == fault.Unavailable || code == "run_moved" || code == "workflow_changing")
}

// notApplicable are the codes of refusals that mean that there was nothing to do.
var notApplicable = map[string]bool{
	"run_finished": true, "run_not_resumable": true, "run_open": true, "run_not_found": true,
	"schedule_not_found": true, "workflow_not_found": true, "workflow_archived": true,
}

// maxMessage bounds the sentence that is kept of an item, in bytes.
const maxMessage = 500

// ended returns an item with its outcome; nil: it is done.
func (i Item) ended(err error) Item {
	i.State = ItemDone
	if err == nil {
		return i
	}
	i.State, i.Code, i.Message = ItemFailed, "internal", "The server could not do this; its log has the details."
	if f, ok := errors.AsType[*fault.Error](err); ok && f.Kind != fault.Internal {
		i.Code, i.Message = f.Code, f.Message
	}
	if notApplicable[i.Code] {
		i.State = ItemSkipped
	}
	i.Message = i.Message[:min(maxMessage, len(i.Message))]
	return i
}
