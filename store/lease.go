package store

import (
	"context"
	"heddle/executor"
	"sync"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// executorLease is the name of the one lease there is.
const executorLease = "executor"

// leaseLock is the PostgreSQL advisory lock that group commits share and a
// change of the lease's holder takes alone: when the new holder has its epoch,
// no commit of the old one is under way.
const leaseLock = 0x48454444

// leaseRow is a row of leases.
type leaseRow struct {
	Name        string `gorm:"primaryKey"`
	Holder      string
	Epoch       int64
	ExpiresAt   int64
	Session     string `gorm:"column:beacon"`  // PostgreSQL: the holder's session; empty: unknown
	ProcessName string `gorm:"column:process"` // PostgreSQL: the holder's process, for others on its machine; empty: unknown
}

func (leaseRow) TableName() string { return "leases" }

// leaseObservation is what a node saw of another's lease, and since when it has not
// changed by the clock that decides.
type leaseObservation struct {
	mu    sync.Mutex
	lease leaseRow
	since time.Time
}

// unchanged tells for how long the lease has been as it is.
func (v *leaseObservation) unchanged(lease leaseRow, now time.Time) time.Duration {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.lease != lease || now.Before(v.since) {
		v.lease, v.since = lease, now
	}
	return now.Sub(v.since)
}

// AcquireLease takes or renews the executor's lease. Zero now: the database's
// clock decides, so that no node's own can be wrong about another's lease. It is
// free when nobody
// has it and when it expired. On PostgreSQL it is free before that where the
// holder's session is gone and either its process has surely ended, or it has
// not renewed for executor.StopsAfter: a session may break while its process
// lives, but by then that process has renewed or stopped by itself. A renewal
// waits for no connection of the pool, and where this process has a SQLite file
// for itself (WithLock) for nothing at all.
func (db *DB) AcquireLease(ctx context.Context, holder string, now time.Time, ttl time.Duration) (int64, error) {
	if db.lock != nil && now.IsZero() {
		return db.fileLease.acquire(holder, ttl, func() (int64, error) { return db.acquireLease(ctx, holder, now, ttl) })
	}
	return db.acquireLease(ctx, holder, now, ttl)
}

func (db *DB) acquireLease(ctx context.Context, holder string, now time.Time, ttl time.Duration) (int64, error) {
	epoch, session, err := db.renewLease(ctx, holder, now, ttl)
	if err != nil || epoch != 0 {
		return epoch, translate(err)
	}
	err = db.update(ctx, func(tx *gorm.DB) error {
		now, err := db.timeOrClock(tx, now)
		if err != nil {
			return err
		}
		seed := leaseRow{Name: executorLease}
		if err := tx.Clauses(clause.OnConflict{DoNothing: true}).Create(&seed).Error; err != nil {
			return err
		}
		var lease leaseRow
		if err := forUpdate(tx).Where("name = ?", executorLease).Take(&lease).Error; err != nil {
			return err
		}
		free := lease.Holder == "" || lease.ExpiresAt <= millis(now)
		if !free && lease.Holder != holder {
			still := db.observed.unchanged(lease, now)
			gone, err := sessionGone(tx, lease.Session)
			if err != nil {
				return err
			}
			free = gone && (still >= executor.StopsAfter || processEnded(lease.ProcessName))
		}
		switch {
		case lease.Holder == holder:
		case !free:
			return executor.ErrLeaseHeld
		default:
			if err := db.awaitCommits(tx); err != nil {
				return err
			}
			lease.Holder, lease.Epoch = holder, lease.Epoch+1
		}
		lease.ExpiresAt, lease.Session, lease.ProcessName = millis(now.Add(ttl)), session, db.processName
		epoch = lease.Epoch
		return tx.Select("*").Updates(&lease).Error
	})
	return epoch, err
}

// renewLease renews the lease where its holder still has it. It returns the epoch;
// 0: another has the lease, or none does; and on PostgreSQL the session that shows
// others that this process lives.
func (db *DB) renewLease(ctx context.Context, holder string, now time.Time, ttl time.Duration) (epoch int64, session string, err error) {
	if db.postgres() {
		return db.session.renew(ctx, db.pool, holder, db.processName, now, ttl)
	}
	from, expires := "", millis(now.Add(ttl))
	if now.IsZero() {
		from, expires = db.clockSQL()+" + ", ttl.Milliseconds()
	}
	err = db.write.gorm.WithContext(ctx).Raw("UPDATE leases SET expires_at = "+from+"? WHERE name = ? AND holder = ? RETURNING epoch",
		expires, executorLease, holder).Scan(&epoch).Error
	return epoch, "", err
}

// fileLease is the executor's lease while this process has the SQLite file for
// itself: no other process can take it, so its holder renews it without a write,
// however long the disk or a transaction takes. It is safe for concurrent use.
type fileLease struct {
	mu     sync.Mutex
	holder string // "": known of none
	epoch  int64
	until  time.Time // by the monotonic clock
}

// acquire takes the lease by take, or renews the holder's.
func (l *fileLease) acquire(holder string, ttl time.Duration, take func() (int64, error)) (int64, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	began := time.Now()
	switch {
	case l.holder == holder && holder != "":
		l.until = began.Add(ttl)
		return l.epoch, nil
	case l.holder != "" && began.Before(l.until):
		return 0, executor.ErrLeaseHeld
	}
	epoch, err := take()
	if err == nil {
		l.holder, l.epoch, l.until = holder, epoch, began.Add(ttl)
	}
	return epoch, err
}

func (l *fileLease) release(holder string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.holder == holder {
		l.holder = ""
	}
}

const clockOfPostgres = "(extract(epoch FROM clock_timestamp()) * 1000)::bigint"

// clockSQL is the database's clock in milliseconds since 1970. It goes on within
// a transaction.
func (db *DB) clockSQL() string {
	if db.postgres() {
		return clockOfPostgres
	}
	return "CAST(unixepoch('subsec') * 1000 AS INTEGER)"
}

// Clock is the database's clock.
func (db *DB) Clock(ctx context.Context) (time.Time, error) {
	t, err := db.timeOrClock(db.reader(ctx), time.Time{})
	return t, translate(err)
}

// timeOrClock is now, or by the database's clock where that is zero.
func (db *DB) timeOrClock(tx *gorm.DB, now time.Time) (time.Time, error) {
	if !now.IsZero() {
		return now, nil
	}
	var ms int64
	err := tx.Raw("SELECT " + db.clockSQL()).Scan(&ms).Error
	return fromMillis(ms), err
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
	db.fileLease.release(holder)
	return db.update(ctx, func(tx *gorm.DB) error {
		return tx.Exec("UPDATE leases SET holder = '', expires_at = 0, beacon = '', process = '' WHERE name = ? AND holder = ?", executorLease, holder).Error
	})
}

// endLeases ends what a dead process left: the file lock shows that nobody
// else is alive. Epochs stay, so that they go on rising.
func (db *DB) endLeases(ctx context.Context) error {
	return db.update(ctx, func(tx *gorm.DB) error {
		return tx.Exec("UPDATE leases SET holder = '', expires_at = 0, beacon = '', process = ''").Error
	})
}
