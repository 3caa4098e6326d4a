package schemas

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"heddle/definitions/source"
	"heddle/fault"
	"heddle/internal/exactjson"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
)

// Checker checks JSON values against one JSON Schema (2020-12). It loads
// nothing: a schema with a reference outside itself is refused. What a check
// costs has a bound that grows with the value alone, whatever the schema
// says; beyond it the check ends with limit_exceeded. It is safe for
// concurrent use.
//
// A compiled schema holds the meter of one check, so each check at the same
// time needs one of its own. They are compiled when they are needed, and a
// few are kept.
type Checker struct {
	doc      any        // the schema's value, from which further copies are compiled; only read
	first    *measured  // what defaults are read from; also the first of idle without them
	defaults defaults   // nil: none
	filling  sync.Mutex // held by Fill: it spends first's meter
	// instructions is the number of instructions of its patterns together.
	instructions int

	mu   sync.Mutex  // guards idle
	idle []*measured // without the first where there are defaults, which it puts in
}

// measured is a compiled schema with its meter: one check at a time uses it.
type measured struct {
	schema *jsonschema.Schema
	meter  *meter
}

// maxIdle is how many compiled schemas are kept for checks at the same time.
// More are compiled when they are needed and dropped after use.
const maxIdle = 4

// errNoLoading is the error of every reference outside the schema. Files and
// the network are never read for a tenant's schema.
var errNoLoading = errors.New("references outside the schema are not loaded; put the referenced schema under $defs")

// schemaURL names a schema inside the library. It must be absolute: a relative
// name would be resolved against the working directory, which errors quote.
const schemaURL = "heddle:///schema.json"

// refusingLoader loads nothing.
type refusingLoader struct{}

// Load returns errNoLoading for every URL.
func (refusingLoader) Load(string) (any, error) { return nil, errNoLoading }

// NewChecker compiles a schema. The error says what is wrong with it, in
// words for its author: it is not a JSON Schema, or one that may cost more
// than any check is allowed. Faults lists all that is wrong. schema is not
// kept.
func NewChecker(schema json.RawMessage) (*Checker, error) {
	if err := reasonableNumbers(schema); err != nil {
		return nil, err
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(schema))
	if err != nil {
		return nil, errors.New("the schema is not JSON")
	}
	v := &Checker{doc: doc}
	first, size, err := v.compile()
	if err != nil {
		return nil, err
	}
	v.instructions = size
	v.first, v.defaults = first, newDefaults(first.schema)
	if v.defaults == nil {
		v.idle = append(v.idle, first)
	}
	return v, nil
}

// compile makes one more compiled schema with a meter of its own. The library
// panics on a few schemas; its panics become errors.
func (v *Checker) compile() (made *measured, size int, err error) {
	defer func() {
		if r := recover(); r != nil {
			made, size, err = nil, 0, errors.New("the schema cannot be compiled")
		}
	}()
	var dynamic []string
	// Before the library sees it: compiling is what a large schema makes
	// expensive.
	if objects, values := countSubschemas(v.doc, "", &dynamic); objects > MaxSubschemas || values > 10*MaxSubschemas {
		return nil, 0, fmt.Errorf("it has more than %d subschemas; describe less, or use references", MaxSubschemas)
	}
	m := &meter{}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	c.AssertFormat()
	c.UseLoader(refusingLoader{})
	texts := &patterns{meter: m, left: maxInstructions, known: map[string]*pattern{}}
	c.UseRegexpEngine(texts.read)
	const name = schemaURL
	// Under its own draft if it names one in $schema; else under 2020-12.
	if err := c.AddResource(name, v.doc); err != nil {
		return nil, 0, &schemaError{err}
	}
	root, err := c.Compile(name)
	if err != nil {
		return nil, 0, &schemaError{err}
	}
	all := []*jsonschema.Schema{root}
	for _, pointer := range dynamic {
		// What cannot be compiled by its place is not a schema, and never visited.
		if sub, err := c.Compile(name + "#" + (&url.URL{Path: pointer}).EscapedPath()); err == nil {
			all = append(all, sub)
		}
	}
	if err := m.measure(all); err != nil {
		return nil, 0, err
	}
	return &measured{root, m}, maxInstructions - texts.left, nil
}

