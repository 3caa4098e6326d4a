package validation

import (
	"heddle/definitions"
	"heddle/definitions/parser"
	"heddle/definitions/source"
	"heddle/fault"
	"slices"
	"strings"
)

// Merge joins what Parse (a) and then Validate (b) found, both sorted: errors
// first, by place, and what an object lacks behind what it has instead. Of
// the two counts of unlisted problems only Validate's is kept, which
// continues the tally of Parse. The arguments are not changed.
func Merge(a, b []fault.Issue) []fault.Issue {
	a = slices.DeleteFunc(slices.Clone(a), source.IsMore)
	out := make([]fault.Issue, 0, len(a)+len(b))
	for len(a) > 0 && len(b) > 0 {
		if before(b[0], a[0]) && !explains(a[0], b[0]) {
			out, b = append(out, b[0]), b[1:]
		} else {
			out, a = append(out, a[0]), a[1:]
		}
	}
	return append(append(out, a...), b...)
}

// explains reports whether a is about an unknown member, with what to write, of
// the object in which b says that something is missing.
func explains(a, b fault.Issue) bool {
	name, member := strings.CutPrefix(a.Pointer, b.Pointer+"/")
	return member && !strings.Contains(name, "/") && a.Suggestion != "" && a.Code == string(source.UnknownField) && b.Code == string(source.MissingField)
}

// before reports whether a is listed before b: errors first, then by line and
// column.
func before(a, b fault.Issue) bool {
	if a.Severity != b.Severity {
		return a.Severity == source.SeverityError
	}
	if a.Line != b.Line {
		return a.Line < b.Line
	}
	return a.Column < b.Column
}

// Check is Parse and Validate: every problem of a text, errors first, each in
// document order. The document is nil where Parse's is.
func Check(src []byte, f source.Format, catalog definitions.Catalog) (*parser.Document, []fault.Issue) {
	doc, found := parser.Parse(src, f)
	if doc == nil {
		return nil, found
	}
	return doc, Merge(found, Validate(doc, catalog))
}

// Refusal returns the error of a definition that has errors:
// fault.Unacceptable invalid_definition, with all issues, warnings included.
// It is nil for a document without errors.
func Refusal(doc *parser.Document, found []fault.Issue) error {
	if doc != nil && Valid(found) {
		return nil
	}
	msgs := Messages(found)
	err := fault.New(fault.Unacceptable, "invalid_definition", "The definition has %d errors.", len(msgs))
	if len(msgs) == 1 {
		err.Message = "The definition has an error: " + msgs[0]
	}
	err.Issues = found
	return err
}

// Valid reports whether there is no error among the diagnostics; warnings do
// not count.
func Valid(ds []fault.Issue) bool {
	for _, d := range ds {
		if d.Severity == source.SeverityError {
			return false
		}
	}
	return true
}

// Messages returns the messages of the errors; never nil.
func Messages(ds []fault.Issue) []string {
	out := []string{}
	for _, d := range ds {
		if d.Severity == source.SeverityError {
			out = append(out, d.Message)
		}
	}
	return out
}

// Parsed returns every problem of a parsed definition: what parsing found
// and, where there is a document, what Validate finds. Once stopped returns
// true no further expression is checked; nil: it never does.
func Parsed(d parser.ParsedDefinition, catalog definitions.Catalog, stopped func() bool) []fault.Issue {
	if d.Document == nil {
		return d.Found
	}
	return Merge(d.Found, validateUntil(d.Document, catalog, stopped))
}
