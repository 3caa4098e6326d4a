package admin

import (
	"encoding/json"
	"heddle/access"
	"heddle/agents"
	"heddle/api/core"
	"heddle/internal/elements"
	"net/http"
)

// toolBody is an HTTP request that a model may make through its agent. The name and the URL are
// required.
type toolBody struct {
	// Name is what the model calls the tool by.
	Name string `json:"name"`
	// Description is for the model.
	Description string          `json:"description,omitempty"`
	Parameters  json.RawMessage `json:"parameters,omitempty" doc:"A JSON Schema of the arguments."`
	Method      string          `json:"method,omitempty" doc:"GET, POST (default), PUT, PATCH or DELETE."`
	// URL is where the request goes, within the limits of the egress guard.
	URL string `json:"url"`
	// Headers are rendered with the tenant's secrets when the tool is called.
	Headers map[string]string `json:"headers,omitempty" doc:"Values may hold {{ secrets.NAME }}."`
}

// putAgent is an agent's whole configuration: what is left out has its default and does not stay.
// Costs are in millionths of a US dollar per 1,000 tokens; 0: nothing is charged.
type putAgent struct {
	Provider string `json:"provider" doc:"openai: any server of the chat completions API."`
	// BaseURL is what /chat/completions is appended to, unless it ends with it.
	BaseURL string `json:"base_url"`
	// Model is passed on as it is.
	Model string `json:"model"`
	// SystemPrompt is sent before each step's prompt; "": none.
	SystemPrompt string `json:"system_prompt,omitempty"`
	// APIKeySecret is a name; the key itself is never in an agent.
	APIKeySecret        string `json:"api_key_secret,omitempty" doc:"The name of the secret that holds the key."`
	InputMicroUSDPer1K  int64  `json:"input_micro_usd_per_1k,omitempty"`
	OutputMicroUSDPer1K int64  `json:"output_micro_usd_per_1k,omitempty"`
	TokenLimitField     string `json:"token_limit_field,omitempty" doc:"What max_tokens of a step is sent as: max_tokens (default) or max_completion_tokens."`
	// Tools are asked for by the model and called by the server.
	Tools []toolBody `json:"tools,omitempty" doc:"HTTP requests that the model may ask for."`
}

// agentBody is an agent as answers show it: with the name of its secret, never the secret.
type agentBody struct {
	// ID is what a step's agent_id names; the caller chooses it.
	ID string `json:"id"`
	putAgent
	CreatedAt core.Timestamp `json:"created_at"`
	UpdatedAt core.Timestamp `json:"updated_at"`
	UsedBy    []usingStep    `json:"used_by,omitempty" doc:"Steps of active and latest versions that name it: at most 100. Left out of the answer to PUT."`
}

// agentList is a page of agents, by id.
type agentList struct {
	Agents     []agentBody `json:"agents"`
	NextCursor *string     `json:"next_cursor" doc:"Null on the last page."`
}

// agentHandlers serves the routes of agents. It may be used concurrently.
type agentHandlers struct{ Services }

// routes returns the routes of agents: where a model is, what it costs, and which tools it
// has.
func (h *agentHandlers) routes() []core.Route {
	const one = "/v1/agents/{agent_id}"
	return []core.Route{
		// PUT creates too: the path names an agent that need not exist yet.
		core.Route{
			Method: http.MethodPut, Path: one, ID: "putAgent", Tag: "access", Summary: "Set an agent up, or change it",
			Action: access.Admin, On: core.OnTenant, Body: core.BodyRequired, Conditional: true, Keeps: true, Answers: core.Tagged(agentBody{}),
			Codes: []string{"agent_not_found", "invalid_agent"},
		}.Handle(core.WithBody(h.putAgent)),
		// No ETag: each agent has its own.
		core.Route{
			Method: http.MethodGet, Path: "/v1/agents", ID: "listAgents", Tag: "access", Summary: "List agents, by id",
			Action: access.Admin, On: core.OnTenant, Query: core.CursorPaging(), Answers: core.OK(agentList{}),
		}.Handle(core.NoBody(h.listAgents)),
		core.Route{
			Method: http.MethodGet, Path: one, ID: "getAgent", Tag: "access", Summary: "Get an agent",
			Action: access.Admin, On: core.OnTenant, Answers: core.Tagged(agentBody{}), Codes: []string{"agent_not_found"},
		}.Handle(core.NoBody(h.getAgent)),
		core.Route{
			Method: http.MethodGet, Path: one + "/usage", ID: "getAgentUsage", Tag: "access", Summary: "Sum the tokens and the cost of an agent by day of UTC",
			Action: access.Admin, On: core.OnTenant, Answers: core.OK(agentUsage{}), Codes: []string{"agent_not_found"},
			Query: []core.Param{
				{Name: "from", Description: "An RFC 3339 time on the first day; 29 days before the last one unless given."},
				{Name: "to", Description: "An RFC 3339 time: days that begin before it, at most 366 in all; now unless given."},
			},
		}.Handle(core.NoBody(h.getAgentUsage)),
		core.Route{
			Method: http.MethodDelete, Path: one, ID: "deleteAgent", Tag: "access", Summary: "Delete an agent; steps that name it fail from then on",
			Action: access.Admin, On: core.OnTenant, Conditional: true, Answers: core.NoContent(), Codes: []string{"agent_not_found"},
		}.Handle(core.NoBody(h.deleteAgent)),
	}
}

