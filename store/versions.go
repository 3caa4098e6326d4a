package store

import (
	"context"
	"encoding/json"
	"heddle/audit"
	"heddle/definitions"
	"heddle/definitions/source"
	"heddle/definitions/workflows"
	"heddle/executor"
	"heddle/executor/machine"
	"heddle/fault"
	"heddle/internal/elements"
	"heddle/versions"
	"slices"
	"strconv"
	"strings"
	"time"

	"gorm.io/gorm"
)

// Versions lists at most limit versions without their definitions, newest
// first, below number before (0: from the newest). Those of a deleted workflow
// are listed by its id. A workflow that does not exist has none. The primary
// key serves every page.
func (db *DB) Versions(ctx context.Context, tenantID, workflowID string, before, limit int) ([]versions.Version, error) {
	q := db.reader(ctx).Omit("definition", "source_text").Where("workflow_id = ? AND tenant_id = ?", workflowID, tenantID)
	if before > 0 {
		q = q.Where("number < ?", before)
	}
	var rows []versionRow
	if err := q.Order("number DESC").Limit(limit).Find(&rows).Error; err != nil {
		return nil, translate(err)
	}
	return elements.Map(rows, versionRow.version), nil
}

// Version returns one version with its definition. version is a number ("3",
// "v3"), a label, or "" for the active one. version_not_found.
func (db *DB) Version(ctx context.Context, tenantID, workflowID, version string) (versions.Version, error) {
	q := db.reader(ctx).Where("workflow_id = ? AND tenant_id = ?", workflowID, tenantID)
	active := gorm.Expr("(SELECT active_version FROM workflows WHERE id = ?)", workflowID)
	var row versionRow
	ok, err := found(byVersionRef(q, active, version), &row)
	if err == nil && !ok {
		err = versionNotFound(version)
	}
	return row.version(), translate(err)
}

// VersionText returns the text that a version's definition was written in, none where
// none is kept. version_not_found.
func (db *DB) VersionText(ctx context.Context, workflowID string, version int) (source.Written, error) {
	var row versionRow
	ok, err := found(db.reader(ctx).Select("source_format", "source_text").Where("workflow_id = ? AND number = ?", workflowID, version), &row)
	if err == nil && !ok {
		err = versionNotFound(strconv.Itoa(version))
	}
	return row.version().Written, translate(err)
}

// Labels returns the labels of versions, of workflows that are not deleted, with one
// statement for labelsPerStatement of them; versions without one are left out. Each is
// a lookup by the primary keys.
func (db *DB) Labels(ctx context.Context, tenantID string, refs []versions.Ref) (map[versions.Ref]string, error) {
	labels := make(map[versions.Ref]string)
	for some := range slices.Chunk(refs, labelsPerStatement) {
		text := "SELECT v.workflow_id, v.number, v.label FROM (VALUES (?, CAST(? AS INTEGER))" + strings.Repeat(", (?, ?)", len(some)-1) + `) AS r
			JOIN workflow_versions AS v ON v.workflow_id = r.column1 AND v.number = r.column2
			JOIN workflows AS w ON w.id = v.workflow_id AND w.deleted = 0 WHERE v.tenant_id = ? AND v.label <> ''`
		args := make([]any, 0, 2*len(some)+1)
		for _, ref := range some {
			args = append(args, ref.WorkflowID, ref.Number)
		}
		var rows []versionRow
		if err := db.reader(ctx).Raw(text, append(args, tenantID)...).Scan(&rows).Error; err != nil {
			return nil, translate(err)
		}
		for _, r := range rows {
			labels[versions.Ref{WorkflowID: r.WorkflowID, Number: r.Number}] = r.Label
		}
	}
	return labels, nil
}

// labelsPerStatement bounds the text of a statement of Labels.
const labelsPerStatement = 200

// SetLabel sets or clears ("") a version's label and raises the workflow's
// revision, unless the label is that already, in one transaction. check sees
// the workflow, whose row is locked, and may refuse. version_not_found;
// label_taken (Conflict) by the unique index on labels.
func (db *DB) SetLabel(ctx context.Context, tenantID, workflowID string, number int, label string, check func(workflows.Workflow) error) (workflows.Workflow, versions.Version, error) {
	type result struct {
		w       workflows.Workflow
		version versions.Version
	}
	labelled, err := updateResult(ctx, db, func(tx *gorm.DB) (result, error) {
		current, err := findWorkflow(forNoKeyUpdate(tx), tenantID, workflowID)
		if err != nil {
			return result{}, err
		}
		w, err := current.workflow()
		if err != nil {
			return result{}, err
		}
		if err := check(w); err != nil {
			return result{}, err
		}
		row, old, err := writeLabel(tx, &w, number, label)
		if err != nil {
			return result{}, err
		}
		made := savedVersion{row.Number, row.Hash}
		err = writeAudit(tx, workflowObject(current), workflowChange{Label: &labelChange{made, old, label}})
		return result{w, row.version()}, err
	})
	return labelled.w, labelled.version, err
}

