// Package audit says who does what, for what reason, and to which object: in
// the words that the audit trail and the runs' journals share. What a request
// does carries them in its context (see Trail), so that the code that commits a
// change writes its line in the same transaction.
package audit

import (
	"encoding/json"
	"heddle/fault"
	"strings"
	"time"
	"unicode/utf8"
)

// The types of actors.
const (
	Key      = "key"      // an API key
	User     = "user"     // a person
	Schedule = "schedule" // a schedule whose time has come
	RunActor = "run"      // another run
	System   = "system"   // the server itself
)

// Actor is who did something; the zero value means that it is not known.
type Actor struct {
	Type string `json:"type,omitempty"`
	ID   string `json:"id,omitempty"`
	Name string `json:"name,omitempty"` // as it was then
}

// Known reports whether it is known who acted.
func (a Actor) Known() bool { return a.Type != "" }

// Object is what was changed: a kind ("workflow") and its id. Slug is its slug or name at that time, "" where
// it has none besides its id.
type Object struct {
	Kind string
	ID   string
	Slug string
}

// String returns the object as the trail names it: "workflow:wf_…".
func (o Object) String() string { return o.Kind + ":" + o.ID }

// Entry is one line of the append-only audit trail. It holds no values.
type Entry struct {
	ID         string
	TenantID   string
	ActorType  string // "" in lines of earlier versions: a key
	ActorID    string
	Actor      string // the actor's name, as it was then
	Action     string // "workflow.create", "key.revoke", …
	Object     string // "workflow:wf_…", "key:key_…", …
	ObjectSlug string // see Object.Slug; "" in lines of earlier versions
	RequestID  string
	Reason     string          // as the caller wrote it
	Detail     json.RawMessage `json:",omitempty"` // a JSON object; nil: none
	At         time.Time
}

// MaxReason is how many characters a reason has at most.
const MaxReason = 1000

// CheckReason refuses a reason that cannot be kept: fault.Unacceptable
// invalid_reason.
func CheckReason(reason string) error {
	if utf8.RuneCountInString(reason) > MaxReason || strings.ContainsRune(reason, 0) || !utf8.ValidString(reason) {
		return fault.New(fault.Unacceptable, "invalid_reason",
			"A reason is text of at most %d characters without the character NUL.", MaxReason)
	}
	return nil
}
