package workflows

import (
	"heddle/api/core"
	"heddle/definitions/workflows"
	"heddle/executor"
	"heddle/fault"
	"heddle/idempotency"
	"net/http"
)

// resumeRun says from where, and on which version, a run goes on. Without either it goes on where
// it stopped, on the version that it is on.
type resumeRun struct {
	core.Because
	// FromStep "" is where the run stopped.
	FromStep string               `json:"from_step,omitempty" doc:"A top-level step whose dependencies are finished: it and all that depends on it run again."`
	Version  workflows.VersionRef `json:"version,omitempty" doc:"Go on with another version; what is equal in both and finished is kept."`
}

// resumePreview says what a resume would do, in the order of the definition. Its lists are never
// null.
type resumePreview struct {
	// Reused steps keep their output; the others start anew.
	Reused   []judgedStep `json:"reused"`
	RunAgain []judgedStep `json:"run_again"`
}

// judgedStep is a step, and why it is kept or runs again.
type judgedStep struct {
	StepID string `json:"step_id"`
	Reason string `json:"reason"`
}

// resumeRun lets a paused, failed or cancelled run go on; with dry_run it answers what would be
// kept. Errors: fault.Conflict run_not_resumable; fault.Unacceptable unknown_step,
// step_not_reachable, invalid_input; fault.NotFound version_not_found.
func (h *handlers) resumeRun(c *core.Call, req resumeRun) error {
	id := c.Param("run_id")
	dry, err := c.DryRun()
	if err != nil {
		return err
	}
	// "" stands for where the run stopped, and for the version that it is on.
	how := executor.ResumeRequest{FromStep: req.FromStep, Version: string(req.Version)}
	if dry {
		return h.previewResume(c, id, how)
	}
	run, err := h.Executor.Resume(c.Ctx(), c.TenantID(), id, how)
	if err != nil {
		return err
	}
	return c.Reply(http.StatusAccepted, steeredRun{run.RunID, core.WordsOf(run.State).Workflows})
}

// previewResume answers what a resume would keep and what would run again. Its errors are those
// of the resume.
func (h *handlers) previewResume(c *core.Call, runID string, how executor.ResumeRequest) error {
	list, err := h.Executor.PreviewResume(c.Ctx(), c.TenantID(), runID, how)
	if err != nil {
		return err
	}
	p := resumePreview{Reused: []judgedStep{}, RunAgain: []judgedStep{}}
	for _, v := range list {
		if v.Reused {
			p.Reused = append(p.Reused, judgedStep{v.StepID, v.Reason})
		} else {
			p.RunAgain = append(p.RunAgain, judgedStep{v.StepID, v.Reason})
		}
	}
	return c.Reply(http.StatusOK, p)
}

// redriveRun names the loop whose failed iterations are to run again; it is required.
type redriveRun struct {
	core.Because
	StepID string `json:"step_id" doc:"A loop over items."`
}

// redriveRun runs the failed iterations of a loop again, and what depends on it; the completed
// iterations are kept. Errors: fault.Conflict run_not_resumable; fault.Unacceptable unknown_step,
// step_not_redrivable.
func (h *handlers) redriveRun(c *core.Call, req redriveRun) error {
	// The message names the field; the executor would say that there is no step "".
	if req.StepID == "" {
		return fault.New(fault.Unacceptable, "unknown_step", "Name the loop to redrive in step_id.")
	}
	run, err := h.Executor.Redrive(c.Ctx(), c.TenantID(), c.Param("run_id"), req.StepID)
	if err != nil {
		return err
	}
	return c.Reply(http.StatusAccepted, steeredRun{run.RunID, core.WordsOf(run.State).Workflows})
}

// restartRun starts a new run with the same input on the active version, and terminates the old
// one if it is open, in one transaction. It does so at most once per Idempotency-Key.
func (h *handlers) restartRun(c *core.Call, _ core.Because) error {
	return c.Idempotent(func(o *core.Creation) error {
		_, err := h.Executor.Restart(c.Ctx(), executor.RestartRequest{
			TenantID: c.TenantID(), RunID: c.Param("run_id"), Trace: core.TraceOf(c.Request),
			Keep: func(run executor.Record) *idempotency.Answer {
				header := map[string]string{"Location": core.WorkflowsBase + "/runs/" + run.RunID}
				return o.Answer(http.StatusAccepted, header, core.StartedRun{RunID: run.RunID})
			},
		})
		return err
	})
}

// ranVersion is one of the versions that a run ran on, and since which event.
type ranVersion struct {
	Version        int    `json:"version"`
	DefinitionHash string `json:"definition_hash"`
	FromSeq        int64  `json:"from_seq" doc:"The event from which on the run ran on this version."`
}

// versionsOf returns the versions that a run ran on, oldest first; of one that never changed, its
// own from the first event.
func versionsOf(r executor.Record) []ranVersion {
	// The row lists versions only once there is a second one.
	if len(r.Versions) == 0 {
		return []ranVersion{{r.Version, r.Hash, 1}}
	}
	list := make([]ranVersion, len(r.Versions))
	for i, v := range r.Versions {
		list[i] = ranVersion{v.Version, v.Hash, v.FromSeq}
	}
	return list
}
