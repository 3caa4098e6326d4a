package store

import (
	"context"
	"time"

	"gorm.io/gorm"
)

// ClaimTurn takes the one turn of a run for an owner, or renews it, for ttl by
// the database's clock. It reports false while another owner has it. One
// statement decides, so two owners never both have it.
func (db *DB) ClaimTurn(ctx context.Context, runID, owner string, ttl time.Duration) (bool, error) {
	return updateResult(ctx, db, func(tx *gorm.DB) (bool, error) {
		now := db.clockSQL()
		res := tx.Exec("INSERT INTO turns (run_id, owner, expires_at) VALUES (?, ?, "+now+" + ?) ON CONFLICT (run_id) DO UPDATE SET owner = excluded.owner, expires_at = excluded.expires_at WHERE turns.owner = excluded.owner OR turns.expires_at <= "+now,
			runID, owner, ttl.Milliseconds())
		return res.RowsAffected > 0, res.Error
	})
}

// FreeTurn ends an owner's turn; it does nothing if another owner has it by
// now. The row is removed, so that runs at rest have none.
func (db *DB) FreeTurn(ctx context.Context, runID, owner string) error {
	return db.update(ctx, func(tx *gorm.DB) error {
		return tx.Exec("DELETE FROM turns WHERE run_id = ? AND owner = ?", runID, owner).Error
	})
}
