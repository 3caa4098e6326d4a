package store

import (
	"context"
	"encoding/json"
	"errors"
	"heddle/executor"
	"heddle/executor/machine"
	"heddle/fault"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// inboxRow is a row of run_inbox: a command for a run that reached a node which
// does not drive runs. Failure is a refusal as JSON, "": none.
type inboxRow struct {
	ID       string `gorm:"primaryKey"`
	TenantID string
	RunID    string
	// Kind and Data are the command's, as its sender wrote them; the store does
	// not read them.
	Kind     string
	Data     string
	PostedAt int64
	TakenAt  int64 // 0: not yet
	// State, Effect and Failure are the outcome, written when the command is
	// taken: the run's state then, and 1 where the command changed the run.
	State   string
	Effect  int64
	Failure string // a refusal as JSON; '': none
	// RequestID is unique within a run among inputs that are not taken; '': none.
	RequestID string
}

func (inboxRow) TableName() string { return "run_inbox" }

// errAlreadyTaken: another commit took a command first, so the commit that
// holds it is refused.
var errAlreadyTaken = errors.New("a posted input was taken before")

// takeSQL takes a command with its outcome, unless it was taken before: of two
// transactions that try, one changes a row.
var takeSQL = inBothDialects("UPDATE run_inbox SET taken_at = ?, state = ?, effect = ?, failure = ? WHERE id = ? AND taken_at = 0")

const (
	// untakenSQL reads a partial index, which holds commands that are not taken.
	untakenSQL = "SELECT * FROM run_inbox WHERE taken_at = 0 AND id > ? ORDER BY id LIMIT ?"
	purgeSQL   = "DELETE FROM run_inbox WHERE taken_at > 0 AND taken_at < ?"
)

// Post stores a command for the node that drives runs and notifies that node.
// Where a command of the same run and request id exists and is not taken yet,
// nothing is stored and its id is returned; otherwise the id is "". A unique
// partial index decides between concurrent posts. not_ready (Unavailable): the
// earlier command is being taken at this moment.
func (db *DB) Post(ctx context.Context, p executor.Posted) (earlier string, err error) {
	row := inboxRow{
		ID: p.ID, TenantID: p.TenantID, RunID: p.RunID, Kind: p.Kind, Data: string(p.Data), PostedAt: millis(p.At), RequestID: p.RequestID,
	}
	for range 3 { // the earlier one may be taken between the two looks at it
		earlier, err = db.post(ctx, row)
		if err != nil || earlier != row.ID {
			break
		}
	}
	if earlier == row.ID {
		return "", fault.New(fault.Unavailable, "not_ready", "The same request is being taken at this moment; try again.")
	}
	return earlier, err
}

// post is one attempt of Post. It returns the row's own id if an earlier
// command was in the way and had been taken when it looked.
func (db *DB) post(ctx context.Context, row inboxRow) (earlier string, err error) {
	return updateResult(ctx, db, func(tx *gorm.DB) (string, error) {
		insert := tx
		if row.RequestID != "" {
			insert = tx.Clauses(clause.OnConflict{DoNothing: true})
		}
		own := row
		res := insert.Create(&own)
		switch {
		case res.Error != nil:
			return "", res.Error
		case res.RowsAffected == 0:
			earlier := row.ID
			err := tx.Raw("SELECT id FROM run_inbox WHERE run_id = ? AND request_id = ? AND taken_at = 0", row.RunID, row.RequestID).Scan(&earlier).Error
			return earlier, err
		case !db.postgres():
			return "", nil
		}
		return "", tx.Exec("SELECT pg_notify(?, '')", workChannel).Error
	})
}

// Untaken lists at most limit commands that are not taken, by id and from
// behind after; ids sort by time. They are read, not reserved: a command is
// taken by Commit or Settle.
func (db *DB) Untaken(ctx context.Context, after string, limit int) ([]executor.Posted, error) {
	var rows []inboxRow
	if err := db.reader(ctx).Raw(untakenSQL, after, limit).Scan(&rows).Error; err != nil {
		return nil, translate(err)
	}
	list := make([]executor.Posted, len(rows))
	for i, r := range rows {
		list[i] = executor.Posted{
			ID: r.ID, TenantID: r.TenantID, RunID: r.RunID, Kind: r.Kind, Data: json.RawMessage(r.Data), At: fromMillis(r.PostedAt),
			RequestID: r.RequestID,
		}
	}
	return list, nil
}

// Withdraw removes a command that is not taken yet, and reports whether it did.
// A command that was taken has its outcome, and stays.
func (db *DB) Withdraw(ctx context.Context, id string) (bool, error) {
	return updateResult(ctx, db, func(tx *gorm.DB) (bool, error) {
		res := tx.Exec("DELETE FROM run_inbox WHERE id = ? AND taken_at = 0", id)
		return res.RowsAffected > 0, res.Error
	})
}

// Outcome returns what became of a command, nil while it is not taken or where
// it does not exist.
func (db *DB) Outcome(ctx context.Context, id string) (*executor.Taken, error) {
	var row inboxRow
	ok, err := found(db.reader(ctx).Where("id = ? AND taken_at > 0", id), &row)
	if err != nil || !ok {
		return nil, translate(err)
	}
	refusal, err := readRefusal(row.Failure)
	return &executor.Taken{
		ID: row.ID, RunID: row.RunID, At: fromMillis(row.TakenAt), State: machine.State(row.State), Effect: row.Effect != 0, Refusal: refusal,
	}, err
}

// Settle takes commands that changed nothing, in one transaction and under the
// lease's epoch: executor.ErrFenced if the lease has another. The nodes where
// the commands were posted are notified.
func (db *DB) Settle(ctx context.Context, epoch int64, list []executor.Taken) error {
	tx, err := db.beginGroup(ctx)
	if err != nil {
		return translate(err)
	}
	if err := settle(tx, epoch, list); err != nil {
		tx.rollback()
		return translate(err)
	}
	return translate(tx.commit())
}

// settle is Settle within tx. Commands that were taken before keep the
// outcome that they have.
func settle(tx groupTx, epoch int64, list []executor.Taken) error {
	current, err := tx.epoch()
	if err != nil {
		return err
	}
	if current != epoch {
		return executor.ErrFenced
	}
	takes, err := takeStatements(list)
	if err != nil {
		return err
	}
	if _, err := execStatements(tx, takes); err != nil {
		return err
	}
	runs := make([]string, len(list))
	for i, t := range list {
		runs[i] = t.RunID
	}
	return tx.notify(runs)
}

// takeInputs takes the commands whose effects the writes hold, in the same
// transaction: a command is taken once, whichever node dies. One that was taken
// before undoes the group (errAlreadyTaken), whose members are then written one
// by one.
func takeInputs(tx groupTx, writes []*write) error {
	var list []executor.Taken
	for _, w := range writes {
		list = append(list, w.taken...)
	}
	if len(list) == 0 {
		return nil
	}
	takes, err := takeStatements(list)
	if err != nil {
		return err
	}
	counts, err := execStatements(tx, takes)
	if err != nil {
		return err
	}
	for _, n := range counts {
		if n != 1 {
			return errAlreadyTaken
		}
	}
	return nil
}

// takeStatements returns the statements that take the commands; each changes
// one row, or none if the command was taken before.
func takeStatements(list []executor.Taken) ([]statement, error) {
	takes := make([]statement, len(list))
	for i, t := range list {
		failure, err := writeRefusal(t.Refusal)
		if err != nil {
			return nil, err
		}
		effect := int64(0)
		if t.Effect {
			effect = 1
		}
		takes[i] = statement{takeSQL, []any{millis(t.At), string(t.State), effect, failure, t.ID}}
	}
	return takes, nil
}

// PurgeTaken removes commands that were taken before a moment; no request waits
// for their outcomes any more.
func (db *DB) PurgeTaken(ctx context.Context, before time.Time) error {
	return db.update(ctx, func(tx *gorm.DB) error { return tx.Exec(purgeSQL, millis(before)).Error })
}

// refusal is a fault as it is stored: with everything that the answer to the
// request shows, and without its cause, which stays in the process that made it.
type refusal struct {
	Kind    fault.Kind     `json:"kind"`
	Code    string         `json:"code"`
	Message string         `json:"message"`
	Issues  []fault.Issue  `json:"issues,omitempty"`
	Details map[string]any `json:"details,omitempty"`
}

// writeRefusal returns a fault as JSON, "" for nil.
func writeRefusal(f *fault.Error) (string, error) {
	if f == nil {
		return "", nil
	}
	text, err := json.Marshal(refusal{f.Kind, f.Code, f.Message, f.Issues, f.Details})
	return string(text), err
}

// readRefusal is the inverse of writeRefusal. An error means that the stored
// JSON is damaged.
func readRefusal(text string) (*fault.Error, error) {
	if text == "" {
		return nil, nil
	}
	var r refusal
	if err := json.Unmarshal([]byte(text), &r); err != nil {
		return nil, translate(err)
	}
	return &fault.Error{Kind: r.Kind, Code: r.Code, Message: r.Message, Issues: r.Issues, Details: r.Details}, nil
}
