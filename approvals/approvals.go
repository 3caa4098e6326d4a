// Package approvals shows the open waits for signals of a tenant's runs as objects that
// people answer, and passes their answers on. An approval is an input request of a run
// (executor/machine.InputRequest): its row is written in the transaction of the event that
// opened it and closed in that of the event that ended it, so that the list never differs
// from the journals.
//
// It promises that of two answers to one approval exactly one counts, by whichever way and at
// whichever node they come, and that the other is told who was first. What becomes of an
// answer in the run is the executor's matter; this package knows no SQL and no HTTP.
package approvals

import (
	"context"
	"encoding/json"
	"heddle/access"
	"heddle/audit"
	"heddle/executor"
	"heddle/executor/machine"
	"heddle/fault"
	"slices"
	"time"
)

// State is where an approval stands. All but Open are final.
type State string

// The states.
const (
	Open      State = "open"
	Answered  State = "answered"
	Expired   State = "expired"   // its wait timed out
	Cancelled State = "cancelled" // its run ended, or goes on without it
)

// States returns all of them, in a new slice.
func States() []State { return []State{Open, Answered, Expired, Cancelled} }

// Approval is an input request of a run with what became of it. Times have milliseconds.
type Approval struct {
	ID         string // apr_…, the request id by which signals name it
	TenantID   string
	RunID      string
	WorkflowID string
	// Slug is the workflow's when the run started, Name its present name; "" where it was
	// deleted.
	Slug, Name string
	Version    int // that the run was on
	machine.InputRequest
	InputHead string      // how the run's input begins, at most InputHead bytes of JSON text
	StartedBy audit.Actor // of the run; zero: not known
	State     State
	OpenedAt  time.Time
	ClosedAt  time.Time // zero: open
	// Of an answer: who gave it, with which comment.
	AnsweredBy audit.Actor
	Comment    string
	Payload    json.RawMessage // nil: not answered
	Key        string          // that of Answer.Key, "": none
}

// InputHead is how many bytes of a run's input an approval shows at most.
const InputHead = 1000

// Order is how a list is sorted.
type Order string

// The orders. Approvals that never expire come last in ByExpiry.
const (
	Oldest   Order = "opened"
	Newest   Order = "-opened"
	ByExpiry Order = "expires"
)

// MinPrefix is how many characters a Query.Prefix has at least: shorter ones begin too many
// ids.
const MinPrefix = 12

// Query selects approvals of a tenant. Zero values do not filter.
type Query struct {
	TenantID    string
	WorkflowIDs []string // nil: all; what the principal may see
	WorkflowID  string
	State       State
	Signal      string
	// Assignees selects what is assigned to one of these names and ids, or to nobody; nil:
	// all.
	Assignees []string
	Prefix    string // of the approval's or the run's id
	Order     Order  // "": Oldest
	Limit     int
	Cursor    string // from Page.Next
}

// Page is one page of approvals. Next is empty on the last.
type Page struct {
	Approvals []Approval
	Next      string
}

// Store reads approvals. Only commits of runs write them. Each method is one transaction.
type Store interface {
	// Approval reads one; another tenant's is fault.NotFound approval_not_found.
	Approval(ctx context.Context, tenantID, id string) (Approval, error)
	// Approvals reads a page. It costs the same however many there are.
	Approvals(ctx context.Context, q Query) (Page, error)
	// OpenApprovals returns how many of the workflows' approvals are open; nil: of all.
	OpenApprovals(ctx context.Context, tenantID string, workflowIDs []string) (int, error)
	// CountApprovals counts what the query selects, up to most.
	CountApprovals(ctx context.Context, q Query, most int) (int, error)
}

// Signals delivers answers; the executor does.
type Signals interface {
	Signal(ctx context.Context, tenantID, runID string, sig machine.Signal) (executor.SignalOutcome, error)
}

// Service shows and answers approvals. It is safe for concurrent use.
type Service struct {
	store   Store
	signals Signals
}

