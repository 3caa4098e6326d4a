package store

import (
	"context"
	"heddle/definitions/workflows"
	"heddle/fault"

	"gorm.io/gorm"
)

// workflowKey is where a workflow stands in the orders of lists.
type workflowKey struct {
	ID        string
	UpdatedAt int64
}

// workflowWalk lists workflows in an order that has an index, and tests on rows what that does not
// bound (ADR 15). It is for queries with filters or an order beyond those of workflowFilter.
type workflowWalk struct {
	q      workflows.Query
	limits walkLimits
}

// walked reports whether a query is for a workflowWalk.
func walked(q workflows.Query) bool {
	return len(q.AlsoTags) > 0 || q.TemplateID != "" || q.Health != "" || q.Order == workflows.ByName
}

// tests reports whether the index of the order leaves a filter to be tested.
func (f workflowWalk) tests() bool {
	q := f.q
	return q.Order != workflows.ByName || q.IDs != nil || q.Status != "" || q.TriggerType != "" || q.Tag != "" || q.Text != "" ||
		len(q.AlsoTags) > 0 || q.TemplateID != "" || q.Health != ""
}

// walkedWorkflows returns a page of a walk. Its total is known only where nothing is tested.
func (db *DB) walkedWorkflows(ctx context.Context, q workflows.Query, list string, at *position) (workflows.Page, error) {
	f := workflowWalk{q, defaultWalk}
	return viewResult(ctx, db, func(tx *gorm.DB) (workflows.Page, error) {
		page := workflows.Page{Total: -1}
		if q.Offset > 0 && f.tests() {
			return page, fault.New(fault.Malformed, "invalid_request", "offset does not go with these filters; use the cursor.")
		}
		if err := countIfWanted(workflowFilter(tx, workflows.Query{TenantID: q.TenantID}), q.WantTotal && !f.tests(), &page.Total); err != nil {
			return page, err
		}
		keys, next, err := f.page(tx, at)
		if err != nil {
			return page, err
		}
		if next != nil {
			page.Next = encodeCursor(list, *next)
		}
		return page, fillWorkflows(tx, keys, &page)
	})
}

// fillWorkflows reads the workflows of keys into a page, in their order.
func fillWorkflows(tx *gorm.DB, keys []workflowKey, page *workflows.Page) error {
	ids := make([]string, len(keys))
	for i, k := range keys {
		ids[i] = k.ID
	}
	var rows []workflowRow
	if err := tx.Where("id IN ?", ids).Find(&rows).Error; err != nil {
		return err
	}
	byID := make(map[string]workflowRow, len(rows))
	for _, r := range rows {
		byID[r.ID] = r
	}
	for _, id := range ids {
		w, err := byID[id].workflow()
		if err != nil {
			return err
		}
		page.Workflows = append(page.Workflows, w)
	}
	return nil
}

// position is where a workflow stands; in the order by name its name is read by its id.
func (f workflowWalk) position(k workflowKey) *position {
	if f.q.Order == workflows.ByName {
		return &position{0, k.ID}
	}
	return &position{k.UpdatedAt, k.ID}
}

// page returns the keys of a page, and where the next one goes on; nil: it is the last.
func (f workflowWalk) page(tx *gorm.DB, at *position) ([]workflowKey, *position, error) {
	limit := f.q.Limit
	if !f.tests() {
		offset := f.q.Offset
		if at != nil {
			offset = 0
		}
		keys, err := f.keys(tx, at, offset+limit+1, nil)
		return f.cut(keys[min(offset, len(keys)):], err)
	}
	if f.q.TemplateID != "" {
		ids, err := f.ofTemplate(tx)
		if err != nil || len(ids) == 0 {
			return nil, nil, err
		}
		if len(ids) <= f.limits.few {
			keys, err := f.keys(tx, at, len(ids), ids)
			keys, err = f.fitting(tx, keys, err)
			return f.cut(keys, err)
		}
	}
	var page []workflowKey
	part := max(limit+1, 50)
	for looked := 0; ; part *= 3 {
		part = min(part, f.limits.walked-looked)
		keys, err := f.keys(tx, at, part, nil)
		fitting, err := f.fitting(tx, keys, err)
		if err != nil {
			return nil, nil, err
		}
		if page = append(page, fitting...); len(page) > limit {
			return f.cut(page, nil)
		}
		if looked += len(keys); len(keys) < part {
			return page, nil, nil
		}
		if at = f.position(keys[len(keys)-1]); looked >= f.limits.walked {
			return page, at, nil
		}
	}
}

