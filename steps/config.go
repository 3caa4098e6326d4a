package steps

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"heddle/fault"
	"heddle/internal/exactjson"
	"io"
	"sort"
	"strings"
)

// decodeConfig decodes a rendered config strictly: an unknown field, a value of another
// type, or text after the config is an error. An empty config is {}. Errors name fields
// and types, never values: a value may be a secret.
func decodeConfig(raw json.RawMessage, into any) error {
	if len(bytes.TrimSpace(raw)) == 0 {
		raw = json.RawMessage("{}")
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil {
		if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
			kind, _, _ := strings.Cut(wrong.Value, " ") // "number 1.5" holds the value
			return fmt.Errorf("%s must be %s, not %s", wrong.Field, jsonName(wrong.Type.Kind().String()), kind)
		}
		return errors.New(strings.TrimPrefix(err.Error(), "json: "))
	}
	// Decode stops after the first value.
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return errors.New("there is text after the config")
	}
	return nil
}

// jsonName returns what a Go kind is called in JSON, with its article.
func jsonName(kind string) string {
	switch kind {
	case "struct", "map":
		return "an object"
	case "slice":
		return "a list"
	case "bool":
		return "true or false"
	case "int", "int64", "float64":
		return "a number"
	default:
		return "a " + kind
	}
}

// fields is a config before rendering, for checks: each top-level value as it was
// written.
type fields map[string]json.RawMessage

// readFields returns the top-level fields of a config; an empty config has none. False
// where it is not a JSON object.
func readFields(config json.RawMessage) (fields, bool) {
	var f fields
	if len(config) == 0 {
		return fields{}, true
	}
	if err := json.Unmarshal(config, &f); err != nil {
		return nil, false
	}
	return f, true
}

// text returns a string field; false where it is absent or not a string.
func (f fields) text(name string) (string, bool) {
	var s string
	raw, ok := f[name]
	if !ok || json.Unmarshal(raw, &s) != nil {
		return "", false
	}
	return s, true
}

// has reports whether a field is present and not null.
func (f fields) has(name string) bool {
	raw, ok := f[name]
	return ok && string(raw) != "null"
}

// literal returns a string field; false where it is absent, not a string, or holds a
// template.
func (f fields) literal(name string) (string, bool) {
	s, ok := f.text(name)
	return s, ok && !templated(s)
}

// templated reports whether a string holds the beginning of a template.
func templated(s string) bool { return strings.Contains(s, "{{") }

// problem returns a diagnostic that refuses the definition. pointer is a JSON pointer
// (RFC 6901) relative to config.
func problem(code, pointer, format string, args ...any) fault.Issue {
	return fault.Issue{Code: code, Severity: "error", Pointer: pointer, Message: fmt.Sprintf(format, args...)}
}

// warning returns a diagnostic that does not refuse the definition.
func warning(code, pointer, message string) fault.Issue {
	d := problem(code, pointer, "%s", message)
	d.Severity = "warning"
	return d
}

// suggest returns d with what the author probably meant to write.
func suggest(d fault.Issue, suggestion string) fault.Issue {
	d.Suggestion = suggestion
	return d
}

// andList returns names as English lists them: "a, b and c".
func andList(names []string) string { return join(names, " and ") }

// join returns names separated by commas, with last, spaces included, before the final
// one.
func join(names []string, last string) string {
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	return strings.Join(names[:len(names)-1], ", ") + last + names[len(names)-1]
}

// pointer returns "/" and token, escaped as a reference token of a JSON pointer (RFC
// 6901).
func pointer(token string) string {
	return "/" + exactjson.EscapeToken(token)
}

// sortedNames returns the names of the fields in order, so that diagnostics come in the
// same order every time.
func sortedNames(f fields) []string {
	names := make([]string, 0, len(f))
	for n := range f {
		names = append(names, n)
	}
	sort.Strings(names)
	return names
}
