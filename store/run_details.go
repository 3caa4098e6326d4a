package store

import (
	"context"
	"heddle/executor"
	"heddle/executor/machine"
	"strings"

	"gorm.io/gorm"
)

// aheadSQL counts for each of some queued runs those of its workflow that come before it,
// up to a limit.
const aheadSQL = `SELECT r.id, (SELECT count(*) FROM (SELECT 1 FROM runs AS q WHERE q.state = 'queued' AND q.tenant_id = r.tenant_id AND q.workflow_id = r.workflow_id
AND (q.created_at, q.id) < (r.created_at, r.id) LIMIT ?) AS a) AS ahead FROM runs AS r WHERE r.id IN ? AND r.state = 'queued'`

// versionOf names a version of a workflow.
type versionOf struct {
	workflow string
	number   int
}

// RunDetails returns the details of runs, in their order and without their places in the
// queue, and how many runs are ahead of the queued ones, up to a limit. Each statement is
// for all runs, of which there are at most a page.
func (db *DB) RunDetails(ctx context.Context, tenantID string, runs []executor.Record, maxAhead int) (list []executor.RunDetails, ahead map[string]int, err error) {
	type details struct {
		list  []executor.RunDetails
		ahead map[string]int
	}
	d, err := viewResult(ctx, db, func(tx *gorm.DB) (d details, err error) {
		if d.list, err = versionDetails(tx, tenantID, runs); err != nil {
			return d, err
		}
		if err := addNames(tx, runs, d.list); err != nil {
			return d, err
		}
		d.ahead, err = runsAhead(tx, runs, maxAhead)
		return d, err
	})
	return d.list, d.ahead, err
}

// versionDetails reads the workflows and versions of runs.
func versionDetails(tx *gorm.DB, tenantID string, runs []executor.Record) ([]executor.RunDetails, error) {
	var wanted []any
	known := map[versionOf]executor.RunDetails{}
	for _, r := range runs {
		v := versionOf{r.WorkflowID, r.Version}
		if _, ok := known[v]; !ok {
			known[v] = executor.RunDetails{WorkflowID: r.WorkflowID, Slug: r.Slug}
			wanted = append(wanted, r.WorkflowID, r.Version)
		}
	}
	var rows []struct {
		WorkflowID, Slug, Name string
		Number                 int
		Label, TemplateID      *string
	}
	text := "SELECT r.column1 AS workflow_id, r.column2 AS number, w.slug, w.name, v.label, t.template_id FROM (VALUES (?, CAST(? AS BIGINT))" + strings.Repeat(", (?, ?)", len(wanted)/2-1) + `) AS r
JOIN workflows AS w ON w.id = r.column1 LEFT JOIN workflow_versions AS v ON v.workflow_id = r.column1 AND v.number = r.column2
LEFT JOIN workflow_templates AS t ON t.workflow_id = r.column1 WHERE w.tenant_id = ?`
	if err := tx.Raw(text, append(wanted, tenantID)...).Scan(&rows).Error; err != nil {
		return nil, err
	}
	for _, row := range rows {
		d := executor.RunDetails{WorkflowID: row.WorkflowID, Slug: row.Slug, WorkflowName: row.Name}
		if row.Label != nil {
			d.VersionLabel = *row.Label
		}
		if row.TemplateID != nil {
			d.TemplateID = *row.TemplateID
		}
		known[versionOf{row.WorkflowID, row.Number}] = d
	}
	list := make([]executor.RunDetails, len(runs))
	for i, r := range runs {
		list[i] = known[versionOf{r.WorkflowID, r.Version}]
	}
	return list, nil
}

// addNames adds the names of runs that have one.
func addNames(tx *gorm.DB, runs []executor.Record, list []executor.RunDetails) error {
	at := make(map[string]int, len(runs))
	ids := make([]string, len(runs))
	for i, r := range runs {
		at[r.RunID], ids[i] = i, r.RunID
	}
	var places []seriesRow
	if err := tx.Where("run_id IN ?", ids).Find(&places).Error; err != nil {
		return err
	}
	for _, p := range places {
		list[at[p.RunID]].Name = p.Name
	}
	return nil
}

// runsAhead returns how many runs are ahead of the queued ones among runs.
func runsAhead(tx *gorm.DB, runs []executor.Record, most int) (map[string]int, error) {
	var queued []string
	for _, r := range runs {
		if r.State == machine.Queued {
			queued = append(queued, r.RunID)
		}
	}
	if len(queued) == 0 {
		return nil, nil //nolint:nilnil // no run is queued
	}
	var rows []struct {
		ID    string
		Ahead int
	}
	if err := tx.Raw(aheadSQL, most, queued).Scan(&rows).Error; err != nil {
		return nil, err
	}
	ahead := make(map[string]int, len(rows))
	for _, r := range rows {
		ahead[r.ID] = r.Ahead
	}
	return ahead, nil
}
