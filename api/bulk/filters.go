package bulk

import (
	"encoding/json"
	"heddle/api/core"
	"heddle/definitions/source"
	"heddle/internal/elements"
	"maps"
	"net/url"
	"slices"
	"strings"
)

// filter is the filter of a list as JSON: an object of the names of its query. A value is a
// text, a number, a boolean, or a list of texts, which stands for them with commas between.
type filter struct {
	values url.Values      // nil: none was given
	text   json.RawMessage // as it was given
}

// UnmarshalJSON reads a filter; the names are checked by known. The error is fault.Malformed
// invalid_request.
func (f *filter) UnmarshalJSON(text []byte) error {
	var object map[string]json.RawMessage
	if err := json.Unmarshal(text, &object); err != nil || object == nil {
		return core.Malformed("filter must be an object.")
	}
	f.values, f.text = url.Values{}, slices.Clone(text)
	for _, name := range slices.Sorted(maps.Keys(object)) {
		v, ok := filterText(object[name])
		if !ok {
			return core.Malformed("filter.%s must be a text, a number, true, false, or a list of texts.", core.Truncate(name))
		}
		f.values.Set(name, v)
	}
	return nil
}

// filterText returns a value as it stands in a query string; false: it cannot.
func filterText(value json.RawMessage) (string, bool) {
	var v any
	if json.Unmarshal(value, &v) != nil {
		return "", false
	}
	switch v := v.(type) {
	case string:
		return v, true
	case bool, float64:
		return string(value), true // the number as it is written
	case []any:
		texts := make([]string, len(v))
		for i, e := range v {
			s, ok := e.(string)
			if !ok || s == "" || strings.Contains(s, ",") {
				return "", false
			}
			texts[i] = s
		}
		return strings.Join(texts, ","), len(texts) > 0
	}
	return "", false
}

// known refuses names that are not parameters: fault.Malformed invalid_request.
func (f filter) known(params []core.Param) error {
	names := elements.Map(params, func(p core.Param) string { return p.Name })
	for _, name := range slices.Sorted(maps.Keys(f.values)) {
		if slices.ContainsFunc(params, func(p core.Param) bool { return p.Is(name) }) {
			continue
		}
		if near := source.Nearest(name, names); near != "" {
			return core.Malformed("Unknown filter %q; did you mean %q?", core.Truncate(name), near)
		}
		return core.Malformed("Unknown filter %q; remove it. Known are: %s.", core.Truncate(name), strings.Join(names, ", "))
	}
	return nil
}

// schemaOf describes a filter by the parameters of its list.
func schemaOf(list string, params []core.Param) map[string]any {
	members, patterns := map[string]any{}, map[string]any{}
	// No type: generators of clients know no union of four.
	of := func(p core.Param) map[string]any { return map[string]any{"description": p.Description} }
	for _, p := range params {
		if prefix, _, _ := strings.Cut(p.Name, "."); p.AnyKey {
			patterns["^"+prefix+`\..+`] = of(p)
		} else {
			members[p.Name] = of(p)
		}
	}
	schema := map[string]any{
		"type": "object", "additionalProperties": false, "properties": members,
		"description": "The filters of " + list + ", by the same names; {} selects all. A value is a text, a number, true, false, or a list of texts, which stands for them with commas between.",
	}
	if len(patterns) > 0 {
		schema["patternProperties"] = patterns
	}
	return schema
}

// runParams are the filters of the list of runs. Its order is not one of them: by some orders
// not all runs are listed.
func runParams() []core.Param {
	all := slices.Concat(core.WorkflowFilterParams(), core.RunFilterParams())
	return slices.DeleteFunc(all, func(p core.Param) bool { return p.Name == "order" })
}

// runFilter selects runs.
type runFilter struct{ filter }

// JSONSchema describes the filter.
func (runFilter) JSONSchema() map[string]any {
	return schemaOf("GET /api/workflows/runs", runParams())
}

// scheduleParams are the filters of the list of schedules.
func scheduleParams() []core.Param {
	return []core.Param{
		{Name: "workflow", Description: "Only schedules of this workflow, by id or slug."},
		{Name: "status", Description: "Only schedules in this status: active, paused or ended."},
		{Name: "health", Description: "Only schedules that go like this: failing or late."},
		{Name: "q", Description: "Text of the workflow, the expression or the zone, or the beginning of the id."},
	}
}

// scheduleFilter selects schedules.
type scheduleFilter struct{ filter }

// JSONSchema describes the filter.
func (scheduleFilter) JSONSchema() map[string]any {
	return schemaOf("GET /api/workflows/schedules", scheduleParams())
}

// workflowParams are the filters of the list of workflows.
func workflowParams() []core.Param {
	return []core.Param{
		{Name: "status", Description: "Only workflows in this status: draft, active, paused or archived."},
		{Name: "trigger_type", Description: "Only workflows with this type of trigger."},
		{Name: "tag", Description: "Only workflows with exactly this tag."},
		{Name: "q", Description: "Free text over name, slug and description."},
	}
}

// workflowFilter selects workflows.
type workflowFilter struct{ filter }

// JSONSchema describes the filter.
func (workflowFilter) JSONSchema() map[string]any {
	return schemaOf("GET /api/workflows", workflowParams())
}
