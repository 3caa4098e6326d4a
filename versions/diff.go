package versions

import "heddle/internal/exactjson"

import "encoding/json"

// The values of Change.Change, in the order in which changes are listed and
// summarized.
const (
	Added    = "added"
	Removed  = "removed"
	Renamed  = "renamed"  // the same content under a new id
	Moved    = "moved"    // another position in the list, nothing else
	Modified = "modified" // other content; its position may differ as well
	Settings = "settings" // of the workflow: name, input, output, …
)

// Diff is the difference between two definitions: for programs (Patch), for
// user interfaces (Changes) and in one line (Summary, whose wording is
// described at comparison.summary). The zero Diff is not the empty one; Compare
// returns that for equal definitions.
type Diff struct {
	Patch   json.RawMessage // RFC 6902 in canonical form; "[]" when equal
	Changes []Change        // never nil; may be empty although Patch is not
	Summary string
}

// Change is the change of one step, at any depth, or of the workflow's
// settings. A step has at most one change; a step that differs only in its
// references to a renamed step has none.
type Change struct {
	// StepID is the step's id in the new definition, or in the old one of a
	// removed step; nil for the settings.
	StepID *string `json:"step_id"`
	// Change is one of Added, Removed, Renamed, Moved, Modified and Settings.
	Change string `json:"change"`
	// PreviousID is a renamed step's old id; empty for any other change.
	PreviousID string `json:"previous_id,omitempty"`
	// Fields are the values that differ, list and loop first and then in the
	// order of their paths; only for Modified and Settings.
	Fields []Field `json:"fields,omitempty"`

	kind string // the step's type, for Text; empty for the settings
}

// Field is one value that changed.
type Field struct {
	// Path is a JSON pointer (RFC 6901) from the step, or from the definition
	// for settings. The paths "list" and "loop" (no pointers) stand for the
	// place of the step: the field of the definition that it is in, and the id
	// of the loop whose body it is in, null at the top level.
	Path string `json:"path"`
	// Before is the old value in canonical form; absent when the field is new.
	Before json.RawMessage `json:"before,omitempty"`
	// After is the new value in canonical form; absent when the field is gone.
	After json.RawMessage `json:"after,omitempty"`
}

// Compare returns the difference between two definitions, given as JSON. Texts that
// are not definitions (no list of steps, steps without an id, an id twice) are
// compared as plain JSON, and all their differences count as settings. Applying the
// patch to before yields the canonical form of after, byte for byte.
//
// Steps are matched by id, so that one added at the head of a long list is one
// operation. The work is O(n log n) in the number of steps. Text that is not
// JSON is fault.Unacceptable syntax; nesting beyond 64 is limit_exceeded.
func Compare(before, after json.RawMessage) (Diff, error) {
	a, err := decode(before)
	if err != nil {
		return Diff{}, err
	}
	b, err := decode(after)
	if err != nil {
		return Diff{}, err
	}
	c := comparison{patch: patch{lcsBudget: lcsBudget}, moved: map[string]bool{}}
	// Decoded values are compared: white space and the order of keys make no
	// difference.
	if exactjson.Equal(a, b) {
		return Diff{Patch: c.patch.text(), Changes: []Change{}, Summary: noChanges}, nil
	}
	changes := c.compare(a, b)
	return Diff{Patch: c.patch.text(), Changes: changes, Summary: c.summary(changes)}, nil
}

// comparison is the state of comparing one pair of definitions. It is used
// once, by one goroutine; the decoded definitions are only read.
type comparison struct {
	patch         patch    // grows as the comparison proceeds
	before, after *outline // empty where one of the two is not a definition
	renames       renames
	moved         map[string]bool // steps that changed position, by their new id
	outputKeys    map[string]bool // ids that are keys of a default output
}

// compare writes the patch and returns the changes of two values that differ.
// The patch comes first: it finds which steps are moved.
func (c *comparison) compare(a, b any) []Change {
	x, y, ok := objects(a, b)
	if ok {
		c.before, ok = outlineOf(x)
	}
	if ok {
		c.after, ok = outlineOf(y)
	}
	if !ok {
		// A half-read outline would match steps that the patch does not.
		c.before, c.after = &outline{}, &outline{}
		c.patch.value("", a, b)
		return c.plainChanges(a, b)
	}
	c.renames = findRenames(c.before, c.after)
	c.outputKeys = c.after.defaultOutputKeys(y)
	c.definition(x, y)
	return c.changes(x, y)
}

// definition writes the patch of two definitions: settings first, then the
// lists of steps. A list that only one of them has counts as a setting here,
// and is added or removed as a whole.
func (c *comparison) definition(a, b map[string]any) {
	var both []string
	// Only lists that both have are compared step by step.
	for _, key := range stepLists {
		if _, _, ok := lists(a[key], b[key]); ok {
			both = append(both, key)
		}
	}
	c.patch.object("", a, b, both...)
	for _, key := range both {
		c.steps("/"+key, c.before.lists[key], c.after.lists[key])
	}
}

// steps writes the operations that turn one list of steps into another:
// removals, moves and additions, and then the changes inside the steps that
// both have, whose indexes are final by then. Lists without a common step are
// replaced as a whole.
func (c *comparison) steps(path string, a, b []*stepNode) {
	al := align(c.renames.newIDs(a), ids(b))
	if len(al.kept) == 0 && len(a) > 0 && len(b) > 0 {
		c.patch.replace(path, valuesOf(b))
		return
	}
	c.patch.apply(path, 0, al, func(i int) any { return b[i].value })
	for _, pair := range al.kept {
		if pair.moved {
			c.moved[b[pair.new].id] = true
		}
		c.step(pointer(path, pair.new), a[pair.old], b[pair.new])
	}
}

// step writes the operations that turn one step into another; the body of a
// loop is compared as a list of steps. path is where the step is in the list as
// it is by now.
func (c *comparison) step(path string, a, b *stepNode) {
	if a.body == nil || b.body == nil {
		c.patch.value(path, a.value, b.value)
		return
	}
	// All of the loop but its config, then all of the config but its steps.
	c.patch.object(path, a.value, b.value, "config")
	config := path + "/config"
	c.patch.object(config, a.config(), b.config(), "steps")
	c.steps(config+"/steps", a.body, b.body)
}
