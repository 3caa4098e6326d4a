package store

import (
	"encoding/json"
	"heddle/approvals"
	"heddle/executor/machine"
	"heddle/internal/exactjson"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"
)

// inputRequestRow is a row of input_requests, an approval: it is written in the transaction
// of the event that opens it, and closed in that of the event that ends it. JSON fields are
// "" where there is none.
type inputRequestRow struct {
	ID                                       string `gorm:"primaryKey"`
	TenantID, RunID                          string
	Seq                                      int64 // of input_requested
	WorkflowID, Slug                         string
	Version                                  int
	StepID, StepName, Iteration              string
	Signal, Prompt, Schema, Choices, Context string
	Assignees                                string // a JSON list; the rows of input_request_assignees index it
	InputHead, StartedBy, OnTimeout, State   string
	OpenedAt, ExpiresAt                      int64 // ExpiresAt: neverExpires where it does not
	ClosedAt                                 int64 // 0: open
	AnsweredBy, Comment, Payload, AnswerKey  string
	// WorkflowName is the workflow's present name, where a query joins it.
	WorkflowName string `gorm:"->"`
}

func (inputRequestRow) TableName() string { return "input_requests" }

// neverExpires stands for an approval without an expiry, so that it comes last in that order.
const neverExpires = int64(1) << 53

var (
	openRequestSQL = inBothDialects(`INSERT INTO input_requests (id, tenant_id, run_id, seq, workflow_id, slug, version, step_id, step_name, iteration, signal, prompt, schema, choices, context, assignees, input_head, started_by, on_timeout, state, opened_at, expires_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'open', ?, ?) ON CONFLICT DO NOTHING`)
	openAssigneeSQL = inBothDialects(`INSERT INTO input_request_assignees (id, assignee, tenant_id, state, opened_at, expires_at) VALUES (?, ?, ?, 'open', ?, ?) ON CONFLICT DO NOTHING`)
	// A request that is closed already keeps how it ended.
	closeRequestSQL   = inBothDialects(`UPDATE input_requests SET state = ?, closed_at = ?, answered_by = ?, comment = ?, payload = ?, answer_key = ? WHERE id = ? AND run_id = ? AND state = 'open'`)
	closeAssigneesSQL = inBothDialects(`UPDATE input_request_assignees SET state = ? WHERE state = 'open' AND id IN (SELECT id FROM input_requests WHERE id = ? AND run_id = ?)`)
	closeRunSQL       = inBothDialects(`UPDATE input_requests SET state = ?, closed_at = ? WHERE run_id = ? AND state = 'open'`)
	closeRunNamesSQL  = inBothDialects(`UPDATE input_request_assignees SET state = ? WHERE state = 'open' AND id IN (SELECT id FROM input_requests WHERE run_id = ?)`)
	// countRequestSQL adds to the counter of a workflow's open approvals, which is spread
	// over rows as those of runs are (countKey).
	countRequestSQL = sqlText{
		sqlite: "INSERT INTO input_request_counts (tenant_id, workflow_id, shard, n) VALUES (?, ?, 0, ?)" + addToRequestCount,
		postgres: numbered("INSERT INTO input_request_counts (tenant_id, workflow_id, shard, n) VALUES (?, ?, pg_backend_pid() % 16, ?)" +
			addToRequestCount),
	}
)

const addToRequestCount = " ON CONFLICT (tenant_id, workflow_id, shard) DO UPDATE SET n = input_request_counts.n + excluded.n"

// writeRequests writes what the commits do to input requests, and returns the statements that
// keep the counters true to it, to be executed last. Commits without such changes cost
// nothing.
func writeRequests(tx groupTx, writes []*write) ([]statement, error) {
	var list []statement
	var signs []int64 // how each statement counts: 1, -1 or 0 for each row that it changed
	var of []countKey
	add := func(w *write, sign int64, text sqlText, args ...any) {
		list = append(list, statement{text, args})
		signs, of = append(signs, sign), append(of, countKey{tenantID: w.row.TenantID, workflowID: w.row.WorkflowID})
	}
	for _, w := range writes {
		for _, c := range w.requests {
			if err := requestStatements(w, c, add); err != nil {
				return nil, err
			}
		}
	}
	changed, err := execStatements(tx, list)
	if err != nil {
		return nil, err
	}
	counts := map[countKey]int64{}
	for i, n := range changed {
		counts[of[i]] += signs[i] * n
	}
	var keep []statement
	for _, k := range slices.SortedFunc(maps.Keys(counts), countKey.compare) {
		if n := counts[k]; n != 0 {
			keep = append(keep, statement{countRequestSQL, []any{k.tenantID, k.workflowID, n}})
		}
	}
	return keep, nil
}

