package store

import (
	"context"
	"encoding/json"
	"heddle/executor"
	"heddle/executor/machine"
	"slices"
)

// The statements that store a rendered input; their outcome decides nothing. An attempt with
// the input of the one before it lengthens that one's row, so that a step which fails
// thousands of times in the same way has one.
var (
	extendRenderedSQL = inBothDialects(`UPDATE rendered_inputs SET last_attempt = ? WHERE run_id = ? AND step_id = ? AND iteration = ? AND last_attempt = ? AND input = ?
AND attempt = (SELECT max(n.attempt) FROM rendered_inputs n WHERE n.run_id = rendered_inputs.run_id AND n.step_id = rendered_inputs.step_id AND n.iteration = rendered_inputs.iteration)`)
	insertRenderedSQL = inBothDialects(`INSERT INTO rendered_inputs (run_id, step_id, iteration, attempt, last_attempt, input)
SELECT CAST(? AS TEXT), CAST(? AS TEXT), CAST(? AS TEXT), CAST(? AS BIGINT), CAST(? AS BIGINT), CAST(? AS TEXT)
WHERE NOT EXISTS (SELECT 1 FROM rendered_inputs WHERE run_id = ? AND step_id = ? AND iteration = ? AND last_attempt = ?) ON CONFLICT DO NOTHING`)
)

// renderedStatements returns the statements that store the rendered inputs of the commits.
// Commits without any cost nothing.
func renderedStatements(writes []*write) []statement {
	var list []statement
	for _, w := range writes {
		for _, in := range w.inputs {
			run, step, iteration, n, text := w.row.ID, in.Ref.StepID, in.Ref.Iteration, int64(in.Attempt), string(in.Input)
			list = append(list,
				statement{extendRenderedSQL, []any{n, run, step, iteration, n - 1, text}},
				statement{insertRenderedSQL, []any{run, step, iteration, n, n, text, run, step, iteration, n}})
		}
	}
	return list
}

// RenderedInputs lists the newest of a step's rendered inputs, in the order of their attempts.
// The caller has checked that the run is the tenant's.
func (db *DB) RenderedInputs(ctx context.Context, runID string, ref machine.Ref) ([]executor.KeptInput, error) {
	var rows []struct {
		Attempt, LastAttempt int
		Input                string
	}
	err := db.reader(ctx).Raw("SELECT attempt, last_attempt, input FROM rendered_inputs WHERE run_id = ? AND step_id = ? AND iteration = ? ORDER BY attempt DESC LIMIT ?",
		runID, ref.StepID, ref.Iteration, executor.MaxRenderedInputs).Scan(&rows).Error
	if err != nil {
		return nil, translate(err)
	}
	list := make([]executor.KeptInput, len(rows))
	for i, r := range rows {
		list[i] = executor.KeptInput{First: r.Attempt, Last: r.LastAttempt, Input: json.RawMessage(r.Input)}
	}
	slices.Reverse(list)
	return list, nil
}
