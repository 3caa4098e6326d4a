package core

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// FieldCheck checks the names of an object's members against those of the type that it is decoded
// into, at every depth. encoding/json compares without case and ignores what it does not know,
// which is why it does not do this.
type FieldCheck struct {
	// Tolerant ignores unknown names, but none that differs from a known one by its case alone:
	// what its sender meant is not what would happen.
	Tolerant bool
}

// Unmarshaler is the interface of types that decode themselves: their members are their own
// matter.
var Unmarshaler = reflect.TypeFor[json.Unmarshaler]()

// Value checks one value, which was scanned already, against t. path is where it stands, for
// messages. What does not fit the type is left to the decoder, which reports it in better words.
// The error is fault.Malformed invalid_request.
func (f FieldCheck) Value(text json.RawMessage, t reflect.Type, path string) error {
	// A pointer may be null, which the decoder accepts.
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t == reflect.TypeFor[ParsedDefinition]() || t == reflect.TypeFor[DefinitionPart]() || reflect.PointerTo(t).Implements(Unmarshaler) {
		return nil
	}
	switch t.Kind() {
	case reflect.Struct:
		return f.object(text, t, path)
	case reflect.Map:
		return f.members(text, t.Elem(), path)
	case reflect.Slice:
		return f.items(text, t.Elem(), path)
	}
	return nil
}

// object checks a value that is decoded into the struct t.
func (f FieldCheck) object(text json.RawMessage, t reflect.Type, path string) error {
	var object map[string]json.RawMessage
	if json.Unmarshal(text, &object) != nil {
		return nil
	}
	fields, names := FieldsOf(t)
	return f.named(object, t, fields, names, path)
}

// named checks the members of an object against the fields of t; fields and names are those of
// FieldsOf(t). The members are visited in the order of their names, so that a request with
// several mistakes always has the same answer.
func (f FieldCheck) named(object map[string]json.RawMessage, t reflect.Type, fields map[string][]int, names []string, path string) error {
	for _, name := range slices.Sorted(maps.Keys(object)) {
		i, known := fields[name]
		if !known {
			if err := f.unknown(path, name, names); err != nil {
				return err
			}
			continue
		}
		if err := f.Value(object[name], t.FieldByIndex(i).Type, joinPath(path, name)); err != nil {
			return err
		}
	}
	return nil
}

// members checks the values of a map; its keys are data, and any will do.
func (f FieldCheck) members(text json.RawMessage, t reflect.Type, path string) error {
	var object map[string]json.RawMessage
	if json.Unmarshal(text, &object) != nil {
		return nil
	}
	for _, name := range slices.Sorted(maps.Keys(object)) {
		if err := f.Value(object[name], t, joinPath(path, name)); err != nil {
			return err
		}
	}
	return nil
}

// items checks the elements of a list.
func (f FieldCheck) items(text json.RawMessage, t reflect.Type, path string) error {
	if t.Kind() == reflect.Uint8 { // bytes, and JSON that is kept as it is
		return nil
	}
	var list []json.RawMessage
	if json.Unmarshal(text, &list) != nil {
		return nil
	}
	for i, item := range list {
		if err := f.Value(item, t, path+"["+strconv.Itoa(i)+"]"); err != nil {
			return err
		}
	}
	return nil
}

// unknown refuses a name, and says which one may be meant and which there are. It returns nil
// where Tolerant allows the name.
func (f FieldCheck) unknown(path, name string, names []string) error {
	if f.Tolerant && !slices.ContainsFunc(names, func(known string) bool { return strings.EqualFold(known, name) }) {
		return nil
	}
	if len(names) == 0 {
		return Malformed("Unknown field %q; this request has no fields.", Truncate(joinPath(path, name)))
	}
	advice := "remove it"
	if near := suggestField(name, names); near != "" {
		advice = "did you mean " + strconv.Quote(joinPath(path, near)) + "?"
	}
	return Malformed("Unknown field %q; %s Known are: %s.", Truncate(joinPath(path, name)), sentence(advice), strings.Join(names, ", "))
}

// sentence ends a text with a full stop, unless it ends with a question mark.
func sentence(s string) string {
	if strings.HasSuffix(s, "?") {
		return s
	}
	return s + "."
}

// joinPath appends a name to a path, which is "" for the whole body.
func joinPath(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// FieldsOf returns the JSON names of a struct's fields, those of embedded structs included: in
// order, and with the indexes that reflect.Value.FieldByIndex takes. Every exported field must
// have a json tag with a name.
func FieldsOf(t reflect.Type) (fields map[string][]int, names []string) {
	fields = map[string][]int{}
	for i := range t.NumField() {
		field := t.Field(i)
		if field.Anonymous && field.Tag.Get("json") == "" {
			inner, more := FieldsOf(field.Type)
			for name, at := range inner {
				fields[name] = append([]int{i}, at...)
			}
			names = append(names, more...)
			continue
		}
		if !field.IsExported() {
			continue
		}
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		fields[name] = []int{i}
		names = append(names, name)
	}
	return fields, names
}
