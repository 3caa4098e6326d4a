package client

import (
	"encoding/json"
	"time"
)

// PutAgent is an agent's whole configuration: what is left out has its default and does not stay.
type PutAgent struct {
	// Openai: any server of the chat completions API.
	Provider     string `json:"provider"`
	BaseURL      string `json:"base_url"`
	Model        string `json:"model"`
	SystemPrompt string `json:"system_prompt,omitempty"`
	// The name of the secret that holds the key.
	APIKeySecret        string `json:"api_key_secret,omitempty"`
	InputMicroUSDPer1K  int64  `json:"input_micro_usd_per_1k,omitempty"`
	OutputMicroUSDPer1K int64  `json:"output_micro_usd_per_1k,omitempty"`
	// What max_tokens of a step is sent as: max_tokens (default) or max_completion_tokens.
	TokenLimitField string `json:"token_limit_field,omitempty"`
	// HTTP requests that the model may ask for.
	Tools []AgentTool `json:"tools,omitempty"`
}

// AgentTool is an HTTP request that a model may make through its agent.
type AgentTool struct {
	Name        string `json:"name"`
	Description string `json:"description,omitempty"`
	// A JSON Schema of the arguments.
	Parameters json.RawMessage `json:"parameters,omitempty"`
	// GET, POST (default), PUT, PATCH or DELETE.
	Method string `json:"method,omitempty"`
	URL    string `json:"url"`
	// Values may hold {{ secrets.NAME }}.
	Headers map[string]string `json:"headers,omitempty"`
}

// Agent is an agent as answers show it: with the name of its secret, never the secret.
type Agent struct {
	ID string `json:"id"`
	PutAgent
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
	// Steps of active and latest versions that name it: at most 100. Left out of the answer to
	// PUT.
	UsedBy []UsingStep `json:"used_by,omitempty"`
}

// TestAgent is a request to try an agent.
type TestAgent struct {
	// Reason is kept in the audit trail and the history.
	Reason string `json:"reason,omitempty"`
	// At most 2,000 characters, without templates; by default the agent is to say that it is
	// there.
	Goal string `json:"goal,omitempty"`
}

// AgentTest is how the request to the model ended.
type AgentTest struct {
	OK bool `json:"ok"`
	// What a step of type agent_task returns; null where it failed.
	Output          json.RawMessage `json:"output"`
	Error           *Failure        `json:"error"`
	DurationSeconds float64         `json:"duration_seconds"`
}

// Secret is a secret without its value, which no answer shows.
type Secret struct {
	Name      string    `json:"name"`
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
	// When a step was last given the value, to the hour; null: never.
	LastUsedAt *time.Time `json:"last_used_at"`
	// Steps of active and latest versions that name it: at most 100.
	UsedBy []UsingStep `json:"used_by"`
}

// AuditEntry is one line of the audit trail: who did what to which object, and why.
type AuditEntry struct {
	ID string `json:"id"`
	// Who did it: a key's name, as it was then.
	Actor string `json:"actor"`
	// One of key, user, schedule, run, system.
	ActorType string `json:"actor_type"`
	ActorID   string `json:"actor_id"`
	Action    string `json:"action"`
	// What was changed, by its id: workflow:wf_…. Lines of earlier versions have what the caller
	// wrote.
	Object string `json:"object"`
	// The object's slug or name, as it was then.
	ObjectSlug string `json:"object_slug,omitempty"`
	RequestID  string `json:"request_id"`
	// As the caller wrote it.
	Reason string `json:"reason,omitempty"`
	// What became what: of a workflow the active version, its hash and the status, from and to.
	Detail json.RawMessage `json:"detail,omitempty"`
	At     time.Time       `json:"at"`
}
