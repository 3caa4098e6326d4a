package store

import (
	"context"

	"gorm.io/gorm"

	"heddle/executor"
)

// lastEndSQL reads the runs in a busy state with the seq of the last event
// that ended an attempt. It looks from the end of each journal backwards.
const lastEndSQL = `SELECT r.id AS run_id, r.tenant_id, coalesce((SELECT e.seq FROM run_events AS e WHERE e.run_id = r.id
  AND e.kind IN ('step_completed', 'step_failed', 'step_retrying', 'compensation_completed', 'compensation_failed')
  ORDER BY e.seq DESC LIMIT 1), 0) AS last_end
FROM runs AS r WHERE r.state IN ('running', 'pausing', 'cancelling', 'compensating') ORDER BY r.id`

const suspectsSQL = `SELECT c.run_id, r.tenant_id, c.crashes, c.alone FROM run_crashes AS c JOIN runs AS r ON r.id = c.run_id
WHERE c.crashes >= ? ORDER BY c.alone DESC, c.crashes DESC, c.run_id`

// crashRow is a row of run_crashes.
type crashRow struct {
	RunID    string `gorm:"primaryKey"`
	LastEnd  int64
	Crashes  int
	Alone    int
	Isolated int
}

func (crashRow) TableName() string { return "run_crashes" }

// termRow is the row of executor_terms.
type termRow struct {
	Name    string `gorm:"primaryKey"`
	Epoch   int64
	InOrder int
}

func (termRow) TableName() string { return "executor_terms" }

// Crashes begins the term of an epoch. If the term before it ended with a
// crash, the runs that it left in action are counted once. It gives the runs
// that were in action at least at so many crashes since a step of theirs ended.
func (db *DB) Crashes(ctx context.Context, epoch int64, atLeast int) ([]executor.Suspect, error) {
	var suspects []executor.Suspect
	err := db.change(ctx, func(tx *gorm.DB) error {
		var last termRow
		known, err := found(forDelete(tx).Where("name = ?", executorLease), &last)
		if err != nil {
			return err
		}
		if last.Epoch > epoch {
			return executor.ErrFenced
		}
		if known && last.Epoch < epoch && last.InOrder == 0 {
			if err := countCrash(tx); err != nil {
				return err
			}
		}
		if err := tx.Save(&termRow{Name: executorLease, Epoch: epoch}).Error; err != nil {
			return err
		}
		return tx.Raw(suspectsSQL, atLeast).Scan(&suspects).Error
	})
	return suspects, err
}

// countCrash counts for each run that is in action, and forgets the others:
// they left it without harm.
func countCrash(tx *gorm.DB) error {
	var before, busy []crashRow
	if err := tx.Find(&before).Error; err != nil {
		return err
	}
	if err := tx.Raw(lastEndSQL).Scan(&busy).Error; err != nil {
		return err
	}
	if err := tx.Exec("DELETE FROM run_crashes").Error; err != nil {
		return err
	}
	known := make(map[string]crashRow, len(before))
	for _, c := range before {
		known[c.RunID] = c
	}
	for i := range busy {
		c := &busy[i]
		c.Crashes = 1
		if old, ok := known[c.RunID]; ok && old.LastEnd == c.LastEnd {
			c.Crashes, c.Alone = old.Crashes+1, old.Alone+old.Isolated
		}
	}
	if len(busy) == 0 {
		return nil
	}
	return tx.CreateInBatches(&busy, 500).Error
}

// Isolate notes that a run is going to be alone in action, or is no more.
func (db *DB) Isolate(ctx context.Context, runID string, alone bool) error {
	isolated := 0
	if alone {
		isolated = 1
	}
	return db.change(ctx, func(tx *gorm.DB) error {
		return tx.Exec("UPDATE run_crashes SET isolated = ? WHERE run_id = ?", isolated, runID).Error
	})
}

// Forgive forgets the crashes of a run.
func (db *DB) Forgive(ctx context.Context, runID string) error {
	return db.change(ctx, func(tx *gorm.DB) error {
		return tx.Exec("DELETE FROM run_crashes WHERE run_id = ?", runID).Error
	})
}

// EndTerm notes that the term of an epoch ended in order. Where another began
// meanwhile it has no effect.
func (db *DB) EndTerm(ctx context.Context, epoch int64) error {
	return db.change(ctx, func(tx *gorm.DB) error {
		res := tx.Exec("UPDATE executor_terms SET in_order = 1 WHERE name = ? AND epoch = ?", executorLease, epoch)
		if res.Error != nil || res.RowsAffected == 0 {
			return res.Error
		}
		return tx.Exec("UPDATE run_crashes SET isolated = 0").Error
	})
}
