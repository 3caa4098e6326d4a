package store

import (
	"context"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"heddle/executor"
)

// executorLease is the name of the one lease there is.
const executorLease = "executor"

// leaseLock is the PostgreSQL advisory lock that group commits share and a
// change of the lease's holder takes alone: when the new holder has its epoch,
// no commit of the old one is under way.
const leaseLock = 0x48454444

// leaseRow is a row of leases.
type leaseRow struct {
	Name      string `gorm:"primaryKey"`
	Holder    string
	Epoch     int64
	ExpiresAt int64
}

func (leaseRow) TableName() string { return "leases" }

// AcquireLease takes or renews the executor's lease.
func (db *DB) AcquireLease(ctx context.Context, holder string, now time.Time, ttl time.Duration) (int64, error) {
	var epoch int64
	err := db.change(ctx, func(tx *gorm.DB) error {
		seed := leaseRow{Name: executorLease}
		if err := tx.Clauses(clause.OnConflict{DoNothing: true}).Create(&seed).Error; err != nil {
			return err
		}
		var lease leaseRow
		if err := forDelete(tx).Where("name = ?", executorLease).Take(&lease).Error; err != nil {
			return err
		}
		switch {
		case lease.Holder == holder:
		case lease.Holder != "" && lease.ExpiresAt > millis(now):
			return executor.ErrLeaseHeld
		default:
			if err := db.awaitCommits(tx); err != nil {
				return err
			}
			lease.Holder, lease.Epoch = holder, lease.Epoch+1
		}
		lease.ExpiresAt = millis(now.Add(ttl))
		epoch = lease.Epoch
		return tx.Select("*").Updates(&lease).Error
	})
	return epoch, err
}

// awaitCommits waits until no group commit of the old holder is under way.
func (db *DB) awaitCommits(tx *gorm.DB) error {
	if !db.postgres() {
		return nil
	}
	return tx.Exec("SELECT pg_advisory_xact_lock(?)", leaseLock).Error
}

// ReleaseLease gives the lease up at once, if holder still has it.
func (db *DB) ReleaseLease(ctx context.Context, holder string) error {
	return db.change(ctx, func(tx *gorm.DB) error {
		return tx.Exec("UPDATE leases SET holder = '', expires_at = 0 WHERE name = ? AND holder = ?", executorLease, holder).Error
	})
}

// endLeases ends what a dead process left: the file lock shows that nobody
// else is alive. Epochs stay, so that they go on rising.
func (db *DB) endLeases(ctx context.Context) error {
	return db.change(ctx, func(tx *gorm.DB) error {
		return tx.Exec("UPDATE leases SET holder = '', expires_at = 0").Error
	})
}
