package store

import (
	"context"
	"heddle/events"
	"heddle/executor"
	"heddle/executor/machine"
	"strings"
)

// The columns of an event, and the conditions of the two partial indexes on long
// journals. The conditions are literals: only then SQLite and PostgreSQL see
// that an index applies. Their number is executor.JournalHead, 2,000: what comes
// before it is read as a whole, without an index of its own.
//
// SQLite must be told the index: without statistics it takes the primary key,
// whose second column is the range, to be better.
const (
	selectEvents = "SELECT run_id, seq, kind, step_id, iteration, attempt, at, data FROM run_events"
	bySteps      = " INDEXED BY run_events_steps"
	byKinds      = " INDEXED BY run_events_kinds"
	ofStep       = " WHERE run_id = ? AND step_id = ? AND iteration = ? AND seq > 2000 AND step_id <> ''"
	ofKind       = " WHERE run_id = ? AND kind = ? AND seq > 2000 AND kind IN ('state_changed', 'signal_received', 'input_resolved', 'handlers_started') AND seq > ? AND seq < ?"
)

// stepsPerStatement is how many steps one statement reads: well below the
// number of terms that SQLite takes in a compound SELECT (500).
const stepsPerStatement = 100

// EventsBefore returns at most limit events before seq, the last one first, by
// the primary key. An unknown run has none.
func (db *DB) EventsBefore(ctx context.Context, runID string, before int64, limit int) ([]events.Event, error) {
	var rows []eventRow
	err := db.reader(ctx).Where("run_id = ? AND seq < ?", runID, before).Order("seq DESC").Limit(limit).Find(&rows).Error
	return eventList(rows), translate(err)
}

// StepEvents returns, for each hundred of the given steps and iterations, at
// most limit events beyond executor.JournalHead, ordered within each hundred
// only. It reads the partial index run_events_steps, in which short runs have
// no entries.
func (db *DB) StepEvents(ctx context.Context, runID string, refs []machine.Ref, limit int) ([]events.Event, error) {
	var list []events.Event
	for len(refs) > 0 {
		n := min(len(refs), stepsPerStatement)
		text, args := stepEvents(db.postgres(), runID, refs[:n], limit)
		var rows []eventRow
		if err := db.reader(ctx).Raw(text, args...).Scan(&rows).Error; err != nil {
			return nil, translate(err)
		}
		list, refs = append(list, eventList(rows)...), refs[n:]
	}
	return list, nil
}

// stepEvents returns the query of one hundred; with UNION ALL each branch is a
// range of the index.
func stepEvents(postgres bool, runID string, refs []machine.Ref, limit int) (string, []any) {
	one := selectEvents + bySteps + ofStep
	if postgres {
		one = selectEvents + ofStep
	}
	texts, args := make([]string, len(refs)), make([]any, 0, 3*len(refs)+1)
	for i, ref := range refs {
		texts[i] = one
		args = append(args, runID, ref.StepID, ref.Iteration)
	}
	return strings.Join(texts, " UNION ALL ") + " ORDER BY 2 LIMIT ?", append(args, limit)
}

// KindEvents returns at most q.Limit events of one kind beyond
// executor.JournalHead, after q.After and before q.Before, in order or the last
// one first (q.Newest). It reads the partial index run_events_kinds, which holds
// four kinds; of any other kind it finds none.
func (db *DB) KindEvents(ctx context.Context, q executor.KindQuery) ([]events.Event, error) {
	text, args := kindEvents(db.postgres(), q)
	var rows []eventRow
	err := db.reader(ctx).Raw(text, args...).Scan(&rows).Error
	return eventList(rows), translate(err)
}

// kindEvents returns the query of KindEvents with its arguments.
func kindEvents(postgres bool, q executor.KindQuery) (string, []any) {
	from := selectEvents + byKinds
	if postgres {
		from = selectEvents
	}
	order := " ORDER BY seq LIMIT ?"
	if q.Newest {
		order = " ORDER BY seq DESC LIMIT ?"
	}
	return from + ofKind + order, []any{q.RunID, string(q.Kind), q.After, q.Before, q.Limit}
}
