package store

import (
	"context"
	"heddle/access"
	"heddle/audit"
	"heddle/fault"
	"time"

	"gorm.io/gorm"
)

// keyDetail is the detail of an audit entry about a new key, and what a changed one was
// and is.
type keyDetail struct {
	Name      string      `json:"name,omitempty"` // of a changed key
	Role      access.Role `json:"role"`
	ExpiresAt time.Time   `json:"expires_at,omitzero"`
}

// rotationDetail is the detail of an audit entry about a key that was rotated.
type rotationDetail struct {
	FormerEndsAt time.Time `json:"former_ends_at"` // when the former text is no longer accepted
}

// Key returns a key of the tenant, without its grants; key_not_found.
func (db *DB) Key(ctx context.Context, tenantID, keyID string) (access.Key, error) {
	k, err := findKey(db.reader(ctx), tenantID, keyID)
	return k, translate(err)
}

// findKey returns a key with its tenant's slug and name; key_not_found if it is not the
// tenant's.
func findKey(tx *gorm.DB, tenantID, keyID string) (access.Key, error) {
	var row keyRow
	ok, err := found(keysWithTenant(tx).Where("k.id = ? AND k.tenant_id = ?", keyID, tenantID), &row)
	if err == nil && !ok {
		err = keyNotFound()
	}
	return row.key(), err
}

// keyObject returns a key as the audit trail names it; key_not_found if it is not the
// tenant's.
func keyObject(tx *gorm.DB, tenantID, keyID string) (audit.Object, error) {
	k, err := findKey(tx, tenantID, keyID)
	return objectOfKey(k), err
}

// objectOfKey returns a key as the audit trail names it.
func objectOfKey(k access.Key) audit.Object {
	return audit.Object{Kind: "key", ID: k.ID, Slug: k.Name}
}

// keyOfFormerHash returns the key that had a text with that hash, with its grants;
// key_not_found.
func keyOfFormerHash(tx *gorm.DB, hash string) (*access.Key, error) {
	var former struct {
		KeyID  string
		EndsAt int64
	}
	ok, err := found(tx.Table("former_key_hashes").Where("hash = ?", hash), &former)
	if err == nil && !ok {
		err = keyNotFound()
	}
	if err != nil {
		return nil, err
	}
	k, err := keyWithGrants(tx, "k.id = ?", former.KeyID)
	if err != nil {
		return nil, err
	}
	k.SecretEndsAt = fromMillis(former.EndsAt)
	return k, nil
}

// lockKeys makes changes of the tenant's keys wait for each other on PostgreSQL, so that
// two cannot each count on the other's admin key. What is read behind it is as the change
// before left it.
func (db *DB) lockKeys(tx *gorm.DB, tenantID string) error {
	if !db.postgres() {
		return nil
	}
	return tx.Exec("SELECT 1 FROM tenants WHERE id = ? FOR UPDATE", tenantID).Error
}

// RevokeKey marks a key as revoked at a moment and ends its sessions; a second time
// changes nothing. last_admin_key (Conflict): the tenant would keep no other admin key
// that lasts.
func (db *DB) RevokeKey(ctx context.Context, tenantID, keyID string, at time.Time) error {
	return db.update(ctx, func(tx *gorm.DB) error {
		if err := db.lockKeys(tx, tenantID); err != nil {
			return err
		}
		k, err := findKey(tx, tenantID, keyID)
		if err != nil {
			return err
		}
		if err := requireOtherAdmin(tx, k, at); err != nil {
			return err
		}
		if err := tx.Exec("UPDATE api_keys SET revoked_at = ? WHERE id = ? AND revoked_at = 0", millis(at), keyID).Error; err != nil {
			return err
		}
		if err := tx.Exec("DELETE FROM sessions WHERE tenant_id = ? AND key_id = ?", tenantID, keyID).Error; err != nil {
			return err
		}
		return writeAudit(tx, objectOfKey(k), nil)
	})
}

// neededUntil returns until when an admin key of the tenant must last in place of k: as
// long as k, or for access.MinAdminKeyLifetime.
func neededUntil(k access.Key, at time.Time) time.Time {
	until := at.Add(access.MinAdminKeyLifetime)
	if !k.ExpiresAt.IsZero() && k.ExpiresAt.Before(until) {
		return k.ExpiresAt
	}
	return until
}