// agentOf returns an agent as answers show it.
func agentOf(a agents.Agent) agentBody {
	b := agentBody{ID: a.ID, CreatedAt: core.Timestamp(a.CreatedAt), UpdatedAt: core.Timestamp(a.UpdatedAt), putAgent: putAgent{
		Provider: a.Provider, BaseURL: a.BaseURL, Model: a.Model, SystemPrompt: a.SystemPrompt, APIKeySecret: a.APIKeySecret,
		InputMicroUSDPer1K: a.InputMicroUSDPer1K, OutputMicroUSDPer1K: a.OutputMicroUSDPer1K,
		TokenLimitField: a.TokenLimitField,
	}}
	for _, t := range a.Tools {
		b.Tools = append(b.Tools, toolBody(t))
	}
	b.UsedBy = elements.Map(a.UsedBy, usingStepOf)
	return b
}

// putAgent creates or replaces an agent under the id of the path. If-Match makes it a replacement
// of that revision: fault.Precondition precondition_failed otherwise. What could not be used is
// fault.Unacceptable invalid_agent.
func (h *agentHandlers) putAgent(c *core.Call, req putAgent) error {
	a := agents.Agent{
		TenantID: c.TenantID(), ID: c.Param("agent_id"), Provider: req.Provider, BaseURL: req.BaseURL, Model: req.Model, SystemPrompt: req.SystemPrompt,
		APIKeySecret: req.APIKeySecret, InputMicroUSDPer1K: req.InputMicroUSDPer1K, OutputMicroUSDPer1K: req.OutputMicroUSDPer1K,
		TokenLimitField: req.TokenLimitField,
	}
	for _, t := range req.Tools {
		a.Tools = append(a.Tools, agents.Tool(t))
	}
	if err := c.ReserveStorage(len(c.Body)); err != nil {
		return err
	}
	a, err := h.Agents.Put(c.Ctx(), a, c.IfMatch)
	if err != nil {
		return err
	}
	c.AddStored(len(c.Body))
	c.SetETag(a.Revision)
	return c.Reply(http.StatusOK, agentOf(a))
}

// getAgent returns an agent, or 304 for the revision that the caller has; fault.NotFound
// agent_not_found.
func (h *agentHandlers) getAgent(c *core.Call) error {
	id := c.Param("agent_id")
	a, err := h.Agents.Describe(c.Ctx(), c.TenantID(), id)
	if err != nil {
		return err
	}
	if c.SetETag(a.Revision) {
		return c.ReplyStatus(http.StatusNotModified)
	}
	return c.Reply(http.StatusOK, agentOf(a))
}

// listAgents lists the tenant's agents by id.
func (h *agentHandlers) listAgents(c *core.Call) error {
	_, p, err := c.PageQuery()
	if err != nil {
		return err
	}
	list, next, err := h.Agents.List(c.Ctx(), c.TenantID(), p.Cursor, p.Limit)
	if err != nil {
		return err
	}
	return c.Reply(http.StatusOK, agentList{Agents: elements.Map(list, agentOf), NextCursor: core.TextOrNull(next)})
}

// deleteAgent deletes an agent: 204. Steps that name it fail from then on.
func (h *agentHandlers) deleteAgent(c *core.Call) error {
	if err := h.Agents.Delete(c.Ctx(), c.TenantID(), c.Param("agent_id"), c.IfMatch); err != nil {
		return err
	}
	return c.ReplyStatus(http.StatusNoContent)
}
