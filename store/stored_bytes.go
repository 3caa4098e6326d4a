package store

import (
	"context"
	"fmt"

	"gorm.io/gorm"
)

// What a tenant has stored, in bytes: its definitions, templates, schedules, secrets and agents,
// and then its runs with all that belongs to them, a page at a time. Sums of rows
// stand in queries of their own within the list of the tenant's, so that each is
// found by its key, however many other tenants there are; deleted workflows by the index that
// holds no other (the bound of the id makes it the narrowest). octet_length reads the
// length without the contents. Versions of a deleted workflow count while it has
// runs; without any they are gone, but for what an older program left behind.
const (
	storedDefinitionsSQL = `SELECT CAST(coalesce(sum(octet_length(w.tags) + (SELECT coalesce(sum(octet_length(v.definition) + octet_length(v.source_text) + octet_length(v.change_summary) + octet_length(v.label)), 0)
FROM workflow_versions v WHERE v.workflow_id = w.id)), 0) AS BIGINT) FROM workflows w WHERE w.tenant_id = ? AND w.deleted = `
	storedLiveSQL    = storedDefinitionsSQL + "0"
	storedDeletedSQL = storedDefinitionsSQL + "1 AND w.id > '' AND EXISTS (SELECT 1 FROM runs r WHERE r.tenant_id = w.tenant_id AND r.workflow_id = w.id)"
	storedOriginsSQL = `SELECT CAST(coalesce(sum(octet_length(parameters) + octet_length(installed_definition)), 0) AS BIGINT)
FROM workflow_templates WHERE tenant_id = ?`
	storedTemplatesSQL = `SELECT CAST(coalesce(sum(octet_length(t.parameters) + (SELECT coalesce(sum(octet_length(v.definition) + octet_length(v.parameters)), 0)
FROM template_versions v WHERE v.template_id = t.id)), 0) AS BIGINT) FROM templates t WHERE t.tenant_id = ?`
	storedSchedulesSQL = `SELECT CAST(coalesce(sum(octet_length(input)), 0) AS BIGINT) FROM schedules WHERE tenant_id = ? AND deleted = 0`
	storedDraftsSQL    = `SELECT CAST(coalesce(sum(octet_length(source_text) + octet_length(note)), 0) AS BIGINT) FROM drafts WHERE tenant_id = ?`
	storedSecretsSQL   = `SELECT CAST(coalesce(sum(octet_length(name) + octet_length(box)), 0) AS BIGINT) FROM secrets WHERE tenant_id = ?` //nolint:gosec // a statement
	storedAgentsSQL    = `SELECT CAST(coalesce(sum(octet_length(agent)), 0) AS BIGINT) FROM agents WHERE tenant_id = ?`
	storedRunsSQL      = `SELECT r.workflow_id, r.version, r.created_at, r.id, octet_length(r.input) + octet_length(r.output) + octet_length(r.error)
+ coalesce((SELECT octet_length(i.input) FROM run_inputs i WHERE i.run_id = r.id), 0)
+ coalesce((SELECT octet_length(s.data) FROM run_snapshots s WHERE s.run_id = r.id), 0)
+ (SELECT coalesce(sum(octet_length(e.data)), 0) FROM run_events e WHERE e.run_id = r.id)
+ (SELECT coalesce(sum(octet_length(l.message) + octet_length(l.data)), 0) FROM run_logs l WHERE l.run_id = r.id)
+ (SELECT coalesce(sum(octet_length(n.input)), 0) FROM rendered_inputs n WHERE n.run_id = r.id)
+ CAST((SELECT coalesce(sum(b.size), 0) FROM blobs b WHERE b.run_id = r.id) AS BIGINT) AS bytes
FROM runs r WHERE r.tenant_id = ? AND (r.workflow_id, r.version, r.created_at, r.id) > (?, ?, ?, ?) ORDER BY r.workflow_id, r.version, r.created_at, r.id LIMIT ?`
)

// storedBytesPage is how many runs are summed in one statement: few, so that on
// SQLite no read keeps the log from being written back for long.
const storedBytesPage = 200

// CountStoredBytes returns the bytes of content that the tenant has stored:
// definitions with all their versions and tags, drafts, templates, inputs of schedules, sealed secrets,
// agents, and runs with inputs, outputs, journals, logs, rendered inputs and large values. Rows and indexes
// around them, the audit trail and kept answers do not count.
// It is not one moment's view, and takes time in proportion to the tenant's
// rows: it is for the background.
func (db *DB) CountStoredBytes(ctx context.Context, tenantID string) (int64, error) {
	total := int64(0)
	for _, text := range []string{storedLiveSQL, storedDeletedSQL, storedOriginsSQL, storedTemplatesSQL, storedSchedulesSQL, storedDraftsSQL, storedSecretsSQL, storedAgentsSQL} {
		n := int64(0)
		if err := db.reader(ctx).Raw(text, tenantID).Row().Scan(&n); err != nil {
			return 0, fmt.Errorf("count stored bytes: %w", translate(err))
		}
		total += n
	}
	type line struct {
		WorkflowID string
		Version    int64
		CreatedAt  int64
		ID         string
		Bytes      int64
	}
	// Pages continue behind the last run, by workflow and version.
	last := line{}
	for {
		var page []line
		err := db.reader(ctx).Raw(storedRunsSQL, tenantID, last.WorkflowID, last.Version, last.CreatedAt, last.ID, storedBytesPage).Scan(&page).Error
		if err != nil {
			return 0, fmt.Errorf("count stored bytes: %w", translate(err))
		}
		for _, last = range page {
			total += last.Bytes
		}
		if len(page) < storedBytesPage {
			return total, nil
		}
	}
}

// deleteOrphanedVersions removes the versions of a deleted workflow that has no
// runs: they are kept for its runs only. It changes nothing of other workflows.
func deleteOrphanedVersions(tx *gorm.DB, tenantID, workflowID string) error {
	for _, text := range []string{
		"DELETE FROM workflow_versions WHERE workflow_id = ?",
		"DELETE FROM workflow_templates WHERE workflow_id = ?",
	} {
		err := tx.Exec(text+` AND EXISTS (SELECT 1 FROM workflows WHERE id = ? AND deleted = 1)
AND NOT EXISTS (SELECT 1 FROM runs AS r WHERE r.tenant_id = ? AND r.workflow_id = ?)`, workflowID, workflowID, tenantID, workflowID).Error
		if err != nil {
			return err
		}
	}
	return nil
}
