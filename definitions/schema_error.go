package definitions

import (
	"errors"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// schemaError is why a schema cannot be used, in words of ours; the library's
// error is inside.
type schemaError struct{ inner error }

func (e *schemaError) Unwrap() error { return e.inner }

func (e *schemaError) Error() string {
	faults := schemaFaults(e, nil)
	if faults[0].pointer == "" {
		return faults[0].text
	}
	return "at " + clip(faults[0].pointer) + ": " + faults[0].text
}

// schemaFault is one problem of a schema: where in it, what it is, and what to
// write instead, where that is known.
type schemaFault struct{ pointer, text, suggest string }

// schemaFaults lists what is wrong with a schema, at least one problem. root is
// the schema's node; nil: it is not at hand.
func schemaFaults(err error, root *node) []schemaFault {
	var library *schemaError
	if !errors.As(err, &library) {
		return []schemaFault{{text: err.Error()}}
	}
	err = library.inner
	var meta *jsonschema.SchemaValidationError
	var invalid *jsonschema.ValidationError
	if !errors.As(err, &meta) || !errors.As(meta.Err, &invalid) {
		return []schemaFault{otherFault(err)}
	}
	if root == nil {
		root = &node{}
	}
	var faults []schemaFault
	for _, leaf := range unfold(invalid, nil) {
		for alternatives(leaf) {
			leaf = unfold(leaf.Causes[0], nil)[0]
		}
		at := pointerTo(leaf.InstanceLocation)
		say, suggest := schemaMistake(leaf, root.follow(at))
		faults = append(faults, schemaFault{at, cut(say, maxMessage/2), suggest})
	}
	slices.SortStableFunc(faults, func(a, b schemaFault) int { return strings.Compare(a.pointer, b.pointer) })
	// Several forms of a keyword fail at one place; the first is enough.
	return slices.CompactFunc(faults, func(a, b schemaFault) bool { return a.pointer == b.pointer })
}

// otherFault words what is wrong with a schema that fits the schema of schemas.
func otherFault(err error) schemaFault {
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
		return schemaFault{text: errNoLoading.Error()}
	case errors.As(err, &pointer):
		return schemaFault{text: "the reference " + clip(fragment(pointer.URL)) + " points at nothing in the schema; put what it names under $defs"}
	case errors.As(err, &anchor):
		return schemaFault{text: "the reference " + clip(fragment(anchor.Reference)) + " names an anchor that the schema has not"}
	case errors.As(err, &regex) && errors.Is(regex.Err, errPatternSize):
		return schemaFault{pointer: strings.TrimPrefix(fragment(regex.URL), "#"), text: errPatternSize.Error()}
	case errors.As(err, &regex):
		return schemaFault{pointer: strings.TrimPrefix(fragment(regex.URL), "#"), text: "the pattern is no regular expression (RE2; there is no look-ahead)"}
	case errors.As(err, &draft):
		return schemaFault{text: "$schema names a draft that is not known; leave it out, or write https://json-schema.org/draft/2020-12/schema"}
	case errors.As(err, &twice):
		return schemaFault{text: "an $id is given twice"}
	case errors.As(err, &anchors):
		return schemaFault{text: "an $anchor is given twice"}
	case errors.As(err, &id):
		return schemaFault{text: "an $id is not a URI; leave it out"}
	}
	return schemaFault{text: "it cannot be used as a schema; check $schema, $id and the references"}
}

// fragment is what stands behind the # of a URL, with it.
func fragment(url string) string {
	if i := strings.IndexByte(url, '#'); i >= 0 {
		return url[i:]
	}
	return strings.TrimPrefix(url, schemaURL)
}
