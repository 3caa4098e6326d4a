package steps

import (
	"context"
	"encoding/json"
	"heddle/definitions"
	"heddle/executor"
	"heddle/fault"
	"log/slog"
	"sort"
	"time"
)

// Deps is what the step types need from outside. Zero values are usable: nothing private
// may be reached, scripts run in the sandbox, there are no agents.
type Deps struct {
	Egress *Guard // nil: nothing is opened
	// IdlePerHost is how many connections to one host are kept open for further requests;
	// 0: 128. Of all hosts together there are at most four times as many.
	IdlePerHost int
	Scripts     Scripts
	Agents      Agents           // nil: every agent is unknown
	Version     string           // for User-Agent
	Now         func() time.Time // nil: time.Now
	Log         *slog.Logger     // nil: slog.Default
}

// Registry holds the step types by name. It does not change after Default and is safe
// for concurrent use; the client and the script runner in it guard what they keep. It is
// the catalog of definitions, and the Runner and HostNamer of executor.
type Registry struct {
	types  map[string]*stepType
	client *client
	runner *scriptRunner
}

// Default returns the registry of the seven built-in types. Nothing is dialled and no
// process is started before the first attempt. Close frees what it keeps open.
func Default(deps Deps) *Registry {
	if deps.Egress == nil {
		deps.Egress = &Guard{}
	}
	if deps.IdlePerHost == 0 {
		deps.IdlePerHost = 128
	}
	if deps.Now == nil {
		deps.Now = time.Now
	}
	if deps.Log == nil {
		deps.Log = slog.Default()
	}
	r := &Registry{
		types:  make(map[string]*stepType),
		client: newClient(deps.Egress, deps.Version, deps.Now, deps.IdlePerHost),
		runner: newScriptRunner(deps.Scripts, deps.Log),
	}
	for _, t := range []*stepType{
		httpRequestType(r.client),
		scriptType(r.runner),
		agentTaskType(r.client, deps.Agents),
		webhookType(r.client),
		conditionType(),
		loopType(),
		waitType(),
	} {
		r.types[t.name] = t
	}
	return r
}

// Names returns the names of the types, sorted. The caller owns the list.
func (r *Registry) Names() []string {
	names := make([]string, 0, len(r.types))
	for name := range r.types {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}

// StepType returns the type of that name; false where there is none.
func (r *Registry) StepType(name string) (definitions.StepType, bool) {
	t, ok := r.types[name]
	if !ok {
		return nil, false
	}
	return t, true
}

// Traits returns what a type declares about itself; zero where there is no type of that
// name.
func (r *Registry) Traits(name string) definitions.Traits {
	t, ok := r.types[name]
	if !ok {
		return definitions.Traits{}
	}
	return t.traits
}

// Run performs one attempt. Its errors are machine.Failures (machine.AsFailure); a type
// that is unknown (unknown_step_type), or that the run machine performs
// (not_performable), is a permanent one. The result of a failed attempt may still hold
// usage. It may be called concurrently.
func (r *Registry) Run(ctx context.Context, call executor.Call) (executor.Result, error) {
	t, ok := r.types[call.Type]
	if !ok {
		return executor.Result{}, permanent("unknown_step_type", "There is no step type %q.", call.Type)
	}
	// No run reaches this: the machine performs these types.
	if t.run == nil {
		return executor.Result{}, permanent("not_performable",
			"Steps of type %s are decided by the run itself and cannot be performed.", call.Type)
	}
	return t.run(ctx, call)
}

// NamesHost reports whether attempts of a type have a host (executor.HostNamer).
func (r *Registry) NamesHost(typeName string) bool {
	t, ok := r.types[typeName]
	return ok && t.place != nil
}

// HostOf returns the host that an attempt goes to, which bounds how many go there at
// once; "" where its type has none. The call's config is rendered.
func (r *Registry) HostOf(call executor.Call) string {
	if !r.NamesHost(call.Type) {
		return ""
	}
	return r.types[call.Type].place(call)
}

// ScriptIsolation describes, for operators, how scripts are confined here. The first
// call tries the levels out, which starts processes.
func (r *Registry) ScriptIsolation(ctx context.Context) string { return r.runner.describe(ctx) }

// ScriptLimits describes, for operators, whether scripts are limited as a whole, and if
// not, why. The first call finds out and removes the cgroups that a crashed server left,
// so it belongs to a server's start.
func (r *Registry) ScriptLimits() string { return r.runner.describeLimits() }

// Close frees idle connections. Attempts in flight are not affected.
func (r *Registry) Close() { r.client.close() }

// stepType is one entry of the registry: all that the service knows of a type. It
// implements definitions.StepType. It does not change after Default, so it needs no
// lock.
type stepType struct {
	name   string
	config json.RawMessage // the JSON Schema of config; nil: definitions declares it
	// output returns the JSON Schema of the output under a config; nil: unknown.
	output func(config json.RawMessage) json.RawMessage
	// check returns the diagnostics that the schema cannot express; nil: none. Templates
	// in the config are not rendered.
	check  func(c fields) []fault.Issue
	traits definitions.Traits // what the rest of the service reads of the type
	// run performs one attempt; nil: the run machine performs the type itself.
	run func(ctx context.Context, call executor.Call) (executor.Result, error)
	// place returns the host that an attempt goes to, "" for none; nil: the type has no
	// host.
	place func(call executor.Call) string
}

// ConfigSchema returns the JSON Schema of config; nil where definitions declares it.
func (t *stepType) ConfigSchema() json.RawMessage { return t.config }

// OutputSchema returns the JSON Schema of the output under a config; nil: unknown.
func (t *stepType) OutputSchema(config json.RawMessage) json.RawMessage {
	if t.output == nil {
		return nil
	}
	return t.output(config)
}

// CheckConfig returns the diagnostics of a config as written. A config that is not an
// object has none here: its schema refuses it.
func (t *stepType) CheckConfig(config json.RawMessage) []fault.Issue {
	c, ok := readFields(config)
	if !ok || t.check == nil {
		return nil
	}
	return t.check(c)
}

// Traits returns what the type declares about itself.
func (t *stepType) Traits() definitions.Traits { return t.traits }

// withConfig returns a type's run from a function that takes the config decoded. A
// config that does not decode strictly (an unknown field, another type) is the permanent
// failure invalid_config: a template may render to what validation could not see.
func withConfig[C any](do func(context.Context, executor.Call, *C) (executor.Result, error)) func(context.Context, executor.Call) (executor.Result, error) {
	return func(ctx context.Context, call executor.Call) (executor.Result, error) {
		var config C
		if err := decodeConfig(call.Config, &config); err != nil {
			return executor.Result{}, permanent("invalid_config", "The config of step %q is not usable: %v.", call.StepID, err)
		}
		return do(ctx, call, &config)
	}
}

// constantSchema returns an output that is the same schema whatever the config says.
func constantSchema(schema json.RawMessage) func(json.RawMessage) json.RawMessage {
	return func(json.RawMessage) json.RawMessage { return schema }
}
