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

// sessionRow is a row of sessions; Hash stands for the token, which is not stored. One
// of KeyID and UserID is set. HolderName is read from a join.
type sessionRow struct {
	Hash      string `gorm:"primaryKey"`
	ID        string
	TenantID  string
	KeyID     string
	UserID    string
	SignIn    string
	CreatedAt int64 `gorm:"autoCreateTime:false"`
	// SeenAt is written at most once a minute and node.
	SeenAt     int64
	ExpiresAt  int64
	Agent      string
	Address    string
	HolderName string `gorm:"->"`
}

func (sessionRow) TableName() string { return "sessions" }

// toSessionRow encodes a session; sessionRow.session is its inverse.
func toSessionRow(s access.Session) sessionRow {
	r := sessionRow{
		Hash: s.Hash, ID: s.ID, TenantID: s.TenantID, SignIn: s.SignIn, Agent: s.Agent, Address: s.Address,
		CreatedAt: millis(s.CreatedAt), SeenAt: millis(s.SeenAt), ExpiresAt: millis(s.ExpiresAt),
	}
	if s.Holder.Type == audit.User {
		r.UserID = s.Holder.ID
	} else {
		r.KeyID = s.Holder.ID
	}
	return r
}

// session decodes a row.
func (r sessionRow) session() access.Session {
	s := access.Session{
		Hash: r.Hash, ID: r.ID, TenantID: r.TenantID, SignIn: r.SignIn, Browser: access.Browser{Agent: r.Agent, Address: r.Address},
		CreatedAt: fromMillis(r.CreatedAt), SeenAt: fromMillis(r.SeenAt), ExpiresAt: fromMillis(r.ExpiresAt),
		Holder: audit.Actor{Type: audit.Key, ID: r.KeyID, Name: r.HolderName},
	}
	if r.UserID != "" {
		s.Holder.Type, s.Holder.ID = audit.User, r.UserID
	}
	return s
}

// CreateSession stores a session, with an entry in the audit trail.
func (db *DB) CreateSession(ctx context.Context, s access.Session) error {
	return db.update(ctx, func(tx *gorm.DB) error { return insertSession(tx, s) })
}

// insertSession inserts a session within tx, with an entry in the audit trail.
// sign_in_used (Conflict).
func insertSession(tx *gorm.DB, s access.Session) error {
	row := toSessionRow(s)
	err := tx.Omit("HolderName").Create(&row).Error
	if violatesUnique(err, "sign_in") {
		return fault.New(fault.Conflict, "sign_in_used", "This sign-in was completed before; begin a new one.")
	}
	if err != nil {
		return err
	}
	return writeAudit(tx, audit.Object{Kind: "session", ID: s.ID, Slug: s.Holder.Name}, sessionDetail{s.Holder.ID, s.Address})
}

// sessionDetail is the detail of an audit entry about a session.
type sessionDetail struct {
	Holder  string `json:"holder"` // the id of the key or user
	Address string `json:"address,omitempty"`
}

// SessionByHash returns a session with its holder, that one's tenant and grants, as of
// one moment; ended sessions too. session_not_found.
func (db *DB) SessionByHash(ctx context.Context, hash string) (access.Credential, error) {
	return viewResult(ctx, db, func(tx *gorm.DB) (access.Credential, error) {
		var row sessionRow
		ok, err := found(sessionsWithHolder(tx).Where("s.hash = ?", hash), &row)
		if err == nil && !ok {
			err = sessionNotFound()
		}
		if err != nil {
			return access.Credential{}, err
		}
		c := access.Credential{Session: row.session()}
		if row.UserID != "" {
			c.User, err = userWithGrants(tx, row.TenantID, row.UserID)
		} else {
			c.Key, err = keyWithGrants(tx, "k.id = ? AND k.tenant_id = ?", row.KeyID, row.TenantID)
		}
		// Holders are not deleted; without one there is no session.
		if fault.KindOf(err) == fault.NotFound {
			err = sessionNotFound()
		}
		return c, err
	})
}

// sessionsWithHolder selects sessions s with the names of their holders.
func sessionsWithHolder(tx *gorm.DB) *gorm.DB {
	return tx.Table("sessions AS s").Select("s.*, COALESCE(k.name, u.name, '') AS holder_name").
		Joins("LEFT JOIN api_keys AS k ON k.id = s.key_id").Joins("LEFT JOIN users AS u ON u.id = s.user_id")
}

// MarkSessionSeen notes when a session was last used, and its key or user with it. One
// that has been ended meanwhile is not an error.
func (db *DB) MarkSessionSeen(ctx context.Context, s access.Session, at time.Time) error {
	return db.update(ctx, func(tx *gorm.DB) error {
		if err := tx.Exec("UPDATE sessions SET seen_at = ? WHERE hash = ?", millis(at), s.Hash).Error; err != nil {
			return err
		}
		if s.Holder.Type == audit.User {
			return tx.Exec("UPDATE users SET last_seen_at = ? WHERE id = ?", millis(at), s.Holder.ID).Error
		}
		return tx.Exec("UPDATE api_keys SET last_used_at = ? WHERE id = ?", millis(at), s.Holder.ID).Error
	})
}

// Sessions lists at most limit of the tenant's sessions that have not ended at that
// time, newest first, and returns the cursor behind them, "" at the end.
func (db *DB) Sessions(ctx context.Context, tenantID string, at time.Time, cursor string, limit int) ([]access.Session, string, error) {
	list := listFingerprint("sessions", tenantID)
	from, err := decodeCursor(list, cursor)
	if err != nil {
		return nil, "", err
	}
	q := sessionsWithHolder(db.reader(ctx)).
		Where("s.tenant_id = ? AND s.expires_at > ? AND s.seen_at > ?", tenantID, millis(at), millis(at.Add(-access.SessionIdle)))
	var rows []sessionRow
	if err := newestFirst(q, "s.created_at", "s.id", from).Limit(limit + 1).Scan(&rows).Error; err != nil {
		return nil, "", translate(err)
	}
	rows, next := trimPage(list, rows, limit, func(r sessionRow) position { return position{r.CreatedAt, r.ID} })
	return elements.Map(rows, sessionRow.session), next, nil
}

// DeleteSession removes a session, with an entry in the audit trail; session_not_found
// unless it is the tenant's.
func (db *DB) DeleteSession(ctx context.Context, tenantID, id string) error {
	return db.update(ctx, func(tx *gorm.DB) error {
		var row sessionRow
		ok, err := found(sessionsWithHolder(tx).Where("s.id = ? AND s.tenant_id = ?", id, tenantID), &row)
		if err == nil && !ok {
			err = sessionNotFound()
		}
		if err != nil {
			return err
		}
		if err := tx.Exec("DELETE FROM sessions WHERE hash = ?", row.Hash).Error; err != nil {
			return err
		}
		s := row.session()
		return writeAudit(tx, audit.Object{Kind: "session", ID: id, Slug: s.Holder.Name}, sessionDetail{s.Holder.ID, s.Address})
	})
}

// PurgeSessions removes the sessions of all tenants that ended before that time.
func (db *DB) PurgeSessions(ctx context.Context, before time.Time) error {
	return db.update(ctx, func(tx *gorm.DB) error {
		return tx.Exec("DELETE FROM sessions WHERE expires_at < ?", millis(before)).Error
	})
}

// sessionNotFound is the error for a session that does not exist or is another tenant's.
func sessionNotFound() error {
	return fault.New(fault.NotFound, "session_not_found", "There is no such session.")
}
