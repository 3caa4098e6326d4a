package workflows

import (
	"encoding/json"
	"fmt"
	"heddle/definitions/parser"
	"slices"
	"time"
)

// Title is what a workflow shows of its active definition, in lists and in
// search.
type Title struct{ Name, Description string }

// TitleOf reads the title of a stored definition. An error means that the
// stored text is damaged.
func TitleOf(definition json.RawMessage) (Title, error) {
	var t Title
	if err := json.Unmarshal(definition, &t); err != nil {
		return t, fmt.Errorf("read a stored definition: %w", err)
	}
	return t, nil
}

// TitleIn returns the title of a document without errors.
func TitleIn(d *parser.Document) Title {
	return Title{Name: d.Definition.Name, Description: d.Definition.Description}
}

// Activate returns the workflow with a version as the active one, and with the
// name and description of that version's definition. It is the one place where
// an active version is set: creating, saving with publish, publishing, rolling
// back and importing all go through it, so that a workflow never shows the
// title of another version than it runs.
func (w Workflow) Activate(number int, t Title) Workflow {
	w.ActiveVersion, w.Name, w.Description = number, t.Name, t.Description
	return w
}

// Revise completes a change for Store.Change, the one method that stores it:
// where r differs from the current workflow, its revision (the ETag) is raised
// and its update time becomes now; otherwise it is the workflow as it was, so
// that publishing the active version again, or saving what is there, changes
// nothing.
func (c Current) Revise(r Revision, now time.Time) Revision {
	before, after := c.Workflow, r.Workflow
	same := r.Version == nil && r.Origin == nil && !r.Written.Given() && before.ActiveVersion == after.ActiveVersion &&
		before.Status == after.Status && before.TriggerType == after.TriggerType && slices.Equal(before.Tags, after.Tags)
	if same {
		r.Workflow = before
		return r
	}
	r.Workflow.Revision++
	r.Workflow.UpdatedAt = now
	return r
}
