package validation_test

import (
	"encoding/json"
	"heddle/definitions"
	"heddle/fault"
	"slices"
	"strings"
)

// catalog is a small stand-in for the step types of the steps package.
type catalog map[string]stepType

type stepType struct {
	config, output string
	traits         definitions.Traits
}

func (c catalog) Names() []string {
	var names []string
	for name := range c {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func (c catalog) StepType(name string) (definitions.StepType, bool) {
	t, ok := c[name]
	return t, ok
}

func (t stepType) ConfigSchema() json.RawMessage { return json.RawMessage(t.config) }
func (t stepType) Traits() definitions.Traits    { return t.traits }

func (t stepType) OutputSchema(config json.RawMessage) json.RawMessage {
	var c struct {
		OutputSchema json.RawMessage `json:"output_schema"`
	}
	if json.Unmarshal(config, &c) == nil && c.OutputSchema != nil {
		return c.OutputSchema
	}
	return json.RawMessage(t.output)
}

func (t stepType) CheckConfig(config json.RawMessage) []fault.Issue {
	var c struct {
		URL string `json:"url"`
	}
	if json.Unmarshal(config, &c) == nil && strings.HasPrefix(c.URL, "ftp:") {
		return []fault.Issue{{
			Code: "invalid_value", Severity: "error", Pointer: "/url", Message: "'url' must begin with http: or https:",
			Suggestion: "https:" + strings.TrimPrefix(c.URL, "ftp:"), Related: []string{"/method"},
		}}
	}
	return nil
}

func testCatalog() catalog {
	return catalog{
		"http_request": {
			config: `{"type":"object","additionalProperties":false,"required":["url"],"properties":{
				"method":{"enum":["GET","POST","PUT","PATCH","DELETE","HEAD"]},"url":{"type":"string","minLength":1},
				"headers":{"type":"object","additionalProperties":{"type":"string"}},"body":{},
				"follow_redirects":{"type":"boolean"},
				"auth":{"oneOf":[
					{"type":"object","additionalProperties":false,"required":["type","token"],"properties":{"type":{"const":"bearer"},"token":{"type":"string"}}},
					{"type":"object","additionalProperties":false,"required":["type","username","password"],"properties":{"type":{"const":"basic"},"username":{"type":"string"},"password":{"type":"string"}}}]},
				"expect_status":{"anyOf":[{"type":"integer","minimum":100,"maximum":599},{"type":"string","pattern":"^[1-5][0-9]{2}(-[1-5][0-9]{2})?$"},{"type":"array","items":{"type":"integer"}}]}}}`,
			traits: definitions.Traits{Reports: definitions.ReportsStatus},
			output: `{"type":"object","additionalProperties":false,"properties":{"status_code":{"type":"integer"},"headers":{"type":"object","additionalProperties":{"type":"string"}},"body":{}}}`,
		},
		"script": {
			config: `{"type":"object","additionalProperties":false,"required":["script"],"properties":{
				"language":{"enum":["shell","python"]},"script":{"type":"string"},"args":{"type":"array","items":{"type":"string"}},
				"env":{"type":"object","additionalProperties":{"type":"string"}},"stdin":{"type":"string"}}}`,
			output: `{"type":"object","additionalProperties":false,"properties":{"exit_code":{"type":"integer"},"stdout":{"type":"string"},"stderr":{"type":"string"},"result":{}}}`,
			traits: definitions.Traits{LiteralFields: []string{"script"}, Reports: definitions.ReportsExitCode},
		},
		"agent_task": {
			config: `{"type":"object","additionalProperties":false,"required":["agent_id","goal"],"properties":{
				"agent_id":{"type":"string"},"goal":{"type":"string"},"context":{},"max_tokens":{"type":"integer","minimum":1},"output_schema":{"type":"object"}}}`,
			traits: definitions.Traits{Reports: definitions.ReportsStatus, AgentField: "agent_id"},
		},
		"free": {},
	}
}
