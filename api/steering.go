package api

import (
	"heddle/executor"
	"heddle/fault"
	"heddle/idempotency"
	"net/http"
)

type resumeRun struct {
	because
	FromStep string     `json:"from_step,omitempty" doc:"A top-level step whose dependencies are finished: it and all that depends on it run again."`
	Version  versionRef `json:"version,omitempty" doc:"Go on with another version; what is equal in both and finished is kept."`
}

// resumePreview says what a resume would do, in document order.
type resumePreview struct {
	Reused   []judgedStep `json:"reused"`
	RunAgain []judgedStep `json:"run_again"`
}

type judgedStep struct {
	StepID string `json:"step_id"`
	Reason string `json:"reason"`
}

func (h *Handler) resumeRun(c *call, req resumeRun) error {
	id, err := c.param("run_id")
	if err != nil {
		return err
	}
	dry, err := c.dryRun()
	if err != nil {
		return err
	}
	how := executor.ResumeRequest{FromStep: req.FromStep, Version: string(req.Version)}
	if dry {
		return h.previewResume(c, id, how)
	}
	run, err := h.cfg.Executor.Resume(c.ctx(), c.tenantID(), id, how)
	if err != nil {
		return err
	}
	return c.reply(http.StatusAccepted, steeredRun{run.RunID, wordsOf(run.State).workflows})
}

func (h *Handler) previewResume(c *call, runID string, how executor.ResumeRequest) error {
	list, err := h.cfg.Executor.PreviewResume(c.ctx(), c.tenantID(), runID, how)
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
	return c.reply(http.StatusOK, p)
}

type redriveRun struct {
	because
	StepID string `json:"step_id" doc:"A loop over items."`
}

func (h *Handler) redriveRun(c *call, req redriveRun) error {
	id, err := c.param("run_id")
	if err != nil {
		return err
	}
	if req.StepID == "" {
		return fault.New(fault.Unacceptable, "unknown_step", "Name the loop to redrive in step_id.")
	}
	run, err := h.cfg.Executor.Redrive(c.ctx(), c.tenantID(), id, req.StepID)
	if err != nil {
		return err
	}
	return c.reply(http.StatusAccepted, steeredRun{run.RunID, wordsOf(run.State).workflows})
}

func (h *Handler) restartRun(c *call, _ because) error {
	id, err := c.param("run_id")
	if err != nil {
		return err
	}
	return c.idempotent(func(o *creation) error {
		_, err := h.cfg.Executor.Restart(c.ctx(), executor.RestartRequest{
			TenantID: c.tenantID(), RunID: id, Trace: traceOf(c.r),
			Keep: func(run executor.Record) *idempotency.Answer {
				header := map[string]string{"Location": workflowsBase + "/runs/" + run.RunID}
				return o.answer(http.StatusAccepted, header, startedRun{run.RunID})
			},
		})
		return err
	})
}

// ranVersion is one of the versions that a run ran on.
type ranVersion struct {
	Version        int    `json:"version"`
	DefinitionHash string `json:"definition_hash"`
	FromSeq        int64  `json:"from_seq" doc:"The event from which on the run ran on this version."`
}

func versionsOf(r executor.Record) []ranVersion {
	if len(r.Versions) == 0 {
		return []ranVersion{{r.Version, r.Hash, 1}}
	}
	list := make([]ranVersion, len(r.Versions))
	for i, v := range r.Versions {
		list[i] = ranVersion{v.Version, v.Hash, v.FromSeq}
	}
	return list
}
