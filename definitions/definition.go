// Package definitions holds the types of a workflow definition, what a step type
// declares to the rest of the service, and the codes of failures that retries
// may name. Its subpackages read (source, parser), check (validation, schemas)
// and keep (workflows) definitions; this package imports none of them.
package definitions

import "encoding/json"

// Definition is a decoded workflow definition (docs/definitions.md). It never
// changes after Parse; runs share it, so no field and nothing that one points
// at may be written to.
//
// Three tags say everything about a field: json is its name, rule what
// decoding and the published schema check (see package parser), doc the
// schema's description. Zero values stand for absent fields.
type Definition struct {
	Name           string          `json:"name" rule:"required,len=1..200" doc:"What people call the workflow"`
	Description    string          `json:"description,omitempty" doc:"What it is for"`
	Input          json.RawMessage `json:"input,omitempty" rule:"object" doc:"JSON Schema 2020-12 of the input, checked at every start"`                                                 // JSON Schema 2020-12
	Output         json.RawMessage `json:"output,omitempty" doc:"The run's output; strings may hold {{ expressions }}. Default: {step id: output} of the steps that nothing depends on"` // template, any JSON
	TimeoutSeconds float64         `json:"timeout_seconds,omitempty" rule:"range=0..3153600000" doc:"Seconds that the whole run may take"`
	Concurrency    *Concurrency    `json:"concurrency,omitempty" doc:"How many runs may be open at once"`
	Retention      string          `json:"retention,omitempty" rule:"enum=none|failed|all" doc:"Of which attempts the input that the templates rendered is kept, without secrets; default failed"` // failed (default), none, all
	Steps          []Step          `json:"steps" rule:"required,len=1..10000" doc:"The steps; those without a path between them run in parallel"`
	OnFailure      []Step          `json:"on_failure,omitempty" rule:"len=0..10000" doc:"Steps that run when the run has failed, before it ends"`
	Finally        []Step          `json:"finally,omitempty" rule:"len=0..10000" doc:"Steps that run before the run ends, however it does, unless it is terminated"`
}

// The values of retention: of which attempts of a run the rendered config is kept.
const (
	RetainNone   = "none"
	RetainFailed = "failed" // the default
	RetainAll    = "all"
)

// Concurrency limits the open runs of one workflow that share a key.
type Concurrency struct {
	Limit   int    `json:"limit" rule:"required,range=1..1000000" doc:"How many runs with the same key may be open"`
	Key     string `json:"key,omitempty" doc:"Text with {{ expressions }} over input; runs with different keys do not count together"`              // template
	OnLimit string `json:"on_limit,omitempty" rule:"enum=queue|reject|cancel_oldest" doc:"What happens to a start beyond the limit; default queue"` // queue (default), reject, cancel_oldest
}

// Step is one node of a graph: of the main steps, of a handler or of a loop's
// body. Its edges are DependsOn and FallbackStep, which name steps of the
// same list.
type Step struct {
	ID             string          `json:"id" rule:"required,pattern=id" doc:"Unique in the whole definition"`
	Type           string          `json:"type" rule:"required" doc:"The step type"`
	Name           string          `json:"name,omitempty" rule:"len=0..200" doc:"What people call the step"`
	Config         json.RawMessage `json:"config,omitempty" rule:"object" doc:"What the step does; depends on type"`
	DependsOn      []string        `json:"depends_on,omitempty" doc:"Ids of steps in the same list that must be finished first"`
	If             string          `json:"if,omitempty" rule:"expression" doc:"Bool expression; false means skipped"` // bool expression
	Enabled        *bool           `json:"enabled,omitempty" doc:"false switches the step off; default true"`
	TimeoutSeconds float64         `json:"timeout_seconds,omitempty" rule:"range=0..3153600000" doc:"Seconds that one attempt may take"` // one attempt; 0 = the type's default
	Retry          *Retry          `json:"retry,omitempty" doc:"How transient failures are tried again"`
	OnError        string          `json:"on_error,omitempty" rule:"enum=fail|continue|retry|fallback" doc:"What a permanent failure means; default fail"` // fail (default), continue, retry, fallback
	FallbackStep   string          `json:"fallback_step,omitempty" rule:"pattern=id" doc:"With on_error fallback: the step whose output stands for this one's"`
	OnInterrupt    string          `json:"on_interrupt,omitempty" rule:"enum=retry|fail" doc:"What a step cut off by a crash does; default retry"` // retry (default), fail
	Compensate     *Compensation   `json:"compensate,omitempty" doc:"Undoes the step when the run fails or is cancelled after it completed"`
	OutputSchema   json.RawMessage `json:"output_schema,omitempty" rule:"object" doc:"JSON Schema 2020-12 of the output: checked, and used to type later expressions"`

	// The decoded config of the three types that the machine performs itself;
	// nil for all others. Config keeps the text as written.
	Condition *ConditionConfig `json:"-"`
	Loop      *LoopConfig      `json:"-"`
	Wait      *WaitConfig      `json:"-"`
}

