package versions

import "encoding/json"

// The words of Change.Change, in the order in which changes are listed and
// summed up.
const (
	Added    = "added"
	Removed  = "removed"
	Renamed  = "renamed"  // the same content under a new id
	Moved    = "moved"    // another place in the list, nothing else
	Modified = "modified" // other content; its place may differ as well
	Settings = "settings" // of the workflow: name, input, output, …
)

// Diff says how one definition differs from another, for programs (Patch),
// for interfaces (Changes) and in one line (Summary; see its wording there).
type Diff struct {
	Patch   json.RawMessage // RFC 6902; "[]" when equal
	Changes []Change        // never nil
	Summary string
}

// Change is what became of one step, loop bodies included, or of the
// workflow's settings (StepID nil). A step has one change at the most; a
// step that only follows the renaming of another has none. PreviousID is a
// renamed step's old id.
type Change struct {
	StepID     *string `json:"step_id"`
	Change     string  `json:"change"`
	PreviousID string  `json:"previous_id,omitempty"`
	Fields     []Field `json:"fields,omitempty"`

	kind string // the step's type
}

// Field is one value that changed. Path is a JSON pointer from the step, or
// from the definition for settings; the path "loop" (no pointer) stands for
// the id of the loop whose body the step is in, null at the top level. Before
// is absent when the field is new, After when it is gone.
type Field struct {
	Path   string          `json:"path"`
	Before json.RawMessage `json:"before,omitempty"`
	After  json.RawMessage `json:"after,omitempty"`
}

// Compare finds the difference of two definitions, given as JSON texts of any
// kind; those that are no definitions (no list of steps, steps without an id,
// an id twice) are compared as plain JSON, and all they changed counts as
// settings. Applying the patch to before gives the canonical form of after,
// to the byte.
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
	if equal(a, b) {
		return Diff{Patch: c.patch.text(), Changes: []Change{}, Summary: noChanges}, nil
	}
	changes := c.compare(a, b)
	return Diff{Patch: c.patch.text(), Changes: changes, Summary: c.summary(changes)}, nil
}

// comparison is the work on one pair of definitions.
type comparison struct {
	patch         patch
	before, after *outline
	renames       renames
	moved         map[string]bool // by the new id
	outputKeys    map[string]bool // ids that are keys of a default output
}

func (c *comparison) compare(a, b any) []Change {
	x, y, ok := objects(a, b)
	if ok {
		c.before, ok = outlineOf(x)
	}
	if ok {
		c.after, ok = outlineOf(y)
	}
	if !ok {
		c.before, c.after = &outline{}, &outline{}
		c.patch.value("", a, b)
		return c.plainChanges(a, b)
	}
	c.renames = findRenames(c.before, c.after)
	c.outputKeys = c.after.defaultOutputKeys(y)
	c.definition(x, y)
	return c.changes(x, y)
}

// definition writes the patch: settings first, then the steps.
func (c *comparison) definition(a, b map[string]any) {
	var both []string
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

// steps writes what turns one list of steps into another. Lists that have no
// step in common are replaced whole.
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

// step writes what turns one step into another, the body of a loop by the
// rules of steps.
func (c *comparison) step(path string, a, b *stepNode) {
	if a.body == nil || b.body == nil {
		c.patch.value(path, a.value, b.value)
		return
	}
	c.patch.object(path, a.value, b.value, "config")
	config := path + "/config"
	c.patch.object(config, a.config(), b.config(), "steps")
	c.steps(config+"/steps", a.body, b.body)
}
