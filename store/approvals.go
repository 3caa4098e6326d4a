package store

import (
	"context"
	"heddle/approvals"
	"heddle/fault"
	"heddle/internal/elements"
	"slices"
	"strings"

	"gorm.io/gorm"
)

// Approval returns an approval; approval_not_found where the tenant has none with that id.
func (db *DB) Approval(ctx context.Context, tenantID, id string) (approvals.Approval, error) {
	list, err := approvalsOf(db.reader(ctx), tenantID, []string{id})
	if err == nil && len(list) == 0 {
		err = fault.New(fault.NotFound, "approval_not_found", "There is no approval %q.", id)
	}
	if err != nil {
		return approvals.Approval{}, translate(err)
	}
	return list[0], nil
}

// Approvals lists a page of approvals. It is a merge of ranges of indexes, so that a page
// costs the same however many approvals there are.
func (db *DB) Approvals(ctx context.Context, q approvals.Query) (approvals.Page, error) {
	list := listFingerprint("approvals", q)
	at, err := decodeCursor(list, q.Cursor)
	if err != nil {
		return approvals.Page{}, err
	}
	return viewResult(ctx, db, func(tx *gorm.DB) (approvals.Page, error) {
		page := approvals.Page{}
		places, err := approvalRanges(q, at).positions(tx, q.Limit+1)
		if err != nil {
			return page, err
		}
		places, page.Next = trimPage(list, places, q.Limit, func(p position) position { return p })
		page.Approvals, err = approvalsOf(tx, q.TenantID, idsOf(places))
		return page, err
	})
}

// CountApprovals counts what the query selects, up to most.
func (db *DB) CountApprovals(ctx context.Context, q approvals.Query, most int) (int, error) {
	return viewResult(ctx, db, func(tx *gorm.DB) (int, error) {
		places, err := approvalRanges(q, nil).positions(tx, most)
		return len(places), err
	})
}

// OpenApprovals returns how many approvals of the workflows are open, by the kept counters;
// nil: of all of the tenant's.
func (db *DB) OpenApprovals(ctx context.Context, tenantID string, workflowIDs []string) (int, error) {
	c := &conditions{}
	c.add("tenant_id = ?", tenantID)
	if workflowIDs != nil {
		c.add("workflow_id IN ?", workflowIDs)
	}
	n := 0
	err := db.reader(ctx).Raw("SELECT CAST(coalesce(sum(n), 0) AS BIGINT) FROM input_request_counts WHERE "+c.sql(), c.args...).Scan(&n).Error
	return n, translate(err)
}

// WrongApprovalCounts returns how many workflows have a counter of open approvals that differs
// from the rows. It reads all open approvals.
func (db *DB) WrongApprovalCounts(ctx context.Context) (int, error) {
	n := 0
	err := db.reader(ctx).Raw(`SELECT count(*) FROM (SELECT tenant_id, workflow_id FROM (
  SELECT tenant_id, workflow_id, n FROM input_request_counts
  UNION ALL SELECT tenant_id, workflow_id, -1 FROM input_requests WHERE state = 'open'
) AS d GROUP BY tenant_id, workflow_id HAVING sum(n) <> 0) AS wrong`).Scan(&n).Error
	return n, translate(err)
}

// approvalsOf reads approvals of a tenant in the order of the ids, with the names that their
// workflows have now. What is not there is left out.
func approvalsOf(tx *gorm.DB, tenantID string, ids []string) ([]approvals.Approval, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	var rows []inputRequestRow
	err := tx.Raw(`SELECT a.*, coalesce(w.name, '') AS workflow_name FROM `+indexed(tx, "input_requests AS a", inputRequestsByID)+` LEFT JOIN workflows AS w ON w.id = a.workflow_id AND w.deleted = 0
WHERE a.id IN ? AND a.tenant_id = ?`, ids, tenantID).Scan(&rows).Error
	if err != nil {
		return nil, err
	}
	list := make([]approvals.Approval, 0, len(rows))
	for _, row := range rows {
		a, err := row.approval()
		if err != nil {
			return nil, err
		}
		list = append(list, a)
	}
	slices.SortFunc(list, func(a, b approvals.Approval) int { return slices.Index(ids, a.ID) - slices.Index(ids, b.ID) })
	return list, nil
}

// approvalRange is a list of approvals as a merge of ranges: each is one state together with
// one workflow, one signal or one assignee, as far as the query names any.
type approvalList struct {
	q  approvals.Query
	at *position // behind which the page begins; nil: at the first
}

// approvalRanges returns the list of a query.
func approvalRanges(q approvals.Query, at *position) approvalList { return approvalList{q, at} }

// approvalRange is one of the ranges. Its fields are "" where the range is not bound to one;
// assigned says whether the assignee counts, "" being nobody.
type approvalRange struct {
	state, workflow, signal, assignee string
	assigned                          bool
}

// ranges returns the ranges of the list.
func (l approvalList) ranges() []approvalRange {
	states := []approvals.State{l.q.State}
	if l.q.State == "" {
		states = approvals.States()
	}
	var list []approvalRange
	for _, state := range elements.Map(states, func(s approvals.State) string { return string(s) }) {
		switch workflowIDs := l.workflows(); {
		case l.q.Prefix != "":
			list = append(list, approvalRange{state: state})
		case l.q.Assignees != nil:
			for _, name := range append([]string{""}, l.q.Assignees...) {
				list = append(list, approvalRange{state: state, assignee: name, assigned: true})
			}
		case l.q.Signal != "":
			list = append(list, approvalRange{state: state, signal: l.q.Signal})
		case workflowIDs != nil:
			for _, id := range workflowIDs {
				list = append(list, approvalRange{state: state, workflow: id})
			}
		default:
			list = append(list, approvalRange{state: state})
		}
	}
	return list
}

