// Package agents keeps tenants' agents: where a model is reached, what it is told, what
// it costs and which tools it may call.
//
// It promises that an agent it keeps is sound: every URL can be requested, every schema
// compiles, and headers refer to nothing but secrets. It holds the names of secrets,
// never their values. It knows neither SQL nor HTTP nor how a model is called.
package agents

import (
	"context"
	"encoding/json"
	"heddle/definitions/schemas"
	"heddle/definitions/workflows"
	"heddle/expressions"
	"heddle/fault"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	regexp "heddle/internal/lazyregexp"
)

// Agent is one agent of a tenant, in the form in which the API shows it. Prices are
// millionths of a US dollar per 1,000 tokens; 0 costs nothing. Times are in UTC, in
// whole milliseconds.
type Agent struct {
	TenantID            string    `json:"-"`
	ID                  string    `json:"-"`
	Provider            string    `json:"provider"` // "openai": any server of the chat completions API
	BaseURL             string    `json:"base_url"`
	Model               string    `json:"model"`
	SystemPrompt        string    `json:"system_prompt,omitempty"`
	APIKeySecret        string    `json:"api_key_secret,omitempty"` // the name of a secret; "": no key is sent
	InputMicroUSDPer1K  int64     `json:"input_micro_usd_per_1k,omitempty"`
	OutputMicroUSDPer1K int64     `json:"output_micro_usd_per_1k,omitempty"`
	TokenLimitField     string    `json:"token_limit_field,omitempty"` // what max_tokens is sent as: max_tokens (so "" too) or max_completion_tokens
	Tools               []Tool    `json:"tools,omitempty"`
	Revision            int64     `json:"-"` // from 1, raised by each change
	CreatedAt           time.Time `json:"-"`
	UpdatedAt           time.Time `json:"-"`
	// UsedBy are steps of active and latest versions that name it, at most
	// workflows.MaxReferences; Describe and List have them.
	UsedBy []workflows.Reference `json:"-"`
}

// Tool is an HTTP request that the model may ask for. Its arguments go into the query
// with GET and DELETE, otherwise into a JSON body.
type Tool struct {
	Name        string          `json:"name"` // unique in its agent
	Description string          `json:"description,omitempty"`
	Parameters  json.RawMessage `json:"parameters,omitempty"` // a JSON Schema of an object; nil: no arguments
	Method      string          `json:"method,omitempty"`     // "" is POST
	URL         string          `json:"url"`
	// Headers may hold {{ secrets.NAME }}, and no other expression.
	Headers map[string]string `json:"headers,omitempty"`
}

// Store keeps agents. Every method is one transaction. An agent that does not exist, or
// is another tenant's, is fault.NotFound agent_not_found.
type Store interface {
	// PutAgent adds an agent or replaces it, keeping CreatedAt and raising Revision, and
	// returns it as it is then. allow is called with the stored revision (0: none) in the
	// same transaction; its error ends the change and is returned.
	PutAgent(ctx context.Context, a Agent, allow func(revision int64) error) (Agent, error)
	// Agent returns one agent.
	Agent(ctx context.Context, tenantID, id string) (Agent, error)
	// DeleteAgent removes an agent if allow permits its revision, as with PutAgent.
	DeleteAgent(ctx context.Context, tenantID, id string, allow func(revision int64) error) error
	// AgentUses returns the steps that name an agent, at most workflows.MaxReferences.
	AgentUses(ctx context.Context, tenantID, id string) ([]workflows.Reference, error)
	// AgentUsage sums what an agent's attempts consumed on the days from one on and before
	// another, those without any left out, oldest first.
	AgentUsage(ctx context.Context, tenantID, id string, from, to time.Time) ([]Day, error)
	// Agents returns at most limit agents by id, with the steps that name them, and the cursor of the next page, "" at the
	// end. cursor is that of the page before, "" for the first.
	Agents(ctx context.Context, tenantID, cursor string, limit int) ([]Agent, string, error)
}

// Service checks and keeps agents. It is safe for concurrent use.
type Service struct {
	store Store
	now   func() time.Time
}

