package store

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"gorm.io/gorm"
)

// livenessSession is a PostgreSQL session of its own that ends with the
// process. The lease names it, so that other nodes see soon that its holder was
// killed and need not wait until the lease expires. A session may also break
// while its process lives (the server restarts, a connection is cut), so its
// end alone frees no lease; see AcquireLease.
//
// It is not a connection of the pool: the lease is renewed over it, and a pool
// whose connections are all busy must not cost the lease. It is opened at the
// first renewal and safe for concurrent use.
type livenessSession struct {
	mu sync.Mutex
	// mu guards the fields below and is held during a renewal, as a pgx.Conn
	// serves one caller at a time.
	conn *pgx.Conn
	// name is how the lease names the session: the value of sessionNameSQL.
	name string
	// closed: the DB was closed, no session is opened any more.
	closed bool
}

// sessionNameSQL is how the server names a session in pg_stat_activity: a
// process number may be used again, the time of its start is not.
const sessionNameSQL = "pid || ' ' || coalesce(extract(epoch FROM backend_start)::text, '')"

// renew renews the holder's lease in one statement, so that a slow connection
// costs one round trip. It returns the lease's epoch, 0 where another node
// holds the lease or none does, and the session's name. A zero now means the
// server's clock. A session that broke is replaced once; an error of the new
// one is returned.
func (b *livenessSession) renew(ctx context.Context, pool *pgxpool.Pool, holder, process string, now time.Time, ttl time.Duration) (epoch int64, session string, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for {
		// A session that was there before may have broken long ago and is replaced; a
		// new one that breaks is not.
		began := b.conn != nil
		if session, err = b.open(ctx, pool); err != nil {
			return 0, "", err
		}
		expires := "$1::bigint"
		ms := millis(now.Add(ttl))
		if now.IsZero() {
			expires, ms = clockOfPostgres+" + $1::bigint", ttl.Milliseconds()
		}
		err = b.conn.QueryRow(ctx, "UPDATE leases SET expires_at = "+expires+", beacon = $2, process = $3 WHERE name = $4 AND holder = $5 RETURNING epoch",
			ms, session, process, executorLease, holder).Scan(&epoch)
		switch {
		case err == nil, errors.Is(err, pgx.ErrNoRows):
			return epoch, session, nil
		case !b.conn.IsClosed():
			return 0, "", err
		}
		b.conn = nil
		if !began || ctx.Err() != nil {
			return 0, "", err
		}
	}
}

// open returns the session's name, after opening one where there is none. mu
// must be held. After close it fails with net.ErrClosed. The new session has the
// settings of the pool's connections, but does not count against its limit.
func (b *livenessSession) open(ctx context.Context, pool *pgxpool.Pool) (string, error) {
	if b.closed {
		return "", net.ErrClosed
	}
	if b.conn != nil && !b.conn.IsClosed() {
		return b.name, nil
	}
	conn, err := pgx.ConnectConfig(ctx, pool.Config().ConnConfig)
	if err != nil {
		return "", err
	}
	err = conn.QueryRow(ctx, "SELECT "+sessionNameSQL+" FROM pg_stat_activity WHERE pid = pg_backend_pid()").Scan(&b.name)
	if err != nil {
		_ = conn.Close(ctx)
		return "", err
	}
	b.conn = conn
	return b.name, nil
}

// close ends the session permanently; later renewals fail with net.ErrClosed.
func (b *livenessSession) close(ctx context.Context) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	if b.conn != nil {
		_ = b.conn.Close(ctx)
		b.conn = nil
	}
}

// sessionGone reports whether a session has certainly ended. A session of
// another role shows no start; it counts as alive while its process number
// exists. A lease without a session ("") proves nothing and is not gone.
func sessionGone(tx *gorm.DB, name string) (bool, error) {
	if name == "" {
		return false, nil
	}
	var alive int64
	err := tx.Raw("SELECT count(*) FROM pg_stat_activity WHERE "+sessionNameSQL+" = ? OR backend_start IS NULL AND pid = split_part(?, ' ', 1)::int",
		name, name).Scan(&alive).Error
	return alive == 0 && err == nil, err
}
