package validation

import (
	"fmt"
	"heddle/definitions/advice"
	"heddle/definitions/schemas"
	"heddle/definitions/source"
	"slices"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
)

// mismatch reports one failure of a config against its type's schema, unless
// a template stands where the value's type cannot be known before the run.
// schema is the type's schema, what names the config in messages.
func (v *configValidator) mismatch(e *jsonschema.ValidationError, schema, config *source.Node, what string) {
	if excused(e, config) || v.alternative(e, schema, config, what) {
		return
	}
	at := source.Locate(config, e.InstanceLocation)
	place := what
	if len(e.InstanceLocation) > 0 {
		place = fmt.Sprintf("'%s' in %s", strings.Join(e.InstanceLocation, "."), what)
	}
	switch k := e.ErrorKind.(type) {
	case *kind.Required:
		for _, name := range k.Missing {
			// A config that is missing may be so because its fields stand in
			// the step: those messages have said what to do.
			if v.doc.Explains(at, name) || at == config && (v.doc.Explains(v.step, "config") && config.Synthetic || v.doc.Explains(v.step, "config."+name)) {
				continue
			}
			v.finds.Error(source.MissingField, at, "Field '%s' is missing in %s", name, place)
		}
	case *kind.AdditionalProperties:
		// The names are those of the subschema that refused the member, which
		// may be deep inside.
		known := locateURL(schema, e.SchemaURL).Member("properties")
		for _, name := range k.Properties {
			var names []string
			if known != nil {
				names = known.Keys
			}
			words := wordsPlace(v.place, e.InstanceLocation)
			v.doc.Explain(at, advice.UnknownField(v.finds, at.Pick(name), name, place, words, "", names))
		}
	// A schema of false forbids the member whatever its value is.
	case *kind.FalseSchema:
		v.finds.Error(source.UnknownField, at, "%s is not allowed here", source.Capitalize(place)).AtKey()
	case *kind.Type:
		name := ""
		if len(e.InstanceLocation) > 0 {
			name = e.InstanceLocation[len(e.InstanceLocation)-1]
		}
		d := v.finds.Error(source.WrongType, at, "%s must be %s, not %s", source.Capitalize(place), schemas.TypeNames(k.Want), at.Kind)
		advice.SuggestFix(d, at, at.Kind, name, schemas.TypeNames(k.Want))
	// The place of the field itself, not of its object: values have tables of
	// their own.
	case *kind.Enum:
		advice.NotAllowed(v.finds, at, source.Capitalize(place), strings.Join(append([]string{v.place}, e.InstanceLocation...), ":"), enumWords(k.Want))
	case *kind.AnyOf, *kind.OneOf:
		// Types can be named; what else the alternatives want cannot be said
		// in one sentence.
		if forms := formsOf(e); forms != "" {
			v.finds.Error(source.InvalidValue, at, "%s must be %s, not %s", source.Capitalize(place), forms, at.Kind)
			return
		}
		v.finds.Error(source.InvalidValue, at, "%s has none of the forms that it may have", source.Capitalize(place))
	case *kind.MinLength:
		v.finds.Error(source.InvalidValue, at, "%s is too short; at least %d characters are needed", source.Capitalize(place), k.Want)
	case *kind.Minimum:
		v.finds.Error(source.InvalidValue, at, "%s is %s, but must be at least %s", source.Capitalize(place), at.Show(), k.Want.RatString())
	case *kind.Maximum:
		v.finds.Error(source.InvalidValue, at, "%s is %s, but must be at most %s", source.Capitalize(place), at.Show(), k.Want.RatString())
	default:
		v.finds.Error(source.InvalidValue, at, "%s %s", source.Capitalize(place), schemas.MismatchWords(e))
	}
}

// wordsPlace returns the place of an object in a config, for the tables of
// words: the members that lead to it, separated by colons. The items of a
// list are one place.
func wordsPlace(place string, location []string) string {
	for _, token := range location {
		if _, err := strconv.Atoi(token); err != nil {
			place += ":" + token
		}
	}
	return place
}

