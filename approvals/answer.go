package approvals

import (
	"context"
	"encoding/json"
	"heddle/access"
	"heddle/executor/machine"
	"heddle/fault"
)

// Answer is an answer to an approval. The reason in the request's audit trail is its comment.
type Answer struct {
	ID      string
	Payload json.RawMessage // one JSON value
	// Key stands for the request and its body, so that a repetition finds its own answer;
	// "": it has none.
	Key string
}

// Outcome is what became of an answer.
type Outcome struct {
	Approval Approval
	// Repeated: an earlier request with the same key gave this answer.
	Repeated bool
	// Pending: no node drives runs now; the answer is stored and will be taken.
	Pending bool
}

// Answer answers an approval once: the answer is durable when it returns, or pending. Errors:
// fault.NotFound approval_not_found; fault.Denied acl_denied and not_assigned; fault.Conflict approval_closed, with
// who answered; fault.Unacceptable invalid_payload, with the places in the payload; those of
// the executor's Signal.
func (s *Service) Answer(ctx context.Context, p access.Principal, answer Answer) (Outcome, error) {
	a, err := s.store.Approval(ctx, p.TenantID, answer.ID)
	if err != nil {
		return Outcome{}, err
	}
	if !access.Can(p, access.Answer, a.WorkflowID) {
		return Outcome{}, access.Denied(access.Answer, "workflow:"+a.Slug)
	}
	if !MayAnswer(p, a) {
		return Outcome{}, fault.New(fault.Denied, "not_assigned", "Others are asked for this approval; its assignees say who.")
	}
	if a.State != Open {
		return settled(a, answer)
	}
	done, err := s.signals.Signal(ctx, p.TenantID, a.RunID, machine.Signal{
		Name: a.Signal, RequestID: a.ID, Payload: answer.Payload, Key: answer.Key,
	})
	switch code := fault.CodeOf(err); {
	case code == "run_finished" || code == "run_not_found":
	case err != nil:
		return Outcome{}, err
	}
	now, readErr := s.store.Approval(ctx, p.TenantID, a.ID)
	switch {
	case readErr != nil:
		return Outcome{}, readErr
	case err == nil && !done.Duplicate:
		return Outcome{Approval: now, Pending: done.Pending && now.State == Open}, nil
	}
	return settled(now, answer)
}

// settled returns the outcome for an approval that another request closed: a repetition finds
// its own answer, everyone else is told who was first.
func settled(a Approval, answer Answer) (Outcome, error) {
	if a.State == Answered && answer.Key != "" && a.Key == answer.Key {
		return Outcome{Approval: a, Repeated: true}, nil
	}
	return Outcome{}, closedError(a)
}

// closedError returns fault.Conflict approval_closed with what became of the approval.
func closedError(a Approval) error {
	var text string
	switch a.State {
	case Open:
		text = "An answer to this approval is on its way to its run."
	case Expired:
		text = "This approval has expired."
	case Cancelled:
		text = "This approval was withdrawn: its run has ended, or goes on without it."
	case Answered:
		text = "This approval was answered"
		if a.AnsweredBy.Name != "" {
			text += " by " + a.AnsweredBy.Name
		}
		text += "."
	}
	err := fault.New(fault.Conflict, "approval_closed", "%s", text).With("status", string(a.State))
	if !a.ClosedAt.IsZero() {
		err = err.With("closed_at", a.ClosedAt.UTC().Format("2006-01-02T15:04:05.000Z07:00"))
	}
	if a.AnsweredBy.Known() {
		err = err.With("answered_by", a.AnsweredBy)
	}
	return err
}
