package store

import (
	"context"
	"heddle/access"
	"heddle/audit"
	"heddle/fault"
	"heddle/internal/elements"
	"time"

	"gorm.io/gorm"
)

// userRow is a row of users. TenantSlug and TenantName are read from a join.
type userRow struct {
	ID       string `gorm:"primaryKey"`
	TenantID string
	// Issuer and Subject are unique within the tenant.
	Issuer     string
	Subject    string
	Email      string
	Name       string
	Role       string // of the last sign-in
	OwnRole    string // what an administrator gave in its place; "": nothing
	CreatedAt  int64  `gorm:"autoCreateTime:false"`
	LastSeenAt int64
	DisabledAt int64  // 0: not disabled
	TenantSlug string `gorm:"->"`
	TenantName string `gorm:"->"`
}

func (userRow) TableName() string { return "users" }

// user decodes a row, without grants.
func (r userRow) user() access.User {
	role := r.Role
	if r.OwnRole != "" {
		role = r.OwnRole
	}
	return access.User{
		ID: r.ID, TenantID: r.TenantID, TenantSlug: r.TenantSlug, TenantName: r.TenantName, Issuer: r.Issuer, Subject: r.Subject,
		Email: r.Email, Name: r.Name, Role: access.Role(role), RoleSet: r.OwnRole != "", CreatedAt: fromMillis(r.CreatedAt),
		LastSeenAt: fromMillis(r.LastSeenAt), DisabledAt: fromMillis(r.DisabledAt),
	}
}

// usersWithTenant selects users u with the slugs and names of their tenants.
func usersWithTenant(tx *gorm.DB) *gorm.DB {
	return tx.Table("users AS u").Select("u.*, t.slug AS tenant_slug, t.name AS tenant_name").Joins("JOIN tenants AS t ON t.id = u.tenant_id")
}

// UserBySubject returns the user whom an issuer calls so; user_not_found.
func (db *DB) UserBySubject(ctx context.Context, tenantID, issuer, subject string) (access.User, error) {
	u, err := takeUser(usersWithTenant(db.reader(ctx)).Where("u.tenant_id = ? AND u.issuer = ? AND u.subject = ?", tenantID, issuer, subject))
	return u, translate(err)
}

// findUser returns a user by its id; user_not_found if it is not the tenant's.
func findUser(tx *gorm.DB, tenantID, id string) (access.User, error) {
	return takeUser(usersWithTenant(tx).Where("u.id = ? AND u.tenant_id = ?", id, tenantID))
}

// takeUser returns the user that the query finds; user_not_found.
func takeUser(q *gorm.DB) (access.User, error) {
	var row userRow
	ok, err := found(q, &row)
	if err == nil && !ok {
		err = fault.New(fault.NotFound, "user_not_found", "There is no such user.")
	}
	return row.user(), err
}

// userWithGrants is findUser with the user's grants.
func userWithGrants(tx *gorm.DB, tenantID, id string) (*access.User, error) {
	u, err := findUser(tx, tenantID, id)
	if err != nil {
		return nil, err
	}
	u.Grants, err = grantsOf(tx, tenantID, id)
	return &u, err
}

// UserByID returns a user of the tenant with its grants, as of one moment; user_not_found.
func (db *DB) UserByID(ctx context.Context, tenantID, id string) (access.User, error) {
	return viewResult(ctx, db, func(tx *gorm.DB) (access.User, error) {
		u, err := userWithGrants(tx, tenantID, id)
		if err != nil {
			return access.User{}, err
		}
		return *u, nil
	})
}

// SignInUser stores a user, or the new email, name, role and time of one that is there,
// and its session, in one transaction. user_disabled (Denied); user_changing and
// sign_in_used (Conflict).
func (db *DB) SignInUser(ctx context.Context, u access.User, s access.Session) error {
	return db.update(ctx, func(tx *gorm.DB) error {
		// The condition and the change are one statement, so that a user who is being
		// disabled gets no session.
		res := tx.Exec("UPDATE users SET email = ?, name = ?, role = ?, last_seen_at = ? WHERE id = ? AND tenant_id = ? AND disabled_at = 0",
			u.Email, u.Name, string(u.Role), millis(u.LastSeenAt), u.ID, u.TenantID)
		if res.Error != nil {
			return res.Error
		}
		if res.RowsAffected == 0 {
			if err := insertUser(tx, u); err != nil {
				return err
			}
		}
		return insertSession(tx, s)
	})
}

