package schemas

import (
	"errors"
	"fmt"
	"heddle/internal/exactjson"
	"strconv"

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
