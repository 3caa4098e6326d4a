// Package versions is a workflow's history: its immutable versions with number
// and label, publishing one, going back to one, what a change would affect
// (Preview), and moving workflows with their history between tenants and
// databases (Transfer).
//
// Compare is its core. It promises that applying the patch (RFC 6902) to the one
// definition yields the other, byte for byte in canonical form; that steps are
// matched by id, so that the patch, the list of changes and the summary speak of
// steps as people do; and that the cost is O(n log n) in the number of steps.
// BreakingInputs compares input schemas and says what callers may run into.
//
// # How definitions are compared
//
//   - decode (diff_json.go) reads both texts; numbers stay as they are written.
//   - outlineOf (diff_outline.go) lists the steps of each, with those of loop bodies.
//   - findRenames (diff_renames.go) pairs removed steps with added ones of the same
//     content; idRewriter (diff_references.go) makes references to them comparable.
//   - patch (diff_patch.go) collects the operations: settings member by member, lists
//     of steps by alignment (diff_align.go), each step that both have as a value.
//   - changes and fields (diff_changes.go, diff_fields.go) say the same per step, and
//     summary (summary.go) in one line.
//
// A text that is not a definition is compared as plain JSON: a draft may be wrong and
// still has a difference.
//
// # Transfer
//
// An export is one line of JSON per workflow, with all versions; an import checks
// each line as if its definitions were edited here, and stores it in one
// transaction. Neither holds more than one line in memory; an export, not even one.
//
// Which version is active is decided by workflows.Workflow.Activate; versions
// themselves are never changed or removed. The package knows no SQL and no HTTP.
package versions

import (
	"encoding/json"
	"heddle/audit"
	"heddle/definitions/source"
	"time"
)

// Version is one immutable state of a workflow's definition; only its label and the
// text that means the definition may change.
type Version struct {
	WorkflowID     string
	Number         int             // counts from 1 without gaps
	Label          string          // empty, or unique within the workflow
	Definition     json.RawMessage // canonical text; nil in lists
	DefinitionHash string          // "sha256:…" over Definition
	Written        source.Written  // what the author wrote; in lists without its text
	ChangeSummary  string          // what its author wrote about it; may be empty
	CreatedBy      string          // the key's name
	Author         audit.Actor     // zero where only the name is known
	CreatedAt      time.Time       // UTC, to the millisecond
	// PublishedAt is when it last became the active version, zero for never, and for those
	// that earlier releases published; PublishedBy who made it so, zero: unknown.
	PublishedAt time.Time
	PublishedBy audit.Actor
}

// Ref names a version by the id of its workflow and its number.
type Ref struct {
	WorkflowID string
	Number     int
}
