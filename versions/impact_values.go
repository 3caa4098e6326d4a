package versions

import (
	"encoding/json"
	"fmt"
	"heddle/internal/exactjson"
	"math/big"
	"slices"
	"strings"
)

// types reports types that the old schema accepted and the new one does not. Where
// the old one lists values instead of a type, their types count.
func (i *impact) types(at, what string, a, b map[string]any) {
	now := typesOf(b)
	if now == nil {
		return
	}
	before := typesOf(a)
	if !i.spend(len(before) * len(now)) {
		return
	}
	// A schema may list values and leave their type to them.
	if list, keyword := allowedValuesOf(a); before == nil && keyword != "" {
		before = jsonTypesOf(list)
	}
	if before == nil {
		i.report(at+"/type", "%s must now be %s; it could be anything.", subject(what), orList(now))
		return
	}
	var lost []string
	for _, word := range before {
		// Every integer is a number.
		if !slices.Contains(now, word) && (word != "integer" || !slices.Contains(now, "number")) {
			lost = append(lost, word)
		}
	}
	if len(lost) > 0 {
		i.report(at+"/type", "%s must now be %s and can no longer be %s.", subject(what), orList(now), orList(lost))
	}
}

// typesOf returns the types of the keyword type; nil: any type.
func typesOf(schema map[string]any) []string {
	switch word := schema["type"].(type) {
	case string:
		return []string{word}
	case []any:
		return stringsOf(word)
	}
	return nil
}

// jsonTypesOf returns the JSON Schema types of values, each once; never nil.
func jsonTypesOf(list []any) []string {
	kinds := []string{}
	for _, v := range list {
		if k := jsonTypeOf(v); !slices.Contains(kinds, k) {
			kinds = append(kinds, k)
		}
	}
	return kinds
}

// jsonTypeOf returns the JSON Schema type of a decoded value; a number without a
// fraction, such as 1.0, is an integer.
func jsonTypeOf(v any) string {
	switch v := v.(type) {
	case map[string]any:
		return "object"
	case []any:
		return "array"
	case string:
		return "string"
	case bool:
		return "boolean"
	case json.Number:
		if f, ok := fraction(v); ok && f.IsInt() {
			return "integer"
		}
		return "number"
	}
	return "null"
}

// listedWords is how many words of a list a message has.
const listedWords = 20

// orList joins words as in "a, b or c"; of many it has the first listedWords and says how
// many there are besides.
func orList(words []string) string {
	if n := len(words); n > listedWords {
		return fmt.Sprintf("%s or %d others", strings.Join(words[:listedWords], ", "), n-listedWords)
	}
	switch n := len(words); n {
	case 0:
		return "nothing"
	case 1:
		return words[0]
	default:
		return strings.Join(words[:n-1], ", ") + " or " + words[n-1]
	}
}

// allowedValues reports values that enum or const no longer allow, or that values
// are restricted for the first time.
func (i *impact) allowedValues(at, what string, a, b map[string]any) {
	now, keyword := allowedValuesOf(b)
	if keyword == "" {
		return
	}
	before, was := allowedValuesOf(a)
	if was == "" {
		i.report(at+"/"+keyword, "%s must now be %s.", subject(what), orList(printedValues(now)))
		return
	}
	gone, _ := i.missing(before, now)
	lost := make([]any, len(gone))
	for n, at := range gone {
		lost[n] = before[at]
	}
	if len(lost) > 0 {
		i.report(at+"/"+keyword, "%s can no longer be %s.", subject(what), orList(printedValues(lost)))
	}
}

// missing returns the indexes of the values that are not in a list, by value, in rising
// order. It costs in proportion to the two lists; false: there is no work left for them.
func (i *impact) missing(values, list []any) (indexes []int, ok bool) {
	there := make(map[string]bool, len(list))
	for _, v := range list {
		key := exactjson.ValueKey(v)
		if !i.spend(len(key)) {
			return nil, false
		}
		there[key] = true
	}
	for n, v := range values {
		key := exactjson.ValueKey(v)
		if !i.spend(len(key)) {
			return nil, false
		}
		if !there[key] {
			indexes = append(indexes, n)
		}
	}
	return indexes, true
}

// allowedValuesOf returns the values of const or enum and the keyword, "" where the
// schema has neither.
func allowedValuesOf(schema map[string]any) (list []any, keyword string) {
	if v, ok := schema["const"]; ok {
		return []any{v}, "const"
	}
	if list, ok := schema["enum"].([]any); ok {
		return list, "enum"
	}
	return nil, ""
}

// printedValues returns values as JSON for a message, each truncated and
// without characters that do not print.
func printedValues(list []any) []string {
	words := make([]string, len(list))
	for i, v := range list {
		// orList names the first only.
		if i >= listedWords {
			break
		}
		words[i] = truncate(escapeUnprintable(string(exactjson.Canonical(v))))
	}
	return words
}

