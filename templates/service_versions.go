package templates

import (
	"context"
	"heddle/fault"
)

// Installed is a workflow that was made of a template.
type Installed struct {
	WorkflowID string
	Slug       string
	Name       string
	Version    int // of the template, at the installation or the last merge
}

// Versions lists at most limit versions of a template without their definitions, newest first,
// and returns the cursor of the next page, "" on the last. A built-in template has the one that
// comes with the program. Errors: fault.NotFound template_not_found.
func (s *Service) Versions(ctx context.Context, tenantID, id, cursor string, limit int) ([]Template, string, error) {
	if t, builtin := s.builtinByID[id]; builtin {
		if cursor != "" {
			return nil, "", fault.New(fault.Malformed, "invalid_request", "cursor is not one that this API returned. Start again without it.")
		}
		t.Definition = nil
		return []Template{t}, "", nil
	}
	return s.store.TemplateVersions(ctx, tenantID, id, cursor, limit)
}

// Version returns one version of a template with its definition. Errors: fault.NotFound
// template_not_found, version_not_found.
func (s *Service) Version(ctx context.Context, tenantID, id string, number int) (Template, error) {
	t, builtin := s.builtinByID[id]
	switch {
	case !builtin:
		return s.store.TemplateVersion(ctx, tenantID, id, number)
	case t.Version != number:
		return Template{}, fault.New(fault.NotFound, "version_not_found", "The template has no version %d: of a built-in one there is the newest alone.", number)
	}
	return t, nil
}

// Pair returns two versions of a template, to be compared; the errors are those of Version.
func (s *Service) Pair(ctx context.Context, tenantID, id string, v1, v2 int) (before, after Template, err error) {
	if before, err = s.Version(ctx, tenantID, id, v1); err != nil {
		return before, after, err
	}
	after, err = s.Version(ctx, tenantID, id, v2)
	return before, after, err
}

// Installed lists at most limit workflows that were made of a template, by id, and returns the
// cursor of the next page, "" on the last. Errors: fault.NotFound template_not_found.
func (s *Service) Installed(ctx context.Context, tenantID, id, cursor string, limit int) ([]Installed, string, error) {
	if _, err := s.Get(ctx, tenantID, id); err != nil {
		return nil, "", err
	}
	return s.store.Installed(ctx, tenantID, id, cursor, limit)
}
