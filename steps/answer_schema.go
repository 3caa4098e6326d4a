package steps

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"golang.org/x/text/language"
	"golang.org/x/text/message"
)

// refuseAll keeps schemas from loading anything from files or networks.
type refuseAll struct{}

func (refuseAll) Load(string) (any, error) {
	return nil, errors.New("references to other documents are not followed")
}

// compileSchema compiles a JSON Schema 2020-12. Numbers that the library
// cannot bear are refused before it sees them.
func compileSchema(raw json.RawMessage) (schema *jsonschema.Schema, err error) {
	defer func() {
		if r := recover(); r != nil {
			schema, err = nil, errors.New("it cannot be compiled")
		}
	}()
	if depth, wild, ok := surveyJSON(raw); !ok || wild || depth > maxJSONDepth {
		return nil, errors.New("it is nested too deep, or holds NUL or a number that is too large")
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		return nil, errors.New("it is not JSON")
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	c.UseLoader(refuseAll{})
	const name = "heddle:output_schema"
	if err := c.AddResource(name, doc); err != nil {
		return nil, err
	}
	return c.Compile(name)
}

// structured reads an answer as JSON that meets a schema, also where it stands
// in a code fence; else it says what is wrong.
func structured(schema *jsonschema.Schema, answer string) (out json.RawMessage, wrong string) {
	defer func() {
		if r := recover(); r != nil {
			out, wrong = nil, "it cannot be checked"
		}
	}()
	raw, ok := jsonValue([]byte(unfenced(answer)))
	if !ok {
		return nil, "it is not JSON"
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		return nil, "it is not JSON"
	}
	if err := schema.Validate(v); err != nil {
		return nil, firstCause(err)
	}
	return raw, ""
}

// firstCause words the first breach with its place.
func firstCause(err error) string {
	var breach *jsonschema.ValidationError
	if !errors.As(err, &breach) {
		return "it breaks the schema"
	}
	for len(breach.Causes) > 0 {
		breach = breach.Causes[0]
	}
	place := "/" + strings.Join(breach.InstanceLocation, "/")
	return fmt.Sprintf("at %s: %s", place, strings.ToLower(breach.ErrorKind.LocalizedString(printer())))
}

// unfenced drops a Markdown code fence round a text.
func unfenced(s string) string {
	s = strings.TrimSpace(s)
	if !strings.HasPrefix(s, "```") {
		return s
	}
	_, s, _ = strings.Cut(s, "\n")
	return strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(s), "```"))
}

func printer() *message.Printer { return message.NewPrinter(language.English) }