// Disabled reports whether the step is switched off. What depends on it sees
// a skipped step.
func (s *Step) Disabled() bool { return s.Enabled != nil && !*s.Enabled }

// Retry says how often and when a transient failure is tried again. Zero
// values stand for the defaults of docs/definitions.md: 3 attempts (the first
// included), delay 1 s, exponential, at most 60 s, no jitter.
type Retry struct {
	MaxAttempts     int      `json:"max_attempts,omitempty" rule:"range=1..1000000" doc:"Attempts in all, the first included; default 3"`
	DelaySeconds    *float64 `json:"delay_seconds,omitempty" rule:"range=0..3153600000" doc:"Seconds before the second attempt; default 1"`
	Backoff         string   `json:"backoff,omitempty" rule:"enum=fixed|linear|exponential" doc:"How the delay grows; default exponential"` // fixed, linear, exponential
	MaxDelaySeconds *float64 `json:"max_delay_seconds,omitempty" rule:"range=0..3153600000" doc:"The longest delay in seconds; default 60"`
	Jitter          bool     `json:"jitter,omitempty" doc:"Draw each delay at random between 0 and itself; default false"`

	// On and Except are lists of failures, see FailurePatterns.
	On     json.RawMessage `json:"on,omitempty" rule:"forms=failures" doc:"Which failures are tried again, and no others: statuses (503), classes of them (5xx), exit codes (exit_code:2), error codes (connection_failed); default: the transient ones"`
	Except json.RawMessage `json:"except,omitempty" rule:"forms=failures" doc:"Which failures are not tried again, although they would be; entries as of on"`
}

// DefaultMaxDelaySeconds is retry.max_delay_seconds where it is not given.
// Validation refuses a longer delay_seconds beside it, which it would cut
// short.
const DefaultMaxDelaySeconds = 60

// Compensation undoes a completed step when the run fails or is cancelled. It
// has a config of its own, in whose templates the step's output can be read.
type Compensation struct {
	Type           string          `json:"type" rule:"required" doc:"The step type"`
	Config         json.RawMessage `json:"config,omitempty" rule:"object" doc:"As in a step"`
	TimeoutSeconds float64         `json:"timeout_seconds,omitempty" rule:"range=0..3153600000" doc:"Seconds that one attempt may take"`
}

// ConditionConfig is the config of a condition step: expression with then and
// else, or cases with else. Steps that no branch lists run in either case.
type ConditionConfig struct {
	Expression string   `json:"expression,omitempty" rule:"expression" doc:"Bool expression that chooses between then and else"`
	Then       []string `json:"then,omitempty" doc:"Ids of steps that are skipped unless the expression is true"`
	Else       []string `json:"else,omitempty" doc:"Ids of steps that are skipped unless no branch is true"`
	Cases      []Case   `json:"cases,omitempty" rule:"len=1..1000" doc:"Branches in order; the first that is true is taken"`
}

// Case is one branch of a condition with cases; the first that is true wins.
type Case struct {
	When string   `json:"when" rule:"required,expression" doc:"Bool expression"`
	Then []string `json:"then" rule:"required" doc:"Ids of steps that are skipped unless this case is taken"`
}

