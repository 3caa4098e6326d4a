package schemas

import (
	"encoding/json"
	"math"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// comparison counts what a value is compared with before the meter is called: the
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
// before those are checked. A subschema that only some members meet (by a pattern,
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
