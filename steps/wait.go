package steps

import (
	"encoding/json"
	"heddle/definitions"
)

// waitConfig is the schema of wait's config. definitions decodes and checks it
// (definitions.WaitConfig), the run machine performs it.
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
		traits: definitions.Traits{Docs: "wait"},
		output: waitOutput,
	}
}

func waitOutput(config json.RawMessage) json.RawMessage {
	c, ok := readFields(config)
	if !ok || !c.has("signal") {
		return json.RawMessage(`{"type":"object","additionalProperties":false,"required":["waited_seconds"],"properties":{` +
			`"waited_seconds":{"type":"number"},"timed_out":{"type":"boolean"}}}`)
	}
	payload := json.RawMessage("{}")
	signal, ok := readFields(c["signal"])
	if goOn, _ := c.text("on_timeout"); ok && signal.has("schema") && goOn != "continue" {
		payload = signal["schema"] // after a timeout it would be null
	}
	return json.RawMessage(`{"type":"object","additionalProperties":false,"required":["name","payload","request_id","received_at"],"properties":{` +
		`"name":{"type":"string"},"payload":` + string(payload) + `,"request_id":{"type":"string"},` +
		`"received_at":{"type":["string","null"],"format":"date-time"},"timed_out":{"type":"boolean"}}}`)
}
