package audit

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"
)

// Trail is what is known of a request while it changes things: who makes it and
// why, and which line it adds to the audit trail. Safe for concurrent use.
type Trail struct {
	newID func(prefix string) string
	now   func() time.Time

	mu      sync.Mutex // guards line and written
	line    Entry      // Action "": nothing is added
	written bool
}

// NewTrail returns the trail of a request; line has its tenant, actor, action and
// request id. Without an action the request leaves no line.
func NewTrail(line Entry, now func() time.Time, newID func(prefix string) string) *Trail {
	return &Trail{line: line, now: now, newID: newID}
}

// SetAction sets the action of the lines to come.
func (t *Trail) SetAction(action string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.line.Action = action
}

// Wanted reports whether the request leaves a line. A nil Trail leaves none.
func (t *Trail) Wanted() bool {
	if t == nil {
		return false
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.line.Action != ""
}

// SetReason sets the reason that the caller gave.
func (t *Trail) SetReason(reason string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.line.Reason = reason
}

// NewEntry returns a line about an object, with an id and a time of its own; false:
// the request leaves none. detail is encoded as JSON, nil for none. A nil Trail
// leaves no line.
func (t *Trail) NewEntry(o Object, detail any) (Entry, bool, error) {
	if t == nil {
		return Entry{}, false, nil
	}
	t.mu.Lock()
	e := t.line
	t.mu.Unlock()
	if e.Action == "" {
		return Entry{}, false, nil
	}
	e.ID, e.At, e.Object, e.ObjectSlug = t.newID("aud_"), t.now(), o.String(), o.Slug
	if detail != nil {
		text, err := json.Marshal(detail)
		if err != nil {
			return e, false, fmt.Errorf("encode the detail of %s: %w", e.Action, err)
		}
		e.Detail = text
	}
	return e, true, nil
}

// MarkWritten records that a line of the request is stored in the transaction of the
// change that it describes.
func (t *Trail) MarkWritten() {
	if t != nil {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.written = true
	}
}

// Written reports whether Mark was called.
func (t *Trail) Written() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.written
}

// contextKey is the key of the Trail in a context.
type contextKey struct{}

// WithTrail returns a context in which work is done for t.
func WithTrail(ctx context.Context, t *Trail) context.Context {
	return context.WithValue(ctx, contextKey{}, t)
}

// WithActor returns a context in which work is done by an actor, for a reason ("" for
// none), and leaves no line in the trail.
func WithActor(ctx context.Context, a Actor, reason string) context.Context {
	return WithTrail(ctx, &Trail{line: Entry{ActorType: a.Type, ActorID: a.ID, Actor: a.Name, Reason: reason}})
}

// TrailFrom returns the trail of the context, nil where there is none.
func TrailFrom(ctx context.Context) *Trail {
	t, _ := ctx.Value(contextKey{}).(*Trail)
	return t
}

// ActorOf returns by whom and why something is done in the context. The zero Actor
// means that it is not known.
func ActorOf(ctx context.Context) (Actor, string) {
	t := TrailFrom(ctx)
	if t == nil {
		return Actor{}, ""
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return Actor{Type: t.line.ActorType, ID: t.line.ActorID, Name: t.line.Actor}, t.line.Reason
}