// insertUser inserts a user within tx. user_disabled (Denied) where it is there, for
// then it was not updated; user_changing (Conflict) where another id has the subject.
func insertUser(tx *gorm.DB, u access.User) error {
	_, err := findUser(tx, u.TenantID, u.ID)
	if err == nil {
		return fault.New(fault.Denied, "user_disabled", "An administrator has disabled this user.")
	}
	if fault.KindOf(err) != fault.NotFound {
		return err
	}
	row := userRow{
		ID: u.ID, TenantID: u.TenantID, Issuer: u.Issuer, Subject: u.Subject, Email: u.Email, Name: u.Name, Role: string(u.Role),
		CreatedAt: millis(u.CreatedAt), LastSeenAt: millis(u.LastSeenAt), DisabledAt: millis(u.DisabledAt),
	}
	err = tx.Omit("TenantSlug", "TenantName").Create(&row).Error
	if violatesUnique(err, "subject") {
		return fault.New(fault.Conflict, "user_changing", "The user was stored meanwhile; try again.")
	}
	return err
}

// Users lists at most limit of the tenant's users, newest first and without grants, and
// returns the cursor behind them, "" at the end.
func (db *DB) Users(ctx context.Context, tenantID, cursor string, limit int) ([]access.User, string, error) {
	list := listFingerprint("users", tenantID)
	at, err := decodeCursor(list, cursor)
	if err != nil {
		return nil, "", err
	}
	q := usersWithTenant(db.reader(ctx)).Where("u.tenant_id = ?", tenantID)
	var rows []userRow
	if err := newestFirst(q, "u.created_at", "u.id", at).Limit(limit + 1).Scan(&rows).Error; err != nil {
		return nil, "", translate(err)
	}
	rows, next := trimPage(list, rows, limit, func(r userRow) position { return position{r.CreatedAt, r.ID} })
	return elements.Map(rows, userRow.user), next, nil
}

// ChangeUser changes a user, and ends its sessions where that disables it, in one
// transaction with an audit entry, and returns it. user_not_found.
func (db *DB) ChangeUser(ctx context.Context, tenantID, id string, p access.UserPatch, at time.Time) (access.User, error) {
	return updateResult(ctx, db, func(tx *gorm.DB) (access.User, error) {
		if p.Role != nil {
			if err := tx.Exec("UPDATE users SET own_role = ? WHERE id = ? AND tenant_id = ?", string(*p.Role), id, tenantID).Error; err != nil {
				return access.User{}, err
			}
		}
		if p.Disabled != nil {
			if err := setUserDisabled(tx, tenantID, id, *p.Disabled, at); err != nil {
				return access.User{}, err
			}
		}
		u, err := findUser(tx, tenantID, id)
		if err != nil {
			return u, err
		}
		return u, writeAudit(tx, audit.Object{Kind: "user", ID: id, Slug: u.Name}, userDetail{p.Disabled, p.Role})
	})
}

// setUserDisabled disables a user of the tenant as of that time and ends its sessions, or
// enables it. One that does not exist is not an error.
func setUserDisabled(tx *gorm.DB, tenantID, id string, disabled bool, at time.Time) error {
	if !disabled {
		return tx.Exec("UPDATE users SET disabled_at = 0 WHERE id = ? AND tenant_id = ?", id, tenantID).Error
	}
	if err := tx.Exec("UPDATE users SET disabled_at = ? WHERE id = ? AND tenant_id = ?", millis(at), id, tenantID).Error; err != nil {
		return err
	}
	return tx.Exec("DELETE FROM sessions WHERE tenant_id = ? AND user_id = ?", tenantID, id).Error
}

// userDetail is the detail of an audit entry about a user: what was changed, nil for what
// stayed. The role "" is that of sign-ins.
type userDetail struct {
	Disabled *bool        `json:"disabled,omitempty"`
	Role     *access.Role `json:"role,omitempty"`
}
