package definitions

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
)

// mismatches gives the library's own account of where a value breaks the
// schema: the failures that have no causes, or alternatives as causes.
// The error is errTooCostly: the value was not checked to its end.
func (v *ValueChecker) mismatches(value any, text []byte) ([]*jsonschema.ValidationError, error) {
	var invalid *jsonschema.ValidationError
	err := v.validate(value, text)
	switch {
	case errors.As(err, &invalid):
		return unfold(invalid, nil), nil
	case errors.Is(err, errTooCostly):
		return nil, err
	}
	return nil, nil // what else stops it is not the author's fault
}

// unfold descends through the failures that only hold others.
func unfold(e *jsonschema.ValidationError, out []*jsonschema.ValidationError) []*jsonschema.ValidationError {
	if len(e.Causes) == 0 || alternatives(e) {
		return append(out, e)
	}
	for _, cause := range e.Causes {
		out = unfold(cause, out)
	}
	return out
}

// alternatives tells whether each cause is one way in which the value could
// have fitted.
func alternatives(e *jsonschema.ValidationError) bool {
	switch e.ErrorKind.(type) {
	case *kind.AnyOf, *kind.OneOf:
		return len(e.Causes) > 0
	}
	return false
}

// mismatch reports one failure, unless a template stands where the value's
// type cannot be known before the run.
func (v *validator) mismatch(e *jsonschema.ValidationError, schema, config *node, what string) {
	if excused(e, config) || v.alternative(e, schema, config, what) {
		return
	}
	at := locate(config, e.InstanceLocation)
	place := what
	if len(e.InstanceLocation) > 0 {
		place = fmt.Sprintf("'%s' in %s", strings.Join(e.InstanceLocation, "."), what)
	}
	switch k := e.ErrorKind.(type) {
	case *kind.Required:
		for _, name := range k.Missing {
			if v.doc.explains(at, name) || at == config && (v.doc.explains(v.step, "config") && config.ghost || v.doc.explains(v.step, "config."+name)) {
				continue
			}
			v.finds.error(MissingField, at, "Field '%s' is missing in %s", name, place)
		}
	case *kind.AdditionalProperties:
		known := locateURL(schema, e.SchemaURL).member("properties")
		for _, name := range k.Properties {
			var names []string
			if known != nil {
				names = known.keys
			}
			words := wordsPlace(v.place, e.InstanceLocation)
			v.doc.explain(at, v.finds.unknown(at.pick(name), name, place, words, "", names))
		}
	case *kind.FalseSchema:
		v.finds.error(UnknownField, at, "%s is not allowed here", sentence(place)).onKey()
	case *kind.Type:
		name := ""
		if len(e.InstanceLocation) > 0 {
			name = e.InstanceLocation[len(e.InstanceLocation)-1]
		}
		v.finds.error(WrongType, at, "%s must be %s, not %s", sentence(place), typeWords(k.Want), at.kind).mend(at, at.kind, name, typeWords(k.Want))
	case *kind.Enum:
		v.finds.notAllowed(at, sentence(place), strings.Join(append([]string{v.place}, e.InstanceLocation...), ":"), enumWords(k.Want))
	case *kind.AnyOf, *kind.OneOf:
		if forms := formsOf(e); forms != "" {
			v.finds.error(InvalidValue, at, "%s must be %s, not %s", sentence(place), forms, at.kind)
			return
		}
		v.finds.error(InvalidValue, at, "%s has none of the forms that it may have", sentence(place))
	case *kind.MinLength:
		v.finds.error(InvalidValue, at, "%s is too short; at least %d characters are needed", sentence(place), k.Want)
	case *kind.Minimum:
		v.finds.error(InvalidValue, at, "%s is %s, but must be at least %s", sentence(place), at.show(), k.Want.RatString())
	case *kind.Maximum:
		v.finds.error(InvalidValue, at, "%s is %s, but must be at most %s", sentence(place), at.show(), k.Want.RatString())
	default:
		v.finds.error(InvalidValue, at, "%s %s", sentence(place), mismatchWords(e))
	}
}

// wordsPlace is where an object stands in a config, for the tables of words: the
// items of a list are one place.
func wordsPlace(place string, location []string) string {
	for _, token := range location {
		if _, err := strconv.Atoi(token); err != nil {
			place += ":" + token
		}
	}
	return place
}