// LoopConfig is the config of a loop step: items or while, never both. With
// while one iteration runs at a time, because the next one depends on what
// the last one made.
type LoopConfig struct {
	Items            string          `json:"items,omitempty" rule:"expression" doc:"Expression that evaluates to a list, or a count of iterations"` // expression: a list or a count
	While            string          `json:"while,omitempty" rule:"expression" doc:"Bool expression, evaluated before each iteration"`              // bool expression
	As               string          `json:"as,omitempty" rule:"pattern=identifier" doc:"The name of the item in the body; default item"`           // default item
	Concurrency      int             `json:"concurrency,omitempty" rule:"range=1..10000" doc:"Iterations at once; default 1"`
	MaxIterations    int             `json:"max_iterations,omitempty" rule:"range=1..1000000" doc:"Default 100,000"` // default 100,000
	Steps            []Step          `json:"steps" rule:"required,len=1..10000" doc:"The body"`
	Collect          string          `json:"collect,omitempty" rule:"expression" doc:"Expression per iteration; its values are the results"`
	TolerateFailures json.RawMessage `json:"tolerate_failures,omitempty" rule:"forms=count|percent" doc:"How many iterations may fail: a count, or a share such as 5%"` // a count or "5%"
}

// WaitConfig is the config of a wait step: exactly one of seconds, until,
// condition and signal. poll_seconds and probe belong to condition.
type WaitConfig struct {
	Seconds        json.RawMessage `json:"seconds,omitempty" rule:"forms=seconds|template" doc:"Seconds to wait, or a template that evaluates to them"` // a number, or a template that renders one
	Until          string          `json:"until,omitempty" rule:"expression" doc:"RFC 3339 time, or an expression that evaluates to one"`               // RFC 3339, or an expression that returns one
	Condition      string          `json:"condition,omitempty" rule:"expression" doc:"Bool expression that ends the wait"`                              // bool expression
	PollSeconds    float64         `json:"poll_seconds,omitempty" rule:"range=1..3153600000" doc:"Seconds between evaluations of condition; default 5"` // default 5, least 1
	Probe          *Probe          `json:"probe,omitempty" doc:"A request made before each evaluation; its output is probe"`
	Signal         *SignalWait     `json:"signal,omitempty" doc:"The signal that ends the wait"`
	TimeoutSeconds float64         `json:"timeout_seconds,omitempty" rule:"range=0..3153600000" doc:"Seconds after which the wait gives up"`
	OnTimeout      string          `json:"on_timeout,omitempty" rule:"enum=fail|continue" doc:"What giving up means; default fail"` // fail (default), continue
}

// Probe is the request made before each evaluation of wait.condition.
type Probe struct {
	Type   string          `json:"type" rule:"required,enum=http_request" doc:"http_request"` // http_request
	Config json.RawMessage `json:"config" rule:"required,object" doc:"As in a step"`
}

// SignalWait says which signal ends a wait. Name and Prompt may be templates.
type SignalWait struct {
	Name   string          `json:"name" rule:"required,len=1..200" doc:"The signal's name"`
	Schema json.RawMessage `json:"schema,omitempty" rule:"object" doc:"JSON Schema 2020-12 of the payload"`
	Prompt string          `json:"prompt,omitempty" doc:"What to ask the person who answers"`
	// Context is an object of templates, rendered when the wait opens.
	Context   json.RawMessage `json:"context,omitempty" rule:"object" doc:"What the person who answers is shown besides: an object of values and templates"`
	Choices   []string        `json:"choices,omitempty" rule:"len=1..50" doc:"The answers to choose from, in place of a schema: the payload is one of these texts"`
	Assignees []string        `json:"assignees,omitempty" rule:"len=1..50" doc:"Names or ids of the keys and users who are asked; templates. Anyone who may answer, unless given"`
}

// PayloadSchema returns the JSON Schema of the payload: the author's, or that of the choices;
// nil: any payload fits.
func (s *SignalWait) PayloadSchema() json.RawMessage {
	if len(s.Choices) == 0 {
		return s.Schema
	}
	list, err := json.Marshal(s.Choices)
	if err != nil {
		return s.Schema // texts always encode
	}
	return json.RawMessage(`{"enum":` + string(list) + `}`)
}