// limit is a pair of keywords that bound a number, a length or a count from one
// side.
type limit struct {
	keyword string // of the bound that allows its own value
	lower   bool   // it bounds from below
	strict  string // the keyword of the bound that excludes its own value; "": there is none
	natural string // what holds without the keyword: a length is never below 0
	message string // with the subject, the phrase and the number
}

// limits lists the pairs of keywords that bound values. A minimum length of 0 always
// holds, so setting it is not a change.
func limits() []limit {
	return []limit{
		{keyword: "minimum", strict: "exclusiveMinimum", lower: true, message: "%s must now be %s %s."},
		{keyword: "maximum", strict: "exclusiveMaximum", message: "%s must now be %s %s."},
		{keyword: "minLength", lower: true, natural: "0", message: "%s must now have %s %s characters."},
		{keyword: "maxLength", message: "%s must now have %s %s characters."},
		{keyword: "minItems", lower: true, natural: "0", message: "%s must now have %s %s items."},
		{keyword: "maxItems", message: "%s must now have %s %s items."},
		{keyword: "minProperties", lower: true, natural: "0", message: "%s must now have %s %s fields."},
		{keyword: "maxProperties", message: "%s must now have %s %s fields."},
	}
}

// bounds reports bounds that are new or tighter.
func (i *impact) bounds(at, what string, a, b map[string]any) {
	for _, l := range limits() {
		now, ok := l.of(b)
		if !ok {
			continue
		}
		before, bounded := l.of(a)
		// Without the keyword the natural bound holds.
		if !bounded && l.natural != "" {
			before, bounded = bound{number: json.Number(l.natural)}, true
		}
		if bounded && !now.tighter(before, l.lower) {
			continue
		}
		keyword := l.keyword
		if now.strict {
			keyword = l.strict
		}
		i.report(at+"/"+keyword, l.message, subject(what), now.phrase(l.lower), string(now.number))
	}
}

// bound is the value of such a keyword; strict reports that it excludes the
// number itself.
type bound struct {
	number json.Number
	strict bool
}

// of returns the tighter of the keyword's and the strict keyword's bound; false
// where the schema has neither.
func (l limit) of(schema map[string]any) (bound, bool) {
	plain, ok := schema[l.keyword].(json.Number)
	strict, also := schema[l.strict].(json.Number)
	x, y := bound{number: plain}, bound{number: strict, strict: true}
	// A schema may have both; the tighter one is in force.
	if also && (!ok || y.tighter(x, l.lower)) {
		return y, true
	}
	return x, ok
}

// tighter reports whether b excludes a value that than allows; lower is whether
// they are lower bounds. Numbers that cannot be compared count as tighter unless
// they are equal as text.
func (b bound) tighter(than bound, lower bool) bool {
	x, okX := exactjson.ParseDecimal(string(b.number))
	y, okY := exactjson.ParseDecimal(string(than.number))
	if !okX || !okY {
		return b != than
	}
	order := x.Compare(y)
	if order == 0 {
		return b.strict && !than.strict
	}
	return order > 0 == lower
}

// phrase returns the words that stand before the bound in a message.
func (b bound) phrase(lower bool) string {
	switch {
	case b.strict && lower:
		return "more than"
	case b.strict:
		return "less than"
	case lower:
		return "at least"
	}
	return "at most"
}

// constraints reports new or changed patterns, formats, multiples and uniqueness.
func (i *impact) constraints(at, what string, a, b map[string]any) {
	if pattern, ok := b["pattern"].(string); ok && pattern != a["pattern"] {
		i.report(at+"/pattern", "%s must now match %s.", subject(what), printedValues([]any{pattern})[0])
	}
	if format, ok := b["format"].(string); ok && format != a["format"] {
		i.report(at+"/format", "%s must now have the format %s.", subject(what), escapeUnprintable(format))
	}
	if step, ok := b["multipleOf"].(json.Number); ok && !isMultiple(a["multipleOf"], step) {
		i.report(at+"/multipleOf", "%s must now be a multiple of %s.", subject(what), step)
	}
	if b["uniqueItems"] == true && a["uniqueItems"] != true {
		i.report(at+"/uniqueItems", "%s must no longer hold an item twice.", subject(what))
	}
}

// isMultiple reports whether v is a number that step divides, so that every
// multiple of v is one of step. Numbers that fraction does not read are
// compared as text.
func isMultiple(v any, step json.Number) bool {
	before, ok := v.(json.Number)
	if !ok {
		return false
	}
	x, okX := fraction(before)
	y, okY := fraction(step)
	if !okX || !okY || y.Sign() == 0 {
		return before == step
	}
	return x.Quo(x, y).IsInt()
}

// fraction returns a number as an exact fraction; false for one that is
// exactjson.TooLarge, which would take much memory.
func fraction(n json.Number) (*big.Rat, bool) {
	if exactjson.TooLarge(n) {
		return nil, false
	}
	return new(big.Rat).SetString(string(n))
}
