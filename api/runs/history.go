package runs

import (
	"encoding/json"
	"heddle/api/core"
	"heddle/events"
	"heddle/executor"
	"heddle/executor/machine"
	"net/http"
	"strconv"
	"time"
)

// v1History is a page of a run's nodes, each with all of its attempts.
type v1History struct {
	RunID string `json:"run_id"`
	// Nodes that have not started are not listed.
	Nodes      []v1HistoryNode `json:"nodes" doc:"In the order in which they first started or were skipped; a loop's body by iteration."`
	NextCursor *string         `json:"next_cursor" doc:"Null on the last page."`
}

// v1HistoryNode is one node, in a loop body of one iteration, with all of its attempts.
type v1HistoryNode struct {
	// Node is the step's id, Type its type in the present version; "" where that has no such
	// step.
	Node  string `json:"node"`
	Type  string `json:"type"`
	State string `json:"state" enum:"running,waiting,retrying,succeeded,failed,skipped,cancelled"`
	// Iteration tells apart the nodes of a loop's body.
	Iteration string `json:"iteration,omitempty" doc:"In a loop body: each[3] or each[3].inner[0]."`
	Reason    string `json:"reason,omitempty" doc:"Why it was skipped."`
	// Attempts are in their order; none of a node that was skipped.
	Attempts []v1Attempt `json:"attempts"`
}

// v1Attempt is one attempt of a node. FinishedAt and LatencyMS are null while it runs; an attempt
// that a crash cut off is interrupted.
type v1Attempt struct {
	// Attempt counts from 1 within the node.
	Attempt int    `json:"attempt"`
	State   string `json:"state" enum:"running,waiting,succeeded,failed,interrupted,cancelled"`
	// StartedAt is when the attempt was journalled, before it began.
	StartedAt  *core.Timestamp `json:"started_at"`
	FinishedAt *core.Timestamp `json:"finished_at"`
	LatencyMS  *int64          `json:"latency_ms"`
	Input      json.RawMessage `json:"input" doc:"The node's config as the definition has it, templates not expanded; null where another version ran, and of loops."`
	// Output and Error are null unless the attempt ended with them.
	Output json.RawMessage `json:"output"`
	Error  *core.Failure   `json:"error"`
	// Tokens and CostMicroUSD (millionths of a US dollar) are this attempt's.
	Tokens       int64 `json:"tokens"`
	CostMicroUSD int64 `json:"cost_micro_usd"`
	// ToolCalls are those of an agent.
	ToolCalls []core.ToolCall `json:"tool_calls,omitempty" doc:"What an agent called, in order."`
}

// v1History reads a page of the journal and makes nodes of its events. It costs in proportion to
// the page, however long the journal is. A cursor is the number of an event; one that is not is
// fault.Malformed invalid_request. These events, for example, make one node with two attempts:
//
//	step_started  fetch #1     {"node": "fetch", "state": "succeeded", "attempts": [
//	step_retrying fetch #1       {"attempt": 1, "state": "failed", …},
//	step_started  fetch #2       {"attempt": 2, "state": "succeeded", …}
//	step_completed fetch #2    ]}
func (h *handlers) v1History(c *core.Call) error {
	id := c.Param("run_id")
	_, p, err := c.PageQuery()
	if err != nil {
		return err
	}
	after, ok := core.ParseEventID(p.Cursor)
	if p.Cursor != "" && (!ok || after < 1) {
		return core.Malformed("cursor is not one that this API returned. Start again without it.")
	}
	// For types and configs, which the journal does not repeat.
	text, run, err := h.Executor.Definition(c.Ctx(), c.TenantID(), id)
	if err != nil {
		return err
	}
	w := &historyWalk{nodes: map[machine.Ref]*v1HistoryNode{}, steps: map[string]core.DefinedStep{}}
	core.CollectSteps(text, w.steps)
	// The definition at hand is that of the last version alone.
	if n := len(run.Versions); n > 0 {
		w.from = run.Versions[n-1].FromSeq
	}
	part, err := h.Executor.NodeEvents(c.Ctx(), executor.JournalPageQuery{TenantID: c.TenantID(), RunID: id, From: after, Limit: p.Limit})
	if err != nil {
		return err
	}
	for _, e := range part.Events {
		if err := w.visit(e); err != nil {
			return err
		}
	}
	if part.Next > 0 {
		w.next = strconv.FormatInt(part.Next, 10)
	}
	// The page is as old as its events: the row was read with them, after the definition.
	run = part.Run
	list := v1History{RunID: id, Nodes: make([]v1HistoryNode, len(w.order)), NextCursor: core.TextOrNull(w.next)}
	for i, ref := range w.order {
		list.Nodes[i] = *w.finish(ref, run.State.Terminal())
	}
	return c.Reply(http.StatusOK, list)
}

