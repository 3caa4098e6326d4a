// Package bulk changes many runs, schedules or workflows by one request. What a job is about
// is fixed when it is accepted: an object that matches later is not part of it. The node that
// leads carries jobs out in the background, a bounded number of items a second, through the
// use cases that serve a request about one object, so that rules, quotas and events are the
// same.
//
// It promises that each item takes effect once, also where the process is killed or another
// node takes over in the middle; that the rights of who asked are judged anew at each item;
// and that runs which are started meanwhile do not wait for a job.
//
// How once is kept: an item is claimed before its command, with the seq of its run. A new run
// is stored with a kept answer under the item's key, which is unique. A run is reopened only
// at the claimed seq, by an event that holds the item's key; a claim of an earlier process is
// looked up in the journal before it is taken over. The other commands have one effect
// however often they are repeated.
//
// The package knows no SQL and no HTTP.
package bulk

import (
	"encoding/json"
	"heddle/access"
	"heddle/audit"
	"heddle/definitions/workflows"
	"strconv"
	"time"
)

// Kind is what a job is about.
type Kind string

// The kinds.
const (
	Runs      Kind = "runs"
	Schedules Kind = "schedules"
	Workflows Kind = "workflows"
)

// Action is what a job does to each of its objects.
type Action string

// The actions: Cancel to Delete are for runs, Pause and Resume for schedules, too, and SetStatus
// and SetTags for workflows.
const (
	Cancel    Action = "cancel"
	Resume    Action = "resume"
	Restart   Action = "restart"
	Redrive   Action = "redrive"
	Pause     Action = "pause"
	Terminate Action = "terminate"
	Delete    Action = "delete"
	SetStatus Action = "status"
	SetTags   Action = "tags"
)

// Actions returns the actions of a kind, in a new slice.
func Actions(k Kind) []Action {
	switch k {
	case Runs:
		return []Action{Cancel, Resume, Restart, Redrive, Pause, Terminate, Delete}
	case Schedules:
		return []Action{Pause, Resume}
	case Workflows:
		return []Action{SetStatus, SetTags}
	}
	return nil
}

// right returns what an action needs on the workflow of each object: what a request about one
// of them needs.
func right(k Kind, a Action) access.Action {
	switch {
	case k != Runs:
		return access.Edit
	case a == Cancel || a == Resume || a == Pause:
		return access.Execute
	}
	return access.Operate
}

// Settings are what an action takes; zero values where it takes none.
type Settings struct {
	Version    string           `json:"version,omitempty"`     // of Resume: the one to go on with
	StepID     string           `json:"step_id,omitempty"`     // of Redrive: the loop
	Status     workflows.Status `json:"status,omitempty"`      // of SetStatus
	AddTags    []string         `json:"add_tags,omitempty"`    // of SetTags
	RemoveTags []string         `json:"remove_tags,omitempty"` // of SetTags
}

// State is where a job stands.
type State string

// The states. A job that is being stored is Accepting and shows nowhere; the last two are
// final.
const (
	Accepting State = "accepting"
	Running   State = "running"
	Completed State = "completed"
	Stopped   State = "stopped"
)

// Job is a change of many objects. Times have milliseconds; zero stands for none.
type Job struct {
	ID       string // job_…
	TenantID string
	Kind     Kind
	Action   Action
	Settings Settings
	// Selection is the request's filter or how many ids it named, as JSON, for people.
	Selection json.RawMessage
	By        audit.Actor // who asked
	Reason    string      // "": none was given
	State     State
	// Matched is how many objects the request selected, Total how many of these the job is
	// about: those to which the action applied.
	Matched, Total int
	Progress
	// Stop says why a Stopped job was.
	Stop      Stop
	CreatedAt time.Time
	UpdatedAt time.Time
	EndedAt   time.Time
}

// Progress counts items that have an outcome.
type Progress struct {
	Done    int
	Failed  int
	Skipped int // the action did not apply any more
}

// Stop is why a job ended early, and who ended it; the zero Actor is the server.
type Stop struct {
	Code    string // requested, access_ended
	Message string
	By      audit.Actor
}

// ItemState is where an item stands. Its numbers are stored.
type ItemState int

// The states of an item. Begun: its command may have been given.
const (
	ItemPending ItemState = iota
	ItemBegun
	ItemDone
	ItemFailed
	ItemSkipped
)

// Item is one object of a job.
type Item struct {
	JobID      string
	N          int // from 0, in the order in which they are taken
	ObjectID   string
	WorkflowID string
	State      ItemState
	Seq        int64 // that of the run when it was begun; 0 of other objects
	// Code and Message say why an item failed or was skipped.
	Code, Message string
	ResultID      string // the run that a Restart made; "": none
}

// key stands for the item's command, the same whenever it is repeated.
func (i Item) key() string { return i.JobID + "/" + strconv.Itoa(i.N) }

// Bounds of a job.
const (
	MaxIDs   = 1000    // that a request names
	MaxItems = 100_000 // that a filter selects
	// Kept is how long jobs are kept after their end.
	Kept = 30 * 24 * time.Hour
	// AcceptWithin is how long a job may be Accepting; an older one was left by a crash.
	AcceptWithin = time.Hour
	// chunk is how many items are stored in one transaction.
	chunk = 1000
)
