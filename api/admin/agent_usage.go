package admin

import (
	"heddle/agents"
	"heddle/api/core"
	"heddle/internal/elements"
	"net/http"
	"time"
)

// agentUsage is what attempts of steps consumed that were charged to an agent. Cost is in
// millionths of a US dollar.
type agentUsage struct {
	AgentID string `json:"agent_id"`
	// From is included, To is not; both are beginnings of days.
	From core.Timestamp `json:"from"`
	To   core.Timestamp `json:"to"`
	agentUsed
	Days []agentDay `json:"days" doc:"Those without any are left out; oldest first."`
}

// agentDay is one day of it.
type agentDay struct {
	Day string `json:"day" doc:"Of UTC, as in 2026-03-01: when the attempts ended."`
	agentUsed
}

// agentUsed is what was consumed.
type agentUsed struct {
	Attempts     int64 `json:"attempts" doc:"Attempts that consumed something, failed ones too."`
	Tokens       int64 `json:"tokens"`
	CostMicroUSD int64 `json:"cost_micro_usd"`
}

// getAgentUsage sums what an agent's attempts consumed by day, whatever became of their runs.
// Errors: fault.NotFound agent_not_found, fault.Malformed invalid_request.
func (h *agentHandlers) getAgentUsage(c *core.Call) error {
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
	id := c.Param("agent_id")
	u, err := h.Agents.Usage(c.Ctx(), c.TenantID(), id, from, to)
	if err != nil {
		return err
	}
	return c.Reply(http.StatusOK, agentUsage{
		AgentID: id, From: core.Timestamp(u.From), To: core.Timestamp(u.To), agentUsed: agentUsed(u.Total),
		Days: elements.Map(u.Days, func(d agents.Day) agentDay { return agentDay{d.At.Format(time.DateOnly), agentUsed(d.Used)} }),
	})
}