// workflows returns those to which the list is restricted; nil: to none.
func (l approvalList) workflows() []string {
	switch {
	case l.q.WorkflowID == "":
		return l.q.WorkflowIDs
	case l.q.WorkflowIDs != nil && !slices.Contains(l.q.WorkflowIDs, l.q.WorkflowID):
		return []string{}
	}
	return []string{l.q.WorkflowID}
}

// positions returns the places of the first approvals of the list, at most limit.
func (l approvalList) positions(tx *gorm.DB, limit int) ([]position, error) {
	if ids := l.workflows(); ids != nil && len(ids) == 0 {
		return nil, nil
	}
	var all []position
	for some := range slices.Chunk(l.ranges(), rangesPerStatement) {
		text, args := l.merge(tx, some, limit)
		var found []struct {
			Place int64
			ID    string
		}
		if err := tx.Raw(text, args...).Scan(&found).Error; err != nil {
			return nil, err
		}
		for _, f := range found {
			all = append(all, position{f.Place, f.ID})
		}
	}
	slices.SortFunc(all, l.compare)
	all = slices.Compact(all)
	return all[:min(len(all), limit)], nil
}

// compare is the order of the list.
func (l approvalList) compare(a, b position) int {
	if l.q.Order == approvals.Newest {
		a, b = b, a
	}
	if a.Key != b.Key {
		if a.Key < b.Key {
			return -1
		}
		return 1
	}
	return strings.Compare(a.ID, b.ID)
}

// merge returns the statement that merges ranges: one ordered and limited branch for each. An
// approval that has several of the assignees is in several branches and comes once.
func (l approvalList) merge(tx *gorm.DB, ranges []approvalRange, limit int) (string, []any) {
	column, direction := "opened_at", ""
	switch l.q.Order {
	case approvals.ByExpiry:
		column = "expires_at"
	case approvals.Newest:
		direction = " DESC"
	case approvals.Oldest:
	}
	var branches []string
	var args []any
	for _, r := range ranges {
		from, key, c := l.branch(tx, r, column)
		if l.at != nil {
			sign := ">"
			if direction != "" {
				sign = "<"
			}
			c.add("("+key+"."+column+", "+key+".id) "+sign+" (?, ?)", l.at.Key, l.at.ID)
		}
		branches = append(branches, "SELECT * FROM (SELECT "+key+"."+column+" AS place, "+key+".id AS id FROM "+from+" WHERE "+c.sql()+
			" ORDER BY "+key+"."+column+direction+", "+key+".id"+direction+" LIMIT ?) AS b")
		args = append(append(args, c.args...), limit)
	}
	return "SELECT place, id FROM (" + strings.Join(branches, " UNION ") + ") AS m ORDER BY place" + direction + ", id" + direction + " LIMIT ?", append(args, limit)
}

// branch returns what a range reads from, the alias of the table that has its order, and its
// conditions: first the bounds of the index, then what narrows it further.
func (l approvalList) branch(tx *gorm.DB, r approvalRange, column string) (from, key string, c *conditions) {
	c = &conditions{}
	index := "input_requests_by_"
	switch {
	case l.q.Prefix != "":
		// Few rows have the prefix, so they are found by it and sorted.
		low, high := l.q.Prefix, l.q.Prefix+"\U0010FFFF"
		c.add("a.id IN (SELECT id FROM input_requests WHERE id >= ? AND id < ? UNION ALL SELECT id FROM input_requests WHERE run_id >= ? AND run_id < ?)", low, high, low, high)
		c.add("a.tenant_id = ? AND a.state = ?", l.q.TenantID, r.state)
		l.narrow(c, true, true)
		return "input_requests AS a", "a", c
	case r.assigned:
		c.add("n.tenant_id = ? AND n.assignee = ? AND n.state = ?", l.q.TenantID, r.assignee, r.state)
		from = indexed(tx, "input_request_assignees AS n", "input_request_assignees_by_"+column)
		if l.workflows() != nil || l.q.Signal != "" {
			from += " JOIN input_requests AS a ON a.id = n.id"
			l.narrow(c, true, true)
		}
		return from, "n", c
	case r.signal != "":
		c.add("a.tenant_id = ? AND a.signal = ? AND a.state = ?", l.q.TenantID, r.signal, r.state)
		l.narrow(c, true, false)
		index += "signal_"
	case r.workflow != "":
		c.add("a.tenant_id = ? AND a.workflow_id = ? AND a.state = ?", l.q.TenantID, r.workflow, r.state)
		index += "workflow_"
	default:
		c.add("a.tenant_id = ? AND a.state = ?", l.q.TenantID, r.state)
	}
	return indexed(tx, "input_requests AS a", index+column), "a", c
}

// narrow adds the conditions of workflows and of the signal, where there are some.
func (l approvalList) narrow(c *conditions, workflows, signal bool) {
	if ids := l.workflows(); workflows && ids != nil {
		c.add("a.workflow_id IN ?", ids)
	}
	if signal && l.q.Signal != "" {
		c.add("a.signal = ?", l.q.Signal)
	}
}
