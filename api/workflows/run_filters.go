package workflows

import (
	"heddle/access"
	"heddle/api/core"
	"heddle/definitions"
	"heddle/executor"
	"net/url"
	"slices"
	"strings"
	"time"
)

// The bounds of the filters of a list of runs.
const (
	maxFilteredWorkflows = 20
	maxFilteredLabels    = 5
	maxFilterText        = 200 // bytes
)

// labelParam is what the parameters that filter by a label begin with.
const labelParam = "label."

// workflowFilterParams returns the filters by which a list of all workflows' runs is one of
// some of them.
func workflowFilterParams() []core.Param {
	return []core.Param{
		{Name: "workflow", Description: "Only runs of this workflow, by id or slug, or of several, at most 20, with commas between them."},
		{Name: "tag", Description: "Only runs of workflows that have this tag now."},
		{Name: "template_id", Description: "Only runs of workflows made of this template."},
	}
}

// runFilterParams returns the filters and the order of a list of runs.
func runFilterParams() []core.Param {
	return []core.Param{
		{Name: "status", Description: "Only runs in this state, or in one of several with commas between them: " + strings.Join(core.Vocabulary(core.InWorkflows), ", ") + "."},
		{Name: "trigger", Description: "Only runs started by this, or by one of several with commas between them: " + strings.Join(definitions.Triggers(), ", ") + "."},
		{Name: "version", Description: "Only runs that are on this version of the one workflow that is listed: 3, v3 or a label."},
		{Name: "schedule_id", Description: "Only runs of this schedule."},
		{Name: "started_by", Description: "Only runs that this key, user, schedule or run started, by its id."},
		{Name: "label.KEY", AnyKey: true, Description: "Only runs with this value of the label KEY; at most five different labels."},
		{Name: "error_code", Description: "Only runs that failed or were cancelled with this code."},
		{Name: "q", Description: "Only runs whose id or instance id begins with this, or that have a label of this value."},
		{Name: "created_after", Description: "Only runs created after this time."},
		{Name: "created_before", Description: "Only runs created before this time."},
		{Name: "ended_after", Description: "Only runs that ended after this time."},
		{Name: "ended_before", Description: "Only runs that ended before this time."},
		{Name: "min_duration", JSONType: "number", Description: "Only runs that took at least so many seconds from start to end."},
		{Name: "max_duration", JSONType: "number", Description: "Only runs that took at most so many seconds from start to end."},
		{Name: "order", Enum: runOrders, Description: "The newest first (-created, the default), the oldest first (created), the last to end first (-ended, ended runs only), or the longest first (-duration, runs that started and ended)."},
	}
}

// runOrders are the words of the parameter order.
var runOrders = []string{"-created", "created", "-ended", "-duration"}

// runQuery reads the filters of a list of runs but for the workflows; a version stays a word,
// since it belongs to one of them. A value that cannot be is fault.Malformed invalid_request: a
// filter that is not understood would show too much.
func runQuery(c *core.Call, q url.Values) (query executor.RunQuery, version string, err error) {
	query = executor.RunQuery{TenantID: c.TenantID(), Tag: q.Get("tag"), Version: 0}
	words, err := core.ListParam(q, "status", len(core.Vocabulary(core.InWorkflows)), core.Vocabulary(core.InWorkflows))
	if err != nil {
		return query, "", err
	}
	for _, word := range words {
		query.States = append(query.States, core.StatesOf(word, core.InWorkflows)...)
	}
	if query.Triggers, err = core.ListParam(q, "trigger", len(definitions.Triggers()), definitions.Triggers()); err != nil {
		return query, "", err
	}
	for name, into := range map[string]*string{
		"schedule_id": &query.ScheduleID, "started_by": &query.StarterID, "template_id": &query.TemplateID, "error_code": &query.ErrorCode,
		"q": &query.Text, "tag": &query.Tag, "version": &version,
	} {
		if *into = q.Get(name); len(*into) > maxFilterText {
			return query, "", core.Malformed("%s must be at most %d bytes.", name, maxFilterText)
		}
	}
	for name, into := range map[string]*time.Time{
		"created_after": &query.CreatedAfter, "created_before": &query.CreatedBefore, "ended_after": &query.EndedAfter, "ended_before": &query.EndedBefore,
	} {
		if *into, err = core.TimeParam(q, name); err != nil {
			return query, "", err
		}
	}
	for name, into := range map[string]*time.Duration{"min_duration": &query.MinDuration, "max_duration": &query.MaxDuration} {
		if *into, err = core.SecondsParam(q, name); err != nil {
			return query, "", err
		}
	}
	if query.Labels, err = labelFilters(q); err != nil {
		return query, "", err
	}
	order := q.Get("order")
	if order != "" && !slices.Contains(runOrders, order) {
		return query, "", core.Malformed("order must be one of %s, not %q.", strings.Join(runOrders, ", "), core.Truncate(order))
	}
	// The newest first is what a list is without an order.
	if order != "-created" {
		query.Order = executor.RunOrder(order)
	}
	return query, version, nil
}

// labelFilters reads the labels that runs must have; nil: none.
func labelFilters(q url.Values) (map[string]string, error) {
	var labels map[string]string
	for name := range q {
		key, found := strings.CutPrefix(name, labelParam)
		if !found || key == "" {
			continue
		}
		if labels == nil {
			labels = map[string]string{}
		}
		labels[key] = q.Get(name)
	}
	if len(labels) > maxFilteredLabels {
		return nil, core.Malformed("At most %d labels can be asked for at once, not %d.", maxFilteredLabels, len(labels))
	}
	return labels, nil
}

// filteredWorkflows reads the workflows of which runs are listed: what the caller may view, and of
// that what the query selects.
func (h *handlers) filteredWorkflows(c *core.Call, q url.Values, query *executor.RunQuery) (err error) {
	query.WorkflowIDs = access.ViewableWorkflows(c.Principal)
	query.Workflows, err = h.namedWorkflows(c, q)
	return err
}

// namedWorkflows returns the ids of the workflows that the parameter workflow names, each once;
// nil: it names none. The errors are those of core.ListParam and core.FilteredWorkflow.
func (h *handlers) namedWorkflows(c *core.Call, q url.Values) (ids []string, err error) {
	refs, err := core.ListParam(q, "workflow", maxFilteredWorkflows, nil)
	if err != nil {
		return nil, err
	}
	for _, ref := range refs {
		id, err := core.FilteredWorkflow(c, h.Definitions, ref)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return ids, nil
}

// filteredVersion resolves the version of a query, "" for none: it is one of the one workflow that
// is listed.
func (h *handlers) filteredVersion(c *core.Call, version string, query *executor.RunQuery) error {
	if version == "" {
		return nil
	}
	if len(query.Workflows) != 1 {
		return core.Malformed("version is that of a workflow; name one workflow with it.")
	}
	_, v, err := h.Versions.Get(c.Ctx(), c.TenantID(), query.Workflows[0], version)
	query.Version = v.Number
	return err
}