// New returns a service over a store.
func New(store Store, signals Signals) *Service { return &Service{store, signals} }

// Get returns an approval that the principal may see. Errors: fault.NotFound
// approval_not_found, fault.Denied acl_denied.
func (s *Service) Get(ctx context.Context, p access.Principal, id string) (Approval, error) {
	a, err := s.store.Approval(ctx, p.TenantID, id)
	if err != nil {
		return Approval{}, err
	}
	if !access.Can(p, access.View, a.WorkflowID) && !access.Can(p, access.Answer, a.WorkflowID) {
		return Approval{}, access.Denied(access.View, "workflow:"+a.Slug)
	}
	return a, nil
}

// MayAnswer reports whether the principal may answer an approval as long as it is open. Who
// may execute the workflow may, since any of its signals can be sent then; who may only
// answer has to be an assignee where there are some.
func MayAnswer(p access.Principal, a Approval) bool {
	if access.Can(p, access.Execute, a.WorkflowID) {
		return true
	}
	return access.Can(p, access.Answer, a.WorkflowID) && (len(a.Assignees) == 0 || assigned(p, a))
}

// assigned reports whether the principal is one of those that are asked.
func assigned(p access.Principal, a Approval) bool {
	return slices.ContainsFunc(namesOf(p), func(name string) bool { return slices.Contains(a.Assignees, name) })
}

// namesOf returns what the principal may be called in a list of assignees: its id, a key's name, a
// user's verified address. Not a user's name, which people choose themselves at the provider.
func namesOf(p access.Principal) []string {
	switch {
	case p.Actor.Type != audit.User:
		return []string{p.Actor.ID, p.Actor.Name}
	case p.Email != "":
		return []string{p.Actor.ID, p.Email}
	}
	return []string{p.Actor.ID}
}

// ListRequest is a list as a principal wants it.
type ListRequest struct {
	Query
	// Mine selects what the principal is asked: assigned to it, or to nobody, in workflows
	// whose approvals it may answer.
	Mine bool
}

// List returns a page of what the principal may see. Errors: fault.Malformed invalid_request.
func (s *Service) List(ctx context.Context, p access.Principal, r ListRequest) (Page, error) {
	if r.Prefix != "" && len(r.Prefix) < MinPrefix {
		return Page{}, fault.New(fault.Malformed, "invalid_request", "q must have at least %d characters of an approval's or a run's id.", MinPrefix)
	}
	r.restrict(p)
	return s.store.Approvals(ctx, r.Query)
}

// restrict makes a request that of a principal.
func (r *ListRequest) restrict(p access.Principal) {
	r.TenantID, r.WorkflowIDs = p.TenantID, visible(p)
	if r.Mine {
		r.WorkflowIDs, r.Assignees = access.WorkflowsFor(p, access.Answer), namesOf(p)
	}
}

// visible returns the workflows whose approvals the principal may see; nil: all.
func visible(p access.Principal) []string { return access.WorkflowsFor(p, access.View, access.Answer) }

// Counts are how many approvals are open: all that the principal may see, and of these the
// ones that it is asked, up to CountMost.
type Counts struct {
	Open, Mine int
}

// CountMost bounds Counts.Mine.
const CountMost = 1000

// Count returns how many approvals are open. It costs the same however many there are.
func (s *Service) Count(ctx context.Context, p access.Principal) (Counts, error) {
	open, err := s.OpenTotal(ctx, p)
	if err != nil {
		return Counts{}, err
	}
	mine := ListRequest{Query: Query{State: Open}, Mine: true}
	mine.restrict(p)
	n, err := s.store.CountApprovals(ctx, mine.Query, CountMost)
	return Counts{open, n}, err
}

// OpenTotal returns how many approvals that the principal may see are open.
func (s *Service) OpenTotal(ctx context.Context, p access.Principal) (int, error) {
	return s.store.OpenApprovals(ctx, p.TenantID, visible(p))
}
