package templates

import (
	"encoding/json"
	"heddle/definitions"
	"heddle/definitions/source"
	"heddle/definitions/validation"
	"heddle/fault"
)

// Instantiate returns the definition that a template becomes with parameters:
// they are checked and substituted, with defaults for those that are not given;
// name, unless empty, becomes the definition's name. The result is in canonical
// form and depends on nothing but the arguments, which are not changed. Where
// there are issues there is no definition; their pointers start at the
// parameters. Whether the result is valid is checked by validation.Validate.
//
// The codes of the issues are wrong_type, unknown_parameter, missing_parameter,
// limit_exceeded, schema_invalid, syntax and those of schemas.Checker. With the
// parameter n, 3:
//
//	{"steps": [{"count": "${{ params.n }}", "text": "at most ${{ params.n }}"}]}
//	{"steps": [{"count": 3, "text": "at most 3"}]}
func Instantiate(t Template, name string, parameters json.RawMessage) (json.RawMessage, []fault.Issue) {
	values, issues := resolve(t.Parameters, parameters)
	if len(issues) > 0 {
		return nil, issues
	}
	return fill(t, name, values)
}

// fill substitutes checked values in the definition. values may lack parameters
// that the definition does not use.
func fill(t Template, name string, values map[string]any) (json.RawMessage, []fault.Issue) {
	schema, err := decode(t.Parameters)
	if err != nil {
		return nil, []fault.Issue{errorIssue("schema_invalid", "", "the template's parameter schema cannot be read: %s", err)}
	}
	def, err := decode(t.Definition)
	if err != nil {
		return nil, []fault.Issue{errorIssue("syntax", "", "the template's definition cannot be read: %s", err)}
	}
	p := newSubstituter(declaredBy(schema), values)
	filled := p.value(def, "")
	if object := objectOf(filled); object != nil && name != "" {
		object["name"] = name
	}
	issues := p.issues
	for _, missing := range sortedNames(p.missing) {
		issues = append(issues, errorIssue("missing_parameter", memberPointer("", missing), "Parameter '%s' is needed; give it a value", missing))
	}
	if p.tooLarge {
		issues = append(issues, errorIssue("limit_exceeded", "",
			"With these parameters the definition has more than %d bytes; shorten them", source.MaxBytes))
	}
	if len(issues) > 0 {
		return nil, issues
	}
	out, err := encode(filled)
	if err != nil {
		return nil, []fault.Issue{errorIssue("limit_exceeded", "", "With these parameters the definition cannot be stored: %s", messageOf(err))}
	}
	return out, nil
}

// Validate checks a template as a whole: its schema, its placeholders, and the
// definition that its defaults and examples yield. It stops at the first of
// these that has issues. Pointers start at an object with the members
// parameters and definition; lines and columns are zero. Warnings of the
// definition are among the issues, so callers ask validation.Valid.
func Validate(t Template, catalog definitions.Catalog) []fault.Issue {
	if issues := checkParameters(t.Parameters); len(issues) > 0 {
		return withPointerPrefix("/parameters", issues)
	}
	schema, err := decode(t.Parameters)
	if err != nil {
		return []fault.Issue{errorIssue("syntax", "/parameters", "%s", err)}
	}
	values, issues := sampleValues(schema)
	if len(issues) > 0 {
		return withPointerPrefix("/parameters", issues)
	}
	given, err := encode(values)
	if err != nil {
		return []fault.Issue{errorIssue("limit_exceeded", "/parameters", "%s", messageOf(err))}
	}
	if _, issues := resolve(t.Parameters, given); len(issues) > 0 {
		for i := range issues {
			issues[i].Message = "A default or example does not fit the schema: " + issues[i].Message
			issues[i].Pointer = ""
		}
		return withPointerPrefix("/parameters", issues)
	}
	def, issues := fill(t, "", values)
	if len(issues) > 0 {
		return withPointerPrefix("/definition", issues)
	}
	_, found := validation.Check(def, source.JSON, catalog)
	for i := range found { // lines of the instantiated text mean nothing to the caller
		found[i].Line, found[i].Column = 0, 0
	}
	return withPointerPrefix("/definition", found)
}

// withPointerPrefix returns copies of issues whose pointers start with prefix,
// those of related places too. The argument is not changed.
func withPointerPrefix(prefix string, issues []fault.Issue) []fault.Issue {
	out := make([]fault.Issue, len(issues))
	for i, issue := range issues {
		issue.Pointer = prefix + issue.Pointer
		for j, related := range issue.Related {
			if j == 0 {
				issue.Related = append([]string(nil), issue.Related...)
			}
			issue.Related[j] = prefix + related
		}
		out[i] = issue
	}
	return out
}
