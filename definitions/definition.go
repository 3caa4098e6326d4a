// Package definitions says what a workflow is and whether it is sound. Parsing
// and validation are pure; authoring is a service over a Store that the caller
// supplies.
package definitions

import "encoding/json"

// Definition is a decoded workflow definition (docs/definitions.md). It never
// changes after Parse; runs share it.
type Definition struct {
	Name           string          `json:"name"`
	Description    string          `json:"description,omitempty"`
	Input          json.RawMessage `json:"input,omitempty"`  // JSON Schema 2020-12
	Output         json.RawMessage `json:"output,omitempty"` // template, any JSON
	TimeoutSeconds float64         `json:"timeout_seconds,omitempty"`
	Concurrency    *Concurrency    `json:"concurrency,omitempty"`
	Steps          []Step          `json:"steps"`
}

// Concurrency limits the open runs of one workflow that share a key.
type Concurrency struct {
	Limit   int    `json:"limit"`
	Key     string `json:"key,omitempty"`      // template
	OnLimit string `json:"on_limit,omitempty"` // queue (default), reject, cancel_oldest
}

// Step is one node of the graph.
type Step struct {
	ID             string          `json:"id"`
	Type           string          `json:"type"`
	Name           string          `json:"name,omitempty"`
	Config         json.RawMessage `json:"config,omitempty"`
	DependsOn      []string        `json:"depends_on,omitempty"`
	If             string          `json:"if,omitempty"` // bool expression
	Enabled        *bool           `json:"enabled,omitempty"`
	TimeoutSeconds float64         `json:"timeout_seconds,omitempty"` // one attempt; 0 = the type's default
	Retry          *Retry          `json:"retry,omitempty"`
	OnError        string          `json:"on_error,omitempty"` // fail (default), continue, retry, fallback
	FallbackStep   string          `json:"fallback_step,omitempty"`
	OnInterrupt    string          `json:"on_interrupt,omitempty"` // retry (default), fail
	Compensate     *Compensation   `json:"compensate,omitempty"`
	OutputSchema   json.RawMessage `json:"output_schema,omitempty"`

	// The decoded config of the three types that the machine performs itself;
	// nil for all others. Config keeps the text as written.
	Condition *ConditionConfig `json:"-"`
	Loop      *LoopConfig      `json:"-"`
	Wait      *WaitConfig      `json:"-"`
}

// Disabled tells whether the step is switched off.
func (s *Step) Disabled() bool { return s.Enabled != nil && !*s.Enabled }

// Retry says how often and when a transient failure is tried again. Zero
// values stand for the defaults of SEMANTICS: 3 attempts (the first included),
// delay 1 s, exponential, at most 60 s, no jitter.
type Retry struct {
	MaxAttempts     int      `json:"max_attempts,omitempty"`
	DelaySeconds    *float64 `json:"delay_seconds,omitempty"`
	Backoff         string   `json:"backoff,omitempty"` // fixed, linear, exponential
	MaxDelaySeconds *float64 `json:"max_delay_seconds,omitempty"`
	Jitter          bool     `json:"jitter,omitempty"`
}

// Compensation undoes a completed step when the run fails or is cancelled.
type Compensation struct {
	Type           string          `json:"type"`
	Config         json.RawMessage `json:"config,omitempty"`
	TimeoutSeconds float64         `json:"timeout_seconds,omitempty"`
}

// ConditionConfig is the config of a condition step: expression with then and
// else, or cases with else.
type ConditionConfig struct {
	Expression string   `json:"expression,omitempty"`
	Then       []string `json:"then,omitempty"`
	Else       []string `json:"else,omitempty"`
	Cases      []Case   `json:"cases,omitempty"`
}

// Case is one branch of a condition with cases; the first that is true wins.
type Case struct {
	When string   `json:"when"`
	Then []string `json:"then"`
}

// LoopConfig is the config of a loop step: items or while, never both.
type LoopConfig struct {
	Items            string          `json:"items,omitempty"` // expression: a list or a count
	While            string          `json:"while,omitempty"` // bool expression
	As               string          `json:"as,omitempty"`    // default item
	Concurrency      int             `json:"concurrency,omitempty"`
	MaxIterations    int             `json:"max_iterations,omitempty"` // default 100,000
	Steps            []Step          `json:"steps"`
	Collect          string          `json:"collect,omitempty"`
	TolerateFailures json.RawMessage `json:"tolerate_failures,omitempty"` // a count or "5%"
}

// WaitConfig is the config of a wait step: one of seconds, until, condition,
// signal.
type WaitConfig struct {
	Seconds        json.RawMessage `json:"seconds,omitempty"`      // number, or a template that gives one
	Until          string          `json:"until,omitempty"`        // RFC 3339 or an expression that gives one
	Condition      string          `json:"condition,omitempty"`    // bool expression
	PollSeconds    float64         `json:"poll_seconds,omitempty"` // default 5, least 1
	Probe          *Probe          `json:"probe,omitempty"`
	Signal         *SignalWait     `json:"signal,omitempty"`
	TimeoutSeconds float64         `json:"timeout_seconds,omitempty"`
	OnTimeout      string          `json:"on_timeout,omitempty"` // fail (default), continue
}

// Probe is the request made before each evaluation of wait.condition.
type Probe struct {
	Type   string          `json:"type"` // http_request
	Config json.RawMessage `json:"config"`
}

// SignalWait says which signal ends a wait.
type SignalWait struct {
	Name   string          `json:"name"`
	Schema json.RawMessage `json:"schema,omitempty"`
	Prompt string          `json:"prompt,omitempty"`
}
