package store

import (
	"context"
	"heddle/migrations"
	"strings"
	"sync"
	"testing"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/logger"
)

// recorder is gorm's logger in the tests of plans: it keeps the texts of the
// statements, with their arguments written in.
type recorder struct {
	logger.Interface
	mu    sync.Mutex // guards texts
	texts []string
}

// Trace implements logger.Interface.
func (r *recorder) Trace(_ context.Context, _ time.Time, statement func() (string, int64), _ error) {
	text, _ := statement()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.texts = append(r.texts, text)
}

// Reads returns the statements that gorm makes for fn over the database, in their
// order. Group commits are not among them. It must not run beside other calls.
func (db *DB) Reads(fn func()) []string {
	r := &recorder{Interface: logger.Discard}
	before := db.read
	db.read.gorm = db.read.gorm.Session(&gorm.Session{Logger: r})
	defer func() { db.read = before }()
	fn()
	return r.texts
}

// Plan returns the database's plan of a statement, a line for each of its nodes. On
// PostgreSQL it is that of a large table: small ones are read whole, whatever
// indexes there are.
func (db *DB) Plan(t testing.TB, text string) string {
	t.Helper()
	var lines []string
	err := db.update(context.Background(), func(tx *gorm.DB) error {
		if db.dialect == migrations.SQLite {
			var plan []struct{ Detail string }
			err := tx.Raw("EXPLAIN QUERY PLAN " + text).Scan(&plan).Error
			for _, node := range plan {
				lines = append(lines, node.Detail)
			}
			return err
		}
		for _, never := range []string{"enable_seqscan", "enable_bitmapscan"} {
			if err := tx.Exec("SET LOCAL " + never + " = off").Error; err != nil {
				return err
			}
		}
		return tx.Raw("EXPLAIN " + text).Scan(&lines).Error
	})
	if err != nil {
		t.Fatalf("plan of %s: %v", text, err)
	}
	return strings.Join(lines, "\n")
}

// IsPostgres reports whether a database is PostgreSQL.
func IsPostgres(db *DB) bool { return db.postgres() }
