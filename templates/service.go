package templates

import (
	"context"
	"encoding/json"
	"fmt"
	"heddle/definitions"
	"heddle/definitions/parser"
	"heddle/definitions/source"
	"heddle/definitions/validation"
	"heddle/definitions/workflows"
	"heddle/fault"
	"heddle/idempotency"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// ServiceConfig holds what NewService needs.
type ServiceConfig struct {
	Store       Store
	Definitions *workflows.Service  // creates and changes the workflows
	Catalog     definitions.Catalog // what definitions are checked against
	Secrets     workflows.Secrets   // nil: nothing is checked for secrets
	Now         func() time.Time    // may be called concurrently
	NewID       func(prefix string) string
}

// Service keeps templates, installs them as workflows, and merges their updates
// into those. It is safe for concurrent use; builtins and builtinByID never
// change. Whether the caller may do what it asks for is checked before.
type Service struct {
	store       Store
	definitions *workflows.Service
	catalog     definitions.Catalog
	secrets     workflows.Secrets
	now         func() time.Time // UTC, to the millisecond
	newID       func(prefix string) string
	builtins    []Template // sorted by id
	builtinByID map[string]Template
}

// NewService returns a Service. It reads the built-in templates; an error is a
// defect of one of them.
func NewService(cfg ServiceConfig) (*Service, error) {
	list, err := Builtins()
	if err != nil {
		return nil, err
	}
	s := &Service{
		store: cfg.Store, definitions: cfg.Definitions, catalog: cfg.Catalog, secrets: cfg.Secrets, newID: cfg.NewID,
		now:      func() time.Time { return cfg.Now().UTC().Truncate(time.Millisecond) },
		builtins: list, builtinByID: make(map[string]Template, len(list)),
	}
	for _, t := range list {
		s.builtinByID[t.ID] = t
	}
	return s, nil
}

// Get returns the newest version of a template, built-in or the tenant's own. A
// built-in one is shared: do not change its texts. Errors: fault.NotFound
// template_not_found.
func (s *Service) Get(ctx context.Context, tenantID, id string) (Template, error) {
	if t, ok := s.builtinByID[id]; ok {
		return t, nil
	}
	return s.store.Template(ctx, tenantID, id)
}

// Source is where a template's definition comes from: Definition or, where that is
// nil, a version (a number, a label, "" for the active one) of a workflow.
type Source struct {
	Definition *parser.ParsedDefinition
	Workflow   string // id or slug
	Version    string
}

// none reports whether a source names nothing; a version alone names nothing.
func (s Source) none() bool { return s.Definition == nil && s.Workflow == "" }

// CreateRequest describes a template of the tenant's own.
type CreateRequest struct {
	TenantID    string
	Author      string          // recorded as CreatedBy
	Name        string          // 1 to 200 printable characters
	Description string          // at most 2,000 characters
	Category    string          // at most 64 printable characters; empty: "custom"
	Parameters  json.RawMessage // a JSON Schema; empty: NoParameters
	Source      Source
	// Keep, unless nil, is called with the template that is about to be stored;
	// the answer that it returns, if any, is stored in the same transaction.
	Keep  func(t Template) *idempotency.Answer
	Admit source.Admit // reserves memory where the definition is a workflow's
}

// Create stores a template's version 1. Its definition is checked with the
// defaults and examples of its parameters, so that a stored template can be
// installed. Errors: fault.Malformed invalid_request (no definition, or two);
// fault.Unacceptable invalid_name, invalid_template (with all issues),
// secret_in_definition; fault.NotFound workflow_not_found, version_not_found;
// fault.Conflict idempotency_key_taken; those of req.Admit.
func (s *Service) Create(ctx context.Context, req CreateRequest) (Template, error) {
	if req.Source.none() {
		return Template{}, fault.New(fault.Malformed, "invalid_request",
			"Say what the template is made of: workflow_id (and version), or definition.")
	}
	def, err := s.definitionOf(ctx, req.TenantID, req.Source)
	if err != nil {
		return Template{}, err
	}
	now := s.now()
	t := Template{
		ID: s.newID("tpl_"), TenantID: req.TenantID, Name: req.Name, Description: req.Description,
		Category: req.Category, Version: 1, Definition: def, CreatedBy: req.Author, CreatedAt: now, UpdatedAt: now,
	}
	if t.Category == "" {
		t.Category = "custom"
	}
	if t.Parameters, err = canonicalParameters(req.Parameters); err != nil {
		return Template{}, err
	}
	if err := admitStored(req.Admit, req.Source, t); err != nil {
		return Template{}, err
	}
	if err := s.check(t); err != nil {
		return Template{}, err
	}
	if err := s.refuseSecrets(ctx, t.TenantID, t.Definition, t.Parameters); err != nil {
		return Template{}, err
	}
	var keep *idempotency.Answer
	if req.Keep != nil {
		keep = req.Keep(t)
	}
	return t, s.store.CreateTemplate(ctx, t, keep)
}

// admitStored reserves memory for a template whose definition comes from a workflow;
// one from the request was admitted with its body.
func admitStored(admit source.Admit, src Source, t Template) error {
	if src.Definition != nil {
		return nil
	}
	return admit.Hold(source.Weights(t.Parameters, t.Definition))
}

// definitionOf returns the definition that a source names, in canonical form.
// It reads a workflow's version from the store. Errors: fault.Malformed
// invalid_request where both are named or a version alone; fault.Unacceptable invalid_template for
// a definition that cannot be read, and those of Store.VersionDefinition.
func (s *Service) definitionOf(ctx context.Context, tenantID string, src Source) (json.RawMessage, error) {
	if src.none() {
		return nil, fault.New(fault.Malformed, "invalid_request", "A version needs the workflow_id that it is of.")
	}
	if src.Definition == nil {
		return s.store.VersionDefinition(ctx, tenantID, src.Workflow, src.Version)
	}
	if src.Workflow != "" || src.Version != "" {
		return nil, fault.New(fault.Malformed, "invalid_request", "Give workflow_id (and version) or definition, not both.")
	}
	d := src.Definition
	if d.Document == nil || d.Document.Canonical == nil {
		return nil, invalid(withPointerPrefix("/definition", d.Found))
	}
	return d.Document.Canonical, nil
}

// refuseSecrets refuses texts that hold the value of one of the tenant's
// secrets, with fault.Unacceptable secret_in_definition: templates can be read
// with view access alone. Nil texts are left out.
func (s *Service) refuseSecrets(ctx context.Context, tenantID string, texts ...json.RawMessage) error {
	if s.secrets == nil {
		return nil
	}
	for _, text := range texts {
		if text == nil {
			continue
		}
		holds, err := s.secrets.Holds(ctx, tenantID, text)
		if err != nil {
			return err
		}
		if holds {
			return fault.New(fault.Unacceptable, "secret_in_definition",
				"The definition or a parameter holds the value of a secret; write {{ secrets.NAME }} in its place.")
		}
	}
	return nil
}

// canonicalParameters returns a parameter schema in canonical form,
// NoParameters where none is given. Whether it is a schema is not checked here.
func canonicalParameters(raw json.RawMessage) (json.RawMessage, error) {
	if len(raw) == 0 {
		return json.RawMessage(NoParameters), nil
	}
	return source.Canonical(raw)
}

// check refuses a template that could not be installed: fault.Unacceptable
// invalid_name, invalid_template. Warnings do not count.
func (s *Service) check(t Template) error {
	if n := utf8.RuneCountInString(t.Name); n < 1 || n > 200 || !isPrintable(t.Name) {
		return fault.New(fault.Unacceptable, "invalid_name", "A template's name has 1 to 200 printable characters.")
	}
	if utf8.RuneCountInString(t.Description) > 2000 || strings.ContainsRune(t.Description, 0) {
		return fault.New(fault.Unacceptable, "invalid_template", "description has at most 2000 characters.")
	}
	if n := utf8.RuneCountInString(t.Category); n > 64 || !isPrintable(t.Category) {
		return fault.New(fault.Unacceptable, "invalid_template", "category has at most 64 printable characters.")
	}
	issues := Validate(t, s.catalog)
	if !validation.Valid(issues) {
		return invalid(issues)
	}
	return nil
}

// isPrintable reports whether a text is valid UTF-8 of printable characters
// only, the space being the one white space among them.
func isPrintable(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) })
}

