// Package search finds what a person may mean by a few characters: workflows by their texts,
// runs by their ids, names and labels, schedules by their workflows, templates, and steps by the
// words of their ids and names. It is for
// jumping there, and not for lists: it returns few of each, and says nothing of how many there
// are.
//
// Every part is bounded by what it reads, whatever the tenant has, and shows only what the
// caller may view. It knows neither SQL nor HTTP.
package search

import (
	"cmp"
	"context"
	"heddle/definitions/workflows"
	"heddle/executor"
	"heddle/executor/machine"
	"heddle/schedules"
	"heddle/templates"
	"slices"
	"strings"
)

// Type is what was found.
type Type string

// The types, in the order of the hits.
const (
	Workflow Type = "workflow"
	Run      Type = "run"
	Schedule Type = "schedule"
	Template Type = "template"
	StepType Type = "step"
)

// Types returns all types, in the order of the hits.
func Types() []Type { return []Type{Workflow, Run, Schedule, Template, StepType} }

// MaxHits is how many hits one search returns at most.
const MaxHits = 20

// Query is what is searched.
type Query struct {
	TenantID string
	Text     string   // not empty
	Types    []Type   // none: all
	Viewable []string // the workflows that the caller may view; nil: all of the tenant's, and templates
}

// Hit is one thing that was found.
type Hit struct {
	Type  Type
	ID    string
	Title string
	// State is a run's, Status a workflow's or schedule's; "" for others.
	State  machine.State
	Status string
	// WorkflowID and Slug are of the workflow that it is, or belongs to; "" of a template.
	WorkflowID, Slug string
}

// The parts of the product that are searched; each fits one service.
type (
	// Workflows lists workflows.
	Workflows interface {
		List(ctx context.Context, q workflows.Query) (workflows.Page, error)
	}
	// Runs lists runs.
	Runs interface {
		Runs(ctx context.Context, q executor.RunQuery) (executor.RunPage, error)
	}
	// Schedules lists schedules.
	Schedules interface {
		List(ctx context.Context, q schedules.Query) (schedules.Page, error)
	}
	// Templates lists templates.
	Templates interface {
		List(ctx context.Context, q templates.Query) (templates.Page, error)
	}
)

// Step is a step of the active version of a workflow.
type Step struct {
	ID, Name         string // Name may be ""
	WorkflowID, Slug string
}

// Steps finds the steps of active versions of which a word of the id or the name begins with a
// text, at most limit, of the workflows that may be viewed (nil: of all).
type Steps interface {
	FindSteps(ctx context.Context, tenantID, text string, viewable []string, limit int) ([]Step, error)
}

// Service searches. It is safe for concurrent use.
type Service struct {
	workflows Workflows
	runs      Runs
	schedules Schedules
	templates Templates
	steps     Steps
}

// New returns a Service over these.
func New(w Workflows, r Runs, s Schedules, t Templates, steps Steps) *Service {
	return &Service{w, r, s, t, steps}
}

// Find returns at most MaxHits hits, by type, of each type at most its share. The errors are
// those of the lists.
func (s *Service) Find(ctx context.Context, q Query) ([]Hit, error) {
	if len(q.Types) == 0 {
		q.Types = Types()
	}
	share := MaxHits / len(q.Types)
	hits := []Hit{}
	for _, part := range []struct {
		of   Type
		find func(context.Context, Query, int) ([]Hit, error)
	}{{Workflow, s.findWorkflows}, {Run, s.findRuns}, {Schedule, s.findSchedules}, {Template, s.findTemplates}, {StepType, s.findSteps}} {
		if !slices.Contains(q.Types, part.of) {
			continue
		}
		found, err := part.find(ctx, q, share)
		if err != nil {
			return nil, err
		}
		hits = append(hits, found...)
	}
	return hits, nil
}

