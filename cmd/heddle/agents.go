package main

import (
	"context"
	"encoding/json"
	"fmt"
	"heddle/agents"
	"heddle/expressions"
	"heddle/fault"
	"heddle/secrets"
	"heddle/steps"
	"maps"
	"net/http"
	"slices"
)

// agentSource is the steps.Agents of the product: a tenant's agents with their secrets
// filled in. It reads both at each attempt, so that a changed secret is used at once,
// and is safe for concurrent use.
type agentSource struct {
	agents  *agents.Service
	secrets *secrets.Service
}

// Agent returns an agent of the tenant with its key and its tools' headers in plain
// text. A secret that the agent names and the tenant does not have is fault.Unacceptable
// secret_not_found; an unknown agent is the error of agents.Get. The result must not be
// logged.
func (s agentSource) Agent(ctx context.Context, tenantID, id string) (steps.Agent, error) {
	a, err := s.agents.Get(ctx, tenantID, id)
	if err != nil {
		return steps.Agent{}, err
	}
	out := steps.Agent{
		Provider: a.Provider, BaseURL: a.BaseURL, Model: a.Model, SystemPrompt: a.SystemPrompt,
		InputMicroUSDPer1K: a.InputMicroUSDPer1K, OutputMicroUSDPer1K: a.OutputMicroUSDPer1K,
		TokenLimitField: a.TokenLimitField,
	}
	// Servers on a private network often need no key.
	if a.APIKeySecret != "" {
		values, err := s.reveal(ctx, tenantID, a.APIKeySecret)
		if err != nil {
			return steps.Agent{}, err
		}
		out.APIKey = values[a.APIKeySecret]
	}
	for _, t := range a.Tools {
		tool, err := s.tool(ctx, tenantID, t)
		if err != nil {
			return steps.Agent{}, err
		}
		out.Tools = append(out.Tools, tool)
	}
	out.Redact, err = s.secrets.Redactor(ctx, tenantID)
	return out, err
}

// reveal returns the values of the named secrets: all of them, or an error.
func (s agentSource) reveal(ctx context.Context, tenantID string, names ...string) (map[string]string, error) {
	values, err := s.secrets.Reveal(ctx, tenantID, names)
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		if _, ok := values[name]; !ok {
			return nil, fault.New(fault.Unacceptable, "secret_not_found", "There is no secret %s, which the agent names.", name)
		}
	}
	return values, nil
}

// tool returns the tool with the secrets in its headers filled in. Without a method it
// is a POST.
func (s agentSource) tool(ctx context.Context, tenantID string, t agents.Tool) (steps.AgentTool, error) {
	out := steps.AgentTool{Name: t.Name, Description: t.Description, Parameters: t.Parameters, Method: t.Method, URL: t.URL}
	if out.Method == "" {
		out.Method = http.MethodPost
	}
	// Compiled at each attempt: agents are few, and this costs little beside a request.
	template, err := agents.HeadersTemplate(t)
	if err != nil {
		return out, fmt.Errorf("read the headers of tool %s: %w", t.Name, err)
	}
	values, err := s.reveal(ctx, tenantID, template.Secrets()...)
	if err != nil {
		return out, err
	}
	out.Secrets = slices.Collect(maps.Values(values))
	raw, err := template.Render(secretsOnly(values))
	if err == nil {
		err = json.Unmarshal(raw, &out.Headers)
	}
	if err != nil {
		return out, fmt.Errorf("fill in the headers of tool %s: %w", t.Name, err)
	}
	return out, nil
}

// secretsOnly is an expressions.Scope in which nothing but secrets is visible: of a
// run's values, steps and signals there are none. The headers of an agent's tools are
// rendered in it, because they belong to no run.
type secretsOnly map[string]string

var _ expressions.Scope = secretsOnly{}

func (s secretsOnly) Secret(name string) (string, bool)       { v, ok := s[name]; return v, ok }
func (secretsOnly) Value(string) (json.RawMessage, bool)      { return nil, false }
func (secretsOnly) Step(string) (expressions.StepValue, bool) { return expressions.StepValue{}, false }
func (secretsOnly) StepIDs() []string                         { return nil }
func (secretsOnly) Signal(string) (json.RawMessage, bool)     { return nil, false }
func (secretsOnly) SignalNames() []string                     { return nil }
