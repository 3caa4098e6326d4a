package parser

import (
	"encoding/json"
	"heddle/definitions"
	"heddle/definitions/source"
	"reflect"
)

// YAML writes a definition in canonical form as people write one: steps begin with
// id, name and type, the settings of the workflow with its name, and schemas and
// configs with what says most about them. Parse of the result has the same hash.
// The error is that of a text that ScanJSON refuses.
func YAML(canonical json.RawMessage) ([]byte, error) {
	finds := &source.Diagnostics{}
	root := source.ScanNodes(canonical, source.DefinitionLimits(), finds)
	if len(finds.List) > 0 {
		return nil, source.Malformed(finds.Resolve(source.NewText(canonical)))
	}
	w := newWriting(root)
	return source.WriteYAML(make([]byte, 0, len(canonical)*3/2), root, w.first), nil
}

// writing knows what the objects of one definition are, so that their members are
// written in the order of documents.
type writing struct {
	order map[*source.Node][]string
}

// newWriting finds the steps of a definition, those of loops included.
func newWriting(root *source.Node) *writing {
	w := &writing{order: map[*source.Node][]string{root: fieldOrder(reflect.TypeFor[definitions.Definition]())}}
	steps := append([]string{"id", "name", "type", "depends_on", "if", "config"}, fieldOrder(reflect.TypeFor[definitions.Step]())...)
	w.lists(root, steps)
	return w
}

// lists marks the steps of an object's lists of steps.
func (w *writing) lists(n *source.Node, order []string) {
	for _, name := range []string{"steps", "on_failure", "finally"} {
		list := n.Member(name)
		if list == nil || list.Kind != source.Array {
			continue
		}
		for _, step := range list.Kids {
			w.order[step] = order
			// Of other types, steps would be a member like any other.
			if config := step.Member("config"); source.TextOf(step.Member("type")) == "loop" && config != nil {
				w.lists(config, order)
			}
		}
	}
}

// first returns the members with which an object begins.
func (w *writing) first(n *source.Node) []string {
	if order, known := w.order[n]; known {
		return order
	}
	return commonOrder()
}

// fieldOrder returns the names of a struct's fields in JSON, in their order.
func fieldOrder(t reflect.Type) []string { return shapes{}.of(t).names }

// commonOrder returns the names with which configs, schemas and the like begin.
func commonOrder() []string {
	return []string{
		"$schema", "$id", "$ref", "title", "description", "name", "type", "enum", "const", "default", "required", "properties", "items",
		"method", "url", "query", "headers", "auth", "body", "language", "script", "args", "env", "stdin", "agent_id", "goal", "context",
		"expression", "when", "then", "cases", "else", "while", "as", "concurrency", "max_iterations", "tolerate_failures",
		"seconds", "until", "signal", "condition", "poll_seconds", "probe", "event", "payload", "secret", "max_attempts", "delay_seconds", "backoff", "steps", "collect",
	}
}
