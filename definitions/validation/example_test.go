package validation_test

import (
	"fmt"
	"heddle/definitions/source"
	"heddle/definitions/validation"
	"heddle/steps"
)

// Check finds every problem of a text at once, with its place and, where there
// is one, what to write instead. Without errors the document has the canonical
// form, which is the same for every spelling of a definition.
func ExampleCheck() {
	catalog := steps.Default(steps.Deps{})
	defer catalog.Close()
	_, found := validation.Check([]byte(`
name: Ship
steps:
  - { id: pack, type: wait, config: { seconds: 1 } }
  - { id: ship, type: wait, config: { seconds: 1 }, depends_on: [pakc] }
`), source.YAML, catalog)
	for _, d := range found {
		fmt.Printf("line %d: %s (%s)\n", d.Line, d.Message, d.Suggestion)
	}

	doc, found := validation.Check([]byte("steps: [{type: wait, id: rest, config: {seconds: 5}}]\nname: Rest\n"), source.YAML, catalog)
	fmt.Println(validation.Valid(found), string(doc.Canonical))
	// Output:
	// line 5: Step 'ship' depends on 'pakc' which doesn't exist (pack)
	// true {"name":"Rest","steps":[{"config":{"seconds":5},"id":"rest","type":"wait"}]}
}
