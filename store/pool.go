package store

import (
	"context"
	"database/sql"
	"heddle/deadline"

	"gorm.io/gorm"
)

// boundedPool is a pool whose single statements draw on the request's time for
// the database (package deadline). Transactions do so as a whole, in transact.
// gorm executes through it.
type boundedPool struct{ *sql.DB }

var (
	_ gorm.ConnPool       = boundedPool{}
	_ gorm.GetDBConnector = boundedPool{}
)

// GetDBConn is how gorm finds the pool under this one.
func (p boundedPool) GetDBConn() (*sql.DB, error) { return p.DB, nil }

// ExecContext executes a statement within the request's time.
func (p boundedPool) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	ctx, call := deadline.Begin(ctx)
	defer call.End()
	return p.DB.ExecContext(ctx, query, args...)
}

// QueryContext returns when the database has answered, and stops the request's
// clock then; the rows are read under the same deadline.
func (p boundedPool) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	ctx, call := deadline.Begin(ctx)
	rows, err := p.DB.QueryContext(ctx, query, args...)
	if err != nil {
		call.End()
		return nil, err
	}
	call.Charge()
	return rows, nil //nolint:sqlclosecheck // gorm closes them
}

// QueryRowContext is QueryContext for one row; gorm scans it at once.
func (p boundedPool) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	ctx, call := deadline.Begin(ctx)
	defer call.Charge()
	return p.DB.QueryRowContext(ctx, query, args...)
}