// findWorkflows finds workflows whose name, slug or description holds the text, those first
// whose slug or name begins with it.
func (s *Service) findWorkflows(ctx context.Context, q Query, limit int) ([]Hit, error) {
	found, err := s.workflows.List(ctx, workflows.Query{TenantID: q.TenantID, IDs: q.Viewable, Text: q.Text, Limit: limit})
	if err != nil {
		return nil, err
	}
	hits := make([]Hit, 0, len(found.Workflows))
	for _, w := range found.Workflows {
		hits = append(hits, Hit{Type: Workflow, ID: w.ID, Title: w.Name, Status: string(w.Status), WorkflowID: w.ID, Slug: w.Slug})
	}
	slices.SortStableFunc(hits, func(a, b Hit) int { return cmp.Compare(rank(a, q.Text), rank(b, q.Text)) })
	return hits, nil
}

// rank returns 0 for a hit whose slug or title begins with the text, otherwise 1.
func rank(h Hit, text string) int {
	text = strings.ToLower(text)
	if strings.HasPrefix(h.Slug, text) || strings.HasPrefix(strings.ToLower(h.Title), text) {
		return 0
	}
	return 1
}

// findRuns finds runs whose id or name begins with the text, or that have it as a label.
func (s *Service) findRuns(ctx context.Context, q Query, limit int) ([]Hit, error) {
	found, err := s.runs.Runs(ctx, executor.RunQuery{TenantID: q.TenantID, WorkflowIDs: q.Viewable, Text: q.Text, Limit: limit})
	if err != nil {
		return nil, err
	}
	hits := make([]Hit, 0, len(found.Runs))
	for _, r := range found.Runs {
		hits = append(hits, Hit{Type: Run, ID: r.RunID, Title: r.Slug, State: r.State, WorkflowID: r.WorkflowID, Slug: r.Slug})
	}
	return hits, nil
}

// findSchedules finds the newest schedules of the workflows that the text finds.
func (s *Service) findSchedules(ctx context.Context, q Query, limit int) ([]Hit, error) {
	of, err := s.findWorkflows(ctx, q, limit)
	if err != nil {
		return nil, err
	}
	hits := []Hit{}
	for _, w := range of {
		if len(hits) == limit {
			break
		}
		found, err := s.schedules.List(ctx, schedules.Query{TenantID: q.TenantID, WorkflowID: w.ID, Limit: limit - len(hits)})
		if err != nil {
			return nil, err
		}
		for _, sc := range found.Schedules {
			hits = append(hits, Hit{Type: Schedule, ID: sc.ID, Title: sc.Expression + " " + sc.Timezone, Status: string(sc.Status), WorkflowID: w.ID, Slug: w.Slug})
		}
	}
	return hits, nil
}

// maxTemplates is how many templates are looked at: the built-in ones, and the tenant's own
// that were changed last.
const maxTemplates = 200

// findTemplates finds templates whose name, description or category holds the text, whatever
// the case. Who may not view all of the tenant sees none.
func (s *Service) findTemplates(ctx context.Context, q Query, limit int) ([]Hit, error) {
	if q.Viewable != nil {
		return nil, nil
	}
	found, err := s.templates.List(ctx, templates.Query{TenantID: q.TenantID, Limit: maxTemplates})
	if err != nil {
		return nil, err
	}
	text, hits := strings.ToLower(q.Text), []Hit{}
	for _, t := range found.Templates {
		if len(hits) < limit && strings.Contains(strings.ToLower(t.Name+"\n"+t.Description+"\n"+t.Category), text) {
			hits = append(hits, Hit{Type: Template, ID: t.ID, Title: t.Name})
		}
	}
	return hits, nil
}

// findSteps finds steps of active versions by the words of their ids and names.
func (s *Service) findSteps(ctx context.Context, q Query, limit int) ([]Hit, error) {
	found, err := s.steps.FindSteps(ctx, q.TenantID, q.Text, q.Viewable, limit)
	hits := make([]Hit, 0, len(found))
	for _, st := range found {
		hits = append(hits, Hit{Type: StepType, ID: st.ID, Title: cmp.Or(st.Name, st.ID), WorkflowID: st.WorkflowID, Slug: st.Slug})
	}
	return hits, err
}