// New returns a Service over store; now is its clock.
func New(store Store, now func() time.Time) *Service { return &Service{store, now} }

// Put stores an agent, new or in place of the one with its id, and returns it as stored;
// CreatedAt, UpdatedAt and Revision of a are ignored. Errors: fault.Unacceptable
// invalid_agent, and fault.Precondition precondition_failed where m does not allow the
// stored revision. That its secrets exist is not checked.
func (s *Service) Put(ctx context.Context, a Agent, m workflows.IfMatch) (Agent, error) {
	if err := check(a); err != nil {
		return Agent{}, err
	}
	a.CreatedAt = s.now().UTC().Truncate(time.Millisecond)
	a.UpdatedAt = a.CreatedAt
	return s.store.PutAgent(ctx, a, allowRevision(m))
}

// Get returns an agent, or fault.NotFound agent_not_found.
func (s *Service) Get(ctx context.Context, tenantID, id string) (Agent, error) {
	return s.store.Agent(ctx, tenantID, id)
}

// Describe returns an agent with the steps that name it, or fault.NotFound agent_not_found.
func (s *Service) Describe(ctx context.Context, tenantID, id string) (Agent, error) {
	a, err := s.store.Agent(ctx, tenantID, id)
	if err != nil {
		return Agent{}, err
	}
	a.UsedBy, err = s.store.AgentUses(ctx, tenantID, id)
	return a, err
}

// HasAgent reports whether the tenant has the agent. An error means that it is not
// known.
func (s *Service) HasAgent(ctx context.Context, tenantID, id string) (bool, error) {
	_, err := s.store.Agent(ctx, tenantID, id)
	if fault.KindOf(err) == fault.NotFound {
		return false, nil
	}
	return err == nil, err
}

// List returns at most limit agents, by id, and the cursor of the next page; "" at the
// end.
func (s *Service) List(ctx context.Context, tenantID, cursor string, limit int) ([]Agent, string, error) {
	return s.store.Agents(ctx, tenantID, cursor, limit)
}

// Delete removes an agent; attempts that name it fail from then on. Errors:
// fault.NotFound agent_not_found, fault.Precondition precondition_failed.
func (s *Service) Delete(ctx context.Context, tenantID, id string, m workflows.IfMatch) error {
	return s.store.DeleteAgent(ctx, tenantID, id, allowRevision(m))
}

// allowRevision returns what a store calls before a change: it returns
// fault.Precondition precondition_failed where the caller's If-Match does not allow the
// revision.
func allowRevision(m workflows.IfMatch) func(int64) error {
	return func(revision int64) error {
		if m.Allows(revision) {
			return nil
		}
		return fault.New(fault.Precondition, "precondition_failed",
			"The agent has changed since you read it; read it again and repeat the change.")
	}
}

