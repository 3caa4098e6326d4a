package instances

import (
	"encoding/json"
	"errors"
	"heddle/api/core"
	"heddle/executor"
	"heddle/executor/machine"
	"heddle/internal/exactjson"
	"strconv"
	"strings"
)

// workflowNames lists every workflow that the caller may view.
type workflowNames struct {
	Workflows []workflowName `json:"workflows"`
}

// workflowName is a workflow as this dialect knows it.
type workflowName struct {
	Name string `json:"name" doc:"The workflow's slug."`
}

// instanceStart is a request for an instance.
type instanceStart struct {
	ID     *string         `json:"id,omitempty" doc:"1 to 100 letters, digits, _ and -, not beginning with -; made up where it is absent."`
	Params json.RawMessage `json:"params,omitempty" doc:"The workflow's input; an empty object unless given."`
}

// instanceBatch is a request for several instances, which are created in one transaction. The
// handler searches the ids for secrets, the executor the params.
type instanceBatch struct {
	// Instances are required; an empty list creates none.
	Instances []batchItem `json:"instances" doc:"At most 100." secrets:"handler"`
}

// batchItem is one instance of a batch; its id is required.
type batchItem struct {
	ID string `json:"id"`
	// Params is an empty object unless given.
	Params json.RawMessage `json:"params,omitempty"`
}

// createdInstance answers the creation of an instance.
type createdInstance struct {
	// ID is the one that was requested, or made up.
	ID string `json:"id"`
	// Details say queued, whatever has become of the run since.
	Details instanceDetails `json:"details"`
}

// createdInstances answers a batch. Ids that existed are missing.
type createdInstances struct {
	Instances []createdInstance `json:"instances" doc:"Those that were created, in the order of the request."`
}

// instanceDetails is the state of an instance's latest run.
type instanceDetails struct {
	// Status is the run's state in this dialect's words.
	Status string          `json:"status" words:"instances"`
	Error  *instanceError  `json:"error,omitempty" doc:"Of an errored one."`
	Output json.RawMessage `json:"output,omitempty" doc:"Of a complete one, unless it is null."`
}

// instanceError is an error by name, as this dialect's clients expect it.
type instanceError struct {
	Name string `json:"name" doc:"A stable code; WaitForEventTimeoutError where a wait timed out."`
	// Message is for people.
	Message string `json:"message"`
}

// listedInstance is an instance in a list. CreatedAt is when its first run was created.
type listedInstance struct {
	ID        string          `json:"id"`
	Details   instanceDetails `json:"details"`
	CreatedAt core.Timestamp  `json:"createdAt"`
}

// instanceList is a page of instances, newest first.
type instanceList struct {
	Instances []listedInstance `json:"instances"`
	Cursor    string           `json:"cursor,omitempty" doc:"Left out on the last page."`
	// HasNextPage is true where Cursor is given.
	HasNextPage bool `json:"hasNextPage"`
}

// instanceBody is an instance with its state.
type instanceBody struct {
	ID      string          `json:"id"`
	Details instanceDetails `json:"details"`
	Meta    instanceMeta    `json:"meta"`
}

// instanceMeta is what is known of an instance's latest run. CreatedAt is the instance's own, the
// other times are the run's; null: not reached.
type instanceMeta struct {
	// WorkflowName is the workflow's slug.
	WorkflowName string `json:"workflowName"`
	RunNumber    int    `json:"runNumber" doc:"From 0; each restart adds one."`
	// Params is the input of the latest run; restarts keep it.
	Params         json.RawMessage `json:"params"`
	PauseRequested bool            `json:"pauseRequested" doc:"It becomes paused once its steps in flight have ended."`
	CreatedAt      core.Timestamp  `json:"createdAt"`
	UpdatedAt      core.Timestamp  `json:"updatedAt"`
	// StartedAt and CompletedAt are null until they are reached.
	StartedAt   *core.Timestamp `json:"startedAt"`
	CompletedAt *core.Timestamp `json:"completedAt"`
	// Queue is set of a queued run alone.
	Queue       *core.QueuePlace `json:"queue,omitempty" doc:"Of a queued instance: how it waits for its turn."`
	CurrentStep *instanceStep    `json:"currentStep,omitempty" doc:"What is under way, else what was last."`
	// StartedBy is left out of runs of earlier versions, CancelledBy of those that were not
	// cancelled.
	StartedBy   *core.ActorBody `json:"startedBy,omitempty"`
	CancelledBy *core.ActorBody `json:"cancelledBy,omitempty"`
	Reason      string          `json:"reason,omitempty" doc:"Why it was terminated, as the caller wrote it."`
}

