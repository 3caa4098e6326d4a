package store

import (
	"context"
	"heddle/executor"

	"gorm.io/gorm"
)

// Usage sums what runs of a workflow consumed that were created from q.From on
// and before q.To: their number, tokens and cost in millionths of a US dollar.
// It reads the workflow's runs of that time.
func (db *DB) Usage(ctx context.Context, q executor.UsageQuery) (executor.UsageSum, error) {
	return viewResult(ctx, db, func(tx *gorm.DB) (executor.UsageSum, error) {
		o := runOrder{from: millis(q.From), before: millis(q.To)}
		ranges, err := findRanges(tx, q.TenantID, []string{q.WorkflowID}, o)
		if err != nil {
			return executor.UsageSum{}, err
		}
		n, err := mergeOf(tx, q.TenantID, ranges, o).sums(tx, "count(*)", "coalesce(sum(r.tokens), 0)", "coalesce(sum(r.cost_micro_usd), 0)")
		if err != nil {
			return executor.UsageSum{}, err
		}
		return executor.UsageSum{Runs: n[0], Tokens: n[1], CostMicroUSD: n[2]}, nil
	})
}
