package schedules

import (
	"encoding/json"
	"reflect"
	"slices"
	"testing"
	"time"
)

// notEdited are the fields of a schedule that no request changes: its identity, and
// what the service keeps.
var notEdited = []string{"ID", "TenantID", "WorkflowID", "CreatedAt", "UpdatedAt", "PausedBy", "PausedAt", "NextDue", "LastRunAt", "Revision", "Fence"}

// Each field of Patch changes one field of a schedule, and each of a schedule is
// changed by one or is listed as not edited.
func TestEveryFieldOfASchedulesPatchIsApplied(t *testing.T) {
	t.Parallel()
	before := Schedule{Status: Paused}
	var reached []string
	for _, index := range leaves(reflect.TypeFor[Patch](), nil) {
		var p Patch
		give(t, reflect.ValueOf(&p).Elem().FieldByIndex(index))
		after, name := p.applyTo(before), reflect.TypeFor[Patch]().FieldByIndex(index).Name
		var changed []string
		for _, at := range leaves(reflect.TypeFor[Schedule](), nil) {
			a, b := reflect.ValueOf(before).FieldByIndex(at), reflect.ValueOf(after).FieldByIndex(at)
			if !reflect.DeepEqual(a.Interface(), b.Interface()) {
				changed = append(changed, path(reflect.TypeFor[Schedule](), at))
			}
		}
		if len(changed) != 1 {
			t.Errorf("%s of a patch changes %v of a schedule, not one field", name, changed)
		}
		reached = append(reached, changed...)
	}
	for _, at := range leaves(reflect.TypeFor[Schedule](), nil) {
		name := path(reflect.TypeFor[Schedule](), at)
		if slices.Contains(reached, name) == slices.Contains(notEdited, name) {
			t.Errorf("Schedule.%s is neither changed by a field of Patch nor in notEdited, or is both", name)
		}
	}
}

// leaves returns the indexes of a struct's fields, and of those of the structs in it
// that are of this package.
func leaves(t reflect.Type, at []int) [][]int {
	var all [][]int
	for i := range t.NumField() {
		index, f := append(slices.Clone(at), i), t.Field(i)
		if f.Type == reflect.TypeFor[CatchUp]() || f.Type == reflect.TypeFor[CatchUpPatch]() {
			all = append(all, leaves(f.Type, index)...)
			continue
		}
		all = append(all, index)
	}
	return all
}

// path returns the name of the field at an index, with the structs that lead to it.
func path(t reflect.Type, index []int) string {
	name := t.FieldByIndex(index).Name
	if len(index) > 1 {
		return path(t, index[:len(index)-1]) + "." + name
	}
	return name
}

// give sets a field of a patch to a value that no zero schedule has.
func give(t *testing.T, field reflect.Value) {
	t.Helper()
	switch at := field.Addr().Interface().(type) {
	case *TimePatch:
		when := time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)
		*at = TimePatch{&when}
		return
	case *json.RawMessage:
		*at = json.RawMessage(`{"a":1}`)
		return
	}
	field.Set(reflect.New(field.Type().Elem()))
	switch value := field.Elem(); value.Kind() {
	case reflect.String:
		value.SetString("other")
	case reflect.Int:
		value.SetInt(7)
	case reflect.Float64:
		value.SetFloat(7)
	default:
		t.Fatalf("a patch has a field of kind %s: say here what a value of it is", value.Kind())
	}
}
