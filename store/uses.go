package store

import (
	"context"
	"encoding/json"
	"heddle/definitions/validation"
	"heddle/definitions/workflows"
	"heddle/internal/elements"
	"slices"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// useRow is a row of definition_uses.
type useRow struct {
	TenantID   string
	Kind       string
	Name       string
	WorkflowID string
	Version    int
	StepID     string
}

func (useRow) TableName() string { return "definition_uses" }

// KeepUses makes the database keep which steps of active and latest versions name secrets and
// agents, by what reads a definition (workflows.Uses). It is called once, before other calls.
func (db *DB) KeepUses(usesIn func(definition json.RawMessage) []validation.Use) { db.usesIn = usesIn }

// heldVersions returns the versions of a workflow whose uses are kept.
func heldVersions(w workflows.Workflow) []int {
	list := []int{w.ActiveVersion, w.LatestVersion}
	slices.Sort(list)
	return slices.DeleteFunc(slices.Compact(list), func(n int) bool { return n == 0 })
}

// writeUses makes the rows of a workflow those of its active and latest version, which were
// held before where before has them. It is called in the transaction that changes them, when
// the versions are written.
func (db *DB) writeUses(tx *gorm.DB, w workflows.Workflow, before []int) error {
	if db.usesIn == nil {
		return nil
	}
	held := heldVersions(w)
	if slices.Equal(held, before) {
		return nil
	}
	for _, n := range before {
		if slices.Contains(held, n) {
			continue
		}
		if err := tx.Exec("DELETE FROM definition_uses WHERE workflow_id = ? AND version = ?", w.ID, n).Error; err != nil {
			return err
		}
	}
	for _, n := range held {
		if slices.Contains(before, n) {
			continue
		}
		if err := db.insertUses(tx, w, n); err != nil {
			return err
		}
	}
	return nil
}

// insertUses adds the rows of one version.
func (db *DB) insertUses(tx *gorm.DB, w workflows.Workflow, version int) error {
	var row struct{ Definition string }
	ok, err := found(tx.Table("workflow_versions").Select("definition").Where("workflow_id = ? AND number = ?", w.ID, version), &row)
	if err != nil || !ok {
		return err
	}
	rows := elements.Map(db.usesIn(json.RawMessage(row.Definition)), func(u validation.Use) useRow {
		return useRow{w.TenantID, string(u.Kind), u.Name, w.ID, version, u.StepID}
	})
	if len(rows) == 0 {
		return nil
	}
	return tx.Clauses(clause.OnConflict{DoNothing: true}).CreateInBatches(rows, usesPerStatement).Error
}

// usesPerStatement bounds the arguments of an insertion.
const usesPerStatement = 200

// usesBatch is how many workflows one transaction of FillUses reads.
const usesBatch = 10

// FillUses keeps the uses and the names of steps of workflows that were stored before they were
// kept. Each
// transaction reads a few definitions; a crash leaves the rest to the next call, and two
// nodes that call it at once do no harm.
func (db *DB) FillUses(ctx context.Context) error {
	for db.usesIn != nil {
		filled, err := updateResult(ctx, db, func(tx *gorm.DB) (int, error) {
			var ids []string
			err := tx.Raw("SELECT workflow_id FROM uses_pending ORDER BY workflow_id LIMIT ?", usesBatch).Scan(&ids).Error
			if err != nil {
				return 0, err
			}
			for _, id := range ids {
				if err := db.fillUsesOf(tx, id); err != nil {
					return 0, err
				}
			}
			return len(ids), nil
		})
		if err != nil || filled < usesBatch {
			return err
		}
	}
	return nil
}

// AwaitUses makes FillUses read all workflows again, as after the migration that began to keep
// their uses.
func (db *DB) AwaitUses(ctx context.Context) error {
	return db.update(ctx, func(tx *gorm.DB) error {
		return tx.Exec("INSERT INTO uses_pending (workflow_id) SELECT id FROM workflows WHERE deleted = 0 ON CONFLICT DO NOTHING").Error
	})
}

// ForgetSteps removes what steps are found by, as before the migration that began to keep it.
func (db *DB) ForgetSteps(ctx context.Context) error {
	return db.update(ctx, func(tx *gorm.DB) error { return tx.Exec("DELETE FROM definition_steps WHERE word <> ''").Error })
}

// fillUsesOf replaces the rows of one workflow, which is locked against changes meanwhile, and
// takes it off the list of those that wait.
func (db *DB) fillUsesOf(tx *gorm.DB, id string) error {
	var row workflowRow
	ok, err := found(forNoKeyUpdate(tx).Where("id = ? AND deleted = 0", id), &row)
	if err != nil {
		return err
	}
	for _, table := range []string{"definition_uses", "definition_steps", "uses_pending"} {
		if err := tx.Exec("DELETE FROM "+table+" WHERE workflow_id = ?", id).Error; err != nil {
			return err
		}
	}
	if !ok {
		return nil
	}
	w, err := row.workflow()
	if err != nil {
		return err
	}
	if err := writeSteps(tx, w, 0); err != nil {
		return err
	}
	return db.writeUses(tx, w, nil)
}

// referencesSQL reads the first references to an object, by the primary keys.
const referencesSQL = `SELECT u.workflow_id, w.slug, w.name, u.version, u.step_id FROM definition_uses AS u JOIN workflows AS w ON w.id = u.workflow_id
	WHERE u.tenant_id = ? AND u.kind = ? AND u.name = ? ORDER BY u.workflow_id, u.version, u.step_id LIMIT ?`

// references returns at most workflows.MaxReferences steps that name an object, by workflow,
// version and step.
func references(tx *gorm.DB, tenantID string, kind validation.UseKind, name string) ([]workflows.Reference, error) {
	list := []workflows.Reference{}
	err := tx.Raw(referencesSQL, tenantID, string(kind), name, workflows.MaxReferences).Scan(&list).Error
	return list, err
}
