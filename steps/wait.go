package steps

import (
	"encoding/json"
	"heddle/definitions"
)

// waitType returns the type wait. The run machine performs it, and definitions
// decodes and checks its config (definitions.WaitConfig), which is why there is
// no schema of it here.
func waitType() *stepType {
	return &stepType{name: "wait", traits: definitions.Traits{Docs: "wait"}, output: waitOutput}
}

// waitOutput returns the schema of a wait's output: for a signal its name, ids and
// payload, the payload's own schema only where a payload is certain to be there; for
// every other wait how long it took.
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
