package store

import (
	"context"
	"encoding/json"
	"fmt"
	"heddle/agents"
	"heddle/audit"
	"heddle/definitions/validation"
	"heddle/definitions/workflows"
	"heddle/fault"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// agentRow is a row of agents; Agent is its JSON, whose own ids and times do
// not count.
type agentRow struct {
	TenantID  string `gorm:"primaryKey"`
	ID        string `gorm:"primaryKey"`
	Agent     string
	Revision  int64
	CreatedAt int64 `gorm:"autoCreateTime:false"`
	UpdatedAt int64 `gorm:"autoUpdateTime:false"`
}

func (agentRow) TableName() string { return "agents" }

// agent decodes a row. An error means that the stored JSON is damaged.
func (r agentRow) agent() (agents.Agent, error) {
	var a agents.Agent
	if err := json.Unmarshal([]byte(r.Agent), &a); err != nil {
		return a, fmt.Errorf("decode agent %s: %w", r.ID, err)
	}
	a.TenantID, a.ID, a.Revision = r.TenantID, r.ID, r.Revision
	a.CreatedAt, a.UpdatedAt = fromMillis(r.CreatedAt), fromMillis(r.UpdatedAt)
	return a, nil
}

// PutAgent adds an agent or replaces it, and returns it with its new revision,
// in one transaction. allow sees the revision that it has (0: it is new) and
// may refuse: its error rolls back. The row is locked meanwhile, so of two nodes
// that create the same agent one finds revision 1.
func (db *DB) PutAgent(ctx context.Context, a agents.Agent, allow func(revision int64) error) (agents.Agent, error) {
	text, err := json.Marshal(a)
	if err != nil {
		return a, translate(fmt.Errorf("encode an agent: %w", err))
	}
	return updateResult(ctx, db, func(tx *gorm.DB) (agents.Agent, error) {
		row, err := lockAgent(tx, agentRow{a.TenantID, a.ID, string(text), 0, millis(a.CreatedAt), millis(a.UpdatedAt)})
		if err != nil {
			return agents.Agent{}, err
		}
		if err := allow(row.Revision); err != nil {
			return agents.Agent{}, err
		}
		next := a
		// A replaced agent keeps its age, also in what is returned.
		next.CreatedAt, next.Revision = fromMillis(row.CreatedAt), row.Revision+1
		row.Agent, row.Revision, row.UpdatedAt = string(text), next.Revision, millis(a.UpdatedAt)
		if err := tx.Select("*").Updates(&row).Error; err != nil {
			return agents.Agent{}, err
		}
		return next, writeAudit(tx, audit.Object{Kind: "agent", ID: a.ID}, nil)
	})
}

// lockAgent returns an agent's row, locked, and inserts it before where there
// is none: of two transactions that create the same agent the second waits for
// the first, and then finds its row. One that is removed in between is inserted
// again.
func lockAgent(tx *gorm.DB, row agentRow) (agentRow, error) {
	for {
		if err := tx.Clauses(clause.OnConflict{DoNothing: true}).Create(&row).Error; err != nil {
			return row, err
		}
		var locked agentRow
		ok, err := found(forUpdate(tx).Where("tenant_id = ? AND id = ?", row.TenantID, row.ID), &locked)
		if err != nil || ok {
			return locked, err
		}
	}
}

// Agent returns one; agent_not_found.
func (db *DB) Agent(ctx context.Context, tenantID, id string) (agents.Agent, error) {
	var row agentRow
	ok, err := found(db.reader(ctx).Where("tenant_id = ? AND id = ?", tenantID, id), &row)
	if err == nil && !ok {
		err = agentNotFound(id)
	}
	if err != nil {
		return agents.Agent{}, translate(err)
	}
	a, err := row.agent()
	return a, translate(err)
}

// AgentUses returns the steps of active and latest versions that name an agent, at most
// workflows.MaxReferences.
func (db *DB) AgentUses(ctx context.Context, tenantID, id string) ([]workflows.Reference, error) {
	list, err := references(db.reader(ctx), tenantID, validation.UsesAgent, id)
	return list, translate(err)
}

// agentNotFound is the error for an agent that the tenant does not have.
func agentNotFound(id string) error {
	return fault.New(fault.NotFound, "agent_not_found", "There is no agent %q.", id)
}

// DeleteAgent removes one; allow sees its revision and may refuse: its error
// rolls back and is returned. agent_not_found.
func (db *DB) DeleteAgent(ctx context.Context, tenantID, id string, allow func(revision int64) error) error {
	return db.update(ctx, func(tx *gorm.DB) error {
		var row agentRow
		ok, err := found(forUpdate(tx).Where("tenant_id = ? AND id = ?", tenantID, id), &row)
		if err == nil && !ok {
			err = agentNotFound(id)
		}
		if err != nil {
			return err
		}
		if err := allow(row.Revision); err != nil {
			return err
		}
		if err := tx.Exec("DELETE FROM agents WHERE tenant_id = ? AND id = ?", tenantID, id).Error; err != nil {
			return err
		}
		return writeAudit(tx, audit.Object{Kind: "agent", ID: id}, nil)
	})
}

// Agents lists at most limit of the tenant's agents by id, and returns the
// cursor behind them, "" at the end. invalid_request (Malformed): the cursor
// belongs to another list.
func (db *DB) Agents(ctx context.Context, tenantID, cursor string, limit int) ([]agents.Agent, string, error) {
	list := listFingerprint("agents", tenantID)
	at, err := decodeCursor(list, cursor)
	if err != nil {
		return nil, "", err
	}
	q := db.reader(ctx).Where("tenant_id = ?", tenantID)
	if at != nil {
		q = q.Where("id > ?", at.ID)
	}
	var rows []agentRow
	if err := q.Order("id").Limit(limit + 1).Find(&rows).Error; err != nil {
		return nil, "", translate(err)
	}
	rows, next := trimPage(list, rows, limit, func(r agentRow) position { return position{ID: r.ID} })
	page := make([]agents.Agent, len(rows))
	for i, row := range rows {
		if page[i], err = row.agent(); err != nil {
			return nil, "", translate(err)
		}
		if page[i].UsedBy, err = references(db.reader(ctx), tenantID, validation.UsesAgent, row.ID); err != nil {
			return nil, "", translate(err)
		}
	}
	return page, next, nil
}
