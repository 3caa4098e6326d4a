package validation

import (
	"bytes"
	"encoding/json"
	"heddle/definitions"
	"heddle/expressions"
	"heddle/internal/exactjson"
)

// typing holds what is known of values before anything runs. A nil Shape is a
// value of which nothing is known: every use of it is accepted.
type typing struct {
	*pass
	input   *expressions.Shape            // by the definition's input schema
	integer *expressions.Shape            // of index, and of items that are a count
	outputs map[int32]json.RawMessage     // schemas by place of the step; absent: not needed yet
	parsed  map[string]*expressions.Shape // by schema text
	items   map[int32]*expressions.Shape  // of the loops' items, by the loop's place; absent: not needed yet
}

// newTyping returns the typing of a pass's document.
func newTyping(p *pass) *typing {
	t := &typing{pass: p, items: map[int32]*expressions.Shape{}, outputs: map[int32]json.RawMessage{}, parsed: map[string]*expressions.Shape{}}
	t.input = t.shape(p.doc.Definition.Input)
	t.integer = t.shape(json.RawMessage(`{"type":"integer"}`))
	return t
}

// shape returns the type that a schema describes, nil for no schema. Equal
// texts are read once.
func (t *typing) shape(schema json.RawMessage) *expressions.Shape {
	if len(schema) == 0 {
		return nil
	}
	known, ok := t.parsed[string(schema)]
	if !ok {
		known = expressions.ParseShape(schema)
		t.parsed[string(schema)] = known
	}
	return known
}

// output returns the schema of a step's output, nil when nothing is known.
func (t *typing) output(e *entry) json.RawMessage {
	schema, ok := t.outputs[e.place]
	if !ok {
		schema = t.outputSchema(e)
		t.outputs[e.place] = schema
	}
	return schema
}

// outputSchema works output out. What the author wrote comes before what the
// type says.
func (t *typing) outputSchema(e *entry) json.RawMessage {
	s := e.step
	switch {
	case len(s.OutputSchema) > 0:
		return s.OutputSchema
	case s.OnError == "fallback":
		return nil // the fallback's output may stand for it
	// The three types of the machine have fixed outputs.
	case s.Condition != nil:
		return json.RawMessage(`{"type":"object","additionalProperties":false,"properties":{"result":{"type":"boolean"},"branch":{"type":"string"}}}`)
	case s.Loop != nil:
		return loopOutput(s.Loop)
	case s.Wait != nil:
		return waitOutput(s.Wait)
	}
	return t.types.output(s.Type, s.Config)
}

// loopOutput returns the schema of a loop's output; its results are there
// with collect alone.
func loopOutput(l *definitions.LoopConfig) json.RawMessage {
	results := ""
	if l.Collect != "" {
		results = `,"results":{"type":"array"}`
	}
	return json.RawMessage(`{"type":"object","additionalProperties":false,"properties":{"count":{"type":"integer"},"completed":{"type":"integer"},"failed":{"type":"integer"}` + results + `}}`)
}

// waitOutput returns the schema of a wait's output. A payload schema with
// references is left open, since they would point into another document here.
func waitOutput(w *definitions.WaitConfig) json.RawMessage {
	late := ""
	if w.OnTimeout == "continue" {
		late = `,"timed_out":{"type":"boolean"}`
	}
	if w.Signal == nil {
		return json.RawMessage(`{"type":"object","additionalProperties":false,"properties":{"waited_seconds":{"type":"number"}` + late + `}}`)
	}
	payload := w.Signal.PayloadSchema()
	if len(payload) == 0 || bytes.Contains(payload, []byte(`"$ref"`)) {
		payload = json.RawMessage("{}")
	}
	return json.RawMessage(`{"type":"object","additionalProperties":false,"properties":{"name":{"type":"string"},"payload":` + string(payload) +
		`,"request_id":{"type":"string"},"received_at":{"type":"string"}` + late + `}}`)
}

// item returns the type of a loop's item.
func (t *typing) item(loop *entry) *expressions.Shape {
	shape, known := t.items[loop.place]
	if !known {
		shape = t.itemShape(loop)
		t.items[loop.place] = shape
	}
	return shape
}

// itemShape works item out: the type of the items of the list that a plain
// path into the input or a step's output names, or of a count. Any other
// expression leaves it unknown.
func (t *typing) itemShape(e *entry) *expressions.Shape {
	l := e.step.Loop
	if l.While != "" {
		return t.integer
	}
	program, err := expressions.Compile(l.Items)
	if err != nil {
		return nil
	}
	// Only a plain path such as input.list or steps.a.output.rows leads to a
	// schema.
	path, plain := program.Path()
	switch {
	// A number in the place of a list is a count, whose items are whole numbers.
	case !plain && exactjson.IsNumber(bare(l.Items)):
		return t.integer
	case !plain || len(path) == 0:
		return nil
	case path[0] == "input":
		return t.shape(elements(t.doc.Definition.Input, path[1:]))
	case path[0] == "steps" && len(path) > 2 && path[2] == "output":
		if place, ok := t.graph.byID[path[1]]; ok {
			return t.shape(elements(t.output(t.graph.entries[place]), path[3:]))
		}
	}
	return nil
}

// elements follows a path of members through a schema to the items of the
// list at its end; nil where the schema does not say it plainly, by
// properties and items without references.
func elements(schema json.RawMessage, path []string) json.RawMessage {
	type plain struct {
		Type       json.RawMessage            `json:"type"`
		Ref        string                     `json:"$ref"`
		Properties map[string]json.RawMessage `json:"properties"`
		Items      json.RawMessage            `json:"items"`
	}
	for _, name := range path {
		var s plain
		// A reference is resolved against its own document, which is left
		// behind here.
		if json.Unmarshal(schema, &s) != nil || s.Ref != "" {
			return nil
		}
		schema = s.Properties[name]
	}
	var s plain
	if json.Unmarshal(schema, &s) != nil || s.Ref != "" || string(s.Type) == `"integer"` || bytes.Contains(s.Items, []byte(`"$ref"`)) {
		return nil
	}
	return s.Items
}
