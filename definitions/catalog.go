package definitions

import (
	"encoding/json"
	"heddle/fault"
)

// Catalog lists the step types that there are. The steps package implements
// it; condition, loop and wait are known without it. It must not change while
// a definition is validated, and may be used by several goroutines.
type Catalog interface {
	// Names lists the types, sorted. The result is the caller's to read, not
	// to change.
	Names() []string
	// StepType returns the type of a name; false when there is none.
	StepType(name string) (StepType, bool)
}

// StepType is what validation needs to know of a type.
type StepType interface {
	// ConfigSchema is the JSON Schema (2020-12) of config, generated from the
	// Go struct that decodes it. Strings may hold templates: a value that is
	// wholly one template is accepted where the schema wants another type. It is
	// nil for condition, loop and wait, whose configs this package declares.
	ConfigSchema() json.RawMessage
	// OutputSchema is the JSON Schema of the output of a step with this
	// config, or nil when unknown. The config may have mistakes, and holds
	// templates as written.
	OutputSchema(config json.RawMessage) json.RawMessage
	// CheckConfig returns what the schema cannot say about a config that fits
	// it, none for a sound one. Pointers start at the config.
	CheckConfig(config json.RawMessage) []fault.Issue
	// Traits returns what the rest of the service does differently for the type.
	Traits() Traits
}

// Traits is what a step type declares about itself, so that no package decides
// by a type's name. The zero value describes a type whose config holds
// templates everywhere, whose steps run once unless their author wants a retry,
// and of which as many attempts run at once as of any other.
type Traits struct {
	// LiteralFields names the top-level string fields of config in which {{ }}
	// is not expanded, such as a script's text.
	LiteralFields []string
	// DefaultRetry is the retry of a step that has none, and supplies what a
	// step's own retry leaves out; nil: a single attempt. Its zero fields stand
	// for the general defaults (see Retry).
	DefaultRetry *Retry
	// Limit is a limit of concurrent attempts beside that of all steps.
	Limit Limit
	// SendsTrace: an attempt sends requests that carry its traceparent, so its
	// span is a client's.
	SendsTrace bool
	// Reports says which number a failed attempt's details hold.
	Reports Outcome
	// AgentField names the config field that holds the id of a tenant's agent;
	// "": no model takes part. Attempts of a type that has one report tokens and
	// tool calls, and their output is what the agent answered.
	AgentField string
	// Docs is the type's section in docs/steps.md, without #.
	Docs string
}

// Limit names a limit of concurrent attempts.
type Limit string

// LimitScripts is the limit of local processes (HEDDLE_MAX_SCRIPTS).
const LimitScripts Limit = "scripts"

// Outcome is the kind of number that retry.on and retry.except compare.
type Outcome string

// What a failed attempt may report. A type with neither takes part in both
// kinds of patterns without a warning.
const (
	ReportsStatus   Outcome = "status"    // an HTTP status: details.status_code
	ReportsExitCode Outcome = "exit_code" // a process's: details.exit_code
)

// TraitsIn returns the traits of a type in a catalog; the zero Traits where
// the catalog is nil or has no such type.
func TraitsIn(c Catalog, name string) Traits {
	if c == nil {
		return Traits{}
	}
	t, ok := c.StepType(name)
	if !ok {
		return Traits{}
	}
	return t.Traits()
}
