package schemas

import (
	"errors"
	"heddle/definitions/source"
	"heddle/internal/exactjson"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// schemaError is why a schema cannot be used: the library's error, which it
// puts into our words.
type schemaError struct{ inner error }

func (e *schemaError) Unwrap() error { return e.inner }

// Error returns the first fault with its place in the schema.
func (e *schemaError) Error() string {
	// There is always a first one.
	faults := Faults(e, nil)
	if faults[0].Pointer == "" {
		return faults[0].Text
	}
	return "at " + source.Clip(faults[0].Pointer) + ": " + faults[0].Text
}

// Fault is one problem of a schema: the pointer to it from the schema's root,
// what it is, and what to write instead, "" where that is not known.
type Fault struct{ Pointer, Text, Suggest string }

// Faults returns what is wrong with a schema that NewChecker refused with
// err, at least one problem, sorted by pointer with one for each place. root
// is the schema's node, which makes the words better; nil: it is not at hand.
func Faults(err error, root *source.Node) []Fault {
	var library *schemaError
	if !errors.As(err, &library) {
		return []Fault{{Text: err.Error()}}
	}
	err = library.inner
	var meta *jsonschema.SchemaValidationError
	var invalid *jsonschema.ValidationError
	if !errors.As(err, &meta) || !errors.As(meta.Err, &invalid) {
		return []Fault{otherFault(err)}
	}
	// Pointers are followed in an empty tree then, and the words do without
	// the value.
	if root == nil {
		root = &source.Node{}
	}
	var faults []Fault
	for _, leaf := range Unfold(invalid, nil) {
		// Of the forms that a keyword may have, the first is the usual one.
		for Alternatives(leaf) {
			leaf = Unfold(leaf.Causes[0], nil)[0]
		}
		at := exactjson.Pointer(leaf.InstanceLocation)
		say, suggest := schemaMistake(leaf, root.Follow(at))
		faults = append(faults, Fault{at, source.Cut(say, source.MaxMessage/2), suggest})
	}
	slices.SortStableFunc(faults, func(a, b Fault) int { return strings.Compare(a.Pointer, b.Pointer) })
	// Several forms of a keyword fail at one place; the first is enough.
	return slices.CompactFunc(faults, func(a, b Fault) bool { return a.Pointer == b.Pointer })
}

// otherFault returns what is wrong with a schema that fits the schema of
// schemas: its references, patterns and ids. Errors that are not known here
// get general words, never the library's, which name URLs inside of it.
func otherFault(err error) Fault {
	var load *jsonschema.LoadURLError
	var pointer *jsonschema.JSONPointerNotFoundError
	var anchor *jsonschema.AnchorNotFoundError
	var regex *jsonschema.InvalidRegexError
	var draft *jsonschema.UnsupportedDraftError
	var twice *jsonschema.DuplicateIDError
	var anchors *jsonschema.DuplicateAnchorError
	var id *jsonschema.ParseIDError
	switch {
	case errors.As(err, &load):
		return Fault{Text: errNoLoading.Error()}
	case errors.As(err, &pointer):
		return Fault{Text: "the reference " + source.Clip(fragment(pointer.URL)) + " points at nothing in the schema; put what it names under $defs"}
	case errors.As(err, &anchor):
		return Fault{Text: "the reference " + source.Clip(fragment(anchor.Reference)) + " names an anchor that the schema has not"}
	// Before the general case: the pattern is sound, and only too large.
	case errors.As(err, &regex) && errors.Is(regex.Err, errPatternSize):
		return Fault{Pointer: strings.TrimPrefix(fragment(regex.URL), "#"), Text: errPatternSize.Error()}
	case errors.As(err, &regex):
		return Fault{Pointer: strings.TrimPrefix(fragment(regex.URL), "#"), Text: "the pattern is not a regular expression (RE2; there is no look-ahead)"}
	case errors.As(err, &draft):
		return Fault{Text: "$schema names a draft that is not known; leave it out, or write https://json-schema.org/draft/2020-12/schema"}
	case errors.As(err, &twice):
		return Fault{Text: "an $id is given twice"}
	case errors.As(err, &anchors):
		return Fault{Text: "an $anchor is given twice"}
	case errors.As(err, &id):
		return Fault{Text: "an $id is not a URI; leave it out"}
	}
	return Fault{Text: "it cannot be used as a schema; check $schema, $id and the references"}
}

// fragment returns what stands behind the # of a URL, with it, as authors
// write references; a URL without one, less the schema's own name.
func fragment(url string) string {
	if i := strings.IndexByte(url, '#'); i >= 0 {
		return url[i:]
	}
	return strings.TrimPrefix(url, schemaURL)
}