// cut takes keys that may be more than a page.
func (f workflowWalk) cut(keys []workflowKey, err error) ([]workflowKey, *position, error) {
	if err != nil || len(keys) <= f.q.Limit {
		return keys, nil, err
	}
	return keys[:f.q.Limit], f.position(keys[f.q.Limit-1]), nil
}

// ofTemplate returns the workflows that were made of the template, and one more than limits.few
// at most.
func (f workflowWalk) ofTemplate(tx *gorm.DB) (ids []string, err error) {
	err = tx.Raw("SELECT workflow_id FROM workflow_templates WHERE tenant_id = ? AND template_id = ? ORDER BY workflow_id LIMIT ?", f.q.TenantID, f.q.TemplateID, f.limits.few+1).Scan(&ids).Error
	return ids, err
}

// sortName is the expression that the order by name has an index of.
func sortName(tx *gorm.DB) string {
	if tx.Name() == "sqlite" {
		return "w.sort_name"
	}
	return "substr(w.folded, 1, 40)"
}

// keys reads at most n workflows behind a position, in the list's order; of those with the ids,
// unless they are nil.
func (f workflowWalk) keys(tx *gorm.DB, at *position, n int, ids []string) (keys []workflowKey, err error) {
	base := workflows.Query{TenantID: f.q.TenantID, IDs: ids}
	if f.q.Order != workflows.ByName {
		// One of the filters bounds the range.
		key, id := "w.updated_at", "w.id"
		switch {
		case ids != nil:
		case f.q.Tag != "":
			base.Tag, key, id = f.q.Tag, "t.updated_at", "t.workflow_id"
		case f.q.Status != "":
			base.Status = f.q.Status
		default:
			base.TriggerType = f.q.TriggerType
		}
		err = newestFirst(workflowFilter(tx, base), key, id, at).Select("w.id, w.updated_at").Limit(n).Scan(&keys).Error
		return keys, err
	}
	which, name := workflowFilter(tx, base), sortName(tx)
	if at != nil {
		var last struct{ Name string }
		if err := tx.Raw("SELECT "+name+" AS name FROM workflows AS w WHERE w.tenant_id = ? AND w.id = ?", f.q.TenantID, at.ID).Scan(&last).Error; err != nil {
			return nil, err
		}
		which = which.Where("("+name+", w.id) > (?, ?)", last.Name, at.ID)
	}
	err = which.Select("w.id, w.updated_at").Order(name + ", w.id").Limit(n).Scan(&keys).Error
	return keys, err
}

// fitting returns those of the workflows that have all that is asked for, in their order, by one
// read.
func (f workflowWalk) fitting(tx *gorm.DB, keys []workflowKey, err error) ([]workflowKey, error) {
	if err != nil || len(keys) == 0 {
		return nil, err
	}
	q, ids := f.q, make([]string, len(keys))
	for i, k := range keys {
		ids[i] = k.ID
	}
	plain := workflows.Query{TenantID: q.TenantID, IDs: q.IDs, Status: q.Status, TriggerType: q.TriggerType, Text: q.Text}
	which := workflowFilter(tx, plain).Where("w.id IN ?", ids)
	tags := q.AlsoTags
	if q.Tag != "" {
		tags = append([]string{q.Tag}, tags...)
	}
	for _, tag := range tags {
		which = which.Where("EXISTS (SELECT 1 FROM workflow_tags AS x WHERE x.workflow_id = w.id AND x.tag = ?)", tag)
	}
	if q.TemplateID != "" {
		which = which.Where("EXISTS (SELECT 1 FROM workflow_templates AS x WHERE x.workflow_id = w.id AND x.template_id = ?)", q.TemplateID)
	}
	if q.Health == workflows.Failing {
		which = which.Where("EXISTS (SELECT 1 FROM workflow_recent AS x WHERE x.workflow_id = w.id AND substr(x.endings, 1, 1) = 'f')")
	}
	var fits []string
	if err := which.Select("w.id").Scan(&fits).Error; err != nil {
		return nil, err
	}
	fit := make(map[string]bool, len(fits))
	for _, id := range fits {
		fit[id] = true
	}
	var list []workflowKey
	for _, k := range keys {
		if fit[k.ID] {
			list = append(list, k)
		}
	}
	return list, nil
}
