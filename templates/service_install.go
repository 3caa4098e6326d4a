package templates

import (
	"context"
	"encoding/json"
	"fmt"
	"heddle/definitions"
	"heddle/fault"
	"heddle/idempotency"
)

// InstallRequest describes the workflow to create from a template. An empty Name
// leaves the definition's own. Keep, unless nil, returns the answer to store for a
// repeated request.
type InstallRequest struct {
	TenantID   string
	Author     string
	TemplateID string
	Name       string
	Slug       string
	Parameters json.RawMessage
	Keep       func(w definitions.Workflow, v definitions.NewVersion) *idempotency.Answer
	Admit      definitions.Admit
}

// Install creates a workflow from the template's newest version, with the template as
// its origin, in one transaction. Errors:
// fault.NotFound template_not_found; fault.Unacceptable invalid_parameters
// (with all issues), those of definitions.Service.Create and of req.Admit.
func (s *Service) Install(ctx context.Context, req InstallRequest) (definitions.Workflow, error) {
	t, err := s.Get(ctx, req.TenantID, req.TemplateID)
	if err != nil {
		return definitions.Workflow{}, err
	}
	origin, written, err := instantiate(t, req.Name, req.Parameters, req.Admit)
	if err != nil {
		return definitions.Workflow{}, err
	}
	if err := s.refuseSecrets(ctx, req.TenantID, origin.Parameters); err != nil {
		return definitions.Workflow{}, err
	}
	return s.definitions.Create(ctx, definitions.CreateRequest{
		TenantID: req.TenantID, Author: req.Author, Definition: written, Slug: req.Slug, Origin: origin,
		ChangeSummary: fmt.Sprintf("Installed from template %s, version %d", t.Name, t.Version), Keep: req.Keep,
	})
}

// instantiate instantiates a template and returns the origin to record with the
// result. The result may be far larger than template and parameters, so memory is
// reserved for it again.
func instantiate(t Template, name string, parameters json.RawMessage, admit definitions.Admit) (*definitions.Origin, definitions.Written, error) {
	if len(parameters) == 0 {
		parameters = json.RawMessage("{}")
	}
	if err := admit.Hold(definitions.Weights(t.Parameters, t.Definition, parameters)); err != nil {
		return nil, definitions.Written{}, err
	}
	def, issues := Instantiate(t, name, parameters)
	if len(issues) > 0 {
		return nil, definitions.Written{}, invalidParameters(t, issues)
	}
	if err := admit.Hold(definitions.Weights(def, parameters)); err != nil {
		return nil, definitions.Written{}, err
	}
	canonical, err := definitions.Canonical(parameters)
	if err != nil {
		return nil, definitions.Written{}, err
	}
	origin := &definitions.Origin{TemplateID: t.ID, Version: t.Version, Name: name, Parameters: canonical, Definition: def}
	return origin, read(def), nil
}

// read parses an instantiated definition.
func read(def json.RawMessage) definitions.Written {
	doc, found := definitions.Parse(def, definitions.JSON)
	return definitions.Written{Document: doc, Found: found}
}

// invalidParameters returns fault.Unacceptable invalid_parameters with all issues.
func invalidParameters(t Template, issues []fault.Issue) error {
	msgs := definitions.Messages(issues)
	err := fault.New(fault.Unacceptable, "invalid_parameters", "The parameters do not fit the template %s: %d errors.", t.Name, len(msgs))
	if len(msgs) == 1 {
		err.Message = fmt.Sprintf("The parameters do not fit the template %s: %s.", t.Name, msgs[0])
	}
	err.Issues = issues
	return err
}

// Links returns the templates that workflows were installed from, by workflow id, and
// whether there are newer versions; workflows without one are left out.
func (s *Service) Links(ctx context.Context, tenantID string, workflowIDs ...string) (map[string]Link, error) {
	if len(workflowIDs) == 0 {
		return nil, nil
	}
	links, err := s.store.Links(ctx, tenantID, workflowIDs)
	if err != nil {
		return nil, err
	}
	for id, link := range links {
		if t, builtin := s.builtinByID[link.TemplateID]; builtin {
			link.Newest = t.Version
		}
		if link.Newest > link.Version {
			link.UpdateAvailable = link.Newest
		}
		links[id] = link
	}
	return links, nil
}
