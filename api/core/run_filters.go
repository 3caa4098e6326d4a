package core

import (
	"heddle/definitions"
	"heddle/definitions/workflows"
	"heddle/executor"
	"heddle/fault"
	"heddle/ids"
	"heddle/versions"
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

// WorkflowFilterParams returns the filters by which a list of all workflows' runs is one of
// some of them.
func WorkflowFilterParams() []Param {
	return []Param{
		{Name: "workflow", Description: "Only runs of this workflow, by id or slug, or of several, at most 20, with commas between them."},
		{Name: "tag", Description: "Only runs of workflows that have this tag now."},
		{Name: "template_id", Description: "Only runs of workflows made of this template."},
	}
}

// RunFilterParams returns the filters and the order of a list of runs.
func RunFilterParams() []Param {
	return []Param{
		{Name: "status", Description: "Only runs in this state, or in one of several with commas between them: " + strings.Join(Vocabulary(InWorkflows), ", ") + "."},
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

// RunQuery reads the filters of a list of runs but for the workflows; a version stays a word,
// since it belongs to one of them. A value that cannot be is fault.Malformed invalid_request: a
// filter that is not understood would show too much.
func RunQuery(c *Call, q url.Values) (query executor.RunQuery, version string, err error) {
	query = executor.RunQuery{TenantID: c.TenantID(), Tag: q.Get("tag"), Version: 0}
	words, err := ListParam(q, "status", len(Vocabulary(InWorkflows)), Vocabulary(InWorkflows))
	if err != nil {
		return query, "", err
	}
	for _, word := range words {
		query.States = append(query.States, StatesOf(word, InWorkflows)...)
	}
	if query.Triggers, err = ListParam(q, "trigger", len(definitions.Triggers()), definitions.Triggers()); err != nil {
		return query, "", err
	}
	if version, err = plainFilters(q, &query); err != nil {
		return query, "", err
	}
	if query.Labels, err = labelFilters(q); err != nil {
		return query, "", err
	}
	order := q.Get("order")
	if order != "" && !slices.Contains(runOrders, order) {
		return query, "", Malformed("order must be one of %s, not %q.", strings.Join(runOrders, ", "), Truncate(order))
	}
	// The newest first is what a list is without an order.
	if order != "-created" {
		query.Order = executor.RunOrder(order)
	}
	return query, version, nil
}

// plainFilters reads the filters that are a text, a time or a duration, and returns the version. Of
// several that are wrong it always names the same one.
func plainFilters(q url.Values, query *executor.RunQuery) (version string, err error) {
	for _, f := range []struct {
		name string
		into *string
	}{
		{"schedule_id", &query.ScheduleID},
		{"started_by", &query.StarterID},
		{"template_id", &query.TemplateID},
		{"error_code", &query.ErrorCode},
		{"q", &query.Text},
		{"tag", &query.Tag},
		{"version", &version},
	} {
		if *f.into = q.Get(f.name); len(*f.into) > maxFilterText {
			return "", Malformed("%s must be at most %d bytes.", f.name, maxFilterText)
		}
	}
	for _, f := range []struct {
		name string
		into *time.Time
	}{
		{"created_after", &query.CreatedAfter}, {"created_before", &query.CreatedBefore}, {"ended_after", &query.EndedAfter}, {"ended_before", &query.EndedBefore},
	} {
		if *f.into, err = TimeParam(q, f.name); err != nil {
			return "", err
		}
	}
	for _, f := range []struct {
		name string
		into *time.Duration
	}{{"min_duration", &query.MinDuration}, {"max_duration", &query.MaxDuration}} {
		if *f.into, err = SecondsParam(q, f.name); err != nil {
			return "", err
		}
	}
	return version, nil
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
		return nil, Malformed("At most %d labels can be asked for at once, not %d.", maxFilteredLabels, len(labels))
	}
	return labels, nil
}

// NamedWorkflows returns the ids of the workflows that the parameter workflow names, each once;
// nil: it names none. The errors are those of ListParam and FilteredWorkflow.
func NamedWorkflows(c *Call, definitions *workflows.Service, q url.Values) (ids []string, err error) {
	refs, err := ListParam(q, "workflow", maxFilteredWorkflows, nil)
	if err != nil {
		return nil, err
	}
	for _, ref := range refs {
		id, err := FilteredWorkflow(c, definitions, ref)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return ids, nil
}

// FilterVersion resolves the version of a query, "" for none: it is one of the one workflow that
// is listed.
func FilterVersion(c *Call, history *versions.Service, version string, query *executor.RunQuery) error {
	if version == "" {
		return nil
	}
	if len(query.Workflows) != 1 {
		return Malformed("version is that of a workflow; name one workflow with it.")
	}
	_, v, err := history.Get(c.Ctx(), c.TenantID(), query.Workflows[0], version)
	query.Version = v.Number
	return err
}

// FilteredWorkflow returns the id of a workflow to filter runs by. The runs of a deleted one are
// still found by its id, which is why an unknown id is not an error.
func FilteredWorkflow(c *Call, definitions *workflows.Service, ref string) (string, error) {
	if !ids.Valid(ref) {
		return "", NotFound("workflow", ref)
	}
	w, err := definitions.Get(c.Ctx(), c.TenantID(), ref)
	// Only an id of this form can be a deleted workflow's; an unknown slug is an error.
	if fault.KindOf(err) == fault.NotFound && err != nil && strings.HasPrefix(ref, "wf_") {
		return ref, nil
	}
	return w.ID, err
}
