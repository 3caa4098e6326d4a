package store

import (
	"context"
	"sync"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"gorm.io/gorm"
)

// beacon is a PostgreSQL session of its own that ends with the process. The
// lease names it, so that others see soon that its holder was killed and need
// not wait until the lease expires. A session may also break while its process
// lives (the server restarts, a connection is cut), so its end alone frees no
// lease; see AcquireLease.
type beacon struct {
	mu   sync.Mutex
	conn *pgx.Conn
	name string
}

// beaconName is how the server knows a session: a process number may be used
// again, the time of its start is not.
const beaconName = "pid || ' ' || coalesce(extract(epoch FROM backend_start)::text, '')"

// light gives the session's name; a session that broke is replaced.
func (b *beacon) light(ctx context.Context, pool *pgxpool.Pool) (string, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.conn != nil {
		if b.conn.Ping(ctx) == nil {
			return b.name, nil
		}
		_ = b.conn.Close(ctx)
		b.conn = nil
	}
	pooled, err := pool.Acquire(ctx)
	if err != nil {
		return "", err
	}
	conn := pooled.Hijack()
	err = conn.QueryRow(ctx, "SELECT "+beaconName+" FROM pg_stat_activity WHERE pid = pg_backend_pid()").Scan(&b.name)
	if err != nil {
		_ = conn.Close(ctx)
		return "", err
	}
	b.conn = conn
	return b.name, nil
}

func (b *beacon) douse(ctx context.Context) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.conn != nil {
		_ = b.conn.Close(ctx)
		b.conn = nil
	}
}

// dark tells whether a session is surely gone. A session of another role shows
// no start; it counts as alive while its process number is there.
func dark(tx *gorm.DB, name string) (bool, error) {
	if name == "" {
		return false, nil
	}
	var alive int64
	err := tx.Raw("SELECT count(*) FROM pg_stat_activity WHERE "+beaconName+" = ? OR backend_start IS NULL AND pid = split_part(?, ' ', 1)::int",
		name, name).Scan(&alive).Error
	return alive == 0 && err == nil, err
}