// requireOtherAdmin refuses to take a valid admin key from a tenant that keeps no other
// which lasts (neededUntil): last_admin_key. Behind lockKeys it sees every change before
// this one.
func requireOtherAdmin(tx *gorm.DB, k access.Key, at time.Time) error {
	if k.Role != access.RoleAdmin || !k.RevokedAt.IsZero() || !k.ExpiresAt.IsZero() && !k.ExpiresAt.After(at) {
		return nil
	}
	others := tx.Table("api_keys").Select("id").
		Where("tenant_id = ? AND role = ? AND id <> ? AND revoked_at = 0 AND (expires_at = 0 OR expires_at >= ?)",
			k.TenantID, access.RoleAdmin, k.ID, millis(neededUntil(k, at)))
	var row struct{ ID string }
	ok, err := found(others.Order("id"), &row)
	if err == nil && !ok {
		err = fault.New(fault.Conflict, "last_admin_key",
			"No other admin key of the tenant is valid for another day; create one first, since without one the tenant could not be managed.")
	}
	return err
}

// ChangeKey stores what change makes of a key, with the next revision, in one transaction
// with an audit entry, and returns it. key_not_found; last_admin_key (Conflict), and the
// errors of change.
func (db *DB) ChangeKey(ctx context.Context, tenantID, keyID string, at time.Time, change func(access.Key) (access.Key, error)) (access.Key, error) {
	return updateResult(ctx, db, func(tx *gorm.DB) (access.Key, error) {
		if err := db.lockKeys(tx, tenantID); err != nil {
			return access.Key{}, err
		}
		before, err := findKey(tx, tenantID, keyID)
		if err != nil {
			return before, err
		}
		k, err := change(before)
		if err != nil {
			return k, err
		}
		// The key itself may be the admin key that the tenant keeps.
		if k.Role != access.RoleAdmin || !k.ExpiresAt.IsZero() && k.ExpiresAt.Before(neededUntil(before, at)) {
			if err := requireOtherAdmin(tx, before, at); err != nil {
				return k, err
			}
		}
		k.Revision++
		err = tx.Exec("UPDATE api_keys SET name = ?, role = ?, expires_at = ?, revision = ? WHERE id = ?",
			k.Name, string(k.Role), millis(k.ExpiresAt), k.Revision, keyID).Error
		if err != nil {
			return k, err
		}
		return k, writeAudit(tx, objectOfKey(k), valueChange{
			From: keyDetail{before.Name, before.Role, before.ExpiresAt}, To: keyDetail{k.Name, k.Role, k.ExpiresAt},
		})
	})
}

// RotateKey replaces a key's text in one transaction with an audit entry, and returns the
// key. The texts that it had before, and the sessions that it has, end at r.Until at the
// latest. key_not_found; key_revoked (Conflict).
func (db *DB) RotateKey(ctx context.Context, tenantID, keyID string, r access.Rotation) (access.Key, error) {
	return updateResult(ctx, db, func(tx *gorm.DB) (access.Key, error) {
		if err := db.lockKeys(tx, tenantID); err != nil {
			return access.Key{}, err
		}
		k, err := findKey(tx, tenantID, keyID)
		if err == nil && !k.RevokedAt.IsZero() {
			err = fault.New(fault.Conflict, "key_revoked", "The key was revoked and stays so; create another one.")
		}
		if err != nil {
			return k, err
		}
		until := millis(r.Until)
		former := k.Hash
		k.Hash, k.Last4, k.RotatedAt, k.Revision = r.Hash, r.Last4, r.At, k.Revision+1
		for _, change := range []struct {
			text string
			args []any
		}{
			{"UPDATE former_key_hashes SET ends_at = ? WHERE key_id = ? AND ends_at > ?", []any{until, keyID, until}},
			{"INSERT INTO former_key_hashes (hash, key_id, ends_at) VALUES (?, ?, ?)", []any{former, keyID, until}},
			{"UPDATE sessions SET expires_at = ? WHERE tenant_id = ? AND key_id = ? AND expires_at > ?", []any{until, tenantID, keyID, until}},
			{"UPDATE api_keys SET hash = ?, last4 = ?, rotated_at = ?, revision = ? WHERE id = ?", []any{k.Hash, k.Last4, millis(k.RotatedAt), k.Revision, keyID}},
		} {
			if err := tx.Exec(change.text, change.args...).Error; err != nil {
				return k, err
			}
		}
		return k, writeAudit(tx, objectOfKey(k), rotationDetail{r.Until})
	})
}
