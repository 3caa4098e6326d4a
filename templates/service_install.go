package templates

import (
	"context"
	"encoding/json"
	"fmt"
	"heddle/definitions/parser"
	"heddle/definitions/source"
	"heddle/definitions/validation"
	"heddle/definitions/workflows"
	"heddle/fault"
	"heddle/idempotency"
)

// InstallRequest describes the workflow to create from a template.
type InstallRequest struct {
	TenantID   string
	Author     string
	TemplateID string
	Name       string          // empty: the name in the template's definition
	Slug       string          // as in workflows.CreateRequest
	Parameters json.RawMessage // an object; empty: none are given
	// Keep, unless nil, returns the answer to store for a repeated request.
	Keep  func(w workflows.Workflow, v workflows.NewVersion) *idempotency.Answer
	Admit source.Admit // reserves memory for the template and for the result
}

// Install creates a workflow from the template's newest version, with the
// template as its origin, in one transaction. Parameters are refused where they
// hold a secret, since the origin shows them. Errors: fault.NotFound
// template_not_found; fault.Unacceptable invalid_parameters (with all issues),
// secret_in_definition, those of workflows.Service.Create and of req.Admit.
func (s *Service) Install(ctx context.Context, req InstallRequest) (workflows.Workflow, error) {
	t, err := s.Get(ctx, req.TenantID, req.TemplateID)
	if err != nil {
		return workflows.Workflow{}, err
	}
	origin, written, err := instantiate(t, req.Name, req.Parameters, req.Admit)
	if err != nil {
		return workflows.Workflow{}, err
	}
	if err := s.refuseSecrets(ctx, req.TenantID, origin.Parameters); err != nil {
		return workflows.Workflow{}, err
	}
	return s.definitions.Create(ctx, workflows.CreateRequest{
		TenantID: req.TenantID, Author: req.Author, Definition: written, Slug: req.Slug, Origin: origin,
		ChangeSummary: fmt.Sprintf("Installed from template %s, version %d", t.Name, t.Version), Keep: req.Keep,
	})
}

// Preview is what an installation would make.
type Preview struct {
	Definition  json.RawMessage // in canonical form
	Diagnostics []fault.Issue
}

// PreviewInstall returns what Install would make of a template, with what is wrong with it, and
// stores nothing. Errors: those of Install that concern template and parameters.
func (s *Service) PreviewInstall(ctx context.Context, req InstallRequest) (Preview, error) {
	t, err := s.Get(ctx, req.TenantID, req.TemplateID)
	if err != nil {
		return Preview{}, err
	}
	origin, written, err := instantiate(t, req.Name, req.Parameters, req.Admit)
	if err != nil {
		return Preview{}, err
	}
	if err := s.refuseSecrets(ctx, req.TenantID, origin.Parameters); err != nil {
		return Preview{}, err
	}
	found, err := s.definitions.ValidateFor(ctx, req.TenantID, written)
	return Preview{origin.Definition, found}, err
}

// instantiate instantiates a template and returns the origin to record with the
// result, and the result itself, parsed. The result may be far larger than
// template and parameters, so memory is reserved for it again.
func instantiate(t Template, name string, parameters json.RawMessage, admit source.Admit) (*workflows.Origin, parser.ParsedDefinition, error) {
	if len(parameters) == 0 {
		parameters = json.RawMessage("{}")
	}
	if err := admit.Hold(source.Weights(t.Parameters, t.Definition, parameters)); err != nil {
		return nil, parser.ParsedDefinition{}, err
	}
	def, issues := Instantiate(t, name, parameters)
	if len(issues) > 0 {
		return nil, parser.ParsedDefinition{}, invalidParameters(t, issues)
	}
	if err := admit.Hold(source.Weights(def, parameters)); err != nil {
		return nil, parser.ParsedDefinition{}, err
	}
	canonical, err := source.Canonical(parameters)
	if err != nil {
		return nil, parser.ParsedDefinition{}, err
	}
	origin := &workflows.Origin{TemplateID: t.ID, Version: t.Version, Name: name, Parameters: canonical, Definition: def}
	return origin, read(def), nil
}

// read parses an instantiated definition.
func read(def json.RawMessage) parser.ParsedDefinition {
	doc, found := parser.Parse(def, source.JSON)
	return parser.ParsedDefinition{Document: doc, Found: found}
}

// invalidParameters returns fault.Unacceptable invalid_parameters with all issues.
func invalidParameters(t Template, issues []fault.Issue) error {
	msgs := validation.Messages(issues)
	err := fault.New(fault.Unacceptable, "invalid_parameters", "The parameters do not fit the template %s: %d errors.", t.Name, len(msgs))
	if len(msgs) == 1 {
		err.Message = fmt.Sprintf("The parameters do not fit the template %s: %s.", t.Name, msgs[0])
	}
	err.Issues = issues
	return err
}

// Links returns the templates that workflows were installed from, by workflow
// id, and whether there are newer versions; workflows without one are left out.
// The store is called once for all of them, and not at all without ids; the map
// is nil then.
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
