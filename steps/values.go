package steps

import (
	"bytes"
	"encoding/json"
	"errors"
)

// printed is a config value that is sent as text: a string as it is, a number or truth
// value as its JSON text, null as "". A template may well produce a number where a
// header's value stands. Objects and lists are decoded too; only the schema refuses
// them.
type printed string

// UnmarshalJSON reads any JSON value (printValue).
func (p *printed) UnmarshalJSON(raw []byte) error {
	text, err := printValue(raw)
	*p = printed(text)
	return err
}

// jsonSchema makes printed a schemaSource: anything but objects and lists.
func (printed) jsonSchema() map[string]any {
	return map[string]any{"type": []string{"string", "number", "boolean", "null"}}
}

// anyText is printed for fields that also take objects and lists, as their JSON text.
type anyText string

// UnmarshalJSON reads any JSON value (printValue).
func (p *anyText) UnmarshalJSON(raw []byte) error {
	text, err := printValue(raw)
	*p = anyText(text)
	return err
}

// jsonSchema makes anyText a schemaSource: any JSON value.
func (anyText) jsonSchema() map[string]any { return map[string]any{} }

// printValue returns a JSON value as the text that is sent: a string decoded, null or
// nothing as "", anything else as its JSON text. The error is that of a string that
// cannot be decoded.
func printValue(raw []byte) (string, error) {
	raw = bytes.TrimSpace(raw)
	if len(raw) == 0 || string(raw) == "null" {
		return "", nil
	}
	if raw[0] != '"' {
		return string(raw), nil
	}
	var s string
	err := json.Unmarshal(raw, &s)
	return s, err
}

// printedList is one value or a list of them; nil for null.
type printedList []printed

// UnmarshalJSON reads either form. An object is an error.
func (l *printedList) UnmarshalJSON(raw []byte) error {
	raw = bytes.TrimSpace(raw)
	if len(raw) == 0 || string(raw) == "null" {
		*l = nil
		return nil
	}
	if raw[0] == '{' {
		return errors.New("a value here is text, a number, true, false or a list of them")
	}
	if raw[0] == '[' {
		return json.Unmarshal(raw, (*[]printed)(l))
	}
	var one printed
	if err := json.Unmarshal(raw, &one); err != nil {
		return err
	}
	*l = printedList{one}
	return nil
}

// jsonSchema makes printedList a schemaSource.
func (printedList) jsonSchema() map[string]any {
	one := printed("").jsonSchema()
	return anyOf("a value, or a list of values", one, map[string]any{"type": "array", "items": one})
}
