package approvals

import (
	"encoding/json"
	"heddle/api/core"
	"heddle/approvals"
)

// workflowRef names the workflow of an approval.
type workflowRef struct {
	ID   string  `json:"id"`
	Slug string  `json:"slug" doc:"As it was when the run started."`
	Name *string `json:"name" doc:"As it is now; null where the workflow was deleted."`
}

// approvalBody is an approval. JSON that nobody gave is null.
type approvalBody struct {
	ID        string      `json:"id" doc:"apr_…: the request id of the run's signals, too."`
	RunID     string      `json:"run_id"`
	Workflow  workflowRef `json:"workflow"`
	Version   int         `json:"version" doc:"That the run was on."`
	StepID    string      `json:"step_id"`
	StepName  *string     `json:"step_name"`
	Iteration *string     `json:"iteration" doc:"The loop iteration's path; null outside of loops."`
	Signal    string      `json:"signal"`
	Prompt    *string     `json:"prompt"`
	// Schema is of the payload.
	Schema    json.RawMessage `json:"schema" doc:"JSON Schema of the payload; null: any fits."`
	Choices   []string        `json:"choices" doc:"Texts of which the payload is one; empty: none are given."`
	Context   json.RawMessage `json:"context" doc:"What the definition shows to whoever answers; null: nothing. Beyond 64 KiB {\"$omitted\": bytes}."`
	Assignees []string        `json:"assignees" doc:"Names or ids of who is asked; empty: anyone who may answer."`
	OpenedAt  core.Timestamp  `json:"opened_at"`
	ExpiresAt *core.Timestamp `json:"expires_at" doc:"Null: never."`
	OnTimeout *string         `json:"on_timeout" doc:"fail or continue; null of runs that waited when the server was upgraded."`
	// RunInputHead is cut in the middle of JSON.
	RunInputHead string          `json:"run_input_head" doc:"How the run's input begins, 1,000 bytes of JSON text at most."`
	StartedBy    *core.ActorBody `json:"started_by" doc:"Who started the run; null where it is not known."`
	Status       string          `json:"status" enum:"open,answered,expired,cancelled"`
	ClosedAt     *core.Timestamp `json:"closed_at"`
	AnsweredAt   *core.Timestamp `json:"answered_at"`
	AnsweredBy   *core.ActorBody `json:"answered_by"`
	Comment      *string         `json:"comment"`
	Payload      json.RawMessage `json:"payload" doc:"The answer; null: none, or null."`
	CanAnswer    bool            `json:"can_answer" doc:"It is open, and the caller may answer it."`
	core.Rights
}

// bodyOf returns an approval as the caller sees it.
func bodyOf(c *core.Call, a approvals.Approval) approvalBody {
	b := approvalBody{
		ID: a.ID, RunID: a.RunID, Workflow: workflowRef{a.WorkflowID, a.Slug, core.TextOrNull(a.Name)}, Version: a.Version,
		StepID: a.Ref.StepID, StepName: core.TextOrNull(a.StepName), Iteration: core.TextOrNull(a.Ref.Iteration), Signal: a.Signal,
		Prompt: core.TextOrNull(a.Prompt), Schema: a.Schema, Context: a.Context, Choices: []string{}, Assignees: []string{}, OpenedAt: core.Timestamp(a.OpenedAt),
		ExpiresAt: core.TimestampOrNil(a.ExpiresAt), OnTimeout: core.TextOrNull(a.OnTimeout), RunInputHead: a.InputHead, StartedBy: core.ActorOf(a.StartedBy),
		Status: string(a.State), ClosedAt: core.TimestampOrNil(a.ClosedAt), AnsweredBy: core.ActorOf(a.AnsweredBy), Comment: core.TextOrNull(a.Comment),
		Payload: a.Payload, CanAnswer: a.State == approvals.Open && approvals.MayAnswer(c.Principal, a), Rights: c.RightsOn(a.WorkflowID),
	}
	if a.State == approvals.Answered {
		b.AnsweredAt = b.ClosedAt
	}
	if a.Assignees != nil {
		b.Assignees = a.Assignees
	}
	if len(a.Choices) > 0 {
		_ = json.Unmarshal(a.Choices, &b.Choices) // it is a list of texts
	}
	return b
}

// approvalAnswer is one approval.
type approvalAnswer struct {
	Approval approvalBody `json:"approval"`
	Pending  bool         `json:"pending,omitempty" doc:"No node drives runs at present: the answer is stored, and the next one takes it."`
}

// approvalList is a page of approvals.
type approvalList struct {
	Approvals  []approvalBody `json:"approvals"`
	TotalOpen  int            `json:"total_open" doc:"How many open ones there are in all that the caller may see, whatever the filters."`
	NextCursor *string        `json:"next_cursor" doc:"Null on the last page."`
}

// approvalCount is how many approvals are open.
type approvalCount struct {
	Open       int  `json:"open" doc:"All that the caller may see."`
	Mine       int  `json:"mine" doc:"Those that the caller is asked, counted up to 1,000."`
	MineCapped bool `json:"mine_capped" doc:"There may be more than mine."`
}