// instanceStep is a step as an instance shows it: what the definition says of it, and how far it
// is.
type instanceStep struct {
	StepKey string `json:"stepKey" doc:"The step's id; in a loop body behind its iteration: each[3].fetch."`
	// Name is the step's name in the definition.
	Name string `json:"name"`
	Type string `json:"type"`
	// Status is the step's own, in words of its own.
	Status      string `json:"status" enum:"running,waiting,retrying,completed,failed,skipped,cancelled"`
	Attempts    int    `json:"attempts" doc:"Those that count against maxAttempts: not what a crash cut off."`
	MaxAttempts int    `json:"maxAttempts"`
	TimeoutMS   *int64 `json:"timeoutMs" doc:"Of one attempt, or of the wait; null: none."`
	// NextRetryAt is when a retry is due; null unless one is.
	NextRetryAt *core.Timestamp `json:"nextRetryAt"`
	WakeAt      *core.Timestamp `json:"wakeAt" doc:"When a wait is over, polls again or times out."`
	// WaitEventType is the signal that it waits for; null for other waits.
	WaitEventType *string `json:"waitEventType"`
	// Error is that of the last attempt that failed.
	Error *instanceError `json:"error,omitempty"`
}

// instanceDone answers a command; OK is always true, since a refusal is an error.
type instanceDone struct {
	OK bool `json:"ok"`
}

// instanceEvent is an event for an instance: a signal of the run.
type instanceEvent struct {
	core.Because
	Type string `json:"type" doc:"The signal's name, in the characters of an instance's id."`
	// Payload is null unless given.
	Payload json.RawMessage `json:"payload,omitempty"`
}

// eventTaken answers an event with the state that the instance had then.
type eventTaken struct {
	Status instanceDetails `json:"status"`
}

// tickRequest lets queued instances begin, as far as its bounds allow. 0 stands for a bound that
// was not given.
type tickRequest struct {
	MaxInstances positive `json:"maxInstances,omitempty" doc:"How many instances may begin; 10 unless given, at most 1,000."`
	MaxSteps     positive `json:"maxSteps,omitempty" doc:"No further instance begins once the others have begun this many steps; any number unless given."`
}

// ticked answers a tick.
type ticked struct {
	Processed int `json:"processed" doc:"How many instances began."`
}

// positive is a whole number from 1; clients also send it as text.
type positive int

// UnmarshalJSON takes a whole number from 1 to 2,147,483,647, or its digits as text; 3.0 is
// accepted as a number, not as text.
func (p *positive) UnmarshalJSON(text []byte) error {
	written := strings.Trim(string(text), `"`)
	// A JSON number may be written as 3.0, digits as text may not.
	if number, ok := exactjson.Int(written); ok && len(written) == len(text) {
		written = strconv.FormatInt(number, 10)
	}
	// 31 bits, so that it fits an int everywhere.
	n, err := strconv.ParseUint(written, 10, 31)
	if err != nil || n == 0 {
		return errors.New("it must be a whole number from 1")
	}
	*p = positive(n)
	return nil
}

// detailsOf returns the state of a run in this dialect's words. Only a failed run has an error
// here, and only a complete one an output.
func detailsOf(r executor.Record) instanceDetails {
	d := instanceDetails{Status: core.WordsOf(r.State).Instances}
	if r.State == machine.Failed {
		d.Error = instanceErrorOf(r.Error)
	}
	if r.State == machine.Completed && string(r.Output) != "null" {
		d.Output = r.Output
	}
	return d
}

// instanceErrorOf returns an error by its code as name, nil for none; a wait that timed out has
// the name that the dialect's clients know.
func instanceErrorOf(e *machine.Error) *instanceError {
	switch {
	case e == nil:
		return nil
	case e.Code == "wait_timeout":
		return &instanceError{"WaitForEventTimeoutError", "WAIT_FOR_EVENT_TIMEOUT"}
	}
	return &instanceError{e.Code, e.Message}
}

// stepKey returns the name of a step: in a loop body, prefixed by the path of its iteration and a
// dot.
func stepKey(stepID, iteration string) string {
	if iteration == "" {
		return stepID
	}
	return iteration + "." + stepID
}

// setPlan sets what the definition says of a step. TimeoutMS stays null without a timeout.
func (s *instanceStep) setPlan(p machine.StepPlan) {
	s.Name, s.Type, s.MaxAttempts = p.Name, p.Type, p.MaxAttempts
	// 0 is no timeout.
	if p.Timeout > 0 {
		ms := p.Timeout.Milliseconds()
		s.TimeoutMS = &ms
	}
}

// setWait sets what a step waits for. It wakes at until, or at the timeout where it has only
// that.
func (s *instanceStep) setWait(kind, name string, until, timeout *core.Timestamp) {
	// A timer has only until, a signal only a timeout; a condition may have both, and polls
	// first.
	s.Status, s.WakeAt = string(machine.StepWaiting), until
	if until == nil {
		s.WakeAt = timeout
	}
	if kind == "signal" {
		s.WaitEventType = &name
	}
}
