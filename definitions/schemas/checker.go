package schemas

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"heddle/definitions/source"
	"heddle/fault"
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
// costs has a bound that grows with the value alone, whatever the schema says;
// beyond it the check ends with limit_exceeded. It is safe for concurrent use.
type Checker struct {
	doc      any
	first    *measured
	defaults defaults // nil: none
	filling  sync.Mutex
	// instructions is how many its patterns have together.
	instructions int

	mu   sync.Mutex
	idle []*measured // without the first where there are defaults, which it puts in
}

// measured is a compiled schema with its meter: one check at a time uses it.
type measured struct {
	schema *jsonschema.Schema
	meter  *meter
}

// maxIdle compiled schemas are kept for checks at the same time.
const maxIdle = 4

// errNoLoading is why every reference outside the schema fails.
var errNoLoading = errors.New("references outside the schema are not loaded; put the referenced schema under $defs")

// schemaURL names a schema inside the library. It must be absolute: a relative
// name would be resolved against the working directory, which errors quote.
const schemaURL = "heddle:///schema.json"

type refusingLoader struct{}

// Load refuses: neither files nor the network are read.
func (refusingLoader) Load(string) (any, error) { return nil, errNoLoading }

// NewChecker compiles a schema. The error says what is wrong with it: it is
// no JSON Schema, or one that may cost more than any check is allowed.
func NewChecker(schema json.RawMessage) (*Checker, error) {
	if err := reasonableNumbers(schema); err != nil {
		return nil, err
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(schema))
	if err != nil {
		return nil, errors.New("the schema is not JSON")
	}
	v := &Checker{doc: doc}
	first, err := v.compile()
	if err != nil {
		return nil, err
	}
	v.first, v.defaults = first, newDefaults(first.schema)
	if v.defaults == nil {
		v.idle = append(v.idle, first)
	}
	return v, nil
}

func (v *Checker) compile() (made *measured, err error) {
	defer func() {
		if r := recover(); r != nil {
			made, err = nil, errors.New("the schema cannot be compiled")
		}
	}()
	var dynamic []string
	if objects, values := countSubschemas(v.doc, "", &dynamic); objects > MaxSubschemas || values > 10*MaxSubschemas {
		return nil, fmt.Errorf("it has more than %d subschemas; describe less, or use references", MaxSubschemas)
	}
	m := &meter{}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	c.AssertFormat()
	c.UseLoader(refusingLoader{})
	texts := &patterns{meter: m, left: maxInstructions, known: map[string]*pattern{}}
	c.UseRegexpEngine(texts.read)
	const name = schemaURL
	if err := c.AddResource(name, v.doc); err != nil {
		return nil, &schemaError{err}
	}
	root, err := c.Compile(name)
	v.instructions = maxInstructions - texts.left
	if err != nil {
		return nil, &schemaError{err}
	}
	all := []*jsonschema.Schema{root}
	for _, pointer := range dynamic {
		// What cannot be compiled by its place is no schema, and never visited.
		if sub, err := c.Compile(name + "#" + (&url.URL{Path: pointer}).EscapedPath()); err == nil {
			all = append(all, sub)
		}
	}
	if err := m.measure(all); err != nil {
		return nil, err
	}
	return &measured{root, m}, nil
}

// validate checks a value whose text is given. The error is the library's, or
// errTooCostly; the library's panics are errors.
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
	use.meter.spend(leafCost(use.schema))
	return use.schema.Validate(doc)
}

func (v *Checker) take() (*measured, error) {
	v.mu.Lock()
	if last := len(v.idle) - 1; last >= 0 {
		use := v.idle[last]
		v.idle = v.idle[:last]
		v.mu.Unlock()
		return use, nil
	}
	v.mu.Unlock()
	return v.compile()
}

func (v *Checker) put(used *measured) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.idle) < maxIdle {
		v.idle = append(v.idle, used)
	}
}

// MaxIssues are given by Check; of more, the number.
const MaxIssues = 100

// Check gives the places where the value breaks the schema, in document order;
// none: it fits. Pointers start at the value. Beyond MaxIssues, one more says
// how many there are.
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

// failure is one failure and where it is, before it has words.
type failure struct {
	*jsonschema.ValidationError
	seq int32
}

// issuesOf puts the library's failures into words, in the order of the value's
// text and, at one place, of the schema's keywords by name.
func issuesOf(invalid *jsonschema.ValidationError, value json.RawMessage) []fault.Issue {
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
		d := fault.Issue{Code: "invalid_value", Severity: "error", Message: source.Cut(MismatchWords(e.ValidationError), source.MaxMessage), Pointer: source.Pointer(e.InstanceLocation)}
		if len(d.Pointer) > source.MaxPointer {
			d.Pointer = source.Locate(root, e.InstanceLocation).Pointer()
		}
		if n := len(out); n == 0 || out[n-1].Message != d.Message || out[n-1].Pointer != d.Pointer {
			out = append(out, d)
		}
	}
	return out
}

// reasonableNumbers refuses what the library that checks schemas cannot bear:
// it burns seconds on numbers with huge exponents and panics on some of them.
func reasonableNumbers(raw json.RawMessage) error {
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	tok, err := dec.Token()
	for ; err == nil; tok, err = dec.Token() {
		if n, isNumber := tok.(json.Number); isNumber && source.TooLarge(string(n)) {
			return fault.New(fault.Unacceptable, "limit_exceeded",
				"the number %.20s… has more than %d digits or an exponent beyond ±%d", string(n), source.MaxDigits, source.MaxExponent)
		}
	}
	return nil // its end, or a syntax error that the caller meets again
}

// hasHeavyNumber reports whether a text may hold a number on which arithmetic
// costs more than on usual ones.
func hasHeavyNumber(raw json.RawMessage) bool {
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	for {
		tok, err := dec.Token()
		if err != nil {
			return false
		}
		if n, isNumber := tok.(json.Number); isNumber && heavyWritten(string(n)) {
			return true
		}
	}
}

func heavyWritten(n string) bool {
	if len(n) > heavyNumber {
		return true
	}
	_, exponent, found := strings.Cut(strings.ToLower(n), "e")
	e, err := strconv.Atoi(exponent)
	return found && (err != nil || e > heavyNumber || e < -heavyNumber)
}

// Mismatches gives the library's own account of where a value breaks the
// schema: the failures that have no causes, or alternatives as causes.
// The error is errTooCostly: the value was not checked to its end.
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

// Unfold descends through the failures that only hold others.
func Unfold(e *jsonschema.ValidationError, out []*jsonschema.ValidationError) []*jsonschema.ValidationError {
	if len(e.Causes) == 0 || Alternatives(e) {
		return append(out, e)
	}
	for _, cause := range e.Causes {
		out = Unfold(cause, out)
	}
	return out
}

// Alternatives tells whether each cause is one way in which the value could
// have fitted.
func Alternatives(e *jsonschema.ValidationError) bool {
	switch e.ErrorKind.(type) {
	case *kind.AnyOf, *kind.OneOf:
		return len(e.Causes) > 0
	}
	return false
}

// Instructions returns how many instructions the schema's patterns compile to,
// all together.
func (v *Checker) Instructions() int { return v.instructions }

// HasDefaults reports whether the schema holds defaults that Fill can put in.
func (v *Checker) HasDefaults() bool { return v.defaults != nil }
