package store

import (
	"context"
	"errors"
	"fmt"
	"heddle/migrations"
	"net"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"
)

// defaultMaxConns bounds a node's connections where the URL has no
// pool_max_conns.
const defaultMaxConns = 16

// openPostgres opens the pool and waits for the server as s says. Settings in
// the URL win over this package's defaults. The pool is shared by gorm, through
// database/sql, and by group commits, which use pgx itself.
func openPostgres(ctx context.Context, url string, s settings) (*DB, error) {
	cfg, err := pgxpool.ParseConfig(url)
	if err != nil {
		// The parser's own message quotes parts of the URL.
		return nil, errors.New(urlHelp + ": PostgreSQL's settings in it cannot be read")
	}
	setDefaults(cfg)
	if !strings.Contains(url, "pool_max_conns") {
		cfg.MaxConns = defaultMaxConns
	}
	pool, err := pgxpool.NewWithConfig(ctx, cfg)
	if err != nil {
		return nil, openError(err)
	}
	db := &DB{dialect: migrations.Postgres, pool: pool, notices: &notifier{pool: pool}, processName: processName()}
	db.write.sql = stdlib.OpenDBFromPool(pool)
	db.read.sql = db.write.sql
	if err := awaitServer(ctx, pool, s); err != nil {
		return nil, errors.Join(openError(err), db.Close())
	}
	db.write.gorm, err = gorm.Open(postgres.New(postgres.Config{Conn: boundedPool{db.write.sql}}), gormConfig())
	if err != nil {
		return nil, errors.Join(openError(err), db.Close())
	}
	db.read = db.write
	return db, nil
}

// awaitServer returns once the server takes connections, or with its last
// refusal: at once where waiting cannot help, else after s.waitLimit. It tries
// four times a second. The end of ctx ends it, too.
func awaitServer(ctx context.Context, pool *pgxpool.Pool, s settings) error {
	waiting, cancel := context.WithTimeout(ctx, s.waitLimit)
	defer cancel()
	var reported time.Time
	for {
		err := pool.Ping(ctx)
		if err == nil || s.waitLimit == 0 || !isTransient(err) {
			return err
		}
		if time.Since(reported) > 10*time.Second {
			s.onWait(err)
			reported = time.Now()
		}
		again := time.NewTimer(250 * time.Millisecond)
		select {
		case <-again.C:
		case <-waiting.Done():
			again.Stop()
			return err
		}
	}
}

// isTransient reports whether the refusal of a connection may pass by itself:
// the server does not listen, or is starting (57P03), stopping or full.
func isTransient(err error) bool {
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok {
		return pgUnavailable(pg.Code)
	}
	var dial *net.OpError
	return errors.As(err, &dial) || pgconn.Timeout(err)
}

// setDefaults adds what the URL leaves open: timeouts for statements, locks and
// idle transactions (in milliseconds), so that no lost client holds locks for
// long, a lifetime of connections, so that a server behind a name that moves is
// found again, and a dialer that notices cut connections.
func setDefaults(cfg *pgxpool.Config) {
	// Parameters of the session, which the server takes when a connection begins.
	given := cfg.ConnConfig.Config.RuntimeParams
	for name, value := range map[string]string{
		"application_name":                    "heddle",
		"statement_timeout":                   "15000",
		"lock_timeout":                        "10000",
		"idle_in_transaction_session_timeout": "10000",
	} {
		if _, set := given[name]; !set {
			given[name] = value
		}
	}
	cfg.ConnConfig.DialFunc = dialer().DialContext
	cfg.MaxConnLifetime = 30 * time.Minute
	cfg.MaxConnLifetimeJitter = 5 * time.Minute
	if cfg.ConnConfig.ConnectTimeout == 0 {
		cfg.ConnConfig.ConnectTimeout = 5 * time.Second
	}
}

// ackTimeout is how long sent data may stay unacknowledged, and a silent
// connection unanswered, before a connection to PostgreSQL counts as broken: a
// network that drops packets reports nothing by itself.
const ackTimeout = 6 * time.Second

// dialer returns a dialer whose connections are probed: by keep-alive while
// they are idle, by TCP_USER_TIMEOUT while data is under way.
func dialer() *net.Dialer {
	return &net.Dialer{
		KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: ackTimeout / 2, Interval: time.Second, Count: 3},
		Control:         setAckTimeout,
	}
}

// openError words a failure to open for the operator. The errors of migrations
// are worded already.
func openError(err error) error {
	var newer *migrations.NewerError
	var older *migrations.OlderError
	if errors.As(err, &newer) || errors.As(err, &older) {
		return err
	}
	return fmt.Errorf("the database of HEDDLE_DATABASE_URL cannot be opened: %w", err)
}
