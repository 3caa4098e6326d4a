package workflows

import (
	"encoding/json"
	"heddle/api/core"
	"net/http"
)

// summaryAnswer is the answer that holds one run without its steps.
type summaryAnswer struct {
	Run summaryBody `json:"run"`
}

// summaryBody is a run as a list shows it, with its input and output.
type summaryBody struct {
	listedRun
	Seq int64 `json:"seq" doc:"The run's last event: where a stream goes on, and changed_after of its steps."`
	// Counts are of the same steps as steps.
	Counts   statusCounts    `json:"counts"`
	Input    json.RawMessage `json:"input"`
	Output   json.RawMessage `json:"output"`
	Versions []ranVersion    `json:"versions" doc:"All that the run ran on, oldest first."`
	Links    runLinks        `json:"links"`
}

// statusCounts counts top-level steps, and the handlers that ran or run, by status; a pending
// retry is running.
type statusCounts struct {
	Total     int `json:"total" doc:"The sum of the others."`
	Pending   int `json:"pending"`
	Running   int `json:"running"`
	Waiting   int `json:"waiting"`
	Completed int `json:"completed"`
	Failed    int `json:"failed"`
	Skipped   int `json:"skipped"`
	Cancelled int `json:"cancelled"`
}

// runLinks are the paths of what belongs to a run.
type runLinks struct {
	Steps      string `json:"steps"`
	Stream     string `json:"stream"`
	Definition string `json:"definition"`
	Logs       string `json:"logs"`
}

// getSummary answers a run without its steps, from its row and those around it.
func (h *handlers) getSummary(c *core.Call) error {
	s, err := h.Executor.Summary(c.Ctx(), c.TenantID(), c.Param("run_id"))
	if err != nil {
		return err
	}
	path, n := core.WorkflowsBase+"/runs/"+s.RunID, s.Steps
	return c.Reply(http.StatusOK, summaryAnswer{summaryBody{
		listedRun: listedRun{runSummaryOf(c, s.Record), runDetailsOf(s.RunDetails)}, Seq: s.Seq,
		Counts: statusCounts{n.Total, n.Pending, n.Running, n.Waiting, n.Completed, n.Failed, n.Skipped, n.Cancelled},
		Input:  s.Input, Output: s.Output, Versions: versionsOf(s.Record),
		Links: runLinks{path + "/steps", path + "/stream", path + "/definition", path + "/logs"},
	}})
}
