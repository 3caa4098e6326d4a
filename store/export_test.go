package store

import (
	"context"
	"heddle/definitions/workflows"
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

// SearchTwice lists a page of a query by the index in memory and by the tables, both of
// one moment; indexed is false where there is no index to search.
func (db *DB) SearchTwice(ctx context.Context, q workflows.Query) (byIndex, byTables workflows.Page, indexed bool, err error) {
	type pages struct {
		byIndex, byTables workflows.Page
		index             *searchIndex
		change            int64
	}
	list := listFingerprint("workflows", q)
	at, err := decodeCursor(list, q.Cursor)
	if err != nil {
		return byIndex, byTables, false, err
	}
	p, err := viewResult(ctx, db, func(tx *gorm.DB) (p pages, err error) {
		if p.index, p.change, err = db.searches.indexIn(ctx, tx, q.TenantID); err != nil || p.index == nil {
			return p, err
		}
		if p.byIndex, err = searchPage(tx, p.index, q, list, at); err != nil {
			return p, err
		}
		p.byTables, err = scannedPage(tx, q, list, at)
		return p, err
	})
	if p.index != nil {
		db.searches.put(q.TenantID, p.index, p.change)
	}
	return p.byIndex, p.byTables, p.index != nil, err
}

// LimitSearchMemory replaces what searches know by an empty memory of a size in bytes.
func (db *DB) LimitSearchMemory(limit int) { db.searches = newSearchMemory(limit) }

// SearchMemory returns how many bytes the indexes in memory take by their own count, and
// of how many tenants something is known.
func (db *DB) SearchMemory() (bytes, tenants int) {
	m := db.searches
	m.mu.Lock()
	defer m.mu.Unlock()
	counted := 0
	for at := m.recent.Front(); at != nil; at = at.Next() {
		if s, ok := at.Value.(*searched); ok && s.index != nil {
			counted += s.index.bytes
		}
	}
	if counted != m.bytes || len(m.tenants) != m.recent.Len() {
		return -1, -1
	}
	return m.bytes, len(m.tenants)
}

// LimitWalks makes pages of lists of runs look at few runs.
func LimitWalks(db *DB, walked, few int) { db.walk = walkLimits{walked: walked, few: few} }
