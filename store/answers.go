package store

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"heddle/fault"
	"heddle/idempotency"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// answerRow is a row of idempotency_answers: the response kept for a repeated
// request. (TenantID, Scope, Key) is its key; Header is JSON. It is never
// changed, and goes with PurgeAnswers.
type answerRow struct {
	TenantID  string
	Scope     string
	Key       string
	BodyHash  string
	Status    int
	Header    string
	Response  []byte
	CreatedAt int64 `gorm:"autoCreateTime:false"`
}

func (answerRow) TableName() string { return "idempotency_answers" }

// compare orders answers by tenant, scope and key: the order in which a
// group commit inserts several, against deadlocks.
func (r *answerRow) compare(other *answerRow) int {
	return cmp.Or(cmp.Compare(r.TenantID, other.TenantID), cmp.Compare(r.Scope, other.Scope), cmp.Compare(r.Key, other.Key))
}

// toAnswerRow encodes an answer; a missing body is stored as an empty one.
func toAnswerRow(a idempotency.Answer) (answerRow, error) {
	header, err := json.Marshal(a.Header)
	if err != nil {
		return answerRow{}, fmt.Errorf("encode kept headers: %w", err)
	}
	row := answerRow{
		TenantID: a.TenantID, Scope: a.Scope, Key: a.Key, BodyHash: a.BodyHash, Status: a.Status,
		Header: string(header), Response: a.Response, CreatedAt: millis(a.CreatedAt),
	}
	if row.Response == nil {
		row.Response = []byte{}
	}
	return row, nil
}

// Answer returns the answer kept for a key within a scope, nil if there is
// none. An answer that is old is returned until it is purged.
func (db *DB) Answer(ctx context.Context, tenantID, scope, key string) (*idempotency.Answer, error) {
	var row answerRow
	ok, err := found(db.reader(ctx).Where("tenant_id = ? AND scope = ? AND key = ?", tenantID, scope, key), &row)
	if err != nil || !ok {
		return nil, translate(err)
	}
	a := idempotency.Answer{
		TenantID: row.TenantID, Scope: row.Scope, Key: row.Key, BodyHash: row.BodyHash,
		Status: row.Status, Response: row.Response, CreatedAt: fromMillis(row.CreatedAt),
	}
	if err := json.Unmarshal([]byte(row.Header), &a.Header); err != nil {
		return nil, translate(fmt.Errorf("decode kept headers: %w", err))
	}
	return &a, nil
}

// KeepAnswer keeps an answer in a transaction of its own. One that is kept
// already stays as it is, without an error.
func (db *DB) KeepAnswer(ctx context.Context, a idempotency.Answer) error {
	return db.update(ctx, func(tx *gorm.DB) error {
		err := insertAnswer(tx, a)
		if fault.CodeOf(err) == "idempotency_key_taken" {
			return nil
		}
		return err
	})
}

// PurgeAnswers removes answers that were kept before a moment, by the index on
// their age.
func (db *DB) PurgeAnswers(ctx context.Context, before time.Time) error {
	return db.update(ctx, func(tx *gorm.DB) error {
		return tx.Exec("DELETE FROM idempotency_answers WHERE created_at < ?", millis(before)).Error
	})
}

// insertAnswer keeps an answer within tx; idempotency_key_taken (Conflict) if
// its key has one. On PostgreSQL it waits for a transaction that is inserting
// the same key.
func insertAnswer(tx *gorm.DB, a idempotency.Answer) error {
	row, err := toAnswerRow(a)
	if err != nil {
		return err
	}
	res := tx.Clauses(clause.OnConflict{DoNothing: true}).Create(&row)
	if res.Error == nil && res.RowsAffected == 0 {
		return fault.New(fault.Conflict, "idempotency_key_taken", "A request with this Idempotency-Key was already answered.")
	}
	return res.Error
}
