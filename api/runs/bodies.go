package runs

import (
	"encoding/json"
	"heddle/api/core"
	"heddle/definitions/workflows"
	"heddle/executor"
	"heddle/versions"
	"maps"
	"strconv"
)

// v1Start is a request for a run. WorkflowID is required; without a version it runs the active
// one.
type v1Start struct {
	WorkflowID      string               `json:"workflow_id" doc:"A workflow's slug or id."`
	WorkflowVersion workflows.VersionRef `json:"workflow_version,omitempty"`
	// Input is an empty object unless given.
	Input json.RawMessage `json:"input,omitempty"`
}

// v1Started answers a start with the state of the new run, which is what a repeated request
// receives too, however far the run has come.
type v1Started struct {
	// RunID is the same in all dialects.
	RunID           string         `json:"run_id"`
	State           string         `json:"state" words:"runs"`
	WorkflowID      string         `json:"workflow_id"`
	WorkflowVersion string         `json:"workflow_version" doc:"The version's label, or v3."`
	CreatedAt       core.Timestamp `json:"created_at"`
	// StartedAt is null unless the run began as it was stored.
	StartedAt *core.Timestamp `json:"started_at"`
}

// v1Summary is a run in a list. CostMicroUSD is in millionths of a US dollar.
type v1Summary struct {
	RunID string `json:"run_id"`
	State string `json:"state" words:"runs"`
	// WorkflowID is the slug, by which this dialect names workflows.
	WorkflowID      string `json:"workflow_id" doc:"The workflow's slug."`
	WorkflowVersion string `json:"workflow_version" doc:"The version's label, or v3."`
	// Trigger is one of core.Triggers.
	Trigger string `json:"trigger"`
	// Error is why it failed or was cancelled; null otherwise.
	Error     *core.Failure  `json:"error"`
	CreatedAt core.Timestamp `json:"created_at"`
	// StartedAt and FinishedAt are null until they are reached.
	StartedAt  *core.Timestamp `json:"started_at"`
	FinishedAt *core.Timestamp `json:"finished_at"`
	LatencyMS  *int64          `json:"latency_ms" doc:"From start to end; null until it has ended."`
	// Tokens and CostMicroUSD are sums over the agents of the run.
	Tokens       int64 `json:"tokens"`
	CostMicroUSD int64 `json:"cost_micro_usd"`
	core.Authors
}

// v1RunList is a page of runs, newest first. It has no total: counting the runs of all workflows
// would cost more than the page.
type v1RunList struct {
	Runs []v1Summary `json:"runs"`
	// NextCursor belongs to the filters that it was made with.
	NextCursor *string `json:"next_cursor" doc:"Null on the last page."`
}

// v1Run is a run with its nodes summed up. Its result is a request of its own.
type v1Run struct {
	v1Summary
	// DefinitionHash is that of the version that the run is on.
	DefinitionHash string `json:"definition_hash"`
	// Input is as it was stored; a value above 1 MiB is a reference.
	Input json.RawMessage `json:"input"`
	Nodes v1Nodes         `json:"nodes"`
	// Queue is set of a queued run alone.
	Queue *core.QueuePlace `json:"queue,omitempty" doc:"Of a queued run: how it waits for its turn."`
	// Current is empty once the run has ended.
	Current []v1Current `json:"current" doc:"What is under way, retries and waits included."`
}

// v1Nodes counts the top-level nodes, and the handlers that ran, by state; a pending retry is
// running.
type v1Nodes struct {
	// Total is the sum of the others.
	Total int `json:"total"`
	// Pending nodes wait for others, or for their turn.
	Pending   int `json:"pending"`
	Running   int `json:"running"`
	Waiting   int `json:"waiting"`
	Succeeded int `json:"succeeded"`
	Failed    int `json:"failed"`
	Skipped   int `json:"skipped"`
	Cancelled int `json:"cancelled"`
}

// v1Current is a node that has started and not ended.
type v1Current struct {
	// Node is the step's id.
	Node string `json:"node"`
	Type string `json:"type"`
	// State is the node's, in words of its own.
	State string `json:"state" enum:"running,waiting,retrying"`
	// Iteration is set of a wait in a loop's body.
	Iteration string `json:"iteration,omitempty" doc:"In a loop body: each[3] or each[3].inner[0]."`
	// Attempt is from 1; left out of a wait within a loop.
	Attempt   int             `json:"attempt,omitempty"`
	StartedAt *core.Timestamp `json:"started_at"`
	Wait      *v1Wait         `json:"wait,omitempty"`
}

// v1Wait says what a node waits for; of a signal, how to answer it: the prompt for a person and
// the schema of the payload.
type v1Wait struct {
	core.OpenWait
	// Prompt is for the person who answers, Schema what the payload has to fit.
	Prompt string          `json:"prompt,omitempty"`
	Schema json.RawMessage `json:"schema,omitempty"`
}

// v1Result is how a run ended. Of a failed run Error says why.
type v1Result struct {
	RunID string `json:"run_id"`
	// State is one of those in which a run has ended.
	State  string          `json:"state" words:"runs"`
	Result json.RawMessage `json:"result" doc:"Null of a failed or cancelled run."`
	Error  *core.Failure   `json:"error,omitempty"`
}

// v1Steered answers a command that ends a run, with the state that the run was in then: running,
// while it compensates.
type v1Steered struct {
	RunID string `json:"run_id"`
	// State is the state in which the command left the run.
	State string `json:"state" words:"runs"`
}

// v1Deliver is a signal. Without a request id each call is a new one.
type v1Deliver struct {
	core.Because
	RequestID string `json:"request_id,omitempty" doc:"That of an input request, or a key of the caller's own; at most 255 characters."`
	// Payload is null unless given.
	Payload json.RawMessage `json:"payload,omitempty"`
}

// v1Delivered answers a signal.
type v1Delivered struct {
	// Accepted is always true: a refusal is an error.
	Accepted  bool `json:"accepted"`
	Duplicate bool `json:"duplicate" doc:"The same request id was delivered before; nothing was done."`
}

// versionNames looks up the names of versions for one answer: the label, or v3. A workflow that
// was deleted has no labels any more. It is used by the request's goroutine.
type versionNames struct {
	h *handlers
	c *core.Call
	// known holds the names that were looked up for this answer.
	known map[versions.Ref]string
}

// versionNames returns an empty cache for one answer.
func (h *handlers) versionNames(c *core.Call) versionNames {
	return versionNames{h, c, map[versions.Ref]string{}}
}

// load reads the names of the versions that runs are on, with one read for all that are not known
// yet. The label is that of now, which may be newer than the run.
func (n versionNames) load(runs ...executor.Record) error {
	var missing []versions.Ref
	for _, r := range runs {
		ref := versions.Ref{WorkflowID: r.WorkflowID, Number: r.Version}
		if _, ok := n.known[ref]; !ok {
			n.known[ref] = "v" + strconv.Itoa(r.Version)
			missing = append(missing, ref)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	labels, err := n.h.Versions.Labels(n.c.Ctx(), n.c.TenantID(), missing)
	maps.Copy(n.known, labels)
	return err
}

// of returns the name of the version that a run is on. It reads it unless load has.
func (n versionNames) of(r executor.Record) (string, error) {
	err := n.load(r)
	return n.known[versions.Ref{WorkflowID: r.WorkflowID, Number: r.Version}], err
}
