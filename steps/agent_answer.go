package steps

import (
	"encoding/json"
	"strings"

	"heddle/definitions"
)

// structured reads an answer as JSON that meets a schema, also where it stands
// in a code fence; else it says what is wrong.
func structured(schema *definitions.ValueChecker, answer string) (out json.RawMessage, wrong string) {
	raw, ok := jsonValue([]byte(unfenced(answer)))
	if !ok {
		return nil, "it is not JSON"
	}
	issues := schema.Check(raw)
	if len(issues) == 0 {
		return raw, ""
	}
	words := make([]string, 0, 5)
	for _, issue := range issues[:min(len(issues), 5)] {
		where := issue.Pointer
		if where == "" {
			where = "the whole"
		}
		words = append(words, where+": "+issue.Message)
	}
	return nil, strings.Join(words, "; ")
}

// unfenced drops a Markdown code fence round a text.
func unfenced(s string) string {
	s = strings.TrimSpace(s)
	if !strings.HasPrefix(s, "```") {
		return s
	}
	_, s, _ = strings.Cut(s, "\n")
	return strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(s), "```"))
}
