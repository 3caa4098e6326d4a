package store

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"heddle/agents"
	"maps"
	"slices"
	"time"

	"gorm.io/gorm"
)

// agentDay names a row of agent_usage, but for its shard.
type agentDay struct {
	tenantID, agentID string
	day               int64
}

// compare orders days as countKey.compare does, for the same reason.
func (d agentDay) compare(other agentDay) int {
	return cmp.Or(cmp.Compare(d.tenantID, other.tenantID), cmp.Compare(d.agentID, other.agentID), cmp.Compare(d.day, other.day))
}

const (
	millisPerDay = 24 * 60 * 60 * 1000
	// maxCharged bounds what one attempt adds to a sum, so that what a server of models reports
	// does not exceed the column.
	maxCharged = 1_000_000_000_000
)

// addAgentUsageSQL adds to a day.
var addAgentUsageSQL = func() sqlText {
	text := func(shard string) string {
		return "INSERT INTO agent_usage (tenant_id, agent_id, day, shard, attempts, tokens, cost_micro_usd) VALUES (?, ?, ?, " + shard + ", ?, ?, ?)" +
			" ON CONFLICT (tenant_id, agent_id, day, shard) DO UPDATE SET attempts = agent_usage.attempts + excluded.attempts," +
			" tokens = agent_usage.tokens + excluded.tokens, cost_micro_usd = agent_usage.cost_micro_usd + excluded.cost_micro_usd"
	}
	return sqlText{sqlite: text("0"), postgres: numbered(text("pg_backend_pid() % 16"))}
}()

// agentCharges returns the statements that add what a group's events charge to agents, at most
// one for each agent and day. A run without agents costs a look at its sums.
func agentCharges(alive []*write) []statement {
	var sums map[agentDay]*agents.Used
	for _, w := range alive {
		if w.row.Tokens == 0 && w.row.CostMicroUsd == 0 {
			continue
		}
		for i := range w.events {
			e := &w.events[i]
			charge, ok := chargeIn(e.Data)
			if !ok {
				continue
			}
			at := millis(e.At)
			k := agentDay{w.row.TenantID, charge.Agent, at - at%millisPerDay}
			if sums == nil {
				sums = map[agentDay]*agents.Used{}
			}
			if sums[k] == nil {
				sums[k] = &agents.Used{}
			}
			sums[k].Attempts++
			sums[k].Tokens += charge.Tokens
			sums[k].CostMicroUSD += charge.CostMicroUSD
		}
	}
	list := make([]statement, 0, len(sums))
	for _, k := range slices.SortedFunc(maps.Keys(sums), agentDay.compare) {
		u := sums[k]
		list = append(list, statement{addAgentUsageSQL, []any{k.tenantID, k.agentID, k.day, u.Attempts, u.Tokens, u.CostMicroUSD}})
	}
	return list
}

// charge is what an event says of an attempt that was charged to an agent (machine.Usage).
type charge struct {
	Agent        string `json:"agent"`
	Tokens       int64  `json:"tokens"`
	CostMicroUSD int64  `json:"cost_micro_usd"`
}

// chargeIn returns what an event's data charges to an agent; false: nothing.
func chargeIn(data json.RawMessage) (charge, bool) {
	var c charge
	if !bytes.Contains(data, []byte(`"agent":"`)) || json.Unmarshal(data, &c) != nil || c.Agent == "" {
		return c, false
	}
	c.Tokens, c.CostMicroUSD = min(max(c.Tokens, 0), maxCharged), min(max(c.CostMicroUSD, 0), maxCharged)
	return c, true
}

// AgentUsage sums the days of an agent from one on and before another, those without use left
// out, oldest first.
func (db *DB) AgentUsage(ctx context.Context, tenantID, id string, from, to time.Time) ([]agents.Day, error) {
	return viewResult(ctx, db, func(tx *gorm.DB) ([]agents.Day, error) {
		var rows []struct {
			Day                            int64
			Attempts, Tokens, CostMicroUsd int64
		}
		err := tx.Raw("SELECT day, CAST(sum(attempts) AS BIGINT) AS attempts, CAST(sum(tokens) AS BIGINT) AS tokens, CAST(sum(cost_micro_usd) AS BIGINT) AS cost_micro_usd"+
			" FROM agent_usage WHERE tenant_id = ? AND agent_id = ? AND day >= ? AND day < ? GROUP BY day ORDER BY day", tenantID, id, millis(from), millis(to)).Scan(&rows).Error
		days := make([]agents.Day, len(rows))
		for i, r := range rows {
			days[i] = agents.Day{At: fromMillis(r.Day), Used: agents.Used{Attempts: r.Attempts, Tokens: r.Tokens, CostMicroUSD: r.CostMicroUsd}}
		}
		return days, err
	})
}
