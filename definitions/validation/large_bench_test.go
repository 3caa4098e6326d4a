package validation_test

import (
	"encoding/json"
	"fmt"
	"heddle/definitions/parser"
	"heddle/definitions/source"
	"heddle/definitions/workflows"
	"heddle/steps"
	"testing"
)

// BenchmarkLarge reads and validates a definition of 10,000 steps with the product's own
// step types, as a request does.
func BenchmarkLarge(b *testing.B) {
	list := make([]map[string]any, 10_000)
	for i := range list {
		list[i] = map[string]any{"id": fmt.Sprint("s", i), "name": fmt.Sprint("Step ", i), "type": "http_request", "config": map[string]any{"url": "https://example.com/{{ input.path }}"}}
		if i >= 100 {
			before := fmt.Sprint("s", i-100)
			list[i]["depends_on"], list[i]["if"] = []string{before}, "steps."+before+".output != null"
		}
	}
	text, err := json.Marshal(map[string]any{"name": "Large", "steps": list})
	if err != nil {
		b.Fatal(err)
	}
	s := workflows.NewService(workflows.ServiceConfig{Catalog: steps.Default(steps.Deps{})})
	b.ReportAllocs()
	for b.Loop() {
		doc, found := parser.Parse(text, source.JSON)
		if all, err := s.ValidateFor(b.Context(), "t", parser.ParsedDefinition{Document: doc, Found: found}); err != nil || len(all) > 0 {
			b.Fatal(err, all)
		}
	}
}
