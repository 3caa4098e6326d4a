package workflows

import (
	"heddle/access"
	"heddle/api/core"
	"heddle/internal/elements"
	"heddle/search"
	"net/http"
	"strings"
	"unicode/utf8"
)

// foundBody is what a search found.
type foundBody struct {
	Hits []searchHit `json:"hits" doc:"At most 20, by type."`
}

// searchHit is one of them.
type searchHit struct {
	Type   string       `json:"type" enum:"workflow,run,schedule,template,step"`
	ID     string       `json:"id"`
	Title  string       `json:"title" doc:"A workflow's or template's name, a run's workflow, a schedule's expression and zone, a step's name, or its id without one."`
	Status string       `json:"status,omitempty" doc:"A run's, a workflow's or a schedule's."`
	Of     *hitWorkflow `json:"workflow,omitempty" doc:"Left out of templates."`
}

// hitWorkflow is the workflow that a hit is, or belongs to.
type hitWorkflow struct {
	ID   string `json:"id"`
	Slug string `json:"slug"`
}

// searchHitOf returns a hit as answers show it.
func searchHitOf(h search.Hit) searchHit {
	b := searchHit{Type: string(h.Type), ID: h.ID, Title: h.Title, Status: h.Status}
	if h.State != "" {
		b.Status = core.WordsOf(h.State).Workflows
	}
	if h.WorkflowID != "" {
		b.Of = &hitWorkflow{h.WorkflowID, h.Slug}
	}
	return b
}

// searcher serves searches. It may be used concurrently.
type searcher struct{ Services }

// searchAll finds what a text may mean, within what the caller may view.
func (h *searcher) searchAll(c *core.Call) error {
	q, err := c.Query()
	if err != nil {
		return err
	}
	text := strings.TrimSpace(q.Get("q"))
	if n := utf8.RuneCountInString(text); n < 1 || n > 200 {
		return core.Malformed("q must have 1 to 200 characters.")
	}
	types := elements.Map(search.Types(), func(t search.Type) string { return string(t) })
	wanted, err := core.ListParam(q, "types", len(types), types)
	if err != nil {
		return err
	}
	hits, err := h.Search.Find(c.Ctx(), search.Query{
		TenantID: c.TenantID(), Text: text, Viewable: access.ViewableWorkflows(c.Principal),
		Types: elements.Map(wanted, func(t string) search.Type { return search.Type(t) }),
	})
	if err != nil {
		return err
	}
	return c.Reply(http.StatusOK, foundBody{Hits: elements.Map(hits, searchHitOf)})
}

// searchRoutes returns the route by which clients jump to what a person names.
func (h *searcher) searchRoutes() []core.Route {
	return []core.Route{
		core.Route{
			Method: http.MethodGet, Path: "/v1/search", ID: "searchEverything", Tag: "site",
			Summary: "Find workflows, runs, schedules, templates and steps by a few characters", Action: access.View, On: core.FilteredByAccess,
			Query: []core.Param{
				{Name: "q", Required: true, Description: "1 to 200 characters: a text of a workflow or template, the beginning of a run's id or name, or a label's value."},
				{Name: "types", Description: "Some of workflow, run, schedule, template and step, with commas between them; all without it. Schedules are found by their workflows, steps of active versions by the beginning of a word of their id or name."},
			},
			Answers: core.OK(foundBody{}),
		}.Handle(core.NoBody(h.searchAll)),
	}
}
