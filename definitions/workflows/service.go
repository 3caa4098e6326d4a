package workflows

import (
	"cmp"
	"context"
	"encoding/json"
	"heddle/audit"
	"heddle/definitions"
	"heddle/definitions/parser"
	"heddle/definitions/source"
	"heddle/definitions/validation"
	"heddle/fault"
	"heddle/idempotency"
	"heddle/internal/exactjson"
	"time"
)

// OpenRuns ends the open runs of a workflow that is being deleted by force.
// The executor implements it; CancelOpen returns once the cancels are
// durable, not once the runs have ended.
type OpenRuns interface {
	CancelOpen(ctx context.Context, tenantID, workflowID string) error
}

// Secrets reports whether a JSON value holds the value of one of the tenant's
// secrets.
type Secrets interface {
	Holds(ctx context.Context, tenantID string, value json.RawMessage) (bool, error)
}

// ServiceConfig is what a Service is made of. All but Secrets and Agents is
// required; without those, what only they know is not checked.
type ServiceConfig struct {
	Store   Store
	Catalog definitions.Catalog
	Runs    OpenRuns
	Secrets Secrets
	Agents  Agents
	Now     func() time.Time           // of any zone and precision; the service keeps UTC milliseconds
	NewID   func(prefix string) string // unique, with the prefix in front
}

// Service is authoring: it checks what people write and keeps workflows and
// their versions by the rules of their status. It has no state of its own and
// may be used concurrently.
type Service struct {
	store   Store
	catalog definitions.Catalog
	runs    OpenRuns
	secrets Secrets
	agents  Agents
	now     func() time.Time
	newID   func(prefix string) string
}

// Traits returns what a step type declares about itself (see
// definitions.Traits); zero for a type that the catalog does not have.
func (s *Service) Traits(stepType string) definitions.Traits {
	return definitions.TraitsIn(s.catalog, stepType)
}

// NewService returns a Service. Times are cut to milliseconds here, because
// that is what the store keeps: a workflow that is returned equals the one
// that is read later.
func NewService(cfg ServiceConfig) *Service {
	return &Service{
		store: cfg.Store, catalog: cfg.Catalog, runs: cfg.Runs, secrets: cfg.Secrets, agents: cfg.Agents, newID: cfg.NewID,
		now: func() time.Time { return cfg.Now().UTC().Truncate(time.Millisecond) },
	}
}

// CreateRequest creates a workflow with its version 1, published. Empty
// fields take the defaults: trigger manual, status active, the id as the
// slug.
type CreateRequest struct {
	TenantID      string
	Author        string // the name that the version shows
	Definition    parser.ParsedDefinition
	TriggerType   string
	Tags          []string
	Slug          string
	Status        Status
	ChangeSummary string
	Origin        *Origin // nil: not of a template
	// Keep, when set, is called with what is about to be stored; the answer
	// that it returns, if any, is stored in the same transaction.
	Keep func(w Workflow, v NewVersion) *idempotency.Answer
}

// Create stores a new workflow and returns it. Errors: fault.Unacceptable
// invalid_definition (with all issues), secret_in_definition, invalid_slug,
// invalid_trigger_type, invalid_status, invalid_tags, invalid_change_summary;
// fault.Conflict slug_taken, idempotency_key_taken.
func (s *Service) Create(ctx context.Context, req CreateRequest) (Workflow, error) {
	if err := checkCreate(req); err != nil {
		return Workflow{}, err
	}
	tags, err := checkTags(req.Tags)
	if err != nil {
		return Workflow{}, err
	}
	doc, err := s.storable(ctx, req.TenantID, req.Definition)
	if err != nil {
		return Workflow{}, err
	}
	now := s.now()
	w := Workflow{
		ID: s.newID("wf_"), TenantID: req.TenantID, Slug: req.Slug,
		Status: cmp.Or(req.Status, Active), TriggerType: cmp.Or(req.TriggerType, "manual"), Tags: tags,
		LatestVersion: 1, Revision: 1, CreatedAt: now, UpdatedAt: now,
	}
	w = w.Activate(1, TitleIn(doc))
	w.Slug = cmp.Or(w.Slug, w.ID)
	who, _ := audit.ActorOf(ctx)
	v := &NewVersion{
		Number: 1, Definition: doc.Canonical, Hash: doc.Hash, Written: req.Definition.Written, CreatedBy: req.Author, Author: who, CreatedAt: now,
		ChangeSummary: cmp.Or(req.ChangeSummary, "Initial version"),
	}
	var keep *idempotency.Answer
	if req.Keep != nil {
		keep = req.Keep(w, *v)
	}
	return w, s.store.CreateWorkflow(ctx, Revision{Workflow: w, Version: v, Origin: req.Origin}, keep)
}

