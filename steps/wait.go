package steps

import (
	"encoding/json"
	"time"

	"heddle/definitions"
)

// waitConfig is the schema of wait's config, which definitions.WaitConfig
// decodes and the run machine performs.
type waitConfig struct {
	Seconds        seconds     `json:"seconds,omitempty" doc:"How long."`
	Until          string      `json:"until,omitempty" doc:"An RFC 3339 time, or an expression that gives one."`
	Condition      string      `json:"condition,omitempty" doc:"A true or false expression that is evaluated on entry, at each signal and every poll_seconds."`
	PollSeconds    float64     `json:"poll_seconds,omitempty" default:"5" minimum:"1"`
	Probe          *waitProbe  `json:"probe,omitempty" doc:"A request made before each evaluation; its output is visible as probe."`
	Signal         *waitSignal `json:"signal,omitempty" doc:"The signal that ends the wait."`
	TimeoutSeconds float64     `json:"timeout_seconds,omitempty" minimum:"0" doc:"How long to wait at most."`
	OnTimeout      string      `json:"on_timeout,omitempty" enum:"fail,continue" default:"fail"`
}

type waitProbe struct {
	Type   string          `json:"type" enum:"http_request"`
	Config json.RawMessage `json:"config"`
}

type waitSignal struct {
	Name   string          `json:"name" minLength:"1" doc:"The signal's name."`
	Schema json.RawMessage `json:"schema,omitempty" doc:"A JSON Schema that the payload must meet."`
	Prompt string          `json:"prompt,omitempty" doc:"What to ask the person who answers."`
}

// seconds is a number, or a template that gives one.
type seconds struct{}

func (seconds) jsonSchema() map[string]any {
	return map[string]any{"anyOf": []map[string]any{{"type": "number", "minimum": 0}, {"type": "string"}}}
}

func waitType() *stepType {
	return &stepType{
		name:   "wait",
		config: schemaOf[waitConfig](),
		output: waitOutput,
		check:  checkWait,
	}
}

func waitOutput(config json.RawMessage) json.RawMessage {
	c, ok := readFields(config)
	if !ok || !c.has("signal") {
		return json.RawMessage(`{"type":"object","required":["waited_seconds"],"properties":{"waited_seconds":{"type":"number"}}}`)
	}
	payload := json.RawMessage("{}")
	if signal, ok := readFields(c["signal"]); ok && signal.has("schema") {
		payload = signal["schema"]
	}
	return json.RawMessage(`{"type":"object","properties":{"name":{"type":"string"},"payload":` + string(payload) +
		`,"request_id":{"type":"string"},"received_at":{"type":"string","format":"date-time"}}}`)
}

func checkWait(c fields) []definitions.Diagnostic {
	out := c.exactlyOne("seconds", "until", "condition", "signal")
	for _, name := range []string{"poll_seconds", "probe"} {
		if c.has(name) && !c.has("condition") {
			out = append(out, problem("invalid_value", "/"+name, "%s belongs to a wait with condition", name))
		}
	}
	if c.has("on_timeout") && !c.has("timeout_seconds") {
		out = append(out, warning("invalid_value", "/on_timeout", "on_timeout has no effect without timeout_seconds"))
	}
	out = append(out, checkSeconds(c)...)
	return append(out, checkSignal(c["signal"])...)
}

// checkSeconds refuses text that is neither a template nor a number.
func checkSeconds(c fields) []definitions.Diagnostic {
	text, ok := c.literal("seconds")
	if !ok {
		return nil
	}
	d := problem("wrong_type", "/seconds", "seconds must be a number or a template that gives one")
	if parsed, err := time.ParseDuration(text); err == nil {
		d = suggest(d, string(value(parsed.Seconds())))
	}
	return []definitions.Diagnostic{d}
}

// checkSignal judges the signal's name: letters, digits and _ . : - only, so
// that it stands in a url unescaped.
func checkSignal(raw json.RawMessage) []definitions.Diagnostic {
	s, ok := readFields(raw)
	if !ok || len(s) == 0 {
		return nil
	}
	name, ok := s.text("name")
	switch {
	case !ok || name == "":
		return nil // the schema says so
	case templated(name):
		return []definitions.Diagnostic{problem("invalid_value", "/signal/name", "a signal's name is fixed: it cannot hold a template")}
	case !soundSignalName(name):
		return []definitions.Diagnostic{problem("invalid_value", "/signal/name",
			"a signal's name has 1 to 128 letters, digits and the characters _ . : -")}
	}
	return nil
}

func soundSignalName(name string) bool {
	if name == "" || len(name) > 128 {
		return false
	}
	for _, r := range name {
		ok := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_' || r == '.' || r == ':' || r == '-'
		if !ok {
			return false
		}
	}
	return true
}
