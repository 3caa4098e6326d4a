package store

import (
	"context"
	"heddle/audit"
	"heddle/definitions/source"
	"heddle/definitions/workflows"
	"heddle/fault"
	"heddle/idempotency"
	"reflect"
	"strings"

	"gorm.io/gorm"
)

// CreateWorkflow stores a workflow, its version 1, its origin and the answer
// kept for a repeated request in one transaction, with an entry in the audit
// trail. slug_taken, label_taken, idempotency_key_taken (all Conflict); unique
// indexes decide between concurrent requests.
func (db *DB) CreateWorkflow(ctx context.Context, rev workflows.Revision, keep *idempotency.Answer) error {
	return db.update(ctx, func(tx *gorm.DB) error {
		if keep != nil {
			if err := insertAnswer(tx, *keep); err != nil {
				return err
			}
		}
		// A workflow may be created without a version; it has no hash then.
		hash := ""
		if rev.Version != nil {
			hash = rev.Version.Hash
		}
		row, err := toWorkflowRow(rev.Workflow, hash)
		if err != nil {
			return err
		}
		if err := tx.Create(&row).Error; err != nil {
			return asSlugTaken(err, row.Slug)
		}
		if err := writeTags(tx, rev.Workflow); err != nil {
			return err
		}
		if err := writeOrigin(tx, rev); err != nil {
			return err
		}
		if err := insertVersion(tx, rev); err != nil {
			return err
		}
		if err := markPublished(tx, rev.Workflow, 0); err != nil {
			return err
		}
		if err := db.writeUses(tx, rev.Workflow, nil); err != nil {
			return err
		}
		if err := writeSteps(tx, rev.Workflow, 0); err != nil {
			return err
		}
		if err := writeAudit(tx, workflowObject(row), workflowChange{To: &workflowState{rev.Workflow.ActiveVersion, hash, row.Status}}); err != nil {
			return err
		}
		return numberChange(tx, row)
	})
}

// workflowObject returns a workflow as the audit trail names it.
func workflowObject(row workflowRow) audit.Object {
	return audit.Object{Kind: "workflow", ID: row.ID, Slug: row.Slug}
}

// Workflow returns a tenant's workflow by id or slug; workflow_not_found, also
// for a deleted one.
func (db *DB) Workflow(ctx context.Context, tenantID, ref string) (workflows.Workflow, error) {
	row, err := findWorkflow(db.reader(ctx), tenantID, ref)
	if err != nil {
		return workflows.Workflow{}, translate(err)
	}
	w, err := row.workflow()
	return w, translate(err)
}

// Change reads the workflow, lets decide say what becomes of it and writes
// that, in one transaction. If decide leaves everything as it was nothing is
// written; otherwise the revision is one higher. decide must be pure: its
// errors roll back and are returned. On PostgreSQL the row is locked from the
// read on, so that two changes follow each other and none is lost.
// workflow_not_found; slug_taken and label_taken (Conflict) by unique indexes.
func (db *DB) Change(ctx context.Context, tenantID, ref string, decide func(workflows.Current) (workflows.Revision, error)) (workflows.Workflow, error) {
	return updateResult(ctx, db, func(tx *gorm.DB) (result workflows.Workflow, err error) {
		row, err := findWorkflow(forNoKeyUpdate(tx), tenantID, ref)
		if err != nil {
			return result, err
		}
		current, err := row.workflow()
		if err != nil {
			return result, err
		}
		written, err := writtenHash(tx, row)
		if err != nil {
			return result, err
		}
		rev, err := decide(workflows.Current{Workflow: current, LatestHash: row.LatestHash, WrittenHash: written})
		if err != nil {
			return result, err
		}
		if result, err = applyRevision(tx, row, current, rev); err != nil {
			return result, err
		}
		if err := markPublished(tx, result, current.ActiveVersion); err != nil {
			return result, err
		}
		if err := db.writeUses(tx, result, heldVersions(current)); err != nil {
			return result, err
		}
		if err := writeSteps(tx, result, current.ActiveVersion); err != nil {
			return result, err
		}
		if err := dropDraft(tx, rev.Draft); err != nil {
			return result, err
		}
		if err := recordRevision(tx, row, result, rev); err != nil || result.Revision == current.Revision {
			return result, err
		}
		return result, numberChange(tx, row)
	})
}

