package store

import (
	"context"
	"encoding/json"
	"fmt"
	"heddle/access"
	"heddle/audit"
	"heddle/fault"
	"heddle/internal/elements"
	"time"

	"gorm.io/gorm"
)

// tenantRow is a row of tenants.
type tenantRow struct {
	ID        string `gorm:"primaryKey"`
	Slug      string
	Name      string
	CreatedAt int64 `gorm:"autoCreateTime:false"`
}

func (tenantRow) TableName() string { return "tenants" }

// tenant decodes a row.
func (r tenantRow) tenant() access.Tenant {
	return access.Tenant{ID: r.ID, Slug: r.Slug, Name: r.Name, CreatedAt: fromMillis(r.CreatedAt)}
}

// keyRow is a row of api_keys; Hash stands for the key, which is not stored.
// TenantSlug and TenantName are read from a join.
type keyRow struct {
	ID       string `gorm:"primaryKey"`
	TenantID string
	Name     string
	Role     string
	Hash     string
	// Last4 are the key's last characters, by which people recognise it.
	Last4     string
	CreatedAt int64 `gorm:"autoCreateTime:false"`
	// ExpiresAt, LastUsedAt and RevokedAt are 0 for never.
	ExpiresAt  int64
	LastUsedAt int64
	RevokedAt  int64
	// CreatedByType is "" where it is not known who made the key.
	CreatedByType string
	CreatedByID   string
	CreatedByName string
	RotatedAt     int64
	Revision      int64
	TenantSlug    string `gorm:"->"`
	TenantName    string `gorm:"->"`
}

func (keyRow) TableName() string { return "api_keys" }

// toKeyRow encodes a key; keyRow.key is its inverse, without grants.
func toKeyRow(k access.Key) keyRow {
	return keyRow{
		ID: k.ID, TenantID: k.TenantID, Name: k.Name, Role: string(k.Role), Hash: k.Hash, Last4: k.Last4,
		CreatedAt: millis(k.CreatedAt), ExpiresAt: millis(k.ExpiresAt),
		LastUsedAt: millis(k.LastUsedAt), RevokedAt: millis(k.RevokedAt), RotatedAt: millis(k.RotatedAt), Revision: k.Revision,
		CreatedByType: k.CreatedBy.Type, CreatedByID: k.CreatedBy.ID, CreatedByName: k.CreatedBy.Name,
	}
}

// key decodes a row. TenantSlug and TenantName are "" unless the row was read by keysWithTenant.
func (r keyRow) key() access.Key {
	return access.Key{
		ID: r.ID, TenantID: r.TenantID, TenantSlug: r.TenantSlug, TenantName: r.TenantName, Name: r.Name, Role: access.Role(r.Role),
		Hash: r.Hash, Last4: r.Last4, CreatedAt: fromMillis(r.CreatedAt), ExpiresAt: fromMillis(r.ExpiresAt),
		LastUsedAt: fromMillis(r.LastUsedAt), RevokedAt: fromMillis(r.RevokedAt), RotatedAt: fromMillis(r.RotatedAt), Revision: r.Revision,
		CreatedBy: audit.Actor{Type: r.CreatedByType, ID: r.CreatedByID, Name: r.CreatedByName},
	}
}

// CreateTenant stores a tenant and its first key in one transaction, with an
// entry in the audit trail. slug_taken, key_taken (Conflict).
func (db *DB) CreateTenant(ctx context.Context, t access.Tenant, first access.Key) error {
	return db.update(ctx, func(tx *gorm.DB) error {
		row := tenantRow{ID: t.ID, Slug: t.Slug, Name: t.Name, CreatedAt: millis(t.CreatedAt)}
		err := tx.Create(&row).Error
		if violatesUnique(err, "slug") {
			return fault.New(fault.Conflict, "slug_taken", "Another tenant has the slug %q: choose another.", t.Slug)
		}
		if err != nil {
			return err
		}
		if err := insertKey(tx, first); err != nil {
			return err
		}
		return writeAudit(tx, audit.Object{Kind: "tenant", ID: t.ID, Slug: t.Slug}, nil)
	})
}

// TenantBySlug returns a tenant by its slug; tenant_not_found.
func (db *DB) TenantBySlug(ctx context.Context, slug string) (access.Tenant, error) {
	var row tenantRow
	ok, err := found(db.reader(ctx).Where("slug = ?", slug), &row)
	if err == nil && !ok {
		err = tenantNotFound(slug)
	}
	return row.tenant(), translate(err)
}

// tenantNotFound is the error for a tenant that does not exist.
func tenantNotFound(ref string) error {
	return fault.New(fault.NotFound, "tenant_not_found", "There is no tenant %q.", ref)
}

