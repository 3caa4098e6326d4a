package schemas

import (
	"errors"
	"heddle/definitions/source"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// schemaError is why a schema cannot be used, in words of ours; the library's
// error is inside.
type schemaError struct{ inner error }

func (e *schemaError) Unwrap() error { return e.inner }

func (e *schemaError) Error() string {
	faults := Faults(e, nil)
	if faults[0].Pointer == "" {
		return faults[0].Text
	}
	return "at " + source.Clip(faults[0].Pointer) + ": " + faults[0].Text
}

// Fault is one problem of a schema: where in it, what it is, and what to
// write instead, where that is known.
type Fault struct{ Pointer, Text, Suggest string }

// Faults lists what is wrong with a schema, at least one problem. root is
// the schema's node; nil: it is not at hand.
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
	if root == nil {
		root = &source.Node{}
	}
	var faults []Fault
	for _, leaf := range Unfold(invalid, nil) {
		for Alternatives(leaf) {
			leaf = Unfold(leaf.Causes[0], nil)[0]
		}
		at := source.Pointer(leaf.InstanceLocation)
		say, suggest := schemaMistake(leaf, root.Follow(at))
		faults = append(faults, Fault{at, source.Cut(say, source.MaxMessage/2), suggest})
	}
	slices.SortStableFunc(faults, func(a, b Fault) int { return strings.Compare(a.Pointer, b.Pointer) })
	// Several forms of a keyword fail at one place; the first is enough.
	return slices.CompactFunc(faults, func(a, b Fault) bool { return a.Pointer == b.Pointer })
}

// otherFault words what is wrong with a schema that fits the schema of schemas.
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
	case errors.As(err, &regex) && errors.Is(regex.Err, errPatternSize):
		return Fault{Pointer: strings.TrimPrefix(fragment(regex.URL), "#"), Text: errPatternSize.Error()}
	case errors.As(err, &regex):
		return Fault{Pointer: strings.TrimPrefix(fragment(regex.URL), "#"), Text: "the pattern is no regular expression (RE2; there is no look-ahead)"}
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

// fragment is what stands behind the # of a URL, with it.
func fragment(url string) string {
	if i := strings.IndexByte(url, '#'); i >= 0 {
		return url[i:]
	}
	return strings.TrimPrefix(url, schemaURL)
}
