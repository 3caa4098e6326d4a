package store

import (
	"context"
	"heddle/internal/elements"
	"heddle/migrations"
	"heddle/system"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// nodeRow is a row of nodes.
type nodeRow struct {
	ID        string `gorm:"primaryKey"`
	Host      string
	Version   string
	StartedAt int64
	SeenAt    int64
}

func (nodeRow) TableName() string { return "nodes" }

// node decodes a row.
func (r nodeRow) node() system.Node {
	return system.Node{ID: r.ID, Host: r.Host, Version: r.Version, StartedAt: fromMillis(r.StartedAt), SeenAt: fromMillis(r.SeenAt)}
}

// NoteNode stores that a node is there, and removes those that were last seen before forget.
func (db *DB) NoteNode(ctx context.Context, n system.Node, forget time.Time) error {
	return db.update(ctx, func(tx *gorm.DB) error {
		row := nodeRow{n.ID, n.Host, n.Version, millis(n.StartedAt), millis(n.SeenAt)}
		err := tx.Clauses(clause.OnConflict{Columns: []clause.Column{{Name: "id"}}, DoUpdates: clause.AssignmentColumns([]string{"seen_at"})}).Create(&row).Error
		if err != nil {
			return err
		}
		return tx.Exec("DELETE FROM nodes WHERE seen_at < ?", millis(forget)).Error
	})
}

// Database says how the database is, with the nodes that were seen since a time, by id, as of
// one moment.
func (db *DB) Database(ctx context.Context, since time.Time) (system.Database, error) {
	return viewResult(ctx, db, func(tx *gorm.DB) (system.Database, error) {
		d := system.Database{Kind: string(db.dialect)}
		size := "SELECT pg_database_size(current_database())"
		if db.dialect == migrations.SQLite {
			size = "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"
		}
		if err := tx.Raw(size).Scan(&d.SizeBytes).Error; err != nil {
			return d, err
		}
		if err := tx.Raw("SELECT max(version_id) FROM goose_db_version").Scan(&d.Schema).Error; err != nil {
			return d, err
		}
		var rows []nodeRow
		if err := tx.Where("seen_at >= ?", millis(since)).Order("id").Limit(maxNodes).Find(&rows).Error; err != nil {
			return d, err
		}
		d.Nodes = elements.Map(rows, nodeRow.node)
		var lease leaseRow
		_, err := found(tx.Where("name = ?", executorLease), &lease)
		d.Leader, d.LeaseExpires = lease.Holder, fromMillis(lease.ExpiresAt)
		return d, err
	})
}

// maxNodes is how many nodes are shown at most.
const maxNodes = 100
