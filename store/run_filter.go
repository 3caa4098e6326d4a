package store

import (
	"heddle/executor"
	"maps"
	"slices"
	"strings"

	"gorm.io/gorm"
)

// runFilter is what a query selects. Workflows, states and triggers are ranges of the
// order's indexes; so are the bounds of what the list is ordered by. Other filters are
// rare things with an index of their own, or are tested on the rows of a walk.
type runFilter struct {
	q      executor.RunQuery
	limits walkLimits
	// workflows are those whose runs are listed; nil: all of the tenant's.
	workflows []string
	// rest are conditions on a row r for filters by tag and template that select too many
	// workflows to be listed.
	rest conditions
}

// taggedWorkflows bounds how many workflows a tag or a template may select to be ranges.
const taggedWorkflows = 200

// filterOf resolves a query's tag and template into workflows.
func filterOf(tx *gorm.DB, q executor.RunQuery, limits walkLimits) (*runFilter, error) {
	f := &runFilter{q: q, limits: limits, workflows: q.WorkflowIDs}
	f.only(q.Workflows)
	for _, by := range []struct{ value, text, test string }{
		{
			q.Tag, "SELECT workflow_id FROM workflow_tags WHERE tenant_id = ? AND tag = ? ORDER BY updated_at, workflow_id LIMIT ?",
			"EXISTS (SELECT 1 FROM workflow_tags AS t WHERE t.workflow_id = r.workflow_id AND t.tag = ?)",
		},
		{
			q.TemplateID, "SELECT workflow_id FROM workflow_templates WHERE tenant_id = ? AND template_id = ? ORDER BY workflow_id LIMIT ?",
			"EXISTS (SELECT 1 FROM workflow_templates AS t WHERE t.workflow_id = r.workflow_id AND t.template_id = ?)",
		},
	} {
		if by.value == "" {
			continue
		}
		ids := []string{}
		if err := tx.Raw(by.text, q.TenantID, by.value, taggedWorkflows+1).Scan(&ids).Error; err != nil {
			return nil, err
		}
		if len(ids) > taggedWorkflows {
			f.rest.add(by.test, by.value)
			continue
		}
		f.only(ids)
	}
	return f, nil
}

// only restricts the list to workflows; nil: it does not.
func (f *runFilter) only(ids []string) {
	switch {
	case ids == nil:
	case f.workflows == nil:
		f.workflows = append([]string{}, ids...)
	default:
		kept := []string{}
		for _, id := range ids {
			if slices.Contains(f.workflows, id) {
				kept = append(kept, id)
			}
		}
		f.workflows = kept
	}
}

// nothing reports whether no workflow is left.
func (f *runFilter) nothing() bool { return f.workflows != nil && len(f.workflows) == 0 }

// walked reports whether the list is more than a merge of ranges in an order.
func (f *runFilter) walked(o runOrder) bool {
	q := &f.q
	other := func(by orderKey, set bool) bool { return set && o.by != by }
	return q.Version != 0 || q.ScheduleID != "" || q.StarterID != "" || q.ErrorCode != "" || len(q.Labels) > 0 || q.Text != "" || len(f.rest.texts) > 0 ||
		other(byCreation, !q.CreatedAfter.IsZero() || !q.CreatedBefore.IsZero()) ||
		other(byStart, !q.StartedAfter.IsZero() || !q.StartedBefore.IsZero()) ||
		other(byEnd, !q.EndedAfter.IsZero() || !q.EndedBefore.IsZero()) ||
		other(byDuration, q.MinDuration != 0 || q.MaxDuration != 0)
}