// recordRevision adds an audit entry with the active version, its hash and the
// status before and after. Without a request to record (audit.From) it reads
// nothing.
func recordRevision(tx *gorm.DB, before workflowRow, after workflows.Workflow, rev workflows.Revision) error {
	if audit.TrailFrom(tx.Statement.Context) == nil {
		return nil
	}
	from := workflowState{before.ActiveVersion, "", before.Status}
	to := workflowState{after.ActiveVersion, "", string(after.Status)}
	for _, s := range []*workflowState{&from, &to} {
		var err error
		if s.Hash, err = versionHash(tx, before.ID, s.Version); err != nil {
			return err
		}
	}
	change := workflowChange{From: &from, To: &to, SourceChanged: rev.Written.Given()}
	if v := rev.Version; v != nil {
		change.Saved = &savedVersion{v.Number, v.Hash}
	}
	return writeAudit(tx, audit.Object{Kind: "workflow", ID: after.ID, Slug: after.Slug}, change)
}

// versionHash returns the hash of a version's definition, "" for one that does
// not exist.
func versionHash(tx *gorm.DB, workflowID string, number int) (string, error) {
	var hash string
	err := tx.Raw("SELECT hash FROM workflow_versions WHERE workflow_id = ? AND number = ?", workflowID, number).Scan(&hash).Error
	return hash, err
}

// applyRevision writes what differs from current and returns the workflow as it
// is then. Identity, tenant and creation never change, whatever rev says, and
// the revision is counted here. row must be locked.
func applyRevision(tx *gorm.DB, row workflowRow, current workflows.Workflow, rev workflows.Revision) (workflows.Workflow, error) {
	next := rev.Workflow
	next.ID, next.TenantID, next.CreatedAt = current.ID, current.TenantID, current.CreatedAt
	if rev.Version == nil && rev.Origin == nil && !rev.Written.Given() && reflect.DeepEqual(next, current) {
		return current, nil
	}
	next.Revision = current.Revision + 1
	hash := row.LatestHash
	if rev.Version != nil {
		hash = rev.Version.Hash
	}
	changed, err := toWorkflowRow(next, hash)
	if err != nil {
		return next, err
	}
	if err := tx.Select("*").Updates(&changed).Error; err != nil {
		return next, asSlugTaken(err, next.Slug)
	}
	if err := writeTags(tx, next); err != nil {
		return next, err
	}
	rev.Workflow = next
	if err := writeOrigin(tx, rev); err != nil {
		return next, err
	}
	if rev.Written.Given() {
		return next, replaceWritten(tx, row, rev.Written)
	}
	return next, insertVersion(tx, rev)
}

// writtenHash returns the fingerprint of the text that is kept of a workflow's latest
// version, "" for none.
func writtenHash(tx *gorm.DB, row workflowRow) (string, error) {
	var hash string
	err := tx.Raw("SELECT source_hash FROM workflow_versions WHERE workflow_id = ? AND number = ?", row.ID, row.LatestVersion).Scan(&hash).Error
	return hash, err
}

// replaceWritten stores another text of the latest version's definition.
func replaceWritten(tx *gorm.DB, row workflowRow, w source.Written) error {
	return tx.Exec("UPDATE workflow_versions SET source_format = ?, source_hash = ?, source_text = ? WHERE workflow_id = ? AND number = ?",
		string(w.Format), w.Hash(), w.Text, row.ID, row.LatestVersion).Error
}