// CreateKey stores a key, with an entry in the audit trail; its grants are put
// one by one. key_taken (Conflict).
func (db *DB) CreateKey(ctx context.Context, k access.Key) error {
	return db.update(ctx, func(tx *gorm.DB) error {
		if err := insertKey(tx, k); err != nil {
			return err
		}
		return writeAudit(tx, audit.Object{Kind: "key", ID: k.ID, Slug: k.Name}, keyDetail{Role: k.Role, ExpiresAt: k.ExpiresAt})
	})
}

// insertKey inserts a key within tx. The key itself is not stored, so
// key_taken (Conflict) means that another has the same hash.
func insertKey(tx *gorm.DB, k access.Key) error {
	row := toKeyRow(k)
	err := tx.Create(&row).Error
	if violatesUnique(err, "hash") {
		return fault.New(fault.Conflict, "key_taken", "This key exists already.")
	}
	return err
}

// KeyByHash returns a key with its tenant's slug and name and its grants, as of one
// moment; revoked and expired ones too, and by the hash of a text that was replaced.
// key_not_found.
func (db *DB) KeyByHash(ctx context.Context, hash string) (access.Key, error) {
	return viewResult(ctx, db, func(tx *gorm.DB) (access.Key, error) {
		k, err := keyWithGrants(tx, "k.hash = ?", hash)
		if fault.KindOf(err) == fault.NotFound {
			k, err = keyOfFormerHash(tx, hash)
		}
		if err != nil {
			return access.Key{}, err
		}
		return *k, nil
	})
}

// KeyByID is KeyByHash by the id of a key of the tenant.
func (db *DB) KeyByID(ctx context.Context, tenantID, id string) (access.Key, error) {
	return viewResult(ctx, db, func(tx *gorm.DB) (access.Key, error) {
		k, err := keyWithGrants(tx, "k.id = ? AND k.tenant_id = ?", id, tenantID)
		if err != nil {
			return access.Key{}, err
		}
		return *k, nil
	})
}

// keyWithGrants returns the key that a condition finds, with its tenant and its grants;
// key_not_found.
func keyWithGrants(tx *gorm.DB, which string, args ...any) (*access.Key, error) {
	var row keyRow
	ok, err := found(keysWithTenant(tx).Where(which, args...), &row)
	if err == nil && !ok {
		err = keyNotFound()
	}
	if err != nil {
		return nil, err
	}
	k := row.key()
	k.Grants, err = grantsOf(tx, row.TenantID, row.ID)
	return &k, err
}

// keysWithTenant selects keys k with the slugs of their tenants.
func keysWithTenant(tx *gorm.DB) *gorm.DB {
	return tx.Table("api_keys AS k").Select("k.*, t.slug AS tenant_slug, t.name AS tenant_name").Joins("JOIN tenants AS t ON t.id = k.tenant_id")
}

// Keys lists at most limit of the tenant's keys, newest first and without
// grants, and returns the cursor behind them, "" at the end. Revoked and expired
// keys are listed, too.
func (db *DB) Keys(ctx context.Context, tenantID, cursor string, limit int) ([]access.Key, string, error) {
	list := listFingerprint("keys", tenantID)
	at, err := decodeCursor(list, cursor)
	if err != nil {
		return nil, "", err
	}
	q := keysWithTenant(db.reader(ctx)).Where("k.tenant_id = ?", tenantID)
	var rows []keyRow
	if err := newestFirst(q, "k.created_at", "k.id", at).Limit(limit + 1).Scan(&rows).Error; err != nil {
		return nil, "", translate(err)
	}
	rows, next := trimPage(list, rows, limit, func(r keyRow) position { return position{r.CreatedAt, r.ID} })
	return elements.Map(rows, keyRow.key), next, nil
}

// MarkKeyUsed notes when a key was last used. A key that does not exist is not
// an error.
func (db *DB) MarkKeyUsed(ctx context.Context, keyID string, at time.Time) error {
	return db.update(ctx, func(tx *gorm.DB) error {
		return tx.Exec("UPDATE api_keys SET last_used_at = ? WHERE id = ?", millis(at), keyID).Error
	})
}

// keyNotFound is the error for a key that does not exist or is another tenant's.
func keyNotFound() error {
	return fault.New(fault.NotFound, "key_not_found", "There is no such key.")
}

// decodeActions reads the JSON of a grant's actions. An error means that it is
// damaged.
func decodeActions(text string) ([]access.Action, error) {
	var actions []access.Action
	if err := json.Unmarshal([]byte(text), &actions); err != nil {
		return nil, fmt.Errorf("decode a grant's actions: %w", err)
	}
	return actions, nil
}