// invalid returns fault.Unacceptable invalid_template with all issues.
func invalid(issues []fault.Issue) *fault.Error {
	msgs := validation.Messages(issues)
	err := fault.New(fault.Unacceptable, "invalid_template", "The template has %d errors.", len(msgs))
	if len(msgs) == 1 {
		err.Message = "The template has an error: " + msgs[0]
	}
	err.Issues = issues
	return err
}

// UpdateRequest is a partial change of a template; nil and empty fields stay as
// they are.
type UpdateRequest struct {
	TenantID    string
	ID          string
	Author      string
	Name        *string
	Description *string
	Category    *string
	Parameters  json.RawMessage
	Source      Source // none: the definition stays
	IfMatch     workflows.IfMatch
	Admit       source.Admit // reserves memory where the definition is not the request's
}

// Update stores a template's next version and returns it; where nothing changes
// there is none, and the current one is returned. The version is checked
// against If-Match twice: before the work, and in the transaction that stores.
// Errors: those of Create, fault.Denied template_builtin, fault.NotFound
// template_not_found, fault.Precondition precondition_failed.
func (s *Service) Update(ctx context.Context, req UpdateRequest) (Template, error) {
	if err := s.refuseBuiltin(req.ID); err != nil {
		return Template{}, err
	}
	current, err := s.store.Template(ctx, req.TenantID, req.ID)
	if err != nil {
		return Template{}, err
	}
	if err := checkIfMatch(req.IfMatch, current); err != nil {
		return Template{}, err
	}
	var def json.RawMessage
	if !req.Source.none() || req.Source.Version != "" {
		if def, err = s.definitionOf(ctx, req.TenantID, req.Source); err != nil {
			return Template{}, err
		}
	}
	if len(req.Parameters) > 0 {
		if req.Parameters, err = canonicalParameters(req.Parameters); err != nil {
			return Template{}, err
		}
	}
	if err := s.refuseSecrets(ctx, req.TenantID, def, req.Parameters); err != nil {
		return Template{}, err
	}
	if err := admitStored(req.Admit, req.Source, req.apply(current, def)); err != nil {
		return Template{}, err
	}
	now := s.now()
	return s.store.ChangeTemplate(ctx, req.TenantID, req.ID, func(t Template) (Template, error) {
		if err := checkIfMatch(req.IfMatch, t); err != nil {
			return Template{}, err
		}
		next := req.apply(t, def)
		if sameContent(t, next) {
			return t, nil
		}
		next.Version, next.CreatedBy, next.UpdatedAt = t.Version+1, req.Author, now
		return next, s.check(next)
	})
}

