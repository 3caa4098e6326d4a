package parser

import (
	"encoding/json"
	"heddle/definitions"
	"maps"
	"reflect"
	"slices"
)

// Schema returns the JSON Schema (2020-12) of a definition. It is generated from
// the Go types that decode it and the rules in their tags, and from the config
// schemas of the catalog, so that what editors offer is what validation accepts.
// Of a nil catalog it has the types that the machine performs itself. It is made
// anew by each call, and the same bytes for the same catalog.
func Schema(catalog definitions.Catalog) json.RawMessage {
	w := &schemaWriter{shapes: shapes{}, defs: map[string]any{}, catalog: catalog}
	root := w.object(reflect.TypeFor[definitions.Definition]())
	root["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	root["title"] = "Heddle workflow definition"
	// Last, since making the root fills it.
	root["$defs"] = w.defs
	raw, err := json.Marshal(root)
	if err != nil {
		panic("definitions: the schema cannot be written: " + err.Error()) // maps of plain values
	}
	return raw
}

// schemaWriter makes one schema. Structs become entries of $defs by the name of
// their Go type, and catalog types' configs by "config_" and their name.
type schemaWriter struct {
	shapes  shapes              // of this schema
	defs    map[string]any      // the $defs
	catalog definitions.Catalog // may be nil
}

// ref returns a reference to the schema of a struct, which it makes when it is
// new. The entry exists before it is made: a loop contains steps, and steps
// contain loops.
func (w *schemaWriter) ref(t reflect.Type) map[string]any {
	if _, ok := w.defs[t.Name()]; !ok {
		w.defs[t.Name()] = nil // it may contain itself
		s := w.object(t)
		maps.Copy(s, w.extra(t))
		w.defs[t.Name()] = s
	}
	return map[string]any{"$ref": "#/$defs/" + t.Name()}
}

// object returns the schema of a struct's fields, without what extra adds. No
// other field is allowed.
func (w *schemaWriter) object(t reflect.Type) map[string]any {
	properties := map[string]any{}
	var required []string
	for _, f := range w.shapes.of(t).fields {
		s := w.value(f.goes, f.rule)
		if f.doc != "" {
			s["description"] = f.doc
		}
		properties[f.name] = s
		if f.rule.required {
			required = append(required, f.name)
		}
	}
	s := map[string]any{"type": "object", "additionalProperties": false, "properties": properties}
	if required != nil {
		s["required"] = required
	}
	return s
}

// value returns the schema of a field's Go type under its rule.
func (w *schemaWriter) value(t reflect.Type, r rule) map[string]any {
	if t == reflect.TypeFor[json.RawMessage]() {
		return rawSchema(r)
	}
	switch t.Kind() {
	case reflect.Pointer:
		return w.value(t.Elem(), r)
	case reflect.Struct:
		return w.ref(t)
	// The rule of a list holds for its length, and all else of it for the
	// items.
	case reflect.Slice:
		s := map[string]any{"type": "array", "items": w.value(t.Elem(), r.items())}
		return bounds(s, r, "minItems", "maxItems")
	case reflect.String:
		return textSchema(r)
	case reflect.Bool:
		return map[string]any{"type": "boolean"}
	case reflect.Int:
		return numberSchema("integer", r)
	default:
		return numberSchema("number", r)
	}
}

// rawSchema returns the schema of raw JSON: an object, one of the rule's forms,
// or anything.
func rawSchema(r rule) map[string]any {
	if r.object {
		return map[string]any{"type": "object"}
	}
	var forms []any
	for _, form := range r.forms {
		forms = append(forms, formSchema(form))
	}
	if forms == nil {
		return map[string]any{}
	}
	return map[string]any{"anyOf": forms}
}

// formSchema returns the schema of one of several forms that a value may have. It
// panics on an unknown name.
func formSchema(name string) map[string]any {
	switch name {
	case "seconds":
		return map[string]any{"type": "number", "minimum": 0, "maximum": definitions.MaxSeconds}
	case "count":
		return map[string]any{"type": "integer", "minimum": 0}
	case "percent":
		return map[string]any{"type": "string", "pattern": definitions.PercentPattern.String()}
	case "template":
		return templateSchema()
	case "failures":
		return failuresSchema()
	}
	panic("definitions: unknown form " + name)
}

// templateSchema returns the schema of text that is wholly one template and so
// stands for a value of any type.
func templateSchema() map[string]any {
	return map[string]any{"type": "string", "pattern": `^\s*\{\{[\s\S]*\}\}\s*$`}
}

// textSchema returns the schema of a text under its rule.
func textSchema(r rule) map[string]any {
	s := map[string]any{"type": "string"}
	if r.expression {
		s["minLength"], s["maxLength"] = 1, definitions.MaxExpressionBytes
	}
	if r.pattern != nil {
		s["pattern"] = r.pattern.String()
	}
	if r.enum != nil {
		s["enum"] = r.enum
	}
	return bounds(s, r, "minLength", "maxLength")
}

// bounds adds a rule's lengths to s under the two keywords, and returns s.
func bounds(s map[string]any, r rule, least, most string) map[string]any {
	if r.minLength > 0 {
		s[least] = r.minLength
	}
	if r.maxLength > 0 {
		s[most] = r.maxLength
	}
	return s
}

// numberSchema returns the schema of a number, of the type number or integer.
func numberSchema(name string, r rule) map[string]any {
	s := map[string]any{"type": name}
	if r.minimum != nil {
		s["minimum"] = *r.minimum
	}
	if r.maximum != nil {
		s["maximum"] = *r.maximum
	}
	return s
}

// extra returns what the fields of a struct cannot say each for itself: the
// config that belongs to a type, and which of several fields must be there. nil
// for most structs.
func (w *schemaWriter) extra(t reflect.Type) map[string]any {
	switch t {
	case reflect.TypeFor[definitions.Step]():
		own := map[string]any{
			"condition": w.ref(reflect.TypeFor[definitions.ConditionConfig]()),
			"loop":      w.ref(reflect.TypeFor[definitions.LoopConfig]()),
			"wait":      w.ref(reflect.TypeFor[definitions.WaitConfig]()),
		}
		return map[string]any{"allOf": w.byType(own)}
	case reflect.TypeFor[definitions.Compensation](), reflect.TypeFor[definitions.Probe]():
		return map[string]any{"allOf": w.byType(nil)}
	case reflect.TypeFor[definitions.ConditionConfig]():
		return oneOf("expression", "cases")
	case reflect.TypeFor[definitions.LoopConfig]():
		return oneOf("items", "while")
	case reflect.TypeFor[definitions.WaitConfig]():
		return oneOf("seconds", "until", "condition", "signal")
	}
	return nil
}

// oneOf returns the schema of an object with exactly one of the fields.
func oneOf(names ...string) map[string]any {
	var forms []any
	for _, name := range names {
		forms = append(forms, map[string]any{"required": []string{name}})
	}
	return map[string]any{"oneOf": forms}
}

// byType returns a list for allOf: the allowed step types, and for each type the
// schema of its config under if and then. own has the configs of the machine's
// types; it is not changed.
func (w *schemaWriter) byType(own map[string]any) []any {
	names := slices.AppendSeq([]string{}, maps.Keys(own))
	configs := maps.Clone(own)
	if configs == nil {
		configs = map[string]any{}
	}
	if w.catalog != nil {
		for _, name := range w.catalog.Names() {
			if definitions.PerformedByMachine(name) {
				continue
			}
			names = append(names, name)
			if w.config(name) {
				configs[name] = map[string]any{"$ref": "#/$defs/config_" + name}
			}
		}
	}
	slices.Sort(names)
	// The enum first: it is what editors offer. Then one condition per type,
	// so that a wrong config is reported by the schema of its own type alone.
	all := []any{map[string]any{"properties": map[string]any{"type": map[string]any{"enum": names}}}}
	for _, name := range slices.Sorted(maps.Keys(configs)) {
		then := map[string]any{"properties": map[string]any{"config": configs[name]}}
		if definitions.PerformedByMachine(name) || w.needsConfig(name) {
			then["required"] = []string{"config"}
		}
		is := map[string]any{"required": []string{"type"}, "properties": map[string]any{"type": map[string]any{"const": name}}}
		all = append(all, map[string]any{"if": is, "then": then})
	}
	return all
}

// config adds a catalog type's config schema to the $defs. False: the type has
// none, or one that is not JSON.
func (w *schemaWriter) config(name string) bool {
	found, ok := w.catalog.StepType(name)
	if !ok || len(found.ConfigSchema()) == 0 {
		return false
	}
	var schema any
	if json.Unmarshal(found.ConfigSchema(), &schema) != nil {
		return false
	}
	w.defs["config_"+name] = templated(schema, found.Traits().LiteralFields)
	return true
}

// needsConfig reports whether a catalog type's config has required fields, so
// that the config itself is required.
func (w *schemaWriter) needsConfig(name string) bool {
	s, _ := w.defs["config_"+name].(map[string]any)
	required, _ := s["required"].([]any)
	return len(required) > 0
}

// templated returns a config schema in which a template may stand for every
// value, but for its literal fields. The given schema is not changed, only copied
// where it differs.
func templated(schema any, literal []string) any {
	s, ok := schema.(map[string]any)
	if !ok {
		return schema
	}
	out := maps.Clone(s)
	if properties, ok := s["properties"].(map[string]any); ok {
		inner := map[string]any{}
		for name, sub := range properties {
			inner[name] = sub
			if !slices.Contains(literal, name) {
				inner[name] = orTemplate(sub)
			}
		}
		out["properties"] = inner
	}
	for _, word := range []string{"items", "additionalProperties"} {
		if sub, ok := s[word]; ok {
			out[word] = orTemplate(sub)
		}
	}
	// Alternatives describe the same value: a template is added beside all of
	// them by the caller, and here only within each.
	for _, word := range []string{"anyOf", "oneOf", "allOf"} {
		if subs, ok := s[word].([]any); ok {
			inner := make([]any, len(subs))
			for i, sub := range subs {
				inner[i] = templated(sub, nil)
			}
			out[word] = inner
		}
	}
	return out
}

// orTemplate returns a schema or, beside it, a template. A schema that accepts
// every text accepts templates already. Description and default move outside of
// the anyOf, where editors look for them.
func orTemplate(schema any) any {
	s, ok := schema.(map[string]any)
	if !ok {
		return schema
	}
	inner := templated(s, nil).(map[string]any)
	// Such a schema accepts any text, a template included.
	if len(s) == 0 || s["type"] == "string" && s["enum"] == nil && s["pattern"] == nil && s["format"] == nil {
		return inner
	}
	out := map[string]any{"anyOf": []any{inner, templateSchema()}}
	for _, word := range []string{"description", "default"} {
		if v, ok := s[word]; ok {
			out[word] = v
			delete(inner, word)
		}
	}
	return out
}

// failuresSchema returns the schema of retry.on and retry.except; see
// definitions.FailurePattern.
func failuresSchema() map[string]any {
	return map[string]any{
		"type": "array", "minItems": 1, "maxItems": definitions.MaxFailurePatterns,
		"items": map[string]any{"anyOf": []any{
			map[string]any{"type": "integer", "minimum": 100, "maximum": 599, "description": "An HTTP status"},
			map[string]any{"type": "string", "pattern": definitions.StatusPattern.String(), "description": "An HTTP status"},
			map[string]any{"type": "string", "pattern": definitions.StatusClassPattern.String(), "description": "A class of HTTP statuses"},
			map[string]any{"type": "string", "pattern": definitions.ExitCodePattern.String(), "description": "A script's exit code"},
			map[string]any{"enum": definitions.FailureCodes(), "description": "An error code"},
		}},
	}
}
