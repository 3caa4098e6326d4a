package client

import (
	"encoding/json"
	"time"
)

// WorkflowName is a workflow as this dialect knows it.
type WorkflowName struct {
	// The workflow's slug.
	Name string `json:"name"`
}

// InstanceStart is a request for an instance.
type InstanceStart struct {
	// 1 to 100 letters, digits, _ and -, not beginning with -; made up where it is absent.
	ID *string `json:"id,omitempty"`
	// The workflow's input; an empty object unless given.
	Params json.RawMessage `json:"params,omitempty"`
}

// BatchItem is one instance of a batch; its id is required.
type BatchItem struct {
	ID     string          `json:"id"`
	Params json.RawMessage `json:"params,omitempty"`
}

// CreatedInstance answers the creation of an instance.
type CreatedInstance struct {
	ID      string          `json:"id"`
	Details InstanceDetails `json:"details"`
}

// InstanceDetails is the state of an instance's latest run.
type InstanceDetails struct {
	Status string `json:"status"`
	// Of an errored one.
	Error *InstanceError `json:"error,omitempty"`
	// Of a complete one, unless it is null.
	Output json.RawMessage `json:"output,omitempty"`
}

// InstanceError is an error by name, as this dialect's clients expect it.
type InstanceError struct {
	// A stable code; WaitForEventTimeoutError where a wait timed out.
	Name    string `json:"name"`
	Message string `json:"message"`
}

// ListedInstance is an instance in a list.
type ListedInstance struct {
	ID        string          `json:"id"`
	Details   InstanceDetails `json:"details"`
	CreatedAt time.Time       `json:"createdAt"`
}

// Instance is an instance with its state.
type Instance struct {
	ID      string          `json:"id"`
	Details InstanceDetails `json:"details"`
	Meta    InstanceMeta    `json:"meta"`
}

// InstanceMeta is what is known of an instance's latest run.
type InstanceMeta struct {
	WorkflowName string `json:"workflowName"`
	// From 0; each restart adds one.
	RunNumber int             `json:"runNumber"`
	Params    json.RawMessage `json:"params"`
	// It becomes paused once its steps in flight have ended.
	PauseRequested bool       `json:"pauseRequested"`
	CreatedAt      time.Time  `json:"createdAt"`
	UpdatedAt      time.Time  `json:"updatedAt"`
	StartedAt      *time.Time `json:"startedAt"`
	CompletedAt    *time.Time `json:"completedAt"`
	// Of a queued instance: how it waits for its turn.
	Queue *QueuePlace `json:"queue,omitempty"`
	// What is under way, else what was last.
	CurrentStep *InstanceStep `json:"currentStep,omitempty"`
	StartedBy   *Actor        `json:"startedBy,omitempty"`
	CancelledBy *Actor        `json:"cancelledBy,omitempty"`
	// Why it was terminated, as the caller wrote it.
	Reason string `json:"reason,omitempty"`
}

// InstanceStep is a step as an instance shows it: what the definition says of it, and how far it
// is.
type InstanceStep struct {
	// The step's id; in a loop body behind its iteration: each[3].fetch.
	StepKey string `json:"stepKey"`
	Name    string `json:"name"`
	Type    string `json:"type"`
	// One of running, waiting, retrying, completed, failed, skipped, cancelled.
	Status string `json:"status"`
	// Those that count against maxAttempts: not what a crash cut off.
	Attempts    int `json:"attempts"`
	MaxAttempts int `json:"maxAttempts"`
	// Of one attempt, or of the wait; null: none.
	TimeoutMS   *int64     `json:"timeoutMs"`
	NextRetryAt *time.Time `json:"nextRetryAt"`
	// When a wait is over, polls again or times out.
	WakeAt        *time.Time     `json:"wakeAt"`
	WaitEventType *string        `json:"waitEventType"`
	Error         *InstanceError `json:"error,omitempty"`
}

// InstanceEvent is an event for an instance: a signal of the run.
type InstanceEvent struct {
	// Reason is kept in the audit trail and the history.
	Reason string `json:"reason,omitempty"`
	// The signal's name, in the characters of an instance's id.
	Type    string          `json:"type"`
	Payload json.RawMessage `json:"payload,omitempty"`
}

// TickRequest lets queued instances begin, as far as its bounds allow.
type TickRequest struct {
	// How many instances may begin; 10 unless given, at most 1,000.
	MaxInstances int `json:"maxInstances,omitempty"`
	// No further instance begins once the others have begun this many steps; any number unless
	// given.
	MaxSteps int `json:"maxSteps,omitempty"`
}

// InstanceHistory is one page of each of three lists of a run: steps, events and logs.
type InstanceHistory struct {
	RunNumber         int                    `json:"runNumber"`
	Steps             []InstanceHistoryStep  `json:"steps"`
	Events            []InstanceHistoryEvent `json:"events"`
	StepsCursor       string                 `json:"stepsCursor,omitempty"`
	StepsHasNextPage  bool                   `json:"stepsHasNextPage"`
	EventsCursor      string                 `json:"eventsCursor,omitempty"`
	EventsHasNextPage bool                   `json:"eventsHasNextPage"`
	// Only with includeLogs=true.
	Logs            *[]InstanceHistoryLog `json:"logs,omitempty"`
	LogsCursor      string                `json:"logsCursor,omitempty"`
	LogsHasNextPage *bool                 `json:"logsHasNextPage,omitempty"`
}

// InstanceHistoryStep is a step of one run; in a loop body of one iteration.
type InstanceHistoryStep struct {
	ID        string `json:"id"`
	RunNumber int    `json:"runNumber"`
	InstanceStep
	// The step's output; of a wait that an event satisfied its type, payload and timestamp.
	Result    json.RawMessage `json:"result"`
	CreatedAt time.Time       `json:"createdAt"`
	UpdatedAt time.Time       `json:"updatedAt"`
}

// InstanceHistoryEvent is an event that the instance received, and the step that took it.
type InstanceHistoryEvent struct {
	ID        string          `json:"id"`
	RunNumber int             `json:"runNumber"`
	Type      string          `json:"type"`
	Payload   json.RawMessage `json:"payload"`
	CreatedAt time.Time       `json:"createdAt"`
	// Null until a step takes it.
	DeliveredAt       *time.Time `json:"deliveredAt"`
	ConsumedByStepKey *string    `json:"consumedByStepKey"`
}

// InstanceHistoryLog is a line that a step wrote.
type InstanceHistoryLog struct {
	ID        string  `json:"id"`
	RunNumber int     `json:"runNumber"`
	StepKey   *string `json:"stepKey"`
	Attempt   *int    `json:"attempt"`
	// One of debug, info, warn, error.
	Level     string          `json:"level"`
	Category  string          `json:"category"`
	Message   string          `json:"message"`
	Data      json.RawMessage `json:"data"`
	CreatedAt time.Time       `json:"createdAt"`
}
