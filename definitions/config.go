package definitions

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6/kind"
)

// knownType is a step type with its config schema compiled; nil checker when
// the schema itself cannot be used.
type knownType struct {
	name     string
	stepType StepType
	checker  *ValueChecker
	schema   *node
}

// isOwn tells whether the machine performs the type itself.
func isOwn(name string) bool {
	return name == "condition" || name == "loop" || name == "wait"
}

// typeNames lists every type that a step may have.
func (v *validator) typeNames() []string {
	names := []string{"condition", "loop", "wait"}
	if v.catalog != nil {
		for _, name := range v.catalog.Names() {
			if !isOwn(name) {
				names = append(names, name)
			}
		}
	}
	return names
}

// stepType looks a type up once per pass. Nil: unknown, or no catalog.
func (v *validator) stepType(name string) *knownType {
	if known, ok := v.types[name]; ok {
		return known
	}
	v.types[name] = nil
	if v.catalog == nil {
		return nil
	}
	found, ok := v.catalog.StepType(name)
	if !ok {
		return nil
	}
	known := &knownType{name: name, stepType: found}
	if schema := found.ConfigSchema(); len(schema) > 0 {
		known.schema = scanJSON(schema, Limits{Bytes: len(schema), Depth: MaxDepth, StringBytes: len(schema), Values: MaxValues}, &findings{})
		known.checker, _ = NewValueChecker(schema)
	}
	v.types[name] = known
	return known
}

// configs checks types and configs of steps, compensations and probes.
func (v *validator) configs() {
	for _, e := range v.graph.entries {
		s := e.step
		if !isOwn(s.Type) {
			v.performed(e.node, s.Type, "step '"+e.name()+"'")
		}
		if s.Wait != nil && s.Wait.Probe != nil && s.Wait.Probe.Config != nil {
			v.performed(e.node.pick("config", "probe"), s.Wait.Probe.Type, "the probe of wait '"+e.name()+"'")
		}
		if c := s.Compensate; c != nil {
			at := e.node.member("compensate")
			what := "the compensation of step '" + e.name() + "'"
			if isOwn(c.Type) {
				v.finds.error(InvalidValue, at.pick("type"), "%s cannot be a %s; name a type that does something", sentence(what), c.Type)
				continue
			}
			v.performed(at, c.Type, what)
		}
	}
}

// performed checks an object with type and config.
func (v *validator) performed(at *node, name, what string) {
	typeAt := at.member("type")
	if typeAt == nil || typeAt.kind == bad || v.catalog == nil {
		return
	}
	known := v.stepType(name)
	if known == nil {
		v.unknownType(typeAt, name, what)
		return
	}
	config := at.member("config")
	if config != nil && config.kind != object {
		return
	}
	if config == nil {
		config = ghostOf(at, at.seq, at.pos)
	}
	v.step = at
	v.config(known, config, what)
}

// unknownType reports a type that does not exist, with the one that was meant.
func (v *validator) unknownType(at *node, name, what string) {
	d := v.finds.error(UnknownStepType, at, "Step type '%s' of %s doesn't exist", clip(name), what)
	if d.left {
		return
	}
	names := v.typeNames()
	if found := valueMeant("type", name, names); found != nil {
		d.hint(found.suggest).Message += ". " + sentence(found.write)
		return
	}
	near := v.nearest(name, v.typeNames)
	if d.suggest(near); near == "" {
		slices.Sort(names)
		d.Message += ". There are " + strings.Join(names, ", ")
	}
}

func (v *validator) config(known *knownType, config *node, what string) {
	before := v.finds.total()
	raw := json.RawMessage("{}")
	if !config.ghost {
		raw = v.doc.raw(config)
	}
	if known.checker != nil {
		v.place = "config:" + known.name
		found, err := known.checker.mismatches(config.value(), raw)
		if err != nil {
			v.finds.error(LimitExceeded, config, "The config of %s holds too many values to be checked; shorten it", what)
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
	if v.finds.total() == before && v.affordable(config.member("output_schema"), what) {
		for _, d := range known.stepType.CheckConfig(raw) {
			v.adopt(d, config)
		}
	}
	for _, name := range known.stepType.Traits().LiteralFields {
		if n := config.member(name); n != nil && n.kind == text && strings.Contains(n.text, "{{") {
			v.finds.warn(TemplateInScript, n, "'%s' in the config of %s is literal: {{ }} is not expanded in it; hand values over in args, env or stdin", name, what)
		}
	}
}

// adopt takes a diagnostic over whose pointer starts at a node.
func (v *validator) adopt(d Diagnostic, root *node) {
	at := root.follow(d.Pointer)
	if at.kind == bad {
		return // said already
	}
	f := v.finds.add(d.Severity, Code(d.Code), at, "%s", d.Message)
	if f.left {
		return
	}
	f.Suggestion = d.Suggestion
	for _, r := range d.Related {
		f.Related = append(f.Related, root.follow(r).pointer())
	}
}

// value turns a tree into what the schema library checks: numbers stay exact.
func (n *node) value() any {
	switch n.kind {
	case text:
		return n.text
	case number:
		return json.Number(n.text)
	case boolean:
		return n.text == "true"
	case array:
		list := make([]any, len(n.kids))
		for i, kid := range n.kids {
			list[i] = kid.value()
		}
		return list
	case object:
		m := make(map[string]any, len(n.kids))
		for i, kid := range n.kids {
			m[n.keys[i]] = kid.value()
		}
		return m
	default:
		return nil
	}
}
