package store

import (
	"context"
	"time"

	"gorm.io/gorm"
)

// nowSQL is the database's clock in milliseconds since 1970: nodes whose clocks
// differ agree on it.
func (db *DB) nowSQL() string {
	if db.postgres() {
		return "CAST(extract(epoch FROM clock_timestamp()) * 1000 AS bigint)"
	}
	return "CAST(unixepoch('subsec') * 1000 AS INTEGER)"
}

// ClaimTurn takes the one turn of a run for an owner, or renews it; false:
// another has it and renewed it less than its time ago.
func (db *DB) ClaimTurn(ctx context.Context, runID, owner string, ttl time.Duration) (bool, error) {
	claimed := false
	err := db.change(ctx, func(tx *gorm.DB) error {
		now := db.nowSQL()
		res := tx.Exec("INSERT INTO turns (run_id, owner, expires_at) VALUES (?, ?, "+now+" + ?) ON CONFLICT (run_id) DO UPDATE SET owner = excluded.owner, expires_at = excluded.expires_at WHERE turns.owner = excluded.owner OR turns.expires_at <= "+now,
			runID, owner, ttl.Milliseconds())
		claimed = res.RowsAffected > 0
		return res.Error
	})
	return claimed && err == nil, err
}

// FreeTurn ends an owner's turn.
func (db *DB) FreeTurn(ctx context.Context, runID, owner string) error {
	return db.change(ctx, func(tx *gorm.DB) error {
		return tx.Exec("DELETE FROM turns WHERE run_id = ? AND owner = ?", runID, owner).Error
	})
}