// formsOf returns the types of the alternatives, in words, where the value
// has none of them; else "".
func formsOf(e *jsonschema.ValidationError) string {
	var types []string
	for _, branch := range e.Causes {
		found := false
		for _, m := range schemas.Unfold(branch, nil) {
			k, wrong := m.ErrorKind.(*kind.Type)
			// Failures inside of the value mean that its type is right for
			// this alternative.
			if !wrong || len(m.InstanceLocation) != len(e.InstanceLocation) {
				continue
			}
			found = true
			for _, t := range k.Want {
				if !slices.Contains(types, t) {
					types = append(types, t)
				}
			}
		}
		if !found {
			return ""
		}
	}
	return schemas.TypeNames(types)
}

// alternative reports the alternative that was meant, or the tag that fits
// none. False: e is not about alternatives, or none stands out.
func (v *configValidator) alternative(e *jsonschema.ValidationError, schema, config *source.Node, what string) bool {
	if !schemas.Alternatives(e) {
		return false
	}
	// The failures of the one alternative are what the author has to mend.
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
	at := source.Locate(config, tag)
	v.finds.Error(source.InvalidValue, at, "'%s' in %s is %s, but must be one of %s", strings.Join(tag, "."), what, source.Clip(at.Show()), strings.Join(words, ", ")).
		DidYouMean(source.Nearest(at.Text, words))
	return true
}

// excused reports whether a failure is not the author's: the value is
// unreadable and was reported, or is a template whose result is unknown. A
// text with a template in it is still text, so only its type can be judged.
func excused(e *jsonschema.ValidationError, config *source.Node) bool {
	at := source.Locate(config, e.InstanceLocation)
	if at.Kind == source.Bad {
		return true
	}
	// Of a wholly templated value nothing is known; of one with other text
	// around the template, that it is text.
	if at.Kind == source.String && strings.Contains(at.Text, "{{") {
		_, wrongType := e.ErrorKind.(*kind.Type)
		return !wrongType || isTemplate(at.Text)
	}
	if !schemas.Alternatives(e) {
		return false
	}
	// One alternative that may fit is enough.
	for _, branch := range e.Causes {
		if allExcused(branch, config) {
			return true
		}
	}
	return false
}

// allExcused reports whether every failure of an alternative is excused.
func allExcused(branch *jsonschema.ValidationError, config *source.Node) bool {
	for _, m := range schemas.Unfold(branch, nil) {
		if !excused(m, config) {
			return false
		}
	}
	return true
}

// closest returns the failures of the alternative that was meant: the only
// one that fails somewhere inside of the value rather than at its type or its
// tag. nil when none stands out.
func closest(e *jsonschema.ValidationError) []*jsonschema.ValidationError {
	var best []*jsonschema.ValidationError
	for _, branch := range e.Causes {
		ms := schemas.Unfold(branch, nil)
		if rejected(ms, len(e.InstanceLocation)) {
			continue
		}
		// Two that could be meant: neither is, as far as can be said.
		if best != nil {
			return nil
		}
		best = ms
	}
	return best
}

// rejected reports whether an alternative is out of the question: the value
// has another type, or another constant, than it wants. depth is the length
// of the value's location.
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

// tags returns the location of the member whose constant tells the
// alternatives apart, and the constants, when the value has none of them;
// else nil. An example is the type of auth.
func tags(e *jsonschema.ValidationError) (at []string, words []string) {
	for _, branch := range e.Causes {
		found := false
		for _, m := range schemas.Unfold(branch, nil) {
			k, constant := m.ErrorKind.(*kind.Const)
			if !constant || at != nil && !slices.Equal(at, m.InstanceLocation) {
				continue
			}
			at, found = m.InstanceLocation, true
			words = append(words, fmt.Sprint(k.Want))
		}
		// An alternative without this constant is not told apart by it.
		if !found {
			return nil, nil
		}
	}
	return at, words
}

// locateURL returns the part of a schema that a failure's URL names.
func locateURL(schema *source.Node, url string) *source.Node {
	_, fragment, _ := strings.Cut(url, "#")
	return schema.Follow(fragment)
}

// enumWords returns the allowed values as text.
func enumWords(values []any) []string {
	out := make([]string, len(values))
	for i, value := range values {
		out[i] = fmt.Sprint(value)
	}
	return out
}
