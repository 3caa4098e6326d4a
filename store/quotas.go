package store

import (
	"context"
	"heddle/access"
	"heddle/audit"
	"heddle/executor/machine"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// quotaRow is a row of tenant_quotas; access.Unset where the server's quota
// holds.
type quotaRow struct {
	TenantID    string `gorm:"primaryKey"`
	OpenRuns    int
	Streams     int
	Schedules   int
	StoredBytes int64
}

func (quotaRow) TableName() string { return "tenant_quotas" }

// Tenant returns a tenant by its id or slug; tenant_not_found.
func (db *DB) Tenant(ctx context.Context, ref string) (access.Tenant, error) {
	var row tenantRow
	ok, err := found(db.reader(ctx).Where("id = ?", ref), &row)
	if err == nil && !ok {
		ok, err = found(db.reader(ctx).Where("slug = ?", ref), &row)
	}
	if err == nil && !ok {
		err = tenantNotFound(ref)
	}
	return row.tenant(), translate(err)
}

// TenantQuotas returns a tenant's own quotas, access.Unset for each that is the
// server's.
func (db *DB) TenantQuotas(ctx context.Context, tenantID string) (access.Quotas, error) {
	row := quotaRow{OpenRuns: access.Unset, Streams: access.Unset, Schedules: access.Unset, StoredBytes: access.Unset}
	_, err := found(db.reader(ctx).Where("tenant_id = ?", tenantID), &row)
	return access.Quotas{OpenRuns: row.OpenRuns, Streams: row.Streams, Schedules: row.Schedules, StoredBytes: row.StoredBytes}, translate(err)
}

// PutTenantQuotas replaces all of a tenant's own quotas, with an entry in the
// audit trail. access.Unset makes the server's quota hold again. The tenant is
// not checked: the caller has read it.
func (db *DB) PutTenantQuotas(ctx context.Context, t access.Tenant, own access.Quotas) error {
	return db.update(ctx, func(tx *gorm.DB) error {
		row := quotaRow{t.ID, own.OpenRuns, own.Streams, own.Schedules, own.StoredBytes}
		err := tx.Clauses(clause.OnConflict{
			Columns:   []clause.Column{{Name: "tenant_id"}},
			DoUpdates: clause.AssignmentColumns([]string{"open_runs", "streams", "schedules", "stored_bytes"}),
		}).Create(&row).Error
		if err != nil {
			return err
		}
		return writeAudit(tx, audit.Object{Kind: "tenant", ID: t.ID, Slug: t.Slug}, map[string]any{
			"open_runs": ownQuota(own.OpenRuns), "streams": ownQuota(own.Streams), "schedules": ownQuota(own.Schedules),
			"stored_bytes": ownQuota(own.StoredBytes),
		})
	})
}

// ownQuota returns a quota as JSON writes it: null where the server's holds.
func ownQuota[N int | int64](n N) any {
	if n == access.Unset {
		return nil
	}
	return n
}

// openRunsOfTenantSQL lists a tenant's runs in the given states, up to a limit, by two
// indexes by state; no run in the third is open.
const openRunsOfTenantSQL = "SELECT count(*) FROM (SELECT 1 FROM runs AS r WHERE r.tenant_id = ? AND r.state IN ? AND " + punctualSQL +
	" UNION ALL SELECT 1 FROM runs AS r WHERE r.tenant_id = ? AND r.state IN ? AND " + lateSQL + " LIMIT ?) AS open_runs"

// CountOpenRuns counts the tenant's runs that have not ended, up to most, so
// that the cost is bounded. It reads the index by tenant and state.
func (db *DB) CountOpenRuns(ctx context.Context, tenantID string, most int) (int, error) {
	var open []string
	for _, s := range machine.States {
		if !s.Terminal() {
			open = append(open, string(s))
		}
	}
	var n int
	err := db.reader(ctx).Raw(openRunsOfTenantSQL, tenantID, open, tenantID, open, most).Row().Scan(&n)
	return n, translate(err)
}

// CountSchedules counts the tenant's schedules that have not ended, up to most,
// so that the cost is bounded. Paused ones count.
func (db *DB) CountSchedules(ctx context.Context, tenantID string, most int) (int, error) {
	var n int
	err := db.reader(ctx).Raw("SELECT count(*) FROM (SELECT 1 FROM schedules WHERE tenant_id = ? AND deleted = 0 AND status <> 'ended' LIMIT ?) AS live", tenantID, most).Row().Scan(&n)
	return n, translate(err)
}
