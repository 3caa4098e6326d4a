package schemas

import (
	"encoding/json"
	"errors"
	"fmt"
	"heddle/internal/exactjson"
	"math"
	"regexp"
	"regexp/syntax"
	"strconv"
	"strings"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// What a schema may be, and what checking one value may cost. A unit of work is
// about one visit of a subschema, a tenth of a microsecond.
const (
	MaxSubschemas    = 3_000   // of one schema
	MaxAllSubschemas = 30_000  // of all schemas of a definition, equal ones counted once
	maxInstructions  = 50_000  // of all patterns of one schema, compiled
	maxExpansion     = 100_000 // visits of one value, all references followed
	workAtLeast      = 250_000 // units
	workPerByte      = 2       // more units for every byte of the value
	heavyNumber      = 60      // digits or exponent from which arithmetic costs
	heavyNumberUnits = 50
	dynamicUnits     = 20 // of a dynamic reference, which looks at all schemas around it
)

// errTooCostly is the error of a check whose work is used up. It is also what
// the meter panics with, which is the only way out of the library.
var errTooCostly = errors.New("the schema needs too much work for this value; use fewer alternatives, references and long patterns, or a smaller value")

// meter counts the work of one check. The library calls it wherever it visits
// a subschema; it panics with errTooCostly when nothing is left. It belongs
// to one compiled schema, and to the check that uses it.
//
// The bound of a check is workAtLeast + workPerByte × the bytes of the
// value's text. A visit costs one unit, and more where the library does more
// for it: required names, patterns of names, enums of the subschemas in
// place, uniqueItems, long texts. Units are estimates of time.
type meter struct {
	left   int // units
	factor int // by how much a visit costs more than usual: values with heavy numbers
}

// spend takes units from what is left, and panics with errTooCostly where
// they do not suffice.
func (m *meter) spend(units int) {
	if m.left -= units; m.left < 0 {
		panic(errTooCostly)
	}
}

// begin sets the budget of a check by the length of the value's text. heavy:
// the value holds numbers on which arithmetic is slow.
func (m *meter) begin(value []byte, heavy bool) {
	m.left, m.factor = workAtLeast+workPerByte*len(value), 1
	if heavy {
		m.factor = heavyNumberUnits
	}
}

// measure makes a compiled schema count its work, or returns an error for one
// whose references expand too far. all are its root and the places that are
// reached by dynamic references alone; every subschema that can be reached
// from them gets a hook.
//
// For example, a chain of schemas in $defs, each with allOf: [next, next],
// makes more than 2^n visits of one value after n of them: about 16 are
// refused, however short the text is.
func (m *meter) measure(all []*jsonschema.Schema) error {
	seen := map[*jsonschema.Schema]bool{}
	costs := &expansion{known: map[*jsonschema.Schema]int{}, open: map[*jsonschema.Schema]bool{}}
	for len(all) > 0 {
		s := all[len(all)-1]
		all = all[:len(all)-1]
		if s == nil || seen[s] {
			continue
		}
		seen[s] = true
		if costs.of(s) > maxExpansion {
			return fmt.Errorf("its references and alternatives lead to more than %d checks of one value; use fewer of them", maxExpansion)
		}
		all = append(all, inPlace(s)...)
		all = append(all, inside(s)...)
	}
	for s := range seen {
		m.hook(s)
	}
	return nil
}

// hook lets the library call the meter before it looks into a value: the format
// is what it asks first.
func (m *meter) hook(s *jsonschema.Schema) {
	if s.Bool != nil {
		return
	}
	// The subschemas of the same value compare it with their enums and constants
	// before they call the meter themselves: this one spends that for them.
	fixed, same := 1+len(s.Required)/8, comparison{}
	for _, sub := range inPlace(s) {
		fixed++
		same.add(comparisonOf(sub))
	}
	if s.DynamicRef != nil || s.RecursiveRef != nil {
		fixed += dynamicUnits
	}
	inner := innerCostsOf(s)
	original := s.Format
	s.Format = &jsonschema.Format{Validate: func(v any) error {
		m.spend(m.factor * (fixed + same.cost(v) + inner.of(v)))
		switch {
		case original == nil:
			return nil
		case original.Name == "regex":
			return m.checkPattern(v)
		}
		return original.Validate(v)
	}}
	if original != nil {
		s.Format.Name = original.Name
	}
}

// checkPattern is the format regex: the value is a pattern. It is parsed and
// not compiled, and its size counts as work.
func (m *meter) checkPattern(v any) error {
	source, ok := v.(string)
	if !ok {
		return nil
	}
	size, err := patternSize(source)
	if err != nil {
		return err
	}
	m.spend(size)
	return nil
}

// comparison counts what a value is compared with before the meter is asked: the
// enum and the constant of a subschema.
type comparison struct{ values, numbers int }

// numberUnits is what comparing two numbers costs more than two texts: both become
// fractions of any precision.
const numberUnits = 4

func comparisonOf(s *jsonschema.Schema) comparison {
	var c comparison
	if s.Enum != nil {
		for _, v := range s.Enum.Values {
			c.count(v)
		}
	}
	if s.Const != nil {
		c.count(*s.Const)
	}
	return c
}

func (c *comparison) count(v any) {
	c.values += sizeOf(v)
	c.numbers += numbersIn(v)
}

func (c *comparison) add(other comparison) {
	c.values += other.values
	c.numbers += other.numbers
}

// cost returns the units of comparing one value. Only a number, and what may hold
// numbers, is ever compared with numbers.
func (c comparison) cost(v any) int {
	n := c.values / 4
	switch v.(type) {
	case json.Number, map[string]any, []any:
		n += c.numbers * numberUnits
	}
	return n
}

// numbersIn counts the numbers in a value.
func numbersIn(v any) int {
	n := 0
	switch v := v.(type) {
	case []any:
		for _, item := range v {
			n += numbersIn(item)
		}
	case map[string]any:
		for _, member := range v {
			n += numbersIn(member)
		}
	case json.Number:
		n = 1
	}
	return n
}

// sizeOf returns the number of values in a value, with long texts as several.
func sizeOf(v any) int {
	n := 1
	switch v := v.(type) {
	case []any:
		for _, item := range v {
			n += sizeOf(item)
		}
	case map[string]any:
		for _, member := range v {
			n += sizeOf(member)
		}
	case string:
		n += len(v) / 64
	}
	return n
}

// innerCosts is what the members, names and items of a value cost at one
// subschema beyond what their own subschemas count: the comparisons that come
// before those are asked. A subschema that only some members meet (by a pattern,
// or because nothing else looked at them) counts for each.
type innerCosts struct {
	perMember int                   // units: the look-up and each pattern
	named     map[string]comparison // by a member's name
	other     comparison            // of members without a name of their own
	each      comparison            // of every member
	names     comparison            // of every member's name
	prefix    []comparison          // of the first items
	item      comparison            // of every item
	perItem   int                   // units
	unique    bool
}

func innerCostsOf(s *jsonschema.Schema) innerCosts {
	c := innerCosts{perMember: 1 + len(s.PatternProperties), named: map[string]comparison{}, unique: s.UniqueItems}
	for name, sub := range s.Properties {
		if one := comparisonOf(sub); one != (comparison{}) {
			c.named[name] = one
		}
	}
	for _, sub := range s.PatternProperties {
		c.each.add(comparisonOf(sub))
	}
	if s.UnevaluatedProperties != nil {
		c.each.add(comparisonOf(s.UnevaluatedProperties))
	}
	if s.PropertyNames != nil {
		c.names = comparisonOf(s.PropertyNames)
	}
	if sub, ok := s.AdditionalProperties.(*jsonschema.Schema); ok {
		c.other = comparisonOf(sub)
	}
	prefix := s.PrefixItems
	if list, ok := s.Items.([]*jsonschema.Schema); ok {
		prefix = list
	}
	for _, sub := range prefix {
		c.prefix = append(c.prefix, comparisonOf(sub))
	}
	for _, every := range []any{s.Items, s.AdditionalItems, s.Items2020, s.Contains, s.UnevaluatedItems} {
		if sub, ok := every.(*jsonschema.Schema); ok && sub != nil {
			c.perItem++
			c.item.add(comparisonOf(sub))
		}
	}
	return c
}

// of returns the units that a value costs, its members and items each counted by
// their own subschemas beside.
func (c innerCosts) of(v any) int {
	n := 0
	switch v := v.(type) {
	case string:
		return len(v) / 32
	case json.Number:
		return len(v) / 32
	case map[string]any:
		n = len(v) * c.perMember
		if len(c.named) == 0 && c.other == (comparison{}) && c.each == (comparison{}) && c.names == (comparison{}) {
			return n
		}
		for name, member := range v {
			own, ok := c.named[name]
			if !ok {
				own = c.other
			}
			n += own.cost(member) + c.each.cost(member) + c.names.cost(name)
		}
	case []any:
		n = len(v) * c.perItem
		if c.unique {
			n += sizeOf(v)
		}
		for i, item := range v {
			if i < len(c.prefix) {
				n += c.prefix[i].cost(item)
			}
			n += c.item.cost(item)
		}
	}
	return n
}

// inPlace returns the subschemas that look at the same value.
func inPlace(s *jsonschema.Schema) []*jsonschema.Schema {
	subs := []*jsonschema.Schema{s.Ref, s.RecursiveRef, s.Not, s.If, s.Then, s.Else}
	if s.DynamicRef != nil {
		subs = append(subs, s.DynamicRef.Ref)
	}
	subs = append(append(append(subs, s.AllOf...), s.AnyOf...), s.OneOf...)
	for _, sub := range s.DependentSchemas {
		subs = append(subs, sub)
	}
	for _, sub := range s.Dependencies {
		if sub, ok := sub.(*jsonschema.Schema); ok {
			subs = append(subs, sub)
		}
	}
	return present(subs)
}

// inside returns the subschemas that look at members, items and names.
func inside(s *jsonschema.Schema) []*jsonschema.Schema {
	subs := []*jsonschema.Schema{s.PropertyNames, s.UnevaluatedProperties, s.Contains, s.Items2020, s.UnevaluatedItems, s.ContentSchema}
	subs = append(subs, s.PrefixItems...)
	for _, sub := range s.Properties {
		subs = append(subs, sub)
	}
	for _, sub := range s.PatternProperties {
		subs = append(subs, sub)
	}
	for _, either := range []any{s.AdditionalProperties, s.Items, s.AdditionalItems} {
		switch either := either.(type) {
		case *jsonschema.Schema:
			subs = append(subs, either)
		case []*jsonschema.Schema:
			subs = append(subs, either...)
		}
	}
	return present(subs)
}

// present returns the schemas that are not nil, in place.
func present(subs []*jsonschema.Schema) []*jsonschema.Schema {
	kept := subs[:0]
	for _, s := range subs {
		if s != nil {
			kept = append(kept, s)
		}
	}
	return kept
}

// expansion counts the visits of one value that a subschema leads to when all
// its references are followed, up to math.MaxInt32. Each subschema is worked
// out once. What refers to itself without looking inside of the value is the
// library's to refuse.
type expansion struct {
	known map[*jsonschema.Schema]int  // what is worked out
	open  map[*jsonschema.Schema]bool // what is being worked out: a cycle counts once
}

// of returns the visits that one subschema leads to, its own included.
func (e *expansion) of(s *jsonschema.Schema) int {
	if n, ok := e.known[s]; ok {
		return n
	}
	if e.open[s] {
		return 0
	}
	e.open[s] = true
	n := 1
	for _, sub := range inPlace(s) {
		n = min(n+e.of(sub), math.MaxInt32)
	}
	delete(e.open, s)
	e.known[s] = n
	return n
}

// patterns reads the patterns of one schema within a budget of their compiled
// size, and makes them count what matching costs.
type patterns struct {
	meter *meter
	left  int                 // instructions
	known map[string]*pattern // by text
}

// pattern is a regular expression (RE2), compiled when it is first matched:
// reading a schema compiles none. It never matches beyond the meter's budget.
type pattern struct {
	source  string
	meter   *meter
	size    int // about how many instructions it has
	compile sync.Once
	re      *regexp.Regexp
}

// compiled returns the expression, which the first call compiles.
func (p *pattern) compiled() *regexp.Regexp {
	p.compile.Do(func() { p.re = regexp.MustCompile(p.source) }) // it has been parsed
	return p.re
}

// String returns the pattern as written; for jsonschema.Regexp.
func (p *pattern) String() string { return p.source }

// errPatternSize is the error of a pattern with which the schema's exceed
// maxInstructions.
var errPatternSize = fmt.Errorf("the patterns of one schema may have %d instructions together; use fewer and shorter repetitions such as {1,900}", maxInstructions)

// read returns a pattern of the schema; for jsonschema.RegexpEngine. Equal
// texts are one pattern and counted once. Errors: errPatternSize, or that of
// regexp/syntax.
func (p *patterns) read(source string) (jsonschema.Regexp, error) {
	if known := p.known[source]; known != nil {
		return known, nil
	}
	size, err := patternSize(source)
	if err != nil {
		return nil, err
	}
	if p.left -= size; p.left < 0 {
		return nil, errPatternSize
	}
	made := &pattern{source: source, meter: p.meter, size: size}
	p.known[source] = made
	return made, nil
}

// patternSize returns about how many instructions a pattern has when its
// repetitions are written out, at least; nothing is written out for it.
// (a{1000}){1000} is refused by the parser or by the number, not by the
// memory that it would take.
func patternSize(source string) (int, error) {
	if len(source) > maxInstructions {
		return 0, errPatternSize
	}
	re, err := syntax.Parse(source, syntax.Perl)
	if err != nil {
		return 0, err
	}
	return instructions(re), nil
}

// instructions returns the estimate of one expression and those in it. A
// repetition multiplies what it repeats.
func instructions(re *syntax.Regexp) int {
	n := 1
	switch re.Op {
	case syntax.OpLiteral:
		n = len(re.Rune)
	case syntax.OpCharClass:
		n = 1 + len(re.Rune)/64
	}
	for _, sub := range re.Sub {
		n += instructions(sub)
	}
	if re.Op == syntax.OpRepeat {
		n *= max(re.Min, re.Max, 1)
	}
	return min(n, math.MaxInt32)
}

// MatchString reports whether a text has a match; for jsonschema.Regexp. RE2
// takes time by the product of text and pattern, which is spent before. Where
// that is much the text is read one character at a time, so that what is not
// read costs nothing.
func (p *pattern) MatchString(s string) bool {
	// Eight visits of an instruction count as one unit.
	if work := len(s) * p.size / 8; work < 10_000 {
		p.meter.spend(1 + work)
		return p.compiled().MatchString(s)
	}
	return p.compiled().MatchReader(&meteredReader{from: strings.NewReader(s), pattern: p})
}

// meteredReader is a text whose every character costs.
type meteredReader struct {
	from    *strings.Reader
	pattern *pattern
}

// ReadRune returns the next character, after spending what it costs the
// pattern at most.
func (r *meteredReader) ReadRune() (rune, int, error) {
	r.pattern.meter.spend(1 + r.pattern.size/8)
	return r.from.ReadRune()
}

// countSubschemas returns the number of objects in a schema that may be
// subschemas, and of all its values, and appends to dynamic the pointers of
// what dynamic references lead to. at is the pointer of v. Values of const,
// enum, default and examples are not counted.
func countSubschemas(v any, at string, dynamic *[]string) (objects, values int) {
	values = 1
	add := func(sub any, token string) {
		o, n := countSubschemas(sub, at+"/"+token, dynamic)
		objects, values = objects+o, values+n
	}
	switch v := v.(type) {
	case []any:
		for i, item := range v {
			add(item, strconv.Itoa(i))
		}
	case map[string]any:
		objects = 1
		if v["$dynamicAnchor"] != nil || v["$recursiveAnchor"] != nil {
			*dynamic = append(*dynamic, at)
		}
		for name, sub := range v {
			switch name {
			case "const", "enum", "default", "examples":
			default:
				add(sub, exactjson.EscapeToken(name))
			}
		}
	}
	return objects, values
}
