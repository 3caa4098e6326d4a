package templates

import (
	"encoding/json"
	"fmt"
	"heddle/definitions/schemas"
	"heddle/fault"
	"heddle/internal/exactjson"

	regexp "heddle/internal/lazyregexp"
)

// parameterName is the form of a parameter's name: a placeholder has to be able
// to name it.
var parameterName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,63}$`)

// NoParameters is the schema of a template without any.
const NoParameters = `{"additionalProperties":false,"properties":{},"type":"object"}`

// declaredBy returns the set of parameters that a schema declares;
// checkParameters found no issue in it.
func declaredBy(schema any) map[string]bool {
	declared := map[string]bool{}
	for name := range objectOf(objectOf(schema)["properties"]) {
		declared[name] = true
	}
	return declared
}

// checkParameters returns the issues of a template's parameter schema, with the
// codes schema_invalid and invalid_value; nil: none. Pointers start at the
// schema.
func checkParameters(schema json.RawMessage) []fault.Issue {
	root, err := decode(schema)
	if err != nil || objectOf(root) == nil {
		return []fault.Issue{errorIssue("schema_invalid", "", "parameters must be a JSON Schema of type object")}
	}
	if objectOf(root)["type"] != "object" {
		return []fault.Issue{errorIssue("schema_invalid", "/type", "parameters must be a JSON Schema with \"type\": \"object\"; each of its properties is a parameter")}
	}
	// Compiled here, so that an installation does not find the defect.
	if _, err := schemas.NewChecker(schema); err != nil {
		return []fault.Issue{errorIssue("schema_invalid", "", "parameters is not a JSON Schema (2020-12) that can be used: %s", err)}
	}
	var issues []fault.Issue
	properties := objectOf(objectOf(root)["properties"])
	for _, name := range exactjson.Names(properties) {
		if !parameterName.MatchString(name) {
			issues = append(issues, errorIssue("invalid_value", memberPointer("/properties", name),
				"A parameter's name is 1 to 64 letters, digits and _, and starts with no digit"))
		}
	}
	return issues
}

// resolve checks the given parameters and returns them with the defaults of
// those that are missing. No bytes stand for no parameters. A name that the
// schema does not declare is an issue even where the schema allows others: it
// is a misspelt parameter. Pointers of the issues start at the parameters. The
// values are new, and the caller may change them.
func resolve(schema, given json.RawMessage) (map[string]any, []fault.Issue) {
	root, err := decode(schema)
	if err != nil {
		return nil, []fault.Issue{errorIssue("schema_invalid", "", "the template's parameter schema cannot be read: %s", err)}
	}
	if len(given) == 0 {
		given = json.RawMessage("{}")
	}
	v, err := decode(given)
	values := objectOf(v)
	if err != nil || values == nil {
		return nil, []fault.Issue{errorIssue("wrong_type", "", "parameters must be an object of names and values")}
	}
	var issues []fault.Issue
	properties := objectOf(objectOf(root)["properties"])
	for _, name := range exactjson.Names(values) {
		if _, declared := properties[name]; !declared {
			issues = append(issues, errorIssue("unknown_parameter", memberPointer("", name), "The template has no parameter '%s'; remove it", name))
		}
	}
	if issues != nil {
		return nil, issues
	}
	// Before the check, so that a required parameter may have a default.
	addDefaults(objectOf(root), values)
	full, err := encode(values)
	if err != nil {
		return nil, []fault.Issue{errorIssue("limit_exceeded", "", "parameters: %s", err)}
	}
	checker, err := schemas.NewChecker(schema)
	if err != nil {
		return nil, []fault.Issue{errorIssue("schema_invalid", "", "the template's parameter schema cannot be used: %s", err)}
	}
	return values, checker.Check(full)
}

// addDefaults sets missing members of values to their schema's default, in
// place, also inside of given objects. A default is not searched for further
// defaults.
func addDefaults(schema, values map[string]any) {
	properties := objectOf(schema["properties"])
	for name, s := range properties {
		property := objectOf(s)
		v, given := values[name]
		if d, has := property["default"]; !given && has {
			values[name] = d
			continue
		}
		if inner := objectOf(v); inner != nil {
			addDefaults(property, inner)
		}
	}
}

// sampleValues returns a value for every parameter: its default, its first
// example or its first allowed value, in this order, so that a template can be
// checked without a caller's parameters. A parameter that has none of them is
// an issue with the code missing_field.
func sampleValues(schema any) (map[string]any, []fault.Issue) {
	values := map[string]any{}
	var issues []fault.Issue
	properties := objectOf(objectOf(schema)["properties"])
	for _, name := range exactjson.Names(properties) {
		property := objectOf(properties[name])
		v, ok := property["default"]
		for _, key := range []string{"examples", "enum"} {
			if list, has := property[key].([]any); !ok && has && len(list) > 0 {
				v, ok = list[0], true
			}
		}
		if !ok {
			issues = append(issues, errorIssue("missing_field", memberPointer("/properties", name),
				"Parameter '%s' needs a default or examples, so that the template can be checked", name))
			continue
		}
		values[name] = v
	}
	return values, issues
}

// errorIssue returns an issue of severity error.
func errorIssue(code, pointer, format string, args ...any) fault.Issue {
	return fault.Issue{Code: code, Severity: "error", Pointer: pointer, Message: fmt.Sprintf(format, args...)}
}