// requestStatements calls add with the statements of one change.
func requestStatements(w *write, c machine.RequestChange, add func(w *write, sign int64, text sqlText, args ...any)) error {
	if c.Opened != nil {
		return openStatements(w, c, add)
	}
	if c.ID == "" {
		add(w, -1, closeRunSQL, string(c.End), millis(c.At), w.row.ID)
		add(w, 0, closeRunNamesSQL, string(c.End), w.row.ID)
		return nil
	}
	who := ""
	if c.By.Actor.Known() {
		text, err := exactjson.Encode(c.By.Actor)
		if err != nil {
			return err
		}
		who = string(text)
	}
	add(w, -1, closeRequestSQL, string(c.End), millis(c.At), who, c.By.Reason, string(c.Payload), c.Key, c.ID, w.row.ID)
	add(w, 0, closeAssigneesSQL, string(c.End), c.ID, w.row.ID)
	return nil
}

// openStatements calls add with the statements that open a request: its row and one for each
// assignee, "" where there is none.
func openStatements(w *write, c machine.RequestChange, add func(w *write, sign int64, text sqlText, args ...any)) error {
	o, r, names := c.Opened, &w.row, ""
	opened, expires := millis(c.At), neverExpires
	if !o.ExpiresAt.IsZero() {
		expires = millis(o.ExpiresAt)
	}
	assignees := []string{""}
	if len(o.Assignees) > 0 {
		text, err := exactjson.Encode(o.Assignees)
		if err != nil {
			return err
		}
		names, assignees = string(text), o.Assignees
	}
	input := r.Input
	if input == "" {
		input = w.input
	}
	add(w, 1, openRequestSQL, c.ID, r.TenantID, r.ID, o.Seq, r.WorkflowID, r.Slug, int64(r.Version), o.Ref.StepID, o.StepName, o.Ref.Iteration, o.Signal, o.Prompt,
		string(o.Schema), string(o.Choices), string(o.Context), names, headOf(input), r.StartedBy, o.OnTimeout, opened, expires)
	for _, name := range assignees {
		add(w, 0, openAssigneeSQL, c.ID, name, r.TenantID, opened, expires)
	}
	return nil
}

// headOf returns how a text begins, in whole characters.
func headOf(text string) string {
	if len(text) <= approvals.InputHead {
		return text
	}
	text = text[:approvals.InputHead]
	for !utf8.ValidString(text) && len(text) > 0 {
		text = text[:len(text)-1]
	}
	return strings.Clone(text)
}

// approval decodes a row.
func (r inputRequestRow) approval() (approvals.Approval, error) {
	a := approvals.Approval{
		ID: r.ID, TenantID: r.TenantID, RunID: r.RunID, WorkflowID: r.WorkflowID, Slug: r.Slug, Name: r.WorkflowName, Version: r.Version,
		InputRequest: machine.InputRequest{
			Ref: machine.Ref{StepID: r.StepID, Iteration: r.Iteration}, Seq: r.Seq, StepName: r.StepName, Signal: r.Signal, Prompt: r.Prompt,
			Schema: raw(r.Schema), Choices: raw(r.Choices), Context: raw(r.Context), OnTimeout: r.OnTimeout,
		},
		InputHead: r.InputHead, State: approvals.State(r.State), OpenedAt: fromMillis(r.OpenedAt), ClosedAt: fromMillis(r.ClosedAt),
		Comment: r.Comment, Payload: raw(r.Payload), Key: r.AnswerKey,
	}
	if r.ExpiresAt != neverExpires {
		a.ExpiresAt = fromMillis(r.ExpiresAt)
	}
	for _, part := range []struct {
		text string
		to   any
	}{{r.Assignees, &a.Assignees}, {r.StartedBy, &a.StartedBy}, {r.AnsweredBy, &a.AnsweredBy}} {
		if part.text == "" {
			continue
		}
		if err := json.Unmarshal([]byte(part.text), part.to); err != nil {
			return a, err
		}
	}
	return a, nil
}
