package store

import (
	"context"
	"heddle/executor"
	"slices"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// logRow is a row of run_logs; ids sort in the order in which lines were kept.
type logRow struct {
	RunID     string `gorm:"primaryKey"`
	ID        string `gorm:"primaryKey"`
	StepID    string
	Iteration string // "": the step is in no loop
	Attempt   int
	Level     string
	Category  string
	Message   string
	Data      string // JSON; "": none
	At        int64
}

func (logRow) TableName() string { return "run_logs" }

// logBatch is how many rows one statement inserts: ten arguments each stay below
// what SQLite (32,766) and PostgreSQL (65,535) take in one statement.
const logBatch = 500

// AppendLogs adds lines in one transaction, all or none. Lines of runs that do
// not exist (any more) are left out.
func (db *DB) AppendLogs(ctx context.Context, logs []executor.Log) error {
	var runs []string
	for _, l := range logs {
		if !slices.Contains(runs, l.RunID) {
			runs = append(runs, l.RunID)
		}
	}
	return db.update(ctx, func(tx *gorm.DB) error {
		// The lock makes a deletion wait, so that no line outlives its run.
		var there []string
		err := tx.Clauses(clause.Locking{Strength: "KEY SHARE"}).Model(&runRow{}).
			Where("id IN ?", runs).Order("id").Pluck("id", &there).Error
		if err != nil {
			return err
		}
		rows := make([]logRow, 0, len(logs))
		for _, l := range logs {
			if slices.Contains(there, l.RunID) {
				rows = append(rows, logRow{l.RunID, l.ID, l.StepID, l.Iteration, l.Attempt, l.Level, l.Category, l.Message, string(l.Data), millis(l.At)})
			}
		}
		if len(rows) == 0 {
			return nil
		}
		return tx.CreateInBatches(rows, logBatch).Error
	})
}

// Logs lists a page of a run's lines, in the order in which they were kept, or
// backwards (q.Newest). Empty filters do not filter. The caller has checked that
// the run is the tenant's. invalid_request (Malformed): the cursor belongs to
// another list.
func (db *DB) Logs(ctx context.Context, q executor.LogQuery) (executor.LogPage, error) {
	list := listFingerprint("logs", q)
	at, err := decodeCursor(list, q.Cursor)
	if err != nil {
		return executor.LogPage{}, err
	}
	tx := db.reader(ctx).Where("run_id = ?", q.RunID)
	for _, filter := range []struct{ where, value string }{
		{"step_id = ?", q.StepID}, {"iteration = ?", q.Iteration}, {"level = ?", q.Level}, {"category = ?", q.Category},
	} {
		if filter.value != "" {
			tx = tx.Where(filter.where, filter.value)
		}
	}
	if q.Attempt > 0 {
		tx = tx.Where("attempt = ?", q.Attempt)
	}
	after, order := "id > ?", "id"
	if q.Newest {
		after, order = "id < ?", "id DESC"
	}
	if at != nil {
		tx = tx.Where(after, at.ID)
	}
	var rows []logRow
	if err := tx.Order(order).Limit(q.Limit + 1).Find(&rows).Error; err != nil {
		return executor.LogPage{}, translate(err)
	}
	page := executor.LogPage{}
	rows, page.Next = trimPage(list, rows, q.Limit, func(r logRow) position { return position{ID: r.ID} })
	page.Logs = make([]executor.Log, len(rows))
	for i, r := range rows {
		page.Logs[i] = executor.Log{
			ID: r.ID, RunID: r.RunID, StepID: r.StepID, Iteration: r.Iteration, Attempt: r.Attempt,
			Level: r.Level, Category: r.Category, Message: r.Message, Data: raw(r.Data), At: fromMillis(r.At),
		}
	}
	return page, nil
}
