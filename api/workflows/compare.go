package workflows

import (
	"encoding/json"
	"heddle/access"
	"heddle/api/core"
	"heddle/executor"
	"heddle/executor/machine"
	"heddle/internal/elements"
	"net/http"
)

// runComparison is two runs side by side.
type runComparison struct {
	A     comparedRun  `json:"a"`
	B     comparedRun  `json:"b"`
	Same  sameInBoth   `json:"same"`
	Steps []stepOfBoth `json:"steps" doc:"Those that began or were skipped in either run, in the order of a, and behind them those of b alone: at most 1,000."`
	// StepsTotal counts those that are left out too.
	StepsTotal int `json:"steps_total"`
}

// comparedRun is one of the two.
type comparedRun struct {
	listedRun
	Input    json.RawMessage `json:"input"`
	Output   json.RawMessage `json:"output"`
	Versions []ranVersion    `json:"versions" doc:"All that the run ran on, oldest first."`
}

// sameInBoth says what the runs have in common.
type sameInBoth struct {
	Workflow   bool `json:"workflow"`
	Definition bool `json:"definition" doc:"By its hash."`
	Status     bool `json:"status"`
	Input      bool `json:"input" doc:"As a JSON value; of values above 1 MiB their references."`
	Output     bool `json:"output"`
}

// stepOfBoth is a step in both runs.
type stepOfBoth struct {
	StepID     string     `json:"step_id"`
	A          *stepOfOne `json:"a" doc:"Null where it did not begin."`
	B          *stepOfOne `json:"b"`
	SameStatus bool       `json:"same_status"`
	SameOutput bool       `json:"same_output"`
}

// stepOfOne is a step in one run, without its output.
type stepOfOne struct {
	Type            string          `json:"type"`
	Status          string          `json:"status" enum:"pending,running,waiting,retrying,completed,failed,skipped,cancelled"`
	Attempt         int             `json:"attempt"`
	Error           *core.Failure   `json:"error"`
	StartedAt       *core.Timestamp `json:"started_at"`
	CompletedAt     *core.Timestamp `json:"completed_at"`
	DurationSeconds *float64        `json:"duration_seconds"`
}

// compareRoutes returns the route that shows two runs side by side.
func (h *handlers) compareRoutes() []core.Route {
	return []core.Route{
		// The handler authorises: each run is one of a workflow that the caller has to view.
		core.Route{
			Method: http.MethodGet, Path: core.WorkflowsBase + "/runs/compare", ID: "compareRuns", Tag: "runs",
			Summary: "Compare two runs: versions, inputs, outputs, and how each step went", Action: access.View, On: core.NamedInBody,
			Query: []core.Param{
				{Name: "a", Required: true, Description: "The id of a run."},
				{Name: "b", Required: true, Description: "That of another, of the same workflow or not."},
			},
			Answers: core.OK(runComparison{}), Codes: []string{"run_not_found"},
		}.Handle(core.NoBody(h.compareRuns)),
	}
}

// compareRuns answers two runs side by side. Errors: fault.NotFound run_not_found, fault.Denied
// acl_denied, fault.Malformed invalid_request.
func (h *handlers) compareRuns(c *core.Call) error {
	q, err := c.Query()
	if err != nil {
		return err
	}
	a, b := q.Get("a"), q.Get("b")
	if a == "" || b == "" {
		return core.Malformed("a and b must be the ids of two runs.")
	}
	both, err := h.Executor.Compare(c.Ctx(), c.TenantID(), a, b, func(r executor.Record) error {
		return core.Allow(c.Principal, access.View, r.WorkflowID, r.Slug)
	})
	if err != nil {
		return err
	}
	side := func(s executor.Summary) comparedRun {
		return comparedRun{listedRun{runSummaryOf(c, s.Record), runDetailsOf(s.RunDetails)}, s.Input, s.Output, versionsOf(s.Record)}
	}
	return c.Reply(http.StatusOK, runComparison{
		A: side(both.A), B: side(both.B),
		Same: sameInBoth{
			Workflow: both.A.WorkflowID == both.B.WorkflowID, Definition: both.A.Hash == both.B.Hash,
			Status: core.WordsOf(both.A.State).Workflows == core.WordsOf(both.B.State).Workflows, Input: both.SameInput, Output: both.SameOutput,
		},
		Steps: elements.Map(both.Steps, stepOfBothOf), StepsTotal: both.StepsTotal,
	})
}

// stepOfBothOf returns a step in two runs.
func stepOfBothOf(p executor.StepPair) stepOfBoth {
	s := stepOfBoth{A: stepOfOneOf(p.A), B: stepOfOneOf(p.B), SameOutput: p.SameOutput}
	s.SameStatus = s.A != nil && s.B != nil && s.A.Status == s.B.Status
	if p.A != nil {
		s.StepID = p.A.StepID
	} else {
		s.StepID = p.B.StepID
	}
	return s
}

// stepOfOneOf returns a step in one run, nil where it did not begin.
func stepOfOneOf(s *machine.StepRun) *stepOfOne {
	if s == nil {
		return nil
	}
	r := stepRunOf(*s)
	return &stepOfOne{r.Type, r.Status, r.Attempt, r.Error, r.StartedAt, r.CompletedAt, r.DurationSeconds}
}