// writeLabel sets the label of one version, raises w's revision, and returns
// the row and the label that it had. Where the version has the label already
// nothing is written. version_not_found; label_taken (Conflict).
func writeLabel(tx *gorm.DB, w *workflows.Workflow, number int, label string) (row versionRow, old string, err error) {
	ok, err := found(tx.Omit("definition", "source_text").Where("workflow_id = ? AND number = ?", w.ID, number), &row)
	if err == nil && !ok {
		err = versionNotFound(strconv.Itoa(number))
	}
	if err != nil || row.Label == label {
		return row, row.Label, err
	}
	old, row.Label = row.Label, label
	err = tx.Exec("UPDATE workflow_versions SET label = ? WHERE workflow_id = ? AND number = ?", label, w.ID, number).Error
	if violatesUnique(err, "label") {
		return row, old, labelTaken(label)
	}
	if err != nil {
		return row, old, err
	}
	w.Revision++
	return row, old, tx.Exec("UPDATE workflows SET revision = ? WHERE id = ?", w.Revision, w.ID).Error
}

// RunsByVersion counts the open runs of a workflow by the version that they
// run, the lowest version first; never nil. It reads the partial index on open
// runs.
func (db *DB) RunsByVersion(ctx context.Context, tenantID, workflowID string) ([]versions.OpenRuns, error) {
	counts := []versions.OpenRuns{}
	err := db.reader(ctx).Raw(runsByVersionSQL, workflowID, tenantID).Scan(&counts).Error
	return counts, translate(err)
}

// StartedByVersion sums the hours of run_stats since a time, by version: a range of its
// primary key, however many runs there were.
func (db *DB) StartedByVersion(ctx context.Context, tenantID, workflowID string, since time.Time) (map[int]int, error) {
	var rows []struct{ Version, Count int }
	err := db.reader(ctx).Raw(`SELECT version, CAST(sum(started) AS BIGINT) AS count FROM run_stats
WHERE tenant_id = ? AND workflow_id = ? AND span = ? AND period >= ? GROUP BY version`, tenantID, workflowID, time.Hour.Milliseconds(), millis(since.Truncate(time.Hour))).Scan(&rows).Error
	counts := make(map[int]int, len(rows))
	for _, r := range rows {
		counts[r.Version] = r.Count
	}
	return counts, translate(err)
}

// RecentRuns returns the last run of each trigger, and the newest runs that failed, were
// cancelled or are paused. Each part is the head of a list of runs, see runRange.
func (db *DB) RecentRuns(ctx context.Context, tenantID, workflowID string, limit int) ([]versions.Caller, []string, error) {
	callers, resumable := []versions.Caller{}, []string{}
	for _, trigger := range definitions.Triggers() {
		page, err := db.Runs(ctx, executor.RunQuery{TenantID: tenantID, Workflows: []string{workflowID}, Triggers: []string{trigger}, Limit: 1})
		if err != nil {
			return nil, nil, err
		}
		for _, r := range page.Runs {
			callers = append(callers, versions.Caller{Trigger: trigger, LastUsed: r.CreatedAt})
		}
	}
	page, err := db.Runs(ctx, executor.RunQuery{
		TenantID: tenantID, Workflows: []string{workflowID}, States: []machine.State{machine.Failed, machine.Cancelled, machine.Paused}, Limit: limit,
	})
	for _, r := range page.Runs {
		resumable = append(resumable, r.RunID)
	}
	return callers, resumable, err
}

// versionNumber reads "3" and "v3", and reports whether it is such a text.
// Labels never are, so a reference is never ambiguous.
func versionNumber(version string) (int, bool) {
	n, err := strconv.ParseInt(strings.TrimPrefix(version, "v"), 10, 32)
	return int(n), err == nil && n > 0
}

// byVersionRef narrows q to the version that ref names: a number ("3", "v3"), a
// label, or the active version, whose number active is (a value or an SQL
// expression), where ref is "".
func byVersionRef(q *gorm.DB, active any, ref string) *gorm.DB {
	if ref == "" {
		return q.Where("number = ?", active)
	}
	if n, ok := versionNumber(ref); ok {
		return q.Where("number = ?", n)
	}
	return q.Where("label = ? AND label <> ''", ref)
}

// versionNotFound is the error for a version that the workflow does not have.
func versionNotFound(version string) error {
	return fault.New(fault.NotFound, "version_not_found", "The workflow has no version %q.", version)
}

// version decodes a row; without an author's type, as old rows are, it has no
// author.
func (r versionRow) version() versions.Version {
	v := versions.Version{
		WorkflowID: r.WorkflowID, Number: r.Number, Label: r.Label, DefinitionHash: r.Hash,
		ChangeSummary: r.ChangeSummary, CreatedBy: r.CreatedBy, CreatedAt: fromMillis(r.CreatedAt),
		Written: source.Written{Format: source.Format(r.SourceFormat), Text: r.SourceText},
	}
	if r.AuthorType != "" {
		v.Author = audit.Actor{Type: r.AuthorType, ID: r.AuthorID, Name: r.CreatedBy}
	}
	if v.PublishedAt = fromMillis(r.PublishedAt); r.PublishedBy != "" {
		_ = json.Unmarshal([]byte(r.PublishedBy), &v.PublishedBy) // a damaged one is unknown
	}
	if r.Definition != "" {
		v.Definition = json.RawMessage(r.Definition)
	}
	return v
}