// apply returns the template with the request's changes; def, unless nil, is
// its new definition. Version and times are left as they are.
func (req UpdateRequest) apply(t Template, def json.RawMessage) Template {
	for _, field := range []struct{ to, from *string }{
		{&t.Name, req.Name}, {&t.Description, req.Description}, {&t.Category, req.Category},
	} {
		if field.from != nil {
			*field.to = *field.from
		}
	}
	if len(req.Parameters) > 0 {
		t.Parameters = req.Parameters
	}
	if def != nil {
		t.Definition = def
	}
	return t
}

// sameContent reports whether two versions differ in nothing that a version is made
// for.
func sameContent(a, b Template) bool {
	return a.Name == b.Name && a.Description == b.Description && a.Category == b.Category &&
		string(a.Parameters) == string(b.Parameters) && string(a.Definition) == string(b.Definition)
}

// Delete removes one of the tenant's own templates. Workflows installed from it stay.
// Errors: fault.Denied template_builtin, fault.NotFound template_not_found,
// fault.Precondition precondition_failed.
func (s *Service) Delete(ctx context.Context, tenantID, id string, m workflows.IfMatch) error {
	if err := s.refuseBuiltin(id); err != nil {
		return err
	}
	return s.store.DeleteTemplate(ctx, tenantID, id, func(t Template) error { return checkIfMatch(m, t) })
}

// refuseBuiltin refuses writes on built-in templates: fault.Denied template_builtin.
func (s *Service) refuseBuiltin(id string) error {
	if _, builtin := s.builtinByID[id]; builtin {
		return fault.New(fault.Denied, "template_builtin",
			"Built-in templates are part of the program; install this one and save the workflow as a template of your own.")
	}
	return nil
}

// checkIfMatch refuses a write on a template that changed since the caller read
// it: fault.Precondition precondition_failed, with the version and the ETag
// that it has now. A template's version is its revision.
func checkIfMatch(m workflows.IfMatch, t Template) error {
	if m.Allows(int64(t.Version)) {
		return nil
	}
	return fault.New(fault.Precondition, "precondition_failed",
		"The template has changed since you read it; read it again and repeat the change.").
		With("current_version", t.Version).
		With("current_etag", fmt.Sprintf(`"r%d"`, t.Version))
}
