package definitions

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
	"golang.org/x/text/language"
	"golang.org/x/text/message"

	"heddle/fault"
)

// ValueChecker checks JSON values against one JSON Schema (2020-12). It loads
// nothing: a schema with a reference outside itself is refused. It is safe for
// concurrent use.
type ValueChecker struct {
	schema   *jsonschema.Schema
	defaults defaults // nil: none
}

// errNoLoading is why every reference outside the schema fails.
var errNoLoading = errors.New("references outside the schema are not loaded; put the referenced schema under $defs")

// schemaURL names a schema inside the library. It must be absolute: a relative
// name would be resolved against the working directory, which errors quote.
const schemaURL = "heddle:///schema.json"

type refusingLoader struct{}

// Load refuses: neither files nor the network are read.
func (refusingLoader) Load(string) (any, error) { return nil, errNoLoading }

// NewValueChecker compiles a schema. The error says what is wrong with it.
func NewValueChecker(schema json.RawMessage) (checker *ValueChecker, err error) {
	defer func() {
		if r := recover(); r != nil {
			checker, err = nil, fmt.Errorf("the schema cannot be compiled: %v", r)
		}
	}()
	if err := reasonableNumbers(schema); err != nil {
		return nil, err
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(schema))
	if err != nil {
		return nil, fmt.Errorf("the schema is not JSON: %w", err)
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	c.AssertFormat()
	c.UseLoader(refusingLoader{})
	const name = schemaURL
	if err := c.AddResource(name, doc); err != nil {
		return nil, err
	}
	compiled, err := c.Compile(name)
	if err != nil {
		return nil, err
	}
	return &ValueChecker{schema: compiled, defaults: newDefaults(compiled)}, nil
}

// Check gives every place where the value breaks the schema; none: it fits.
// Pointers start at the value.
func (v *ValueChecker) Check(value json.RawMessage) (issues []Diagnostic) {
	defer func() {
		if r := recover(); r != nil {
			issues = []Diagnostic{{Code: "invalid_value", Severity: "error", Message: fmt.Sprintf("the value cannot be checked: %v", r)}}
		}
	}()
	if err := reasonableNumbers(value); err != nil {
		return []Diagnostic{{Code: "limit_exceeded", Severity: "error", Message: err.Error()}}
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(value))
	if err != nil {
		return []Diagnostic{{Code: "syntax", Severity: "error", Message: "the value is not JSON: " + err.Error()}}
	}
	err = v.schema.Validate(doc)
	var invalid *jsonschema.ValidationError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &invalid):
		return leaves(invalid, message.NewPrinter(language.English), nil)
	default:
		return []Diagnostic{{Code: "invalid_value", Severity: "error", Message: err.Error()}}
	}
}

// leaves collects the causes that have no causes of their own: they name the
// exact place. A failed anyOf or oneOf is reported as one.
func leaves(e *jsonschema.ValidationError, p *message.Printer, out []Diagnostic) []Diagnostic {
	_, anyOf := e.ErrorKind.(*kind.AnyOf)
	_, oneOf := e.ErrorKind.(*kind.OneOf)
	if len(e.Causes) > 0 && !anyOf && !oneOf {
		for _, cause := range e.Causes {
			out = leaves(cause, p, out)
		}
		return out
	}
	return append(out, Diagnostic{
		Code: "invalid_value", Severity: "error",
		Message: e.ErrorKind.LocalizedString(p), Pointer: pointerTo(e.InstanceLocation),
	})
}

func pointerTo(tokens []string) string {
	var b strings.Builder
	for _, t := range tokens {
		b.WriteByte('/')
		b.WriteString(strings.ReplaceAll(strings.ReplaceAll(t, "~", "~0"), "/", "~1"))
	}
	return b.String()
}

// reasonableNumbers refuses what the library that checks schemas cannot bear:
// it burns seconds on numbers with huge exponents and panics on some of them.
func reasonableNumbers(raw json.RawMessage) error {
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	tok, err := dec.Token()
	for ; err == nil; tok, err = dec.Token() {
		if n, isNumber := tok.(json.Number); isNumber && absurd(string(n)) {
			return fault.New(fault.Unacceptable, "limit_exceeded",
				"the number %.20s… has more than %d digits or an exponent beyond ±%d", string(n), maxDigits, maxExponent)
		}
	}
	return nil // its end, or a syntax error that the caller meets again
}
