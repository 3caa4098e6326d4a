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

// livenessSession is a PostgreSQL session of its own that ends with the process. The
// lease names it, so that others see soon that its holder was killed and need
// not wait until the lease expires. A session may also break while its process
// lives (the server restarts, a connection is cut), so its end alone frees no
// lease; see AcquireLease. It is no connection of the pool: the lease is renewed
// over it, and a pool of which all connections are busy must not cost the lease.
type livenessSession struct {
	mu     sync.Mutex
	conn   *pgx.Conn
	name   string
	closed bool
}

// sessionNameSQL is how the server knows a session: a process number may be used
// again, the time of its start is not.
const sessionNameSQL = "pid || ' ' || coalesce(extract(epoch FROM backend_start)::text, '')"

// renew renews the holder's lease in one statement, so that a slow connection
// costs one round trip, and returns its epoch, 0 where another holds the lease or
// none does. A zero now is the server's clock. session names the session. One that
// broke is replaced.
func (b *livenessSession) renew(ctx context.Context, pool *pgxpool.Pool, holder, process string, now time.Time, ttl time.Duration) (epoch int64, session string, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for {
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

// open returns the session's name, of a new one where there is none. mu is held.
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

func (b *livenessSession) close(ctx context.Context) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	if b.conn != nil {
		_ = b.conn.Close(ctx)
		b.conn = nil
	}
}

// sessionGone tells whether a session is surely gone. A session of another role shows
// no start; it counts as alive while its process number is there.
func sessionGone(tx *gorm.DB, name string) (bool, error) {
	if name == "" {
		return false, nil
	}
	var alive int64
	err := tx.Raw("SELECT count(*) FROM pg_stat_activity WHERE "+sessionNameSQL+" = ? OR backend_start IS NULL AND pid = split_part(?, ' ', 1)::int",
		name, name).Scan(&alive).Error
	return alive == 0 && err == nil, err
}
