package validation

import (
	"encoding/json"
	"heddle/definitions"
	"heddle/definitions/advice"
	"heddle/definitions/source"
	"heddle/fault"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6/kind"
)

// configValidator checks types, and configs against them.
type configValidator struct {
	*pass
	inner *schemaValidator // counts the subschemas of configs too
	step  *source.Node     // the object whose type and config are being checked
	place string           // of its config, for the tables of words: "config:script"
}

// check checks the types and configs of steps, compensations and probes.
// Those of the machine's types were decoded with the step.
func (v *configValidator) check() {
	for _, e := range v.graph.entries {
		s := e.step
		if !definitions.PerformedByMachine(s.Type) {
			v.performed(e.node, s.Type, "step '"+e.name()+"'")
		}
		if s.Wait != nil && s.Wait.Probe != nil && s.Wait.Probe.Config != nil {
			v.performed(e.node.Pick("config", "probe"), s.Wait.Probe.Type, "the probe of wait '"+e.name()+"'")
		}
		if c := s.Compensate; c != nil {
			at := e.node.Member("compensate")
			what := "the compensation of step '" + e.name() + "'"
			// A compensation is an attempt, which the machine's types do not
			// make.
			if definitions.PerformedByMachine(c.Type) {
				v.finds.Error(source.InvalidValue, at.Pick("type"), "%s cannot be a %s; name a type that does something", source.Capitalize(what), c.Type)
				continue
			}
			v.performed(at, c.Type, what)
		}
	}
}

// performed checks an object with type and config; name is its type, what
// names the object in messages.
func (v *configValidator) performed(at *source.Node, name, what string) {
	typeAt := at.Member("type")
	if typeAt == nil || typeAt.Kind == source.Bad || v.types.catalog == nil {
		return
	}
	known := v.types.find(name)
	if known == nil {
		v.unknownType(typeAt, name, what)
		return
	}
	config := at.Member("config")
	// Decoding has reported it.
	if config != nil && config.Kind != source.Object {
		return
	}
	// An absent config is checked as an empty one, so that what it lacks is
	// named.
	if config == nil {
		config = source.NewSynthetic(at, at.Seq, at.Pos)
	}
	v.step = at
	v.config(known, config, what)
}

// unknownType reports a type that does not exist, with the one that was
// meant: of another product, or almost the right word; otherwise with all
// that there are.
func (v *configValidator) unknownType(at *source.Node, name, what string) {
	d := v.finds.Error(source.UnknownStepType, at, "Step type '%s' of %s doesn't exist", source.Clip(name), what)
	if d.Unlisted {
		return
	}
	names := v.types.names()
	if found := advice.ValueMeant("type", name, names); found != nil {
		d.WithSuggestion(found.Suggest).Message += ". " + source.Capitalize(found.Write)
		return
	}
	near := v.nearest(name, v.types.names)
	if d.DidYouMean(near); near == "" {
		slices.Sort(names)
		d.Message += ". There are " + strings.Join(names, ", ")
	}
}

// config checks a config against the schema of its type, then by the type's
// own check, and warns of templates in literal fields. The type's check may
// rely on the schema: it does not run on a config that breaks it.
func (v *configValidator) config(known *knownType, config *source.Node, what string) {
	// Total counts what is not listed too, so an unlisted error also skips
	// the type's check.
	before := v.finds.Total()
	raw := json.RawMessage("{}")
	if !config.Synthetic {
		raw = v.doc.Raw(config)
	}
	if known.checker != nil {
		v.place = "config:" + known.name
		found, err := known.checker.Mismatches(config.Value(), raw)
		if err != nil {
			v.finds.Error(source.LimitExceeded, config, "The config of %s holds too many values to be checked; shorten it", what)
		}
		for _, m := range found { // unknown fields first: they explain what is missing
			if _, unknown := m.ErrorKind.(*kind.AdditionalProperties); unknown {
				v.mismatch(m, known.schema, config, "the config of "+what)
			}
		}
		for _, m := range found {
			if _, unknown := m.ErrorKind.(*kind.AdditionalProperties); !unknown {
				v.mismatch(m, known.schema, config, "the config of "+what)
			}
		}
	}
	if v.finds.Total() == before && v.inner.affordable(config.Member("output_schema"), what) {
		for _, d := range known.stepType.CheckConfig(raw) {
			v.adopt(d, config)
		}
	}
	for _, name := range known.stepType.Traits().LiteralFields {
		if n := config.Member(name); n != nil && n.Kind == source.String && strings.Contains(n.Text, "{{") {
			v.finds.Warn(source.TemplateInScript, n, "'%s' in the config of %s is literal: {{ }} is not expanded in it; hand values over in args, env or stdin", name, what)
		}
	}
}

// adopt adds a diagnostic of a step type, whose pointers start at root, to
// those of the pass.
func (v *configValidator) adopt(d fault.Issue, root *source.Node) {
	at := root.Follow(d.Pointer)
	if at.Kind == source.Bad {
		return // said already
	}
	// The message is final; % in it must not be read as a format.
	f := v.finds.Add(d.Severity, source.Code(d.Code), at, "%s", d.Message)
	if f.Unlisted {
		return
	}
	f.Suggestion = d.Suggestion
	for _, r := range d.Related {
		f.Related = append(f.Related, root.Follow(r).Pointer())
	}
}