// tests returns what a row r has to fulfil, whatever index it was found by. Workflows are
// left to f.shows: they may be many.
func (f *runFilter) tests(o runOrder) *conditions {
	q := &f.q
	c := &conditions{texts: slices.Clone(f.rest.texts), args: slices.Clone(f.rest.args)}
	c.add("r.tenant_id = ?", q.TenantID)
	if len(q.States) > 0 {
		c.add("r.state IN ?", q.States)
	}
	if len(q.Triggers) > 0 {
		c.add("r.trigger_kind IN ?", q.Triggers)
	}
	for _, equal := range []struct{ column, value string }{{"r.schedule_id", q.ScheduleID}, {"r.error_code", q.ErrorCode}} {
		if equal.value != "" {
			c.add(equal.column+" = ?", equal.value)
		}
	}
	if q.Version != 0 {
		c.add("r.version = ?", q.Version)
	}
	if q.StarterID != "" {
		// The encoding of an actor; within a name the quotes are escaped.
		c.add(`r.started_by LIKE ? ESCAPE '\'`, `%"id":"`+likeEscaper.Replace(q.StarterID)+`"%`)
	}
	for _, key := range slices.Sorted(maps.Keys(q.Labels)) {
		c.add("EXISTS (SELECT 1 FROM run_labels AS l WHERE l.tenant_id = r.tenant_id AND l.key = ? AND l.value = ? AND l.created_at = r.created_at AND l.run_id = r.id)", key, q.Labels[key])
	}
	if q.Text != "" {
		c.add("(r.id >= ? AND r.id < ? OR EXISTS (SELECT 1 FROM run_series AS s WHERE s.run_id = r.id AND s.name >= ? AND s.name < ?)"+
			" OR EXISTS (SELECT 1 FROM run_labels AS l WHERE l.run_id = r.id AND l.value = ?))", q.Text, q.Text+lastRune, q.Text, q.Text+lastRune, q.Text)
	}
	f.bounds(c, o)
	return c
}

// lastRune is behind every text that begins with what it is appended to.
const lastRune = "\U0010FFFF"

// bounds adds the bounds of times and durations, and that the order has the run.
func (f *runFilter) bounds(c *conditions, o runOrder) {
	q := &f.q
	if o.by == byStart || !q.StartedAfter.IsZero() || !q.StartedBefore.IsZero() {
		c.add("r.started_at > 0")
	}
	if o.by == byEnd || !q.EndedAfter.IsZero() || !q.EndedBefore.IsZero() {
		c.add("r.completed_at > 0")
	}
	if o.by == byDuration || q.MinDuration != 0 || q.MaxDuration != 0 {
		c.add("r.started_at > 0 AND r.completed_at > 0")
	}
	for _, b := range []struct {
		expression string
		after      int64 // excluded; 0: no bound
		before     int64
	}{
		{"r.created_at", millis(q.CreatedAfter), millis(q.CreatedBefore)},
		{"r.started_at", millis(q.StartedAfter), millis(q.StartedBefore)},
		{"r.completed_at", millis(q.EndedAfter), millis(q.EndedBefore)},
	} {
		if b.after != 0 {
			c.add(b.expression+" > ?", b.after)
		}
		if b.before != 0 {
			c.add(b.expression+" < ?", b.before)
		}
	}
	if q.MinDuration != 0 {
		c.add(durationSQL+" >= ?", q.MinDuration.Milliseconds())
	}
	if q.MaxDuration != 0 {
		c.add(durationSQL+" <= ?", q.MaxDuration.Milliseconds())
	}
}

// rare returns the strand of the rarest thing that the query names, in the order of
// creation; false: it names none. A version is one of the one workflow of the list.
func (f *runFilter) rare(tx *gorm.DB) (s strand, found bool) {
	q := &f.q
	s = strand{key: "r.created_at", id: "r.id"}
	s.equal.add("r.tenant_id = ?", q.TenantID)
	schedule := q.ScheduleID
	if schedule == "" && strings.HasPrefix(q.StarterID, "sched_") {
		schedule = q.StarterID
	}
	switch {
	case len(q.Labels) > 0:
		key := slices.Min(slices.Collect(maps.Keys(q.Labels)))
		s.from, s.id = "run_labels AS r", "r.run_id"
		s.equal.add("r.key = ? AND r.value = ?", key, q.Labels[key])
	case schedule != "":
		s.from, s.index = indexedRuns(tx, "runs_by_schedule"), "r.schedule_id <> ''"
		s.equal.add("r.schedule_id = ?", schedule)
	case q.StarterID != "" && !strings.HasPrefix(q.StarterID, "key_"):
		s.from, s.index = indexedRuns(tx, "runs_by_starter"), "r.starter_id <> ''"
		s.equal.add("r.starter_id = ?", q.StarterID)
	case q.ErrorCode != "":
		s.from, s.index = indexedRuns(tx, "runs_by_error"), "r.error_code <> ''"
		s.equal.add("r.error_code = ?", q.ErrorCode)
	case q.Version != 0 && len(f.workflows) == 1:
		s.from = indexedRuns(tx, "runs_by_version")
		s.equal.add("r.workflow_id = ? AND r.version = ?", f.workflows[0], q.Version)
	default:
		return s, false
	}
	return s, true
}

