package store

import (
	"heddle/access"
	"heddle/approvals"
	"heddle/bulk"
	"heddle/definitions/workflows"
	"heddle/drafts"
	"heddle/executor"
	"heddle/schedules"
	"heddle/templates"
	"reflect"
	"slices"
	"testing"
	"time"
)

// Every field of every list's query binds the cursor, but for those that say
// which page is wanted.
func TestEveryFilterBindsTheCursor(t *testing.T) {
	t.Parallel()
	everyFieldBinds[access.AuditQuery](t)
	everyFieldBinds[approvals.Query](t)
	everyFieldBinds[bulk.JobQuery](t)
	everyFieldBinds[bulk.FailureQuery](t)
	everyFieldBinds[workflows.Query](t)
	everyFieldBinds[drafts.Query](t)
	everyFieldBinds[executor.LogQuery](t)
	everyFieldBinds[executor.NamedQuery](t)
	everyFieldBinds[executor.RunQuery](t)
	everyFieldBinds[schedules.Query](t)
	everyFieldBinds[schedules.SlotQuery](t)
	everyFieldBinds[templates.Query](t)
}

// A time zone can move a time of a query beyond the years that JSON writes.
func TestATimeWithoutJSONBindsTheCursor(t *testing.T) {
	t.Parallel()
	far := time.Date(10_000, 1, 1, 0, 59, 59, 0, time.UTC)
	after, before := listFingerprint("list", executor.RunQuery{StartedAfter: far}), listFingerprint("list", executor.RunQuery{StartedBefore: far})
	if after == before || after == listFingerprint("list", executor.RunQuery{StartedAfter: far.Add(time.Second)}) {
		t.Errorf("after %s, before %s", after, before)
	}
}

func everyFieldBinds[Q any](t *testing.T) {
	t.Helper()
	var plain Q
	kind := reflect.TypeFor[Q]()
	for field := range kind.Fields() {
		var changed Q
		v := reflect.ValueOf(&changed).Elem().FieldByIndex(field.Index)
		if !v.CanSet() {
			t.Errorf("%s.%s is not exported, so that no cursor is bound to it", kind, field.Name)
			continue
		}
		setNonZero(t, v)
		binds := listFingerprint("list", plain) != listFingerprint("list", changed)
		if binds == slices.Contains(pageFields, field.Name) {
			t.Errorf("%s.%s binds the cursor: %t", kind, field.Name, binds)
		}
	}
}

func setNonZero(t *testing.T, v reflect.Value) {
	t.Helper()
	if v.Type() == reflect.TypeFor[time.Time]() {
		v.Set(reflect.ValueOf(time.Unix(1_700_000_000, 0).UTC()))
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString("x")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(1)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem())
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
	default:
		t.Fatalf("the test knows no %s", v.Type())
	}
}
