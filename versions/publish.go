package versions

import (
	"context"
	"heddle/audit"
	"heddle/definitions/workflows"
	"heddle/fault"
	"strconv"
	"strings"

	regexp "heddle/internal/lazyregexp"
)

// Reference names a version of a workflow.
type Reference struct {
	TenantID string
	Workflow string            // id or slug
	Version  string            // a number ("3", "v3") or a label
	IfMatch  workflows.IfMatch // the revisions of the workflow that a write accepts; nil: any
}

// find reads the workflow and the version of a reference. Between this and a later
// write the workflow may change, but the version cannot.
func (s *Service) find(ctx context.Context, r Reference) (workflows.Workflow, Version, error) {
	w, err := s.store.Workflow(ctx, r.TenantID, r.Workflow)
	if err != nil {
		return w, Version{}, err
	}
	v, err := s.store.Version(ctx, r.TenantID, w.ID, r.Version)
	return w, v, err
}

// Publish makes a version the active one and returns the workflow; open runs
// keep their version, new ones run this one. Publishing the active version
// changes nothing. It is decided inside the transaction that stores it, with
// the workflow as it is by then. Errors: fault.NotFound workflow_not_found,
// version_not_found; fault.Conflict workflow_archived; fault.Precondition
// precondition_failed.
func (s *Service) Publish(ctx context.Context, r Reference) (workflows.Workflow, error) {
	w, v, err := s.find(ctx, r)
	if err != nil {
		return w, err
	}
	title, err := workflows.TitleOf(v.Definition)
	if err != nil {
		return w, err
	}
	now := s.now()
	return s.store.Change(ctx, r.TenantID, w.ID, func(c workflows.Current) (workflows.Revision, error) {
		if err := workflows.Editable(c.Workflow, r.IfMatch); err != nil {
			return workflows.Revision{}, err
		}
		return c.Revise(workflows.Revision{Workflow: c.Workflow.Activate(v.Number, title)}, now), nil
	})
}

// RollbackRequest names the version to go back to.
type RollbackRequest struct {
	Reference
	Author        string // the name recorded for the new version
	ChangeSummary string // empty: "Rollback to version n"
}

// Rollback creates a new version with the definition of an earlier one and
// makes it the active one, in one transaction; history is never rewritten. It
// does so also where that definition is active already. The workflow that is
// returned has the new version as its latest. Errors: those of Publish;
// fault.Unacceptable invalid_change_summary.
func (s *Service) Rollback(ctx context.Context, req RollbackRequest) (workflows.Workflow, error) {
	if err := workflows.CheckChangeSummary(req.ChangeSummary); err != nil {
		return workflows.Workflow{}, err
	}
	w, v, err := s.find(ctx, req.Reference)
	if err != nil {
		return w, err
	}
	title, err := workflows.TitleOf(v.Definition)
	if err != nil {
		return w, err
	}
	// Without one, only the name is recorded.
	who, _ := audit.ActorOf(ctx)
	next := workflows.NewVersion{
		Definition: v.Definition, Hash: v.DefinitionHash, Written: v.Written, ChangeSummary: req.ChangeSummary,
		CreatedBy: req.Author, Author: who, CreatedAt: s.now(),
	}
	if next.ChangeSummary == "" {
		next.ChangeSummary = "Rollback to version " + strconv.Itoa(v.Number)
	}
	return s.store.Change(ctx, req.TenantID, w.ID, func(c workflows.Current) (workflows.Revision, error) {
		w := c.Workflow
		if err := workflows.Editable(w, req.IfMatch); err != nil {
			return workflows.Revision{}, err
		}
		w.LatestVersion++
		made := next // decide may run again, so next itself stays unnumbered
		made.Number = w.LatestVersion
		return c.Revise(workflows.Revision{Workflow: w.Activate(made.Number, title), Version: &made}, next.CreatedAt), nil
	})
}

// labelForm is the form of a label, numberForm that of a version's number.
var (
	labelForm  = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9._-]{0,63}$`)
	numberForm = regexp.MustCompile(`^v?[0-9]+$`)
)

// ValidName reports whether text has the form of a version's name: a number
// from 1 within 32 bits, with or without a v in front, or a label. Whether
// there is such a version is not known here.
func ValidName(text string) bool {
	if !numberForm.MatchString(text) {
		return labelForm.MatchString(text)
	}
	n, err := strconv.ParseInt(strings.TrimPrefix(text, "v"), 10, 32)
	return err == nil && n > 0
}

// checkLabel checks the form of a label, which must not read like a version's
// number; the error is fault.Unacceptable invalid_label.
func checkLabel(label string) error {
	switch {
	case !labelForm.MatchString(label):
		return fault.New(fault.Unacceptable, "invalid_label",
			"A label is 1 to 64 letters, digits, dots, underscores and hyphens, and starts with a letter.")
	case numberForm.MatchString(label):
		return fault.New(fault.Unacceptable, "invalid_label",
			"The label %q reads like the number of a version; choose another, such as %q.", label, label+".0")
	}
	return nil
}

// SetLabel sets the label of a version, or clears it (""), and returns the workflow
// and the version. Errors: those of Publish; fault.Unacceptable invalid_label;
// fault.Conflict label_taken.
func (s *Service) SetLabel(ctx context.Context, r Reference, label string) (workflows.Workflow, Version, error) {
	if label != "" {
		if err := checkLabel(label); err != nil {
			return workflows.Workflow{}, Version{}, err
		}
	}
	w, v, err := s.find(ctx, r)
	if err != nil {
		return w, v, err
	}
	return s.store.SetLabel(ctx, r.TenantID, w.ID, v.Number, label, func(w workflows.Workflow) error {
		return workflows.Editable(w, r.IfMatch)
	})
}