// DeleteWorkflow hides a workflow, which frees its slug, and ends its
// schedules, in one transaction. check sees the workflow and whether runs of it
// are open, and may refuse: its error rolls back and is returned. The row is
// locked FOR UPDATE, so no group commit inserts a run in between. Versions stay
// for the runs that are there, and go otherwise. workflow_not_found.
func (db *DB) DeleteWorkflow(ctx context.Context, tenantID, ref string, check func(w workflows.Workflow, openRuns bool) error) error {
	return db.update(ctx, func(tx *gorm.DB) error {
		row, err := findWorkflow(forUpdate(tx), tenantID, ref)
		if err != nil {
			return err
		}
		w, err := row.workflow()
		if err != nil {
			return err
		}
		var open []string
		if err := tx.Raw(openRunsSQL+" LIMIT 1", row.ID, tenantID).Scan(&open).Error; err != nil {
			return err
		}
		if err := check(w, len(open) > 0); err != nil {
			return err
		}
		if err := tx.Exec("UPDATE workflows SET deleted = 1, revision = revision + 1 WHERE id = ?", row.ID).Error; err != nil {
			return err
		}
		if err := endSchedules(tx, "workflow_id = ?", row.ID); err != nil {
			return err
		}
		for _, table := range []string{"workflow_tags", "workflow_recent", "definition_uses", "definition_steps"} {
			if err := tx.Exec("DELETE FROM "+table+" WHERE workflow_id = ?", row.ID).Error; err != nil {
				return err
			}
		}
		if err := tx.Exec("DELETE FROM drafts WHERE tenant_id = ? AND workflow_id = ? AND workflow_id <> ''", tenantID, row.ID).Error; err != nil {
			return err
		}
		// Read for the audit trail before the versions may go.
		hash, err := versionHash(tx, row.ID, row.ActiveVersion)
		if err != nil {
			return err
		}
		if err := deleteOrphanedVersions(tx, tenantID, row.ID); err != nil {
			return err
		}
		if err := writeAudit(tx, workflowObject(row), workflowChange{From: &workflowState{row.ActiveVersion, hash, row.Status}}); err != nil {
			return err
		}
		return numberChange(tx, row)
	})
}

// findWorkflow finds a workflow that is not deleted; q says with which lock. It
// costs one point lookup, by the primary key or by the unique index on slugs, and
// a second one where the form of ref misleads: a condition over both columns would
// read all of the tenant's workflows. A slug never has the form of an id, so at
// most one matches. workflow_not_found, and a zero row.
func findWorkflow(q *gorm.DB, tenantID, ref string) (workflowRow, error) {
	lookups := []string{"slug = ?", "id = ?"}
	if strings.HasPrefix(ref, workflowIDPrefix) {
		lookups = []string{"id = ?", "slug = ?"}
	}
	var row workflowRow
	for _, lookup := range lookups {
		ok, err := found(q.Session(&gorm.Session{}).Where("tenant_id = ? AND "+lookup+" AND deleted = 0", tenantID, ref), &row)
		if err != nil || ok {
			return row, err
		}
	}
	return row, workflowNotFound(ref)
}

// markPublished notes when and by whom the active version became that, where it was
// another one before.
func markPublished(tx *gorm.DB, w workflows.Workflow, before int) error {
	if w.ActiveVersion == before {
		return nil
	}
	who, _ := audit.ActorOf(tx.Statement.Context) // unknown outside of requests
	return tx.Exec("UPDATE workflow_versions SET published_at = ?, published_by = ? WHERE workflow_id = ? AND number = ?",
		millis(w.UpdatedAt), actorText(who), w.ID, w.ActiveVersion).Error
}

// workflowIDPrefix begins the ids of workflows. Which lookup comes first depends
// on it, and not what is found.
const workflowIDPrefix = "wf_"

// insertVersion inserts the revision's version, if it has one; label_taken
// (Conflict) if another version of the workflow has its label.
func insertVersion(tx *gorm.DB, rev workflows.Revision) error {
	if rev.Version == nil {
		return nil
	}
	row := toVersionRow(rev.Workflow, *rev.Version)
	err := tx.Create(&row).Error
	if violatesUnique(err, "label") {
		return labelTaken(row.Label)
	}
	return err
}

// workflowNotFound is the error for a workflow that does not exist, is deleted
// or is another tenant's: these are not told apart.
func workflowNotFound(ref string) error {
	return fault.New(fault.NotFound, "workflow_not_found", "There is no workflow %q.", ref)
}

// asSlugTaken returns err, as slug_taken if the unique index on slugs refused
// it.
func asSlugTaken(err error, slug string) error {
	if violatesUnique(err, "slug") {
		return slugTaken(err, slug)
	}
	return err
}

// slugTaken is the error for a slug that another workflow of the tenant has; err
// is its cause, nil for none.
func slugTaken(err error, slug string) error {
	return fault.Wrap(err, fault.Conflict, "slug_taken", "Another workflow has the slug %q: choose another.", slug)
}

// labelTaken is the error for a label that another version of the workflow has.
func labelTaken(label string) error {
	return fault.New(fault.Conflict, "label_taken", "Another version of the workflow has the label %q: clear that first, or choose another.", label)
}