// validate checks a value whose text is given. The error is nil, a
// *jsonschema.ValidationError, errTooCostly, or that of compiling; the
// library's panics are errors as well. What a panic has interrupted is kept
// only if the meter caused it.
func (v *Checker) validate(doc any, text []byte) (err error) {
	use, err := v.take()
	if err != nil {
		return err
	}
	defer func() {
		switch r := recover(); {
		case r == nil:
			v.put(use)
		case r == any(errTooCostly):
			err = errTooCostly
			v.put(use)
		default:
			err = errors.New("the value cannot be checked against the schema")
		}
	}()
	use.meter.begin(text, hasHeavyNumber(text))
	// The root's enum and constant are compared before its hook is called,
	// and there is no subschema around it that would spend them.
	use.meter.spend(1 + comparisonOf(use.schema).cost(doc))
	return use.schema.Validate(doc)
}

// take returns a compiled schema that no other check uses.
func (v *Checker) take() (*measured, error) {
	v.mu.Lock()
	if last := len(v.idle) - 1; last >= 0 {
		use := v.idle[last]
		v.idle = v.idle[:last]
		v.mu.Unlock()
		return use, nil
	}
	// The lock is not held while compiling, which takes far longer than a
	// check.
	v.mu.Unlock()
	use, _, err := v.compile()
	return use, err
}

// put keeps a compiled schema for a later check, or drops it where enough are
// kept.
func (v *Checker) put(used *measured) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.idle) < maxIdle {
		v.idle = append(v.idle, used)
	}
}

// MaxIssues is how many issues Check lists; of more it states the number.
const MaxIssues = 100

// Check returns the places where the value breaks the schema, in document
// order; nil where it fits. Pointers start at the value. Beyond MaxIssues,
// one more says how many there are. What cannot be checked is one issue:
// syntax, or limit_exceeded where it needs too much work. No message quotes a
// text of the value.
func (v *Checker) Check(value json.RawMessage) []fault.Issue {
	if err := reasonableNumbers(value); err != nil {
		return []fault.Issue{{Code: "limit_exceeded", Severity: "error", Message: err.Error()}}
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(value))
	if err != nil {
		return []fault.Issue{{Code: "syntax", Severity: "error", Message: "the value is not JSON"}}
	}
	err = v.validate(doc, value)
	var invalid *jsonschema.ValidationError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &invalid):
		return issuesOf(invalid, value)
	case errors.Is(err, errTooCostly):
		return []fault.Issue{{Code: "limit_exceeded", Severity: "error", Message: err.Error()}}
	default:
		return []fault.Issue{{Code: "invalid_value", Severity: "error", Message: err.Error()}}
	}
}

// failure is a failure of the library and its place, before it is put into
// words.
type failure struct {
	*jsonschema.ValidationError
	seq int32 // document order of the value
}

// issuesOf puts the library's failures into words, in the order of the
// value's text and, at one place, of the schema's keywords by name: the
// library's own order changes from one check to the next, because it walks
// maps. Equal messages at one place are one issue.
func issuesOf(invalid *jsonschema.ValidationError, value json.RawMessage) []fault.Issue {
	// The value is read a second time for its order: the library's values are
	// maps.
	root := source.ScanNodes(value, source.Limits{Bytes: len(value), Depth: 10_000, StringBytes: len(value), Values: math.MaxInt32}, &source.Diagnostics{})
	if root == nil {
		root = &source.Node{}
	}
	var all []failure
	for _, e := range Unfold(invalid, nil) {
		if k, ok := e.ErrorKind.(*kind.AdditionalProperties); ok {
			at, place := source.Locate(root, e.InstanceLocation), make(map[string]int32, len(k.Properties))
			for _, name := range k.Properties {
				place[name] = at.Pick(name).Seq
			}
			slices.SortFunc(k.Properties, func(a, b string) int { return cmp.Or(cmp.Compare(place[a], place[b]), strings.Compare(a, b)) })
		}
		all = append(all, failure{e, source.Locate(root, e.InstanceLocation).Seq})
	}
	slices.SortStableFunc(all, func(a, b failure) int {
		return cmp.Or(cmp.Compare(a.seq, b.seq), strings.Compare(a.SchemaURL, b.SchemaURL), slices.Compare(a.ErrorKind.KeywordPath(), b.ErrorKind.KeywordPath()))
	})
	var out []fault.Issue
	for i, e := range all {
		if i == MaxIssues {
			return append(out, fault.Issue{Code: "limit_exceeded", Severity: "error", Message: fmt.Sprintf("%d more problems are not listed; correct these first", len(all)-i)})
		}
		d := fault.Issue{Code: "invalid_value", Severity: "error", Message: source.Cut(MismatchWords(e.ValidationError), source.MaxMessage), Pointer: exactjson.Pointer(e.InstanceLocation)}
		if len(d.Pointer) > source.MaxPointer {
			d.Pointer = source.Locate(root, e.InstanceLocation).Pointer()
		}
		if n := len(out); n == 0 || out[n-1].Message != d.Message || out[n-1].Pointer != d.Pointer {
			out = append(out, d)
		}
	}
	return out
}