// shows keeps of candidates, by id with their workflows, those of the list's workflows.
func (f *runFilter) shows(found []candidate) []candidate {
	if f.workflows == nil {
		return found
	}
	of := make(map[string]bool, len(f.workflows))
	for _, id := range f.workflows {
		of[id] = true
	}
	return slices.DeleteFunc(found, func(c candidate) bool { return !of[c.WorkflowID] })
}

// candidate is a run that may be in a list, with its place there.
type candidate struct {
	position
	WorkflowID string
}

// narrow returns those of the runs that the query selects, in the list's order.
func (f *runFilter) narrow(tx *gorm.DB, o runOrder, ids []string) ([]position, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	c := f.tests(o)
	var rows []struct {
		Place          int64
		ID, WorkflowID string
	}
	err := tx.Raw("SELECT "+o.place()+" AS place, r.id, r.workflow_id FROM "+indexedRuns(tx, runsByID)+" WHERE r.id IN ? AND "+c.sql(), append([]any{ids}, c.args...)...).Scan(&rows).Error
	if err != nil {
		return nil, err
	}
	found := make([]candidate, len(rows))
	for i, r := range rows {
		found[i] = candidate{position{r.Place, r.ID}, r.WorkflowID}
	}
	found = f.shows(found)
	places := make([]position, len(found))
	for i, c := range found {
		places[i] = c.position
	}
	slices.SortFunc(places, o.compare)
	return places, nil
}

// textIDs returns the runs that a text selects, by id, name or label; false: they are more
// than limits.few.
func (f *runFilter) textIDs(tx *gorm.DB) (ids []string, few bool, err error) {
	q := &f.q
	for _, by := range []struct {
		text string
		args []any
	}{
		{"SELECT id FROM runs WHERE id >= ? AND id < ? ORDER BY id LIMIT ?", []any{q.Text, q.Text + lastRune, f.limits.few + 1}},
		{"SELECT run_id FROM run_series WHERE tenant_id = ? AND name >= ? AND name < ? ORDER BY name, run_id LIMIT ?", []any{q.TenantID, q.Text, q.Text + lastRune, f.limits.few + 1}},
		{"SELECT run_id FROM run_labels WHERE tenant_id = ? AND value = ? ORDER BY key, created_at, run_id LIMIT ?", []any{q.TenantID, q.Text, f.limits.few + 1}},
	} {
		var found []string
		if err := tx.Raw(by.text, by.args...).Scan(&found).Error; err != nil {
			return nil, false, err
		}
		if ids = append(ids, found...); len(ids) > f.limits.few {
			return nil, false, nil
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids), true, nil
}

// bounded returns the list as ranges by end or duration where those are bounded, which may
// be few runs; false: neither is.
func (f *runFilter) bounded(tx *gorm.DB) (m runMerge, found bool, err error) {
	q := f.q
	switch {
	case q.MinDuration > 0:
		q.Order = executor.LongestFirst
	case !q.EndedAfter.IsZero():
		q.Order = executor.EndedFirst
	default:
		return m, false, nil
	}
	o, _ := orderOf(q)
	m, err = f.ranges(tx, o)
	return m, true, err
}

// behind returns those of sorted places that follow the position, nil: all.
func behind(places []position, o runOrder) []position {
	if o.at == nil {
		return places
	}
	at, exact := slices.BinarySearchFunc(places, *o.at, o.compare)
	if exact {
		at++
	}
	return places[at:]
}
