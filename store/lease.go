package store

import (
	"context"
	"heddle/executor"
	"sync"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// executorLease is the name of the row of leases that the executor's nodes
// compete for. Ping writes another row of the table, under the name "ping".
const executorLease = "executor"

// leaseLock is the PostgreSQL advisory lock that group commits share and that a
// change of the lease's holder takes exclusively: once the new holder has its
// epoch, no commit of the old one is in flight. The number is "HEDD" in ASCII.
const leaseLock = 0x48454444

// leaseRow is a row of leases. Epoch rises with every change of the holder and
// never falls. ExpiresAt is in milliseconds of the clock that decides; a row
// with an empty Holder is free, whatever ExpiresAt says.
type leaseRow struct {
	Name      string `gorm:"primaryKey"`
	Holder    string
	Epoch     int64
	ExpiresAt int64
	// Session names the holder's session, see livenessSession (PostgreSQL); "":
	// not known.
	Session string `gorm:"column:beacon"`
	// ProcessName names the holder's process, for others on its machine
	// (PostgreSQL); "": not known.
	ProcessName string `gorm:"column:process"`
}

func (leaseRow) TableName() string { return "leases" }

// leaseObservation is what a node last saw of another's lease, and since when
// it has not changed, by the clock that decides. A holder that renews changes
// ExpiresAt, so a row that stays the same is one that is not renewed. It is safe
// for concurrent use.
type leaseObservation struct {
	mu sync.Mutex
	// mu guards both fields.
	lease leaseRow
	since time.Time
}

// unchanged notes the lease as seen at now and returns for how long it has been
// exactly so: 0 when it is seen first, after a change, and after the clock went
// back.
func (v *leaseObservation) unchanged(lease leaseRow, now time.Time) time.Duration {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.lease != lease || now.Before(v.since) {
		v.lease, v.since = lease, now
	}
	return now.Sub(v.since)
}

// AcquireLease takes or renews the executor's lease for ttl and returns its
// epoch, which rises whenever the holder changes. executor.ErrLeaseHeld:
// another node has it. A zero now means the database's clock, so that no node's
// own clock can misjudge another's lease.
//
// The lease is free when it has no holder and when it has expired. On
// PostgreSQL it is free before that if the holder's session is gone and either
// its process has certainly ended, or it has not renewed for
// executor.StopsAfter: a session may break while its process lives, but by then
// that process has renewed or stopped by itself.
//
// A renewal needs no connection of the pool. Where this process has a SQLite
// file for itself (WithLock) it needs no I/O at all.
func (db *DB) AcquireLease(ctx context.Context, holder string, now time.Time, ttl time.Duration) (int64, error) {
	if db.lock != nil && now.IsZero() {
		return db.fileLease.acquire(holder, ttl, func() (int64, error) { return db.acquireLease(ctx, holder, now, ttl) })
	}
	return db.acquireLease(ctx, holder, now, ttl)
}

// acquireLease is AcquireLease against the table. The common case, a renewal,
// is one statement; a takeover locks the row, so that of two nodes one finds it
// taken, and waits for the old holder's commits.
func (db *DB) acquireLease(ctx context.Context, holder string, now time.Time, ttl time.Duration) (int64, error) {
	epoch, session, err := db.renewLease(ctx, holder, now, ttl)
	if err != nil || epoch != 0 {
		return epoch, translate(err)
	}
	// The seed makes sure that there is a row to lock; it has no holder.
	return updateResult(ctx, db, func(tx *gorm.DB) (int64, error) {
		now, err := db.timeOrClock(tx, now)
		if err != nil {
			return 0, err
		}
		seed := leaseRow{Name: executorLease}
		if err := tx.Clauses(clause.OnConflict{DoNothing: true}).Create(&seed).Error; err != nil {
			return 0, err
		}
		var lease leaseRow
		if err := forUpdate(tx).Where("name = ?", executorLease).Take(&lease).Error; err != nil {
			return 0, err
		}
		free := lease.Holder == "" || lease.ExpiresAt <= millis(now)
		if !free && lease.Holder != holder {
			still := db.observed.unchanged(lease, now)
			gone, err := sessionGone(tx, lease.Session)
			if err != nil {
				return 0, err
			}
			// The end of the session alone proves nothing: it may break while the
			// holder commits. The second condition is what makes it safe.
			free = gone && (still >= executor.StopsAfter || processEnded(lease.ProcessName))
		}
		switch {
		case lease.Holder == holder:
		case !free:
			return 0, executor.ErrLeaseHeld
		default:
			// Before the epoch rises: a commit that has read the old one must end
			// first, and one that comes later reads the new one and is fenced.
			if err := db.awaitCommits(tx); err != nil {
				return 0, err
			}
			lease.Holder, lease.Epoch = holder, lease.Epoch+1
		}
		lease.ExpiresAt, lease.Session, lease.ProcessName = millis(now.Add(ttl)), session, db.processName
		return lease.Epoch, tx.Select("*").Updates(&lease).Error
	})
}

// renewLease renews the lease if holder still has it, and returns its epoch; 0:
// another node has it, or none does. On PostgreSQL it also returns the name of
// the session that shows others that this process lives.
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
// itself: no other process can take it, so its holder renews it without a
// write, however long the disk or a transaction takes. It is safe for
// concurrent use. The row in the table is written when the lease changes hands,
// for the epoch, and is not renewed.
type fileLease struct {
	// mu guards the fields below, and is held while the lease is taken.
	mu sync.Mutex
	// holder is the node that has the lease; "": none is known.
	holder string
	// epoch is that of holder's term, as the table has it.
	epoch int64
	// until is when the lease expires, by the monotonic clock.
	until time.Time
}

// acquire renews the holder's lease in memory, refuses another holder with
// executor.ErrLeaseHeld while it lasts, and otherwise takes it by calling take.
// mu is held meanwhile, so that two callers cannot both take it.
func (l *fileLease) acquire(holder string, ttl time.Duration, take func() (int64, error)) (int64, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	// Before take, whose time counts against the lease: it then never lasts
	// longer than the row says.
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

// release forgets the lease if holder has it.
func (l *fileLease) release(holder string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.holder == holder {
		l.holder = ""
	}
}

// clockOfPostgres is the server's clock in milliseconds since 1970; unlike
// now() it goes on within a transaction.
const clockOfPostgres = "(extract(epoch FROM clock_timestamp()) * 1000)::bigint"

// clockSQL is an SQL expression for the database's clock in milliseconds since
// 1970. Nodes whose clocks differ agree on it. It goes on within a transaction.
func (db *DB) clockSQL() string {
	if db.postgres() {
		return clockOfPostgres
	}
	return "CAST(unixepoch('subsec') * 1000 AS INTEGER)"
}

// Clock returns the database's clock, in milliseconds. Where the database runs
// elsewhere, half the round trip is missing from it.
func (db *DB) Clock(ctx context.Context) (time.Time, error) {
	t, err := db.timeOrClock(db.reader(ctx), time.Time{})
	return t, translate(err)
}

// timeOrClock returns now, or the database's clock where now is zero, which
// costs a statement. The error is not translated.
func (db *DB) timeOrClock(tx *gorm.DB, now time.Time) (time.Time, error) {
	if !now.IsZero() {
		return now, nil
	}
	var ms int64
	err := tx.Raw("SELECT " + db.clockSQL()).Scan(&ms).Error
	return fromMillis(ms), err
}

// awaitCommits waits until no group commit of the old holder is in flight, and
// keeps new ones out until tx ends. On SQLite the transaction itself does that.
func (db *DB) awaitCommits(tx *gorm.DB) error {
	if !db.postgres() {
		return nil
	}
	return tx.Exec("SELECT pg_advisory_xact_lock(?)", leaseLock).Error
}

// ReleaseLease ends the lease at once, if holder still has it; another node may
// then take it without waiting. The epoch stays, so that the next one is
// higher. It is not an error if another node has the lease.
func (db *DB) ReleaseLease(ctx context.Context, holder string) error {
	db.fileLease.release(holder)
	return db.update(ctx, func(tx *gorm.DB) error {
		return tx.Exec("UPDATE leases SET holder = '', expires_at = 0, beacon = '', process = '' WHERE name = ? AND holder = ?", executorLease, holder).Error
	})
}

// endLeases ends what a dead process left: the file lock proves that no other
// process is alive. Epochs stay, so that they keep rising.
func (db *DB) endLeases(ctx context.Context) error {
	return db.update(ctx, func(tx *gorm.DB) error {
		return tx.Exec("UPDATE leases SET holder = '', expires_at = 0, beacon = '', process = ''").Error
	})
}
