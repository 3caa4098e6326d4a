package api

import (
	"encoding/json"
	"heddle/access"
	"heddle/executor"
	"heddle/executor/machine"
	"net/http"
	"time"
)

// toolCall is one call of a tool that an agent made.
type toolCall struct {
	Tool       string          `json:"tool"`
	Arguments  json.RawMessage `json:"arguments"`
	StatusCode int             `json:"status_code,omitempty"`
	Error      string          `json:"error,omitempty" doc:"Why it gave nothing; the model was told."`
	LatencyMS  int64           `json:"latency_ms"`
}

func toolCallsOf(u machine.Usage) []toolCall {
	var list []toolCall
	if len(u.ToolCalls) == 0 || json.Unmarshal(u.ToolCalls, &list) != nil {
		return nil
	}
	return list
}

// usage is what a workflow's runs consumed.
type usage struct {
	WorkflowID   string    `json:"workflow_id"`
	From         timestamp `json:"from"`
	To           timestamp `json:"to"`
	Runs         int64     `json:"runs"`
	Tokens       int64     `json:"tokens"`
	CostMicroUSD int64     `json:"cost_micro_usd"`
}

// usageSpan is how far back a usage reaches that is not told where from.
const usageSpan = 30 * 24 * time.Hour

func (h *Handler) usageTable() []route {
	return []route{
		route{
			method: http.MethodGet, path: workflowsBase + "/{id}/usage", id: "getWorkflowUsage", tag: "workflows",
			summary: "Sum the tokens and the cost of a workflow's runs; deleted runs do not count", action: access.View, on: onWorkflow,
			query: []param{
				{name: "from", description: "An RFC 3339 time: runs created then or later; 30 days before to unless given."},
				{name: "to", description: "An RFC 3339 time: runs created before; now unless given."},
			},
			answers: ok(usage{}), codes: []string{"workflow_not_found"},
		}.handle(noBody(h.getUsage)),
	}
}

func (h *Handler) getUsage(c *call) error {
	ref, err := c.param("id")
	if err != nil {
		return err
	}
	q, err := c.query()
	if err != nil {
		return err
	}
	from, err := timeParam(q, "from")
	if err != nil {
		return err
	}
	to, err := timeParam(q, "to")
	if err != nil {
		return err
	}
	if to.IsZero() {
		to = h.cfg.Now().UTC().Add(time.Millisecond)
	}
	if from.IsZero() {
		from = to.Add(-usageSpan)
	}
	if !from.Before(to) {
		return malformed("from must be before to.")
	}
	w, err := h.cfg.Definitions.Get(c.ctx(), c.tenantID(), ref)
	if err != nil {
		return err
	}
	sum, err := h.cfg.Executor.Usage(c.ctx(), executor.UsageQuery{TenantID: c.tenantID(), WorkflowID: w.ID, From: from, To: to})
	if err != nil {
		return err
	}
	return c.reply(http.StatusOK, usage{w.ID, timestamp(from), timestamp(to), sum.Runs, sum.Tokens, sum.CostMicroUSD})
}
