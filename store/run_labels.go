package store

import (
	"encoding/json"
	"maps"
	"slices"
)

// insertLabelSQL adds a label of a run to what lists find runs by. The labels themselves
// are in the run's row.
var insertLabelSQL = inBothDialects("INSERT INTO run_labels (tenant_id, key, value, created_at, run_id) VALUES (?, ?, ?, ?, ?)")

// labelStatements returns the statements that add the labels of new runs; none for runs
// without labels.
func labelStatements(runs []*write) []statement {
	var list []statement
	for _, w := range runs {
		if w.row.Labels == "" {
			continue
		}
		labels := map[string]string{}
		if err := json.Unmarshal([]byte(w.row.Labels), &labels); err != nil {
			continue // toRunRow encoded it
		}
		for _, key := range slices.Sorted(maps.Keys(labels)) {
			list = append(list, statement{insertLabelSQL, []any{w.row.TenantID, key, labels[key], w.row.CreatedAt, w.row.ID}})
		}
	}
	return list
}
