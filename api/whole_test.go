package api

import (
	"encoding/json"
	"heddle/api/core"
	"heddle/definitions/workflows"
	"reflect"
	"testing"
)

// 3.0 is a count in every field of every route that takes one, as it is in a
// definition; a number with a fraction is not.
func TestAWholeNumberMayBeWrittenWithItsPoint(t *testing.T) {
	t.Parallel()
	h := tableWithoutServices(nil)
	seen := 0
	for i := range h.routes {
		r := &h.routes[i]
		if r.Request == nil || r.Body == core.BodyLines {
			continue
		}
		for _, name := range r.Names {
			field := r.Request.FieldByIndex(r.Fields[name])
			kind := field.Type
			for kind.Kind() == reflect.Pointer {
				kind = kind.Elem()
			}
			version := kind == reflect.TypeFor[workflows.VersionRef]()
			if !version && (kind.Kind() < reflect.Int || kind.Kind() > reflect.Uint64) {
				continue
			}
			seen++
			for text, fits := range map[string]bool{"3": true, "3.0": true, "30e-1": true, "0.3E1": true, "3.5": false, "3.0000000000000000000001": false, "1e-400": false, "1e400": false, "[3]": false} {
				into := reflect.New(field.Type).Elem()
				err := core.AssignField(name, json.RawMessage(text), into)
				if fits != (err == nil) {
					t.Errorf("%s %s: %s: %v", r.Path, name, text, err)
				}
				for into.Kind() == reflect.Pointer && !into.IsNil() {
					into = into.Elem()
				}
				if fits && !version && into.CanInt() && into.Int() != 3 || fits && version && into.String() != "3" {
					t.Errorf("%s %s: %s is read as %v", r.Path, name, text, into)
				}
			}
		}
	}
	if seen < 8 {
		t.Errorf("only %d fields take whole numbers", seen)
	}
	var nested struct {
		List []struct{ N int } `json:"list"`
	}
	if err := core.AssignField("list", json.RawMessage(`[{"N":1.0},{"N":2}, {"N":3e0}]`), reflect.ValueOf(&nested.List).Elem()); err != nil || nested.List[2].N != 3 || nested.List[0].N != 1 {
		t.Errorf("nested: %v %v", nested, err)
	}
}