// reasonableNumbers returns fault.Unacceptable limit_exceeded for a text with
// a number that the library cannot bear: it takes seconds for numbers with
// huge exponents and panics on some of them. Broken JSON is left to the
// caller.
func reasonableNumbers(raw json.RawMessage) error {
	for s := exactjson.ScannerOf(raw); s.Next(); {
		if n := s.Token(); s.IsNumber() && exactjson.TooLarge(n) {
			return fault.New(fault.Unacceptable, "limit_exceeded",
				"the number %.20s… has more than %d digits or an exponent beyond ±%d", n, exactjson.MaxDigits, exactjson.MaxExponent)
		}
	}
	return nil
}

// hasHeavyNumber reports whether a text holds a number on which arithmetic
// costs clearly more than on usual ones.
func hasHeavyNumber(raw json.RawMessage) bool {
	for s := exactjson.ScannerOf(raw); s.Next(); {
		if s.IsNumber() && heavyWritten(string(s.Token())) {
			return true
		}
	}
	return false
}

// heavyWritten reports whether one number is of that kind, by its length and
// its exponent.
func heavyWritten(n string) bool {
	if len(n) > heavyNumber {
		return true
	}
	_, exponent, found := strings.Cut(strings.ToLower(n), "e")
	e, err := strconv.Atoi(exponent)
	return found && (err != nil || e > heavyNumber || e < -heavyNumber)
}

// Mismatches returns the library's own account of where a value breaks the
// schema, in no particular order: the failures that have no causes, or
// alternatives as causes. value is what text holds, with json.Number. The
// error is errTooCostly: the value was not checked to its end.
func (v *Checker) Mismatches(value any, text []byte) ([]*jsonschema.ValidationError, error) {
	var invalid *jsonschema.ValidationError
	err := v.validate(value, text)
	switch {
	case errors.As(err, &invalid):
		return Unfold(invalid, nil), nil
	case errors.Is(err, errTooCostly):
		return nil, err
	}
	return nil, nil // what else stops it is not the author's fault
}

// Unfold appends to out the failures that say something: those below e that
// have no causes, or alternatives as causes. The others only hold them.
func Unfold(e *jsonschema.ValidationError, out []*jsonschema.ValidationError) []*jsonschema.ValidationError {
	if len(e.Causes) == 0 || Alternatives(e) {
		return append(out, e)
	}
	for _, cause := range e.Causes {
		out = Unfold(cause, out)
	}
	return out
}

// Alternatives reports whether each cause of e is one way in which the value
// could have fitted.
func Alternatives(e *jsonschema.ValidationError) bool {
	switch e.ErrorKind.(type) {
	case *kind.AnyOf, *kind.OneOf:
		return len(e.Causes) > 0
	}
	return false
}

// Instructions returns the number of instructions that the schema's patterns
// compile to, all together; it is estimated without compiling them.
func (v *Checker) Instructions() int { return v.instructions }

// HasDefaults reports whether the schema holds defaults that Fill can put in.
func (v *Checker) HasDefaults() bool { return v.defaults != nil }
