package store

import (
	"context"
	"heddle/executor"

	"gorm.io/gorm"
)

// lastEndSQL reads the runs in a busy state with the seq of the last event that
// ended an attempt or an iteration: a run that got further since the last crash
// is not what the process died of. Each journal is read from its end backwards.
const lastEndSQL = `SELECT r.id AS run_id, r.tenant_id, coalesce((SELECT e.seq FROM run_events AS e WHERE e.run_id = r.id
  AND e.kind IN ('step_completed', 'step_failed', 'step_retrying', 'iteration_completed', 'iteration_failed', 'compensation_completed', 'compensation_failed')
  ORDER BY e.seq DESC LIMIT 1), 0) AS last_end
FROM runs AS r WHERE r.state IN ('running', 'pausing', 'cancelling', 'compensating') ORDER BY r.id`

// crashRow is a row of run_crashes: how often the process died while the run
// was in flight. Counted is the epoch whose crash was counted last, so that
// EndTerm can take it back; CountedAlone is 1 if the run was alone then.
type crashRow struct {
	RunID string `gorm:"primaryKey"`
	// LastEnd is the seq of the last event that ended an attempt when the
	// process died: a run that gets beyond it is cleared.
	LastEnd int64
	Crashes int
	// Alone counts the crashes in which the run was the only one in flight, one
	// after another.
	Alone int
	// Isolated is 1 while the run is the only one in flight.
	Isolated int
	// Survived counts the windows of isolation that it outlived.
	Survived     int
	Counted      int64
	CountedAlone int
}

func (crashRow) TableName() string { return "run_crashes" }

// suspect returns what the rules of package executor judge by; TenantID is set
// by the caller, as the row does not have it.
func (r crashRow) suspect() executor.Suspect {
	return executor.Suspect{
		RunID: r.RunID, LastEnd: r.LastEnd, Crashes: r.Crashes, Alone: r.Alone, Survived: r.Survived, Isolated: r.Isolated != 0,
	}
}

// termRow is the one row of executor_terms: the newest epoch, whether it ended
// in order, and what may have been in flight in it.
type termRow struct {
	Name  string `gorm:"primaryKey"`
	Epoch int64
	// InOrder is 1 once the term has ended without a crash.
	InOrder int
	// Phase is an executor.Phase.
	Phase int
}

func (termRow) TableName() string { return "executor_terms" }

// BeginTerm begins the term of an epoch and returns the suspects among the runs
// that are in flight. If the term before it did not end in order, its crash is
// counted for what it left in flight, once: the new term is written in the same
// transaction. executor.ErrFenced: a later term has begun. It reads only runs in
// flight.
func (db *DB) BeginTerm(ctx context.Context, epoch int64) ([]executor.Suspect, error) {
	return updateResult(ctx, db, func(tx *gorm.DB) ([]executor.Suspect, error) {
		var last termRow
		known, err := found(forUpdate(tx).Where("name = ?", executorLease), &last)
		if err != nil {
			return nil, err
		}
		if last.Epoch > epoch {
			return nil, executor.ErrFenced
		}
		before, busy, err := crashAccounts(tx)
		if err != nil {
			return nil, err
		}
		// A term that begins twice, as after an answer that was lost, has the same epoch
		// and counts nothing.
		if known && last.Epoch < epoch && last.InOrder == 0 {
			if before, err = countCrash(tx, last, before, busy); err != nil {
				return nil, err
			}
		}
		if last.Epoch != epoch {
			if err := tx.Save(&termRow{Name: executorLease, Epoch: epoch, Phase: int(executor.PhaseIsolation)}).Error; err != nil {
				return nil, err
			}
		}
		return executor.SelectSuspects(before, busy), nil
	})
}

// crashAccounts returns what is known of runs from earlier crashes, and the
// runs that are in flight now.
func crashAccounts(tx *gorm.DB) (known, busy []executor.Suspect, err error) {
	var rows []crashRow
	if err := tx.Find(&rows).Error; err != nil {
		return nil, nil, err
	}
	if err := tx.Raw(lastEndSQL).Scan(&busy).Error; err != nil {
		return nil, nil, err
	}
	tenants := make(map[string]string, len(busy))
	for _, s := range busy {
		tenants[s.RunID] = s.TenantID
	}
	for _, r := range rows {
		s := r.suspect()
		s.TenantID = tenants[s.RunID]
		known = append(known, s)
	}
	return known, busy, nil
}

