package templates

import (
	"encoding/json"
	"heddle/internal/exactjson"
	"slices"
)

// Conflict is a value that people and the template both changed, differently,
// since the workflow was installed. The edited value is kept.
type Conflict struct {
	// StepID is the step that holds the value; nil for values outside steps.
	StepID *string
	// Path is a JSON pointer (RFC 6901) from the step, or from the definition; empty
	// for a step that one side removed and the other changed.
	Path string
	// Installed, Edited and New are the value in canonical form as it was installed,
	// as people have changed it, and as the template has it now; nil where it is
	// missing.
	Installed json.RawMessage
	Edited    json.RawMessage
	New       json.RawMessage
}

// Merge is a three-way merge of definitions: installed is the common origin,
// edited is what people have made of it, next is what the template yields now.
// Steps are matched by id within the list that holds them, also in the bodies
// of loops; members of objects by name; other lists are one value. Without
// edits the result is next; without a change of the template it is edited, in
// canonical form. The order of steps is that of edited where people reordered
// them, otherwise that of next. Where both sides changed a value differently,
// edited wins and a Conflict says so, in the order of the merge.
//
// The result may be invalid, such as when one side removed a step that the
// other refers to, or both moved one to different lists. The error is one of
// reading a text, or of a result beyond the limits of a definition.
func Merge(installed, edited, next json.RawMessage) (json.RawMessage, []Conflict, error) {
	return MergeResolved(installed, edited, next, nil)
}

// MergeResolved is Merge in which resolutions decide conflicts, which are not returned then.
// One that is of no conflict is fault.Unacceptable invalid_resolution.
func MergeResolved(installed, edited, next json.RawMessage, decided []Resolution) (json.RawMessage, []Conflict, error) {
	all, err := readResolutions(decided)
	if err != nil {
		return nil, nil, err
	}
	var values [3]any
	for i, raw := range []json.RawMessage{installed, edited, next} {
		v, err := decode(raw)
		if err != nil {
			return nil, nil, err
		}
		values[i] = v
	}
	m := &merger{resolved: all}
	merged := m.merge(location{}, threeWay{present(values[0]), present(values[1]), present(values[2])})
	if err := all.unused(); err != nil {
		return nil, nil, err
	}
	out, err := encode(merged.v)
	return out, m.conflicts, err
}

// optional is a value or, where ok is false, a missing one. Null is a value.
type optional struct {
	v  any
	ok bool
}

// present returns a value that is there.
func present(v any) optional { return optional{v, true} }

// member returns an object's member, which may be missing; a nil object has
// none.
func member(object map[string]any, key string) optional {
	v, ok := object[key]
	return optional{v, ok}
}

// threeWay is one value of the three definitions: as it was installed, as it
// was edited, and as the template has it now.
type threeWay struct{ base, edited, next optional }

// sides returns the three values in the order base, edited, next.
func (t threeWay) sides() [3]optional { return [3]optional{t.base, t.edited, t.next} }

// location is where a value is: a path from the innermost step around it, or,
// where step is nil, from the definition.
type location struct {
	step *string
	path string
}

// below returns the location of a member.
func (s location) below(key string) location { return location{s.step, memberPointer(s.path, key)} }

// listsSteps reports whether a list there holds steps.
func (s location) listsSteps() bool {
	return s.step == nil && slices.Contains([]string{"/steps", "/on_failure", "/finally"}, s.path) || s.step != nil && s.path == "/config/steps"
}

// merger collects the conflicts of one merge, in the order in which they are
// met.
type merger struct {
	conflicts []Conflict
	resolved  resolutions // of conflicts that are decided
}

// merge merges one value: what only one side changed is taken from that side;
// steps and objects are merged part by part; anything else is a conflict, and
// the edited value stays. Removing a value is a change like any other.
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
	// Two objects that both sides added are merged too; nothing is installed
	// then.
	if edited != nil && next != nil && (base != nil || !t.base.ok) {
		return present(m.object(at, base, edited, next))
	}
	if v, decided := m.resolved.take(at, t); decided {
		return v
	}
	m.conflicts = append(m.conflicts, Conflict{
		StepID: at.step, Path: at.path, Installed: textOf(t.base), Edited: textOf(t.edited), New: textOf(t.next),
	})
	return t.edited
}

// same reports whether two values are equal as they are written, or both are
// missing.
func same(a, b optional) bool { return a.ok == b.ok && exactjson.Equal(a.v, b.v) }

// object merges three objects member by member, in the order of their keys.
// base is nil where both sides added the object.
func (m *merger) object(at location, base, edited, next map[string]any) map[string]any {
	all := map[string]any{}
	for _, side := range []map[string]any{base, edited, next} {
		for key := range side {
			// A set, in the form that exactjson.Names takes.
			all[key] = nil
		}
	}
	out := make(map[string]any, len(all))
	for _, key := range exactjson.Names(all) {
		v := m.merge(at.below(key), threeWay{member(base, key), member(edited, key), member(next, key)})
		if v.ok {
			out[key] = v.v
		}
	}
	return out
}

// textOf returns a value as canonical JSON, nil for a missing one.
func textOf(v optional) json.RawMessage {
	if !v.ok {
		return nil
	}
	return exactjson.Canonical(v.v)
}
