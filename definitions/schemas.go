package definitions

import (
	"errors"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"golang.org/x/text/language"
	"golang.org/x/text/message"
)

// schemas checks the JSON Schemas inside of the definition.
func (v *validator) schemas() {
	v.schema(v.doc.root.member("input"), "'input'")
	v.defaults(v.doc.root.member("input"))
	for _, e := range v.graph.entries {
		v.schema(e.node.member("output_schema"), "'output_schema' of step '"+e.name()+"'")
		if e.step.Wait != nil {
			v.schema(e.node.pick("config", "signal").member("schema"), "the signal's schema of wait '"+e.name()+"'")
		}
	}
}

// schema reports what is wrong with one schema. Equal texts are compiled once.
func (v *validator) schema(at *node, what string) {
	if at == nil || at.kind != object || !at.readable() {
		return
	}
	raw := v.doc.raw(at)
	place, message := "", ""
	if known, ok := v.schemaTexts[string(raw)]; ok {
		place, message = known[0], known[1]
	} else {
		if _, err := NewValueChecker(raw); err != nil {
			place, message = schemaFault(err)
		}
		v.schemaTexts[string(raw)] = [2]string{place, message}
	}
	if message != "" {
		v.finds.error(SchemaInvalid, at.follow(place), "%s is not a JSON Schema (2020-12) that can be used: %s", sentence(what), message)
	}
}

// defaults reports defaults of the input schema that no start could put in.
func (v *validator) defaults(at *node) {
	if at == nil || at.kind != object || !at.readable() {
		return
	}
	checker, err := NewValueChecker(v.doc.raw(at))
	if err != nil || checker.defaults == nil {
		return
	}
	if _, err := checker.Fill(nil); err != nil {
		v.finds.error(SchemaInvalid, at, "'input' cannot be used: %s", err)
	}
}

// schemaFault tells where in a schema the problem is, and what it is.
func schemaFault(err error) (pointer, text string) {
	var meta *jsonschema.SchemaValidationError
	var invalid *jsonschema.ValidationError
	if errors.As(err, &meta) && errors.As(meta.Err, &invalid) {
		leaf := unfold(invalid, nil)[0]
		for alternatives(leaf) {
			leaf = unfold(leaf.Causes[0], nil)[0]
		}
		return pointerTo(leaf.InstanceLocation), leaf.ErrorKind.LocalizedString(message.NewPrinter(language.English))
	}
	var load *jsonschema.LoadURLError
	if errors.As(err, &load) {
		return "", errNoLoading.Error()
	}
	return "", clip(strings.ReplaceAll(err.Error(), schemaURL, ""))
}
