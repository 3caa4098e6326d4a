package templates

import (
	"encoding/json"
	"reflect"
	"slices"
)

// Conflict is a value that people and the template both changed, differently,
// since it was installed. The edited value stays. StepID is nil for what
// stands beside the steps; Path is a JSON pointer from the step, or from the
// definition, and empty for a step that one side removed and the other
// changed. A value that is not there is nil.
type Conflict struct {
	StepID    *string
	Path      string
	Installed json.RawMessage
	Edited    json.RawMessage
	New       json.RawMessage
}

// Merge joins what became of a definition on two sides: installed is the
// common origin, edited is what people made of it, next what the template
// makes of it now. Steps are matched by id, loop bodies included, fields and
// members of objects by name; lists of other things are one value. Without
// edits the result is next, without a change of the template it is edited, in
// canonical form; the order of steps is people's where they reordered them,
// else the template's.
func Merge(installed, edited, next json.RawMessage) (json.RawMessage, []Conflict, error) {
	var values [3]any
	for i, raw := range []json.RawMessage{installed, edited, next} {
		v, err := decode(raw)
		if err != nil {
			return nil, nil, err
		}
		values[i] = v
	}
	m := &merger{}
	merged := m.merge(location{}, threeWay{present(values[0]), present(values[1]), present(values[2])})
	out, err := encode(merged.v)
	return out, m.conflicts, err
}

// optional is a value, or none.
type optional struct {
	v  any
	ok bool
}

func present(v any) optional { return optional{v, true} }

func member(object map[string]any, key string) optional {
	v, ok := object[key]
	return optional{v, ok}
}

// threeWay is one value on the three sides.
type threeWay struct{ base, edited, next optional }

func (t threeWay) sides() [3]optional { return [3]optional{t.base, t.edited, t.next} }

// location is a place: of a step, or of the definition itself.
type location struct {
	step *string
	path string
}

func (s location) below(key string) location { return location{s.step, memberPointer(s.path, key)} }

// listsSteps tells the places where steps are listed.
func (s location) listsSteps() bool {
	return s.step == nil && slices.Contains([]string{"/steps", "/on_failure", "/finally"}, s.path) || s.step != nil && s.path == "/config/steps"
}

type merger struct{ conflicts []Conflict }

// merge decides what becomes of one value.
func (m *merger) merge(at location, t threeWay) optional {
	switch {
	case same(t.edited, t.next), same(t.base, t.next):
		return t.edited
	case same(t.base, t.edited):
		return t.next
	}
	if at.listsSteps() {
		if lists, ok := stepLists(t); ok {
			return present(m.steps(lists))
		}
	}
	base, edited, next := objectOf(t.base.v), objectOf(t.edited.v), objectOf(t.next.v)
	if edited != nil && next != nil && (base != nil || !t.base.ok) {
		return present(m.object(at, base, edited, next))
	}
	m.conflicts = append(m.conflicts, Conflict{
		StepID: at.step, Path: at.path, Installed: textOf(t.base), Edited: textOf(t.edited), New: textOf(t.next),
	})
	return t.edited
}

func same(a, b optional) bool { return a.ok == b.ok && reflect.DeepEqual(a.v, b.v) }

func (m *merger) object(at location, base, edited, next map[string]any) map[string]any {
	all := map[string]any{}
	for _, side := range []map[string]any{base, edited, next} {
		for key := range side {
			all[key] = nil
		}
	}
	out := make(map[string]any, len(all))
	for _, key := range sortedKeys(all) {
		v := m.merge(at.below(key), threeWay{member(base, key), member(edited, key), member(next, key)})
		if v.ok {
			out[key] = v.v
		}
	}
	return out
}

// textOf is a value as canonical JSON, nil for none.
func textOf(v optional) json.RawMessage {
	if !v.ok {
		return nil
	}
	return json.RawMessage(jsonText(v.v))
}