// countCrash replaces what is known of runs by what executor.UpdateSuspects
// makes of it after the crash of a term, and returns that. Rows whose count rose
// note the term's epoch, by which EndTerm finds them again.
func countCrash(tx *gorm.DB, last termRow, before, busy []executor.Suspect) ([]executor.Suspect, error) {
	after := executor.UpdateSuspects(executor.Phase(last.Phase), before, busy)
	if err := tx.Exec("DELETE FROM run_crashes").Error; err != nil {
		return nil, err
	}
	crashes := make(map[string]int, len(before))
	for _, s := range before {
		crashes[s.RunID] = s.Crashes
	}
	rows := make([]crashRow, len(after))
	for i, s := range after {
		rows[i] = crashRow{RunID: s.RunID, LastEnd: s.LastEnd, Crashes: s.Crashes, Alone: s.Alone, Survived: s.Survived}
		if s.Crashes != crashes[s.RunID] {
			rows[i].Counted = last.Epoch
			rows[i].CountedAlone = min(s.Alone, 1)
		}
	}
	if len(rows) == 0 {
		return after, nil
	}
	return after, tx.CreateInBatches(&rows, 500).Error
}

// SetPhase notes what may be in flight from now on: it has to be durable before
// that begins. executor.ErrFenced: another term has begun.
func (db *DB) SetPhase(ctx context.Context, epoch int64, p executor.Phase) error {
	return db.update(ctx, func(tx *gorm.DB) error {
		res := tx.Exec("UPDATE executor_terms SET phase = ? WHERE name = ? AND epoch = ?", int(p), executorLease, epoch)
		if res.Error == nil && res.RowsAffected == 0 {
			return executor.ErrFenced
		}
		return res.Error
	})
}

// Isolate notes, durably before it begins, that a run is about to be the only
// one in flight. The mark of every other run is taken away. A run without a row
// is not marked.
func (db *DB) Isolate(ctx context.Context, runID string) error {
	return db.update(ctx, func(tx *gorm.DB) error {
		return tx.Exec("UPDATE run_crashes SET isolated = CASE WHEN run_id = ? THEN 1 ELSE 0 END", runID).Error
	})
}

// EndIsolation notes that a run is not alone any more. survived: it outlived
// its window, so it is not what the process died of while alone.
func (db *DB) EndIsolation(ctx context.Context, runID string, survived bool) error {
	set := "isolated = 0"
	if survived {
		set = "isolated = 0, alone = 0, survived = survived + 1"
	}
	return db.update(ctx, func(tx *gorm.DB) error {
		return tx.Exec("UPDATE run_crashes SET "+set+" WHERE run_id = ? AND isolated = 1", runID).Error
	})
}

// ClearCrashes forgets the crashes of a run, for a resume after quarantine. A
// run without any is not an error.
func (db *DB) ClearCrashes(ctx context.Context, runID string) error {
	return db.update(ctx, func(tx *gorm.DB) error {
		return tx.Exec("DELETE FROM run_crashes WHERE run_id = ?", runID).Error
	})
}

// EndTerm notes that the term of an epoch ended in order. If the next term
// began meanwhile and took that for a crash, what it counted is taken back in
// the same transaction.
func (db *DB) EndTerm(ctx context.Context, epoch int64) error {
	return db.update(ctx, func(tx *gorm.DB) error {
		res := tx.Exec("UPDATE executor_terms SET in_order = 1 WHERE name = ? AND epoch = ?", executorLease, epoch)
		if res.Error != nil {
			return res.Error
		}
		if res.RowsAffected > 0 {
			return tx.Exec("UPDATE run_crashes SET isolated = 0").Error
		}
		// No row of this epoch: the next term has replaced it and counted a crash.
		err := tx.Exec(`UPDATE run_crashes SET crashes = crashes - 1, alone = CASE WHEN alone >= counted_alone THEN alone - counted_alone ELSE 0 END,
  counted = 0, counted_alone = 0 WHERE counted = ?`, epoch).Error
		if err != nil {
			return err
		}
		return tx.Exec("DELETE FROM run_crashes WHERE crashes <= 0").Error
	})
}