// The forms of an agent's id, of a tool's name (as the chat completions API allows it)
// and of a secret's name.
var (
	idForm     = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)
	toolForm   = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)
	secretForm = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,127}$`)
)

// Bounds of an agent.
const (
	maxPrompt = 65_536 // bytes
	maxTools  = 64
	maxPrice  = 1_000_000_000 // micro USD per 1,000 tokens
)

// invalid returns fault.Unacceptable invalid_agent with a message for the caller.
func invalid(format string, args ...any) error {
	return fault.New(fault.Unacceptable, "invalid_agent", format, args...)
}

// check returns the first reason why an agent cannot be kept, as fault.Unacceptable
// invalid_agent; nil for a sound one.
func check(a Agent) error {
	switch {
	case !idForm.MatchString(a.ID):
		return invalid("An agent's id is 1 to 64 letters, digits, '.', '_' and '-', and starts with a letter or digit.")
	case a.Provider != "openai":
		return invalid("provider must be openai, which means any server of the chat completions API.")
	case !webURL(a.BaseURL):
		return invalid("base_url must be an http or https URL without a user name, such as https://api.example.com/v1.")
	case a.Model == "" || utf8.RuneCountInString(a.Model) > 200:
		return invalid("model must have 1 to 200 characters.")
	case len(a.SystemPrompt) > maxPrompt:
		return invalid("system_prompt has at most %d bytes.", maxPrompt)
	case a.APIKeySecret != "" && !secretForm.MatchString(a.APIKeySecret):
		return invalid("api_key_secret must be the name of a secret, not its value.")
	case a.InputMicroUSDPer1K < 0 || a.InputMicroUSDPer1K > maxPrice || a.OutputMicroUSDPer1K < 0 || a.OutputMicroUSDPer1K > maxPrice:
		return invalid("Prices are whole numbers from 0 to %d, in millionths of a US dollar for 1,000 tokens.", maxPrice)
	case a.TokenLimitField != "" && a.TokenLimitField != "max_tokens" && a.TokenLimitField != "max_completion_tokens":
		return invalid("token_limit_field must be max_tokens or max_completion_tokens.")
	case len(a.Tools) > maxTools:
		return invalid("An agent has at most %d tools.", maxTools)
	}
	names := map[string]bool{}
	for _, t := range a.Tools {
		if names[t.Name] {
			return invalid("Two tools have the name %q.", t.Name)
		}
		names[t.Name] = true
		if err := checkTool(t); err != nil {
			return err
		}
	}
	return nil
}

// webURL reports whether a text is an absolute http or https URL of at most 2,048 bytes
// without user information, which would be a credential in the open. Whether steps may
// reach it is decided when they do.
func webURL(text string) bool {
	u, err := url.Parse(text)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" && u.User == nil && len(text) <= 2048
}

// checkTool returns the first reason why the model could not call a tool. Its headers
// may name secrets and nothing else: there is no run to evaluate against.
func checkTool(t Tool) error {
	if !toolForm.MatchString(t.Name) {
		return invalid("A tool's name is 1 to 64 letters, digits, '_' and '-', not %q.", t.Name)
	}
	switch t.Method {
	case "", "GET", "POST", "PUT", "PATCH", "DELETE":
	default:
		return invalid("The method of tool %s must be GET, POST, PUT, PATCH or DELETE.", t.Name)
	}
	if !webURL(t.URL) {
		return invalid("The url of tool %s must be an http or https URL without a user name.", t.Name)
	}
	if len(t.Parameters) > 0 {
		if _, err := schemas.NewChecker(t.Parameters); err != nil {
			return invalid("The parameters of tool %s are not a JSON Schema: %v.", t.Name, err)
		}
	}
	if err := checkHeaders(t); err != nil {
		return err
	}
	template, err := HeadersTemplate(t)
	if err != nil {
		return invalid("The headers of tool %s cannot be read: %v.", t.Name, err)
	}
	r := template.References()
	if len(r.Names)+len(r.Steps)+len(r.Signals) > 0 || r.AllSteps || r.AllSignals {
		return invalid("The headers of tool %s may hold {{ secrets.NAME }}, and nothing else.", t.Name)
	}
	return nil
}

// headerForm is a token of RFC 9110, 5.6.2.
var headerForm = regexp.MustCompile("^[A-Za-z0-9!#$%&'*+.^_`|~-]+$")

// checkHeaders refuses header names that are not tokens, two that differ in case only,
// and values of several lines.
func checkHeaders(t Tool) error {
	seen := map[string]bool{}
	for _, name := range slices.Sorted(maps.Keys(t.Headers)) {
		lower := strings.ToLower(name)
		switch {
		case !headerForm.MatchString(name):
			return invalid("The header %q of tool %s is not a header name.", name, t.Name)
		case seen[lower]:
			return invalid("Two headers of tool %s have the name %s: upper and lower case are the same there.", t.Name, name)
		case strings.ContainsAny(t.Headers[name], "\r\n"):
			return invalid("The text of the header %s of tool %s holds a line break, and a header is one line.", name, t.Name)
		}
		seen[lower] = true
	}
	return nil
}

// HeadersTemplate compiles a tool's headers as one template, a JSON object of texts. nil
// headers compile to a template of null.
func HeadersTemplate(t Tool) (*expressions.Template, error) {
	raw, err := json.Marshal(t.Headers)
	if err != nil {
		return nil, err
	}
	return expressions.CompileTemplate(raw)
}
