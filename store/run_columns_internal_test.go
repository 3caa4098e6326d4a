package store

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"gorm.io/gorm/schema"
)

// What is inserted and read by place has each field at the place of its column, also where
// it is the only one of the seldom ones that is not empty.
func TestEachFieldOfARunHasTheOnePlaceOfItsColumn(t *testing.T) {
	columns := strings.Split(runColumns, ", ")
	var row runRow
	of := reflect.ValueOf(&row).Elem()
	if of.NumField() != len(columns) || runTable.width != len(columns) || usualRunTable.width != len(strings.Split(usualRunColumns, ", ")) {
		t.Fatalf("%d fields, %d columns, widths %d and %d", of.NumField(), len(columns), runTable.width, usualRunTable.width)
	}
	for i := range of.NumField() {
		row = runRow{}
		name := schema.NamingStrategy{}.ColumnName("", of.Type().Field(i).Name)
		var want any = "x"
		if of.Field(i).Kind() == reflect.String {
			of.Field(i).SetString("x")
		} else {
			of.Field(i).SetInt(7)
			want = int64(7)
		}
		at := slices.Index(columns, name)
		if at < 0 {
			t.Errorf("%s has no column", name)
			continue
		}
		if row.fields()[at] != of.Field(i).Addr().Interface() {
			t.Errorf("%s is read from another column", name)
		}
		values := row.values()
		if full := at >= usualRunTable.width; len(values) != runTable.width && (full || len(values) != usualRunTable.width) || values[at] != want {
			t.Errorf("%s: %d values, %v", name, len(values), values)
		}
	}
	if n := strings.Count(seldomEmpty, ","); n != runTable.width-usualRunTable.width {
		t.Errorf("%d empty values", n)
	}
}
