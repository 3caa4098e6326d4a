package versions

import (
	"encoding/json"
	"fmt"
	"slices"
	"sort"
	"strings"
)

// The two summaries that name no change.
const (
	noChanges          = "No changes"
	noFunctionalChange = "No functional change"
)

// summary returns a list of changes in one line, with steps counted by kind of
// change: "Added 1 step, removed 2 steps, renamed 1 step, moved 3 steps, modified 1
// step, changed settings", each part only where there is such a change. Where the
// workflow does the same as before, it ends in ". No functional change": "Moved 1
// step. No functional change".
//
// The workflow does the same as long as only the order of steps or of
// dependencies, the names and descriptions of steps or workflow, or the ids of
// steps changed; but the id of a step whose output is in the run's default
// output (no output setting, nothing depends on it) is a key there, and a
// new key is a functional change.
func (c *comparison) summary(changes []Change) string {
	counts := map[string]int{}
	for _, change := range changes {
		counts[change.Change]++
	}
	var parts []string
	for _, word := range []string{Added, Removed, Renamed, Moved, Modified} {
		switch n := counts[word]; n {
		case 0:
		case 1:
			parts = append(parts, word+" 1 step")
		default:
			parts = append(parts, fmt.Sprintf("%s %d steps", word, n))
		}
	}
	if counts[Settings] > 0 {
		parts = append(parts, "changed settings")
	}
	if len(parts) == 0 {
		return noFunctionalChange // a renamed step's references are written another way
	}
	// A sentence: its first letter is a capital.
	line := strings.Join(parts, ", ")
	line = strings.ToUpper(line[:1]) + line[1:]
	if slices.ContainsFunc(changes, c.functional) {
		return line
	}
	return line + ". " + noFunctionalChange
}

// functional reports whether a change may alter what the workflow does. It is
// cautious: an unknown field counts as functional.
func (c *comparison) functional(change Change) bool {
	switch change.Change {
	case Moved:
		return false
	case Renamed:
		return c.outputKeys[*change.StepID]
	case Modified, Settings:
		return slices.ContainsFunc(change.Fields, functionalField)
	}
	return true
}

// functionalField reports the same of one field: names, descriptions and the order
// of dependencies are not functional.
func functionalField(f Field) bool {
	switch f.Path {
	case "/name", "/description":
		return false
	case "/depends_on":
		return !sameNames(f.Before, f.After)
	}
	return true
}

// sameNames reports whether two lists of strings differ at most in order and
// repetition.
func sameNames(a, b json.RawMessage) bool {
	x, okX := nameSet(a)
	y, okY := nameSet(b)
	return okX && okY && slices.Equal(x, y)
}

// nameSet returns a list of strings sorted and without repetition; false where it is
// not one. A missing list is empty.
func nameSet(list json.RawMessage) ([]string, bool) {
	var names []string
	if len(list) > 0 && json.Unmarshal(list, &names) != nil {
		return nil, false
	}
	sort.Strings(names)
	return slices.Compact(names), true
}
