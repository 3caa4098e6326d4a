package workflows

import (
	"heddle/access"
	"heddle/api/core"
	"heddle/executor"
	"net/http"
	"time"
)

// usage is the sum of what a workflow's runs consumed. Cost is in millionths of a US dollar.
type usage struct {
	WorkflowID string `json:"workflow_id"`
	// From is included, To is not; both are times at which runs were created.
	From core.Timestamp `json:"from"`
	To   core.Timestamp `json:"to"`
	// Runs counts those that were created in the span, whatever became of them.
	Runs int64 `json:"runs"`
	// Tokens and CostMicroUSD are sums over the steps of agents.
	Tokens       int64 `json:"tokens"`
	CostMicroUSD int64 `json:"cost_micro_usd"`
}

// usageSpan is how far back a usage reaches without from.
const usageSpan = 30 * 24 * time.Hour

// usageRoutes returns the route of what a workflow's runs consumed.
func (h *handlers) usageRoutes() []core.Route {
	return []core.Route{
		core.Route{
			Method: http.MethodGet, Path: core.WorkflowsBase + "/{id}/usage", ID: "getWorkflowUsage", Tag: "workflows",
			Summary: "Sum the tokens and the cost of a workflow's runs; deleted runs do not count", Action: access.View, On: core.OnWorkflow,
			Query: []core.Param{
				{Name: "from", Description: "An RFC 3339 time: runs created then or later; 30 days before to unless given."},
				{Name: "to", Description: "An RFC 3339 time: runs created before; now unless given."},
			},
			Answers: core.OK(usage{}), Codes: []string{"workflow_not_found"},
		}.Handle(core.NoBody(h.getUsage)),
	}
}

// getUsage sums tokens and cost of runs created in [from, to); deleted ones do not count. The
// answer says which span was summed. fault.Malformed invalid_request unless from is before to.
func (h *handlers) getUsage(c *core.Call) error {
	q, err := c.Query()
	if err != nil {
		return err
	}
	from, err := core.TimeParam(q, "from")
	if err != nil {
		return err
	}
	to, err := core.TimeParam(q, "to")
	if err != nil {
		return err
	}
	if to.IsZero() {
		// The runs of the present millisecond are included.
		to = h.Now().UTC().Add(time.Millisecond)
	}
	if from.IsZero() {
		from = to.Add(-usageSpan)
	}
	if !from.Before(to) {
		return core.Malformed("from must be before to.")
	}
	w, err := h.Definitions.Get(c.Ctx(), c.TenantID(), c.Param("id"))
	if err != nil {
		return err
	}
	sum, err := h.Executor.Usage(c.Ctx(), executor.UsageQuery{TenantID: c.TenantID(), WorkflowID: w.ID, From: from, To: to})
	if err != nil {
		return err
	}
	return c.Reply(http.StatusOK, usage{w.ID, core.Timestamp(from), core.Timestamp(to), sum.Runs, sum.Tokens, sum.CostMicroUSD})
}
