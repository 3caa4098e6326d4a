package schemas_test

import (
	"encoding/json"
	"heddle/definitions/schemas"
	"strings"
	"testing"
)

func TestValueCheckerNamesEachPlace(t *testing.T) {
	c, err := schemas.NewChecker(json.RawMessage(
		`{"type":"object","properties":{"a":{"type":"integer"},"b":{"enum":["x","y"]}},"required":["c"]}`))
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]bool{}
	for _, d := range c.Check(json.RawMessage(`{"a":"one","b":"z"}`)) {
		got[d.Pointer] = true
	}
	for _, want := range []string{"", "/a", "/b"} {
		if !got[want] {
			t.Errorf("no finding at %q in %v", want, got)
		}
	}
	if ds := c.Check(json.RawMessage(`{"a":1,"b":"x","c":null}`)); len(ds) > 0 {
		t.Errorf("a value that fits is refused: %v", ds)
	}
}

func TestValueCheckerLoadsNothing(t *testing.T) {
	for _, ref := range []string{"file:///etc/passwd", "http://127.0.0.1:1/x", "other.json"} {
		_, err := schemas.NewChecker(json.RawMessage(`{"$ref":"` + ref + `"}`))
		if err == nil || strings.Contains(err.Error(), "root") {
			t.Errorf("%s: %v", ref, err)
		}
	}
}

func TestValueCheckerSurvivesAbsurdNumbers(t *testing.T) {
	for _, schema := range []string{`{"minimum":1}`, `{"multipleOf":3}`, `{"maximum":1e9999999}`, `{"minimum":1e9999999}`} {
		c, err := schemas.NewChecker(json.RawMessage(schema))
		if strings.Contains(schema, "e99") {
			if err == nil {
				t.Errorf("%s is accepted", schema)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range []string{"1e9999999", "1E+99999", strings.Repeat("9", 1001), "-1e-1001"} {
			if len(c.Check(json.RawMessage(v))) == 0 {
				t.Errorf("%s accepts %.20s", schema, v)
			}
		}
		if ds := c.Check(json.RawMessage("3e1000")); len(ds) != 0 && schema == `{"minimum":1}` {
			t.Errorf("3e1000 is refused: %v", ds)
		}
	}
}