// formsOf names the types of the alternatives, where the value has none of
// them; else "".
func formsOf(e *jsonschema.ValidationError) string {
	var types []string
	for _, branch := range e.Causes {
		found := false
		for _, m := range unfold(branch, nil) {
			k, wrong := m.ErrorKind.(*kind.Type)
			if !wrong || len(m.InstanceLocation) != len(e.InstanceLocation) {
				continue
			}
			found = true
			for _, t := range k.Want {
				if !contains(types, t) {
					types = append(types, t)
				}
			}
		}
		if !found {
			return ""
		}
	}
	return typeWords(types)
}

// alternative reports the alternative that was meant, or the tag that fits
// none. False: neither stands out.
func (v *validator) alternative(e *jsonschema.ValidationError, schema, config *node, what string) bool {
	if !alternatives(e) {
		return false
	}
	if best := closest(e); best != nil {
		for _, m := range best {
			v.mismatch(m, schema, config, what)
		}
		return true
	}
	tag, words := tags(e)
	if tag == nil {
		return false
	}
	at := locate(config, tag)
	v.finds.error(InvalidValue, at, "'%s' in %s is %s, but must be one of %s", strings.Join(tag, "."), what, clip(at.show()), strings.Join(words, ", ")).
		suggest(nearest(at.text, words))
	return true
}

// excused: the value is unreadable and was reported, or is a template whose
// result is unknown.
func excused(e *jsonschema.ValidationError, config *node) bool {
	at := locate(config, e.InstanceLocation)
	if at.kind == bad {
		return true
	}
	if at.kind == text && strings.Contains(at.text, "{{") {
		_, wrongType := e.ErrorKind.(*kind.Type)
		return !wrongType || isTemplate(at.text)
	}
	if !alternatives(e) {
		return false
	}
	for _, branch := range e.Causes {
		if allExcused(branch, config) {
			return true
		}
	}
	return false
}

func allExcused(branch *jsonschema.ValidationError, config *node) bool {
	for _, m := range unfold(branch, nil) {
		if !excused(m, config) {
			return false
		}
	}
	return true
}

// closest picks the alternative that was meant: the only one that fails
// somewhere inside of the value rather than at its type or its tag. Nil when
// none stands out.
func closest(e *jsonschema.ValidationError) []*jsonschema.ValidationError {
	var best []*jsonschema.ValidationError
	for _, branch := range e.Causes {
		ms := unfold(branch, nil)
		if rejected(ms, len(e.InstanceLocation)) {
			continue
		}
		if best != nil {
			return nil
		}
		best = ms
	}
	return best
}

// rejected tells whether an alternative is out of the question: the value has
// another type, or another constant, than it wants.
func rejected(ms []*jsonschema.ValidationError, depth int) bool {
	for _, m := range ms {
		switch m.ErrorKind.(type) {
		case *kind.Const:
			return true
		case *kind.Type:
			if len(m.InstanceLocation) == depth {
				return true
			}
		}
	}
	return false
}

// tags gives the member whose constant tells the alternatives apart, and the
// constants, when the value has none of them; else nil.
func tags(e *jsonschema.ValidationError) (at []string, words []string) {
	for _, branch := range e.Causes {
		found := false
		for _, m := range unfold(branch, nil) {
			k, constant := m.ErrorKind.(*kind.Const)
			if !constant || at != nil && !slices.Equal(at, m.InstanceLocation) {
				continue
			}
			at, found = m.InstanceLocation, true
			words = append(words, fmt.Sprint(k.Want))
		}
		if !found {
			return nil, nil
		}
	}
	return at, words
}

func locate(root *node, tokens []string) *node {
	var pointer strings.Builder
	for _, t := range tokens {
		pointer.WriteString("/" + escape(t))
	}
	return root.follow(pointer.String())
}

// locateURL finds the part of a schema that a failure names.
func locateURL(schema *node, url string) *node {
	_, fragment, _ := strings.Cut(url, "#")
	return schema.follow(fragment)
}

func typeWords(types []string) string {
	words := map[string]string{
		"string": "text", "number": "a number", "integer": "a whole number", "boolean": "a boolean",
		"array": "a list", "object": "an object", "null": "null",
	}
	out := make([]string, len(types))
	for i, t := range types {
		out[i] = words[t]
	}
	return strings.Join(out, " or ")
}

func enumWords(values []any) []string {
	out := make([]string, len(values))
	for i, value := range values {
		out[i] = fmt.Sprint(value)
	}
	return out
}

// show is a value as messages quote it.
func (n *node) show() string {
	switch n.kind {
	case text:
		return "'" + n.text + "'"
	case number, boolean:
		return n.text
	default:
		return n.kind.String()
	}
}
