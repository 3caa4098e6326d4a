package store

import (
	"context"
	"heddle/executor"
)

// Usage sums what runs of a workflow consumed that were created from q.From on
// and before q.To: their number, tokens and cost in millionths of a US dollar.
// It reads the index by tenant, workflow and creation.
func (db *DB) Usage(ctx context.Context, q executor.UsageQuery) (executor.UsageSum, error) {
	var sum executor.UsageSum
	err := db.reader(ctx).Raw(`SELECT count(*) AS runs, coalesce(sum(tokens), 0) AS tokens, coalesce(sum(cost_micro_usd), 0) AS cost_micro_usd
FROM runs WHERE tenant_id = ? AND workflow_id = ? AND created_at >= ? AND created_at < ?`,
		q.TenantID, q.WorkflowID, millis(q.From), millis(q.To)).Row().Scan(&sum.Runs, &sum.Tokens, &sum.CostMicroUSD)
	return sum, translate(err)
}
