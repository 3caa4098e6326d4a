package store

import (
	"cmp"
	"context"
	"heddle/executor"
	"heddle/internal/elements"
	"slices"
	"strings"

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
	of := q
	of.Tail, of.FromEnd = false, false // they choose the first page of the same list
	list := listFingerprint("logs", of)
	at, err := decodeCursor(list, q.Cursor)
	if err != nil {
		return executor.LogPage{}, err
	}
	scan := logScan{query: q, newest: q.Newest || q.FromEnd}
	switch {
	case at != nil:
		scan.last = at.ID
	case q.After != "":
		scan.last = q.After
	}
	if err := scan.read(db.reader(ctx)); err != nil {
		return executor.LogPage{}, translate(err)
	}
	page := executor.LogPage{}
	switch {
	case q.FromEnd:
		slices.Reverse(scan.found)
		page.Next = encodeCursor(list, position{ID: cmp.Or(scan.first, beforeLogs)})
	case scan.more || q.Tail:
		page.Next = encodeCursor(list, position{ID: cmp.Or(scan.last, beforeLogs)})
	}
	page.Logs = elements.Map(scan.found, logRow.log)
	return page, nil
}

// beforeLogs sorts before the id of every line.
const beforeLogs = "-"

// log decodes a row.
func (r logRow) log() executor.Log {
	return executor.Log{
		ID: r.ID, RunID: r.RunID, StepID: r.StepID, Iteration: r.Iteration, Attempt: r.Attempt,
		Level: r.Level, Category: r.Category, Message: r.Message, Data: raw(r.Data), At: fromMillis(r.At),
	}
}

// How lines are searched for a text: in batches, and in so many lines of a page at
// most, so that a text which is nowhere costs a bounded read.
const (
	logScanBatch = 1000
	maxLogScan   = 20_000
)

// logScan reads lines in one direction until it has those of a page.
type logScan struct {
	query  executor.LogQuery
	newest bool   // from the last line backwards
	first  string // id of the first line read; "": none
	last   string // id of the last line that was looked at, behind which to go on; "": at the beginning
	found  []logRow
	more   bool // there is, or may be, more behind last
}

// read fills in the scan from the line behind last on.
func (s *logScan) read(db *gorm.DB) error {
	text, order := searchText(s.query.Contains), "id"
	if s.newest {
		order = "id DESC"
	}
	for scanned := 0; ; {
		size := logScanBatch
		if text == "" {
			size = s.query.Limit + 1
		}
		var rows []logRow
		if err := s.filtered(db).Order(order).Limit(size).Find(&rows).Error; err != nil {
			return err
		}
		for _, r := range rows {
			if len(s.found) == s.query.Limit {
				s.more = true
				return nil
			}
			s.first, s.last = cmp.Or(s.first, r.ID), r.ID
			if text == "" || strings.Contains(searchText(r.Message), text) {
				s.found = append(s.found, r)
			}
		}
		scanned += len(rows)
		s.more = len(rows) == size
		if !s.more || scanned >= maxLogScan {
			return nil
		}
	}
}

// filtered returns the statement of the lines behind last that the filters but that of
// the text select.
func (s *logScan) filtered(db *gorm.DB) *gorm.DB {
	q := s.query
	tx := db.Where("run_id = ?", q.RunID)
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
	after := "id > ?"
	if s.newest {
		after = "id < ?"
	}
	if s.last != "" {
		tx = tx.Where(after, s.last)
	}
	return tx
}