// Schema is the JSON Schema of a definition, with the configs of all step
// types.
func (s *Service) Schema() json.RawMessage { return parser.Schema(s.catalog) }

// Get returns a workflow by id or slug; else fault.NotFound
// workflow_not_found.
func (s *Service) Get(ctx context.Context, tenantID, ref string) (Workflow, error) {
	return s.store.Workflow(ctx, tenantID, ref)
}

// List returns a page of workflows. An unknown status, trigger type, health or order is
// fault.Malformed invalid_request.
func (s *Service) List(ctx context.Context, q Query) (Page, error) {
	if q.Status != "" && !q.Status.known() {
		return Page{}, fault.New(fault.Malformed, "invalid_request",
			"status must be draft, active, paused or archived, not %q.", q.Status)
	}
	if q.TriggerType != "" && !knownTrigger(q.TriggerType) {
		return Page{}, fault.New(fault.Malformed, "invalid_request",
			"trigger_type must be manual, schedule, webhook, api or event, not %q.", q.TriggerType)
	}
	if q.Health != "" && q.Health != Failing {
		return Page{}, fault.New(fault.Malformed, "invalid_request", "health must be failing, not %q.", q.Health)
	}
	if q.Order != "" && q.Order != LastChanged && q.Order != ByName {
		return Page{}, fault.New(fault.Malformed, "invalid_request", "order must be -updated or name, not %q.", q.Order)
	}
	// A principal that may view nothing: no query can select by an empty
	// list.
	if q.IDs != nil && len(q.IDs) == 0 {
		return Page{Total: totalOf(q.WantTotal)}, nil
	}
	return s.store.Workflows(ctx, q)
}

// totalOf returns the total of an empty page: 0 where it is wanted, else -1.
func totalOf(wanted bool) int {
	if wanted {
		return 0
	}
	return -1
}

// sound returns the document of a definition without errors; otherwise all
// issues are one fault, Unacceptable invalid_definition.
func (s *Service) sound(d parser.ParsedDefinition) (*parser.Document, error) {
	return d.Document, validation.Refusal(d.Document, validation.Parsed(d, s.catalog, nil))
}

// Sound returns the document of a definition without errors, for what is tried and not
// stored; otherwise fault.Unacceptable invalid_definition with all issues.
func (s *Service) Sound(d parser.ParsedDefinition) (*parser.Document, error) { return s.sound(d) }

// storable returns a sound document that holds no secret of the tenant;
// otherwise the error of sound, or fault.Unacceptable secret_in_definition.
// Definitions are readable by more people than secrets are.
func (s *Service) storable(ctx context.Context, tenantID string, d parser.ParsedDefinition) (*parser.Document, error) {
	doc, err := s.sound(d)
	if err != nil || s.secrets == nil {
		return doc, err
	}
	holds, err := HoldsSecret(ctx, s.secrets, tenantID, doc.Canonical, d.Written)
	if err != nil {
		return nil, err
	}
	if holds {
		return nil, errSecret()
	}
	return doc, nil
}

// errSecret is fault.Unacceptable secret_in_definition.
func errSecret() error {
	return fault.New(fault.Unacceptable, "secret_in_definition",
		"The definition holds the value of a secret; write {{ secrets.NAME }} in its place.")
}

// HoldsSecret reports whether a definition, or the text that it was written in, holds the value
// of one of the tenant's secrets: a comment has no place in the canonical form. An empty
// definition is not searched.
func HoldsSecret(ctx context.Context, in Secrets, tenantID string, definition json.RawMessage, w source.Written) (bool, error) {
	if len(definition) > 0 {
		if holds, err := in.Holds(ctx, tenantID, definition); err != nil || holds {
			return holds, err
		}
	}
	if !w.Given() {
		return false, nil
	}
	return in.Holds(ctx, tenantID, exactjson.AppendString(nil, w.Text))
}
