package bulk

import (
	"context"
	"encoding/json"
	"fmt"
	"heddle/executor"
	"heddle/executor/machine"
	"heddle/fault"
	"heddle/idempotency"
	"heddle/schedules"
)

// command gives the command of one item: what a request about the object does. made is the run
// that a restart stored.
func (s *Service) command(ctx context.Context, job Job, it Item) (made string, err error) {
	switch job.Kind {
	case Runs:
		return s.runCommand(ctx, job, it)
	case Schedules:
		status := schedules.Paused
		patch := schedules.Patch{Status: &status}
		if job.Action == Resume {
			status = schedules.Active
		} else if job.Reason != "" {
			patch.PauseReason = &job.Reason
		}
		return "", s.setSchedule(ctx, job.TenantID, it.ObjectID, patch)
	case Workflows:
		if job.Action == SetStatus {
			_, err = s.cfg.Workflows.SetStatus(ctx, job.TenantID, it.ObjectID, job.Settings.Status, nil)
		} else {
			_, err = s.cfg.Workflows.Retag(ctx, job.TenantID, it.ObjectID, job.Settings.AddTags, job.Settings.RemoveTags)
		}
	}
	return "", err
}

// setSchedule pauses or resumes a schedule; one that is so already stays as it is.
func (s *Service) setSchedule(ctx context.Context, tenantID, id string, patch schedules.Patch) error {
	sc, err := s.cfg.Schedules.Get(ctx, tenantID, id)
	if err != nil || sc.Status == *patch.Status {
		return err
	}
	_, err = s.cfg.Schedules.Update(ctx, tenantID, id, patch, nil)
	return err
}

// runCommand gives the command of one run.
func (s *Service) runCommand(ctx context.Context, job Job, it Item) (made string, err error) {
	var run executor.Record
	switch job.Action {
	case Cancel:
		run, err = s.cfg.Runs.Cancel(ctx, job.TenantID, it.ObjectID)
		err = finished(run, err)
	case Terminate:
		run, err = s.cfg.Runs.Terminate(ctx, job.TenantID, it.ObjectID)
		err = finished(run, err)
	case Pause:
		_, err = s.cfg.Runs.Pause(ctx, job.TenantID, it.ObjectID)
	case Resume, Redrive:
		_, err = s.cfg.Runs.Resume(ctx, job.TenantID, it.ObjectID, executor.ResumeRequest{
			Version: job.Settings.Version, Redrive: job.Settings.StepID, After: it.Seq, Key: it.key(),
		})
	case Restart:
		return s.restart(ctx, job, it)
	case Delete:
		err = s.cfg.Runs.Delete(ctx, job.TenantID, it.ObjectID)
	case SetStatus, SetTags: // of workflows
	}
	return "", err
}

// finished refuses a run that ended by itself before it could be ended. One that was cancelled
// is what the job wants.
func finished(run executor.Record, err error) error {
	if err != nil || run.State != machine.Completed && run.State != machine.Failed {
		return err
	}
	code, message := applies(Cancel, run.State)
	return fault.New(fault.Conflict, code, "%s", message)
}

// restartScope is the scope of the answers that are kept with restarted runs.
const restartScope = "bulk restart"

// restart starts a run anew, once: the new run is stored with an answer under the item's key, and
// what finds the key taken reads which run that is.
func (s *Service) restart(ctx context.Context, job Job, it Item) (made string, err error) {
	if made, err = s.restarted(ctx, job, it); made != "" || err != nil {
		return made, err
	}
	run, err := s.cfg.Runs.Restart(ctx, executor.RestartRequest{
		TenantID: job.TenantID, RunID: it.ObjectID,
		Keep: func(run executor.Record) *idempotency.Answer {
			return &idempotency.Answer{
				TenantID: job.TenantID, Scope: restartScope, Key: it.key(), BodyHash: it.ObjectID, Status: 202,
				Response: fmt.Appendf(nil, "%q", run.RunID), CreatedAt: s.cfg.Now(),
			}
		},
	})
	if fault.CodeOf(err) == "idempotency_key_taken" {
		return s.restarted(ctx, job, it)
	}
	return run.RunID, err
}

// restarted returns the run that an item's restart stored; "": there is none.
func (s *Service) restarted(ctx context.Context, job Job, it Item) (string, error) {
	kept, err := s.cfg.Answers.Answer(ctx, job.TenantID, restartScope, it.key())
	if err != nil || kept == nil {
		return "", err
	}
	var id string
	err = json.Unmarshal(kept.Response, &id)
	return id, err
}