// historyWalk makes nodes of the events of a page, which are visited in the journal's order: each
// event belongs to the node of its step and iteration, and is of the last attempt of it.
type historyWalk struct {
	from int64 // seq of the event from which the present version ran; 0: from the first
	// steps are those of the present version, by id.
	steps map[string]core.DefinedStep
	// order holds the nodes as they are answered: as they began.
	order []machine.Ref
	nodes map[machine.Ref]*v1HistoryNode
	// next is the cursor of the next page, "" on the last.
	next string
}

// visit applies an event. Events of nodes that began on an earlier page are skipped: they were
// answered with it, whole.
func (w *historyWalk) visit(e events.Event) error {
	// Events of the run itself belong to no node.
	if e.StepID == "" {
		return nil
	}
	ref := machine.Ref{StepID: e.StepID, Iteration: e.Iteration}
	n := w.nodes[ref]
	if n == nil {
		if n = w.begin(ref, e); n == nil {
			return nil
		}
	}
	d, err := machine.ReadDetail(e)
	if err != nil {
		return err
	}
	w.add(n, e, d)
	return nil
}

// begin takes a node into the page and returns it when this is its first event; nil otherwise.
func (w *historyWalk) begin(ref machine.Ref, e events.Event) *v1HistoryNode {
	if e.Kind != events.StepStarted && e.Kind != events.StepSkipped {
		return nil
	}
	n := &v1HistoryNode{Node: ref.StepID, Type: w.steps[ref.StepID].Type, Iteration: ref.Iteration, Attempts: []v1Attempt{}}
	w.order = append(w.order, ref)
	w.nodes[ref] = n
	return n
}

// add applies an event to the node. Events of a compensation and of a wait's probes, which have a
// role, do not end an attempt.
func (w *historyWalk) add(n *v1HistoryNode, e events.Event, d machine.Detail) {
	switch e.Kind {
	case events.StepStarted:
		n.State = "running"
		n.Attempts = append(n.Attempts, v1Attempt{Attempt: e.Attempt, State: "running", StartedAt: core.TimestampOrNil(e.At), Input: w.input(n.Node, e.Seq)})
	case events.StepSkipped:
		n.State, n.Reason = "skipped", d.Reason
	case events.StepWaiting:
		n.State = "waiting"
		if a := n.lastAttempt(); a != nil {
			a.State = "waiting"
		}
	case events.StepInterrupted:
		if d.Role == "" {
			n.end(e, d, "interrupted")
			n.State = "running" // it runs again, or fails with the next event
		}
	case events.StepRetrying:
		if d.Role == "" {
			n.end(e, d, "failed")
			n.State = "retrying"
		}
	case events.StepCompleted, events.StepFailed, events.StepCancelled:
		n.State = map[events.Kind]string{events.StepCompleted: "succeeded", events.StepFailed: "failed", events.StepCancelled: "cancelled"}[e.Kind]
		// An attempt that has ended keeps its end, but for one that a crash cut off and that
		// failed for it.
		if a := n.lastAttempt(); a != nil && (a.FinishedAt == nil || e.Kind == events.StepFailed && a.State == "interrupted") {
			n.end(e, d, n.State)
		}
	default: // nothing to do for the others
	}
}

// lastAttempt returns the attempt that is running or ended last; nil before the first.
func (n *v1HistoryNode) lastAttempt() *v1Attempt {
	if len(n.Attempts) == 0 {
		return nil
	}
	return &n.Attempts[len(n.Attempts)-1]
}

// end closes the last attempt with what the event says of it. Where the event has no latency it
// is the time since the attempt started, at least 0 ms: the clocks of two nodes may differ.
func (n *v1HistoryNode) end(e events.Event, d machine.Detail, state string) {
	a := n.lastAttempt()
	if a == nil {
		return
	}
	ms := d.LatencyMS
	if a.StartedAt != nil && ms == 0 {
		ms = max(e.At.Sub(time.Time(*a.StartedAt)).Milliseconds(), 0)
	}
	a.State, a.FinishedAt, a.LatencyMS = state, core.TimestampOrNil(e.At), &ms
	a.Output, a.Error = d.Output, core.FailureOf(d.Error)
	a.Tokens, a.CostMicroUSD, a.ToolCalls = d.Tokens, d.CostMicroUSD, core.ToolCallsOf(d.Usage)
}

// input returns the node's config; nil for a loop, whose config holds its whole body, and for
// what ran before the present version, whose definition is not at hand.
func (w *historyWalk) input(stepID string, seq int64) json.RawMessage {
	s := w.steps[stepID]
	if s.Type == "loop" || seq < w.from {
		return nil
	}
	return s.Config
}

// finish returns the node and cancels it where it was cut off by the run's end (over) without an
// event of its own.
func (w *historyWalk) finish(ref machine.Ref, over bool) *v1HistoryNode {
	n := w.nodes[ref]
	if over && (n.State == "running" || n.State == "waiting" || n.State == "retrying") {
		n.State = "cancelled"
		if a := n.lastAttempt(); a != nil && a.FinishedAt == nil {
			a.State = "cancelled"
		}
	}
	return n
}
