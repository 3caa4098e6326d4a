package api

import (
	"encoding/json"
	"heddle/access"
	"heddle/agents"
	"net/http"
)

type toolBody struct {
	Name        string            `json:"name"`
	Description string            `json:"description,omitempty"`
	Parameters  json.RawMessage   `json:"parameters,omitempty" doc:"A JSON Schema of the arguments."`
	Method      string            `json:"method,omitempty" doc:"GET, POST (default), PUT, PATCH or DELETE."`
	URL         string            `json:"url"`
	Headers     map[string]string `json:"headers,omitempty" doc:"Values may hold {{ secrets.NAME }}."`
}

type putAgent struct {
	Provider            string     `json:"provider" doc:"openai: any server of the chat completions API."`
	BaseURL             string     `json:"base_url"`
	Model               string     `json:"model"`
	SystemPrompt        string     `json:"system_prompt,omitempty"`
	APIKeySecret        string     `json:"api_key_secret,omitempty" doc:"The name of the secret that holds the key."`
	InputMicroUSDPer1K  int64      `json:"input_micro_usd_per_1k,omitempty"`
	OutputMicroUSDPer1K int64      `json:"output_micro_usd_per_1k,omitempty"`
	TokenLimitField     string     `json:"token_limit_field,omitempty" doc:"What max_tokens of a step is sent as: max_tokens (default) or max_completion_tokens."`
	Tools               []toolBody `json:"tools,omitempty" doc:"HTTP requests that the model may ask for."`
}

type agentBody struct {
	ID string `json:"id"`
	putAgent
	CreatedAt timestamp `json:"created_at"`
	UpdatedAt timestamp `json:"updated_at"`
}

type agentList struct {
	Agents     []agentBody `json:"agents"`
	NextCursor *string     `json:"next_cursor" doc:"Null on the last page."`
}

func (h *Handler) agentsTable() []route {
	const one = "/v1/agents/{agent_id}"
	return []route{
		route{
			method: http.MethodPut, path: one, id: "putAgent", tag: "access", summary: "Set an agent up, or change it",
			action: access.Admin, on: onTenant, body: bodyRequired, conditional: true, answers: tagged(agentBody{}),
			codes: []string{"agent_not_found", "invalid_agent"},
		}.handle(withBody(h.putAgent)),
		route{
			method: http.MethodGet, path: "/v1/agents", id: "listAgents", tag: "access", summary: "List agents, by id",
			action: access.Admin, on: onTenant, query: cursorPaging(), answers: ok(agentList{}),
		}.handle(noBody(h.listAgents)),
		route{
			method: http.MethodGet, path: one, id: "getAgent", tag: "access", summary: "Get an agent",
			action: access.Admin, on: onTenant, answers: tagged(agentBody{}), codes: []string{"agent_not_found"},
		}.handle(noBody(h.getAgent)),
		route{
			method: http.MethodDelete, path: one, id: "deleteAgent", tag: "access", summary: "Delete an agent; steps that name it fail from then on",
			action: access.Admin, on: onTenant, conditional: true, answers: noContent(), codes: []string{"agent_not_found"},
		}.handle(noBody(h.deleteAgent)),
	}
}

func agentOf(a agents.Agent) agentBody {
	b := agentBody{ID: a.ID, CreatedAt: timestamp(a.CreatedAt), UpdatedAt: timestamp(a.UpdatedAt), putAgent: putAgent{
		Provider: a.Provider, BaseURL: a.BaseURL, Model: a.Model, SystemPrompt: a.SystemPrompt, APIKeySecret: a.APIKeySecret,
		InputMicroUSDPer1K: a.InputMicroUSDPer1K, OutputMicroUSDPer1K: a.OutputMicroUSDPer1K,
		TokenLimitField: a.TokenLimitField,
	}}
	for _, t := range a.Tools {
		b.Tools = append(b.Tools, toolBody(t))
	}
	return b
}

func (h *Handler) putAgent(c *call, req putAgent) error {
	id, err := c.param("agent_id")
	if err != nil {
		return err
	}
	match, err := c.ifMatch()
	if err != nil {
		return err
	}
	a := agents.Agent{
		TenantID: c.tenantID(), ID: id, Provider: req.Provider, BaseURL: req.BaseURL, Model: req.Model, SystemPrompt: req.SystemPrompt,
		APIKeySecret: req.APIKeySecret, InputMicroUSDPer1K: req.InputMicroUSDPer1K, OutputMicroUSDPer1K: req.OutputMicroUSDPer1K,
		TokenLimitField: req.TokenLimitField,
	}
	for _, t := range req.Tools {
		a.Tools = append(a.Tools, agents.Tool(t))
	}
	if a, err = h.cfg.Agents.Put(c.ctx(), a, match); err != nil {
		return err
	}
	c.setETag(a.Revision)
	return c.reply(http.StatusOK, agentOf(a))
}

func (h *Handler) getAgent(c *call) error {
	id, err := c.param("agent_id")
	if err != nil {
		return err
	}
	a, err := h.cfg.Agents.Get(c.ctx(), c.tenantID(), id)
	if err != nil {
		return err
	}
	if c.setETag(a.Revision) {
		return c.replyStatus(http.StatusNotModified)
	}
	return c.reply(http.StatusOK, agentOf(a))
}

func (h *Handler) listAgents(c *call) error {
	_, p, err := c.pageQuery()
	if err != nil {
		return err
	}
	list, next, err := h.cfg.Agents.List(c.ctx(), c.tenantID(), p.cursor, p.limit)
	if err != nil {
		return err
	}
	answer := agentList{Agents: make([]agentBody, len(list)), NextCursor: textOrNull(next)}
	for i, a := range list {
		answer.Agents[i] = agentOf(a)
	}
	return c.reply(http.StatusOK, answer)
}

func (h *Handler) deleteAgent(c *call) error {
	id, err := c.param("agent_id")
	if err != nil {
		return err
	}
	match, err := c.ifMatch()
	if err != nil {
		return err
	}
	if err := h.cfg.Agents.Delete(c.ctx(), c.tenantID(), id, match); err != nil {
		return err
	}
	return c.replyStatus(http.StatusNoContent)
}
