package store

import (
	"context"
	"heddle/audit"
	"heddle/definitions/validation"
	"heddle/fault"
	"heddle/internal/elements"
	"heddle/secrets"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// secretRow is a row of secrets; Box is the sealed value, which only package
// secrets can open.
type secretRow struct {
	TenantID string `gorm:"primaryKey"`
	Name     string `gorm:"primaryKey"`
	Box      []byte
	// CreatedAt stays when a value is replaced.
	CreatedAt int64 `gorm:"autoCreateTime:false"`
	UpdatedAt int64 `gorm:"autoUpdateTime:false"`
	// LastUsedAt is written by MarkSecretsUsed alone.
	LastUsedAt int64
}

func (secretRow) TableName() string { return "secrets" }

// entry decodes what lists show of a row, without the value.
func (r secretRow) entry() secrets.Entry {
	return secrets.Entry{Name: r.Name, CreatedAt: fromMillis(r.CreatedAt), UpdatedAt: fromMillis(r.UpdatedAt), LastUsedAt: fromMillis(r.LastUsedAt)}
}

// PutSecret adds a secret or replaces its value, and raises the tenant's
// revision of secrets, in one transaction with an audit entry, which holds no
// value.
func (db *DB) PutSecret(ctx context.Context, s secrets.Sealed) error {
	return db.update(ctx, func(tx *gorm.DB) error {
		row := secretRow{TenantID: s.TenantID, Name: s.Name, Box: s.Box, CreatedAt: millis(s.CreatedAt), UpdatedAt: millis(s.UpdatedAt)}
		err := tx.Clauses(clause.OnConflict{
			Columns:   []clause.Column{{Name: "tenant_id"}, {Name: "name"}},
			DoUpdates: clause.AssignmentColumns([]string{"box", "updated_at"}),
		}).Create(&row).Error
		if err != nil {
			return err
		}
		if err := bumpSecretsRevision(tx, s.TenantID); err != nil {
			return err
		}
		return writeAudit(tx, audit.Object{Kind: "secret", ID: s.Name}, nil)
	})
}

// DeleteSecret removes a secret and raises the tenant's revision of secrets, in
// one transaction. secret_not_found.
func (db *DB) DeleteSecret(ctx context.Context, tenantID, name string) error {
	return db.update(ctx, func(tx *gorm.DB) error {
		res := tx.Exec("DELETE FROM secrets WHERE tenant_id = ? AND name = ?", tenantID, name)
		if res.Error != nil {
			return res.Error
		}
		if res.RowsAffected == 0 {
			return fault.New(fault.NotFound, "secret_not_found", "There is no secret %s.", name)
		}
		if err := bumpSecretsRevision(tx, tenantID); err != nil {
			return err
		}
		return writeAudit(tx, audit.Object{Kind: "secret", ID: name}, nil)
	})
}

// bumpSecretsRevision raises the tenant's revision: every node then reads the
// secrets again before it uses one. It is raised in the transaction that changes
// them, so that no node reads the new revision with the old secrets.
func bumpSecretsRevision(tx *gorm.DB, tenantID string) error {
	return tx.Exec(`INSERT INTO secret_revisions (tenant_id, revision) VALUES (?, 1)
		ON CONFLICT (tenant_id) DO UPDATE SET revision = secret_revisions.revision + 1`, tenantID).Error
}

// SecretEntries lists at most limit names and dates by name, with the steps that name each,
// and returns the cursor behind them, "" at the end. Values are not read.
func (db *DB) SecretEntries(ctx context.Context, tenantID, cursor string, limit int) ([]secrets.Entry, string, error) {
	list := listFingerprint("secrets", tenantID)
	at, err := decodeCursor(list, cursor)
	if err != nil {
		return nil, "", err
	}
	rows, err := viewResult(ctx, db, func(tx *gorm.DB) ([]secrets.Entry, error) {
		q := tx.Select("name", "created_at", "updated_at", "last_used_at").Where("tenant_id = ?", tenantID)
		if at != nil {
			q = q.Where("name > ?", at.ID)
		}
		var rows []secretRow
		if err := q.Order("name").Limit(limit + 1).Find(&rows).Error; err != nil {
			return nil, err
		}
		entries := elements.Map(rows, secretRow.entry)
		for i := range entries[:min(len(entries), limit)] {
			var err error
			if entries[i].UsedBy, err = references(tx, tenantID, validation.UsesSecret, entries[i].Name); err != nil {
				return nil, err
			}
		}
		return entries, nil
	})
	if err != nil {
		return nil, "", err
	}
	page, next := trimPage(list, rows, limit, func(e secrets.Entry) position { return position{ID: e.Name} })
	return page, next, nil
}

// MarkSecretsUsed notes that secrets of a tenant were used at a moment; those that do not
// exist, or were used later, stay as they are.
func (db *DB) MarkSecretsUsed(ctx context.Context, tenantID string, names []string, at time.Time) error {
	return db.update(ctx, func(tx *gorm.DB) error {
		return tx.Exec("UPDATE secrets SET last_used_at = ? WHERE tenant_id = ? AND name IN ? AND last_used_at < ?", millis(at), tenantID, names, millis(at)).Error
	})
}

// SealedSecrets returns all of a tenant's secrets and the revision that they
// are of, as of one moment.
func (db *DB) SealedSecrets(ctx context.Context, tenantID string) ([]secrets.Sealed, int64, error) {
	type result struct {
		rows     []secretRow
		revision int64
	}
	read, err := viewResult(ctx, db, func(tx *gorm.DB) (result, error) {
		revision, err := secretsRevision(tx, tenantID)
		if err != nil {
			return result{}, err
		}
		var rows []secretRow
		err = tx.Where("tenant_id = ?", tenantID).Order("name").Find(&rows).Error
		return result{rows, revision}, err
	})
	if err != nil {
		return nil, 0, err
	}
	list := make([]secrets.Sealed, len(read.rows))
	for i, row := range read.rows {
		list[i] = secrets.Sealed{Entry: row.entry(), TenantID: tenantID, Box: row.Box}
	}
	return list, read.revision, nil
}

// SecretsRevision returns a number that rises with each change of a tenant's
// secrets; 0: there was none yet.
func (db *DB) SecretsRevision(ctx context.Context, tenantID string) (int64, error) {
	revision, err := secretsRevision(db.reader(ctx), tenantID)
	return revision, translate(err)
}

// secretsRevision is SecretsRevision within tx.
func secretsRevision(tx *gorm.DB, tenantID string) (int64, error) {
	var revision int64
	err := tx.Raw("SELECT revision FROM secret_revisions WHERE tenant_id = ?", tenantID).Scan(&revision).Error
	return revision, err
}

// SecretCheck returns the value by which package secrets recognises the right
// key; nil: none is stored yet.
func (db *DB) SecretCheck(ctx context.Context) ([]byte, error) {
	box, err := secretCheck(db.reader(ctx))
	return box, translate(err)
}

// KeepSecretCheck stores box unless a value is stored already, and returns the
// stored one: of several nodes that start at once, one decides.
func (db *DB) KeepSecretCheck(ctx context.Context, box []byte) ([]byte, error) {
	return updateResult(ctx, db, func(tx *gorm.DB) ([]byte, error) {
		err := tx.Exec("INSERT INTO secret_check (id, box) VALUES (1, ?) ON CONFLICT (id) DO NOTHING", box).Error
		if err != nil {
			return nil, err
		}
		return secretCheck(tx)
	})
}

// secretCheck is SecretCheck within tx.
func secretCheck(tx *gorm.DB) ([]byte, error) {
	var row struct{ Box []byte }
	err := tx.Raw("SELECT box FROM secret_check WHERE id = 1").Scan(&row).Error
	return row.Box, err
}
