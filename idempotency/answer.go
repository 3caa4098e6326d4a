// Package idempotency names the answers that are kept so that a request made
// twice with one Idempotency-Key has one effect. Only 2xx answers are kept.
package idempotency

import (
	"context"
	"time"
)

// TTL is how long an answer is kept.
const TTL = 7 * 24 * time.Hour

// MaxKey is the longest key that is accepted, in characters.
const MaxKey = 255

// Answer is what was answered the first time. It is unique by (TenantID,
// Scope, Key); Scope is the method and the path. BodyHash is taken over the
// canonical form of the request's body.
type Answer struct {
	TenantID  string
	Scope     string
	Key       string
	BodyHash  string
	Status    int
	Header    map[string]string // Location, ETag
	Response  []byte
	CreatedAt time.Time
}

// Store is what a replay asks of persistence. Writing happens with the object
// that the request creates, in its transaction.
type Store interface {
	// Answer finds a kept answer, or nil.
	Answer(ctx context.Context, tenantID, scope, key string) (*Answer, error)
	// PurgeAnswers removes answers older than before.
	PurgeAnswers(ctx context.Context, before time.Time) error
}
