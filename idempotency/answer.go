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

// Store is what a replay needs of persistence. Where a request creates one
// object, its answer is written with the object, in its transaction.
type Store interface {
	// Answer returns a kept answer; nil and no error where there is none.
	Answer(ctx context.Context, tenantID, scope, key string) (*Answer, error)
	// KeepAnswer keeps the answer of a request that created its objects one by
	// one, each with an answer of its own, once they are all there.
	KeepAnswer(ctx context.Context, a Answer) error
	// PurgeAnswers removes answers older than before.
	PurgeAnswers(ctx context.Context, before time.Time) error
}
