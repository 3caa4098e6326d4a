package store

import (
	"context"
	"strings"

	"gorm.io/gorm"
)

// Scratch is a table of its own to measure a database's raw speed with: what no
// store on this disk can exceed. It is for benchmarks, by one goroutine.
type Scratch struct {
	db *DB
	// next is the last id that was written.
	next int64
}

// Scratch creates the table, empty; one that an aborted benchmark left is
// dropped.
func (db *DB) Scratch(ctx context.Context) (*Scratch, error) {
	s := &Scratch{db: db}
	if err := s.Close(ctx); err != nil {
		return nil, err
	}
	return s, db.update(ctx, func(tx *gorm.DB) error {
		return tx.Exec("CREATE TABLE scratch (id BIGINT PRIMARY KEY, text TEXT NOT NULL)").Error
	})
}

// Write adds rows rows (at most 10,000) of about a hundred bytes each in one
// durable transaction.
func (s *Scratch) Write(ctx context.Context, rows int) error {
	values := make([]any, 0, 2*rows)
	for range rows {
		s.next++
		values = append(values, s.next, scratchText)
	}
	text := "INSERT INTO scratch (id, text) VALUES (?, ?)" + strings.Repeat(", (?, ?)", rows-1)
	return s.db.update(ctx, func(tx *gorm.DB) error { return tx.Exec(text, values...).Error })
}

// Close drops the table.
func (s *Scratch) Close(ctx context.Context) error {
	return s.db.update(ctx, func(tx *gorm.DB) error { return tx.Exec("DROP TABLE IF EXISTS scratch").Error })
}

// scratchText is the content of each row: 90 bytes.
var scratchText = strings.Repeat("0123456789", 9)
