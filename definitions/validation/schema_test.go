package validation_test

import (
	"encoding/json"
	"heddle/definitions/parser"
	"heddle/definitions/schemas"
	"heddle/definitions/validation"
	"testing"
)

// shapeCodes are what a JSON Schema can see too.
var shapeCodes = map[string]bool{"unknown_field": true, "missing_field": true, "wrong_type": true, "unknown_step_type": true}

func TestSchemaAgreesWithValidation(t *testing.T) {
	checker, err := schemas.NewChecker(parser.Schema(testCatalog()))
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range corpus(t) {
		doc, ds := validation.Check([]byte(s.text), s.format, testCatalog())
		if doc == nil || doc.Canonical == nil {
			continue
		}
		issues := checker.Check(doc.Canonical)
		if validation.Valid(ds) && len(issues) > 0 {
			t.Errorf("%s: sound, and the schema says %+v", s.name, issues)
		}
		for _, d := range ds {
			if shapeCodes[d.Code] && d.Message != "" && len(issues) == 0 && !beyondSchema[s.name] {
				t.Errorf("%s: the schema does not see %+v", s.name, d)
			}
		}
	}
}

// beyondSchema are samples whose problem a schema cannot see.
var beyondSchema = map[string]bool{"graph/fallback not named": true}

func TestSchemaDescribesEveryField(t *testing.T) {
	var root any
	if err := json.Unmarshal(parser.Schema(testCatalog()), &root); err != nil {
		t.Fatal(err)
	}
	fields := 0
	for name, def := range root.(map[string]any)["$defs"].(map[string]any) {
		if len(name) > 7 && name[:7] == "config_" {
			continue
		}
		for field, s := range def.(map[string]any)["properties"].(map[string]any) {
			fields++
			if s.(map[string]any)["description"] == nil {
				t.Errorf("%s.%s has no description", name, field)
			}
		}
	}
	if fields < 40 {
		t.Errorf("only %d fields", fields)
	}
}

func TestSchemaWithoutACatalog(t *testing.T) {
	checker, err := schemas.NewChecker(parser.Schema(nil))
	if err != nil {
		t.Fatal(err)
	}
	if issues := checker.Check(json.RawMessage(`{"name":"n","steps":[{"id":"a","type":"wait","config":{"seconds":1}}]}`)); len(issues) > 0 {
		t.Error(issues)
	}
	if issues := checker.Check(json.RawMessage(`{"name":"n","steps":[{"id":"a","type":"script","config":{}}]}`)); len(issues) == 0 {
		t.Error("an unknown type passes")
	}
}
