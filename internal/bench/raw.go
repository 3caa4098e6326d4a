package bench

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // "pgx"; "sqlite" comes with the store
)

// raw measures the database without Heddle, on one connection: transactions of one row,
// and of a hundred rows, for at most a second each. The first is the disk's rate of
// commits, which bounds a run alone; the second shows what a group commit can gain.
func (b *session) raw(ctx context.Context) (err error) {
	db, insert, err := b.rawDatabase(ctx)
	if err != nil {
		return fmt.Errorf("the raw database: %w", err)
	}
	// The table is dropped although ctx may have ended: a PostgreSQL database is kept.
	defer func() {
		_, dropErr := db.ExecContext(context.WithoutCancel(ctx), "DROP TABLE IF EXISTS heddle_bench_raw")
		err = errors.Join(err, dropErr, db.Close())
	}()
	// A second is enough for a steady figure, and it is only there for comparison.
	span := time.Duration(min(b.plan.Seconds, 1) * float64(time.Second))
	single, singleTook, err := rawBatches(ctx, db, insert, 1, span)
	if err != nil {
		return err
	}
	batches, batchTook, err := rawBatches(ctx, db, insert, 100, span)
	if err != nil {
		return err
	}
	b.printf("raw        %-14s transactions of one row; transactions of 100 rows: %s rows (one connection)",
		perSecond(single, singleTook), perSecond(batches*100, batchTook))
	return nil
}

// rawDatabase opens a connection to the session's kind of database, with the durability
// that the product uses, and creates the table. For SQLite it is a file of its own
// beside the session's. insert is the statement for one row.
func (b *session) rawDatabase(ctx context.Context) (db *sql.DB, insert string, err error) {
	if strings.HasPrefix(b.url, "sqlite:") {
		// The same pragmas as the store, or the comparison would be with another durability.
		dsn := "file:" + filepath.Join(b.dir, "raw.db") + "?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_txlock=immediate"
		db, err = sql.Open("sqlite", dsn)
		insert = "INSERT INTO heddle_bench_raw (body) VALUES (?)"
	} else {
		db, err = sql.Open("pgx", b.url)
		insert = "INSERT INTO heddle_bench_raw (body) VALUES ($1)"
	}
	if err != nil {
		return nil, "", err
	}
	db.SetMaxOpenConns(1) // as the writer of a SQLite store has
	_, err = db.ExecContext(ctx, "CREATE TABLE heddle_bench_raw (body TEXT NOT NULL)")
	return db, insert, err
}

// rawBatches commits transactions of the given number of rows one after another for the
// span, and returns how many it committed in which time. A row has 200 bytes.
func rawBatches(ctx context.Context, db *sql.DB, insert string, rows int, span time.Duration) (n int, took time.Duration, err error) {
	body := strings.Repeat("x", 200)
	begun := time.Now()
	// At least one transaction is made, however slow the disk is.
	for took < span {
		tx, err := db.BeginTx(ctx, nil)
		if err != nil {
			return 0, 0, err
		}
		// Prepared in each transaction, as database/sql binds a statement to it.
		statement, err := tx.PrepareContext(ctx, insert)
		for i := 0; err == nil && i < rows; i++ {
			_, err = statement.ExecContext(ctx, body)
		}
		if err != nil {
			return 0, 0, errors.Join(err, tx.Rollback())
		}
		if err := tx.Commit(); err != nil {
			return 0, 0, err
		}
		n++
		took = time.Since(begun)
	}
	return n, took, nil
}
