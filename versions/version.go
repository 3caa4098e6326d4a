// Package versions is a workflow's history: immutable versions with number and
// label, comparing them, publishing one, going back to one.
package versions

import (
	"encoding/json"
	"heddle/audit"
	"time"
)

// Version is one immutable state of a workflow's definition. Number counts
// from 1. Label is empty or unique within the workflow.
type Version struct {
	WorkflowID     string
	Number         int
	Label          string
	Definition     json.RawMessage // canonical text
	DefinitionHash string          // "sha256:…" over Definition
	ChangeSummary  string
	CreatedBy      string      // the key's name
	Author         audit.Actor // zero where only the name is known
	CreatedAt      time.Time
}
