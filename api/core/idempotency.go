package core

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"heddle/definitions/source"
	"heddle/fault"
	"heddle/idempotency"
	"sync"
	"time"
)

// The headers of a request that may be repeated, and of an answer that was stored before.
const (
	HeaderKey      = "Idempotency-Key"
	HeaderReplayed = "Idempotency-Replayed"
	// keyWait is how long a second request waits for the first one with the
	// same key in this process.
	keyWait = 10 * time.Second
)

// Key is what identifies a request that carries an Idempotency-Key: the key is unique per tenant
// and scope, which is the method and the canonical path. bodyHash distinguishes a repetition from
// another request under the same key.
type Key struct {
	tenantID, Scope, Key, bodyHash string
}

// Creation is one creation. Its method Answer makes the answer before the object is stored, so
// that both are stored in the same transaction: a crash between them would let a repeated request
// create a second object. It belongs to the request's goroutine.
type Creation struct {
	c      *Call
	key    *Key                // nil: the caller sent none
	result *idempotency.Answer // the last answer that was made
	err    error               // why none could be made
}

// Answer makes the answer of a creation, with body encoded as JSON, and returns it if it is to be
// stored with the object: nil where the request carries no key. The answer is kept in any case
// and is what Idempotent sends. It may be called again when the store repeats its attempt; the
// last answer counts.
func (o *Creation) Answer(status int, header map[string]string, body any) *idempotency.Answer {
	text, err := Encode(body)
	if err != nil {
		o.err = fmt.Errorf("encode an answer: %w", err)
		return nil
	}
	o.result = &idempotency.Answer{Status: status, Header: header, Response: text}
	if o.key == nil {
		return nil
	}
	a := o.result
	a.TenantID, a.Scope, a.Key, a.BodyHash = o.key.tenantID, o.key.Scope, o.key.Key, o.key.bodyHash
	a.CreatedAt = o.c.server.cfg.Now()
	return a
}

// Idempotent performs create at most once per Idempotency-Key and sends the answer that create
// made with Creation.Answer, or the one that was stored before. Without a key create is simply
// performed. Errors: fault.Malformed invalid_request for a key of the wrong form; fault.Conflict
// idempotency_key_reused for another body and idempotency_in_progress; those of create.
func (c *Call) Idempotent(create func(*Creation) error) error {
	return c.IdempotentWith(create, c.sendAnswer)
}

// IdempotentWith is Idempotent for an answer that send makes of the stored one.
func (c *Call) IdempotentWith(create func(*Creation) error, send func(*idempotency.Answer) error) error {
	k, err := keyOf(c)
	if err != nil {
		return err
	}
	o := &Creation{c: c, key: k}
	// Within this process the second of two simultaneous requests waits for the first.
	if k != nil {
		leave, err := c.server.keyLocks.lock(c.Ctx(), k.tenantID+"\x00"+k.Scope+"\x00"+k.Key)
		if err != nil {
			return err
		}
		defer leave()
		if done, err := replay(c, k, send); done || err != nil {
			return err
		}
	}
	err = create(o)
	if k != nil && fault.CodeOf(err) == "idempotency_key_taken" {
		// Another process was faster; its answer is kept by now.
		if done, err := replay(c, k, send); done || err != nil {
			return err
		}
		return errInProgress()
	}
	// An answer that could not be encoded was not stored either, but its object was.
	if err == nil {
		err = o.err
	}
	if err != nil {
		return err
	}
	return send(o.result)
}

// keyOf returns the request's Idempotency-Key; nil without one. A key is 1 to idempotency.MaxKey
// printable characters, given once: fault.Malformed otherwise.
func keyOf(c *Call) (*Key, error) {
	values := c.Request.Header.Values(HeaderKey)
	if len(values) == 0 {
		return nil, nil
	}
	key := values[0]
	if len(values) > 1 || len(key) < 1 || len(key) > idempotency.MaxKey || !Printable(key) {
		return nil, Malformed("%s must be 1 to %d printable ASCII characters, given once.", HeaderKey, idempotency.MaxKey)
	}
	return &Key{
		tenantID: c.TenantID(), Scope: c.Request.Method + " " + canonicalOf(c.Request), Key: key, bodyHash: bodyHash(c.Body),
	}, nil
}

// bodyHash is the SHA-256 of the canonical form, in hex, so that white space and the
// order of keys do not matter; a body that has none is compared byte by byte.
func bodyHash(body []byte) string {
	if canonical, err := source.Canonical(body); err == nil {
		body = canonical
	}
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:])
}

// replay sends the answer that is stored under the key; done: there is one, or sending it failed.
func replay(c *Call, k *Key, send func(*idempotency.Answer) error) (done bool, err error) {
	kept, err := c.server.cfg.Answers.Answer(c.Ctx(), k.tenantID, k.Scope, k.Key)
	if err != nil || kept == nil {
		return false, err
	}
	return true, sendKept(c, k, kept, send)
}

// sendKept sends a stored answer with Idempotency-Replayed, if the body is that of the first
// request; otherwise fault.Conflict idempotency_key_reused.
func sendKept(c *Call, k *Key, kept *idempotency.Answer, send func(*idempotency.Answer) error) error {
	if kept.BodyHash != k.bodyHash {
		return fault.New(fault.Conflict, "idempotency_key_reused",
			"This %s was used with another body; use a new key for a new request.", HeaderKey)
	}
	c.Writer.Header().Set(HeaderReplayed, "true")
	return send(kept)
}

// sendAnswer sends an answer with its headers, Location and ETag.
func (c *Call) sendAnswer(a *idempotency.Answer) error {
	for name, value := range a.Header {
		c.Writer.Header().Set(name, value)
	}
	return c.Send(a.Status, "application/json", a.Response)
}

// errInProgress returns fault.Conflict idempotency_in_progress.
func errInProgress() *fault.Error {
	return fault.New(fault.Conflict, "idempotency_in_progress",
		"A request with this %s is under way; repeat this one in a moment.", HeaderKey)
}

// keyLocks admits the requests with one key one at a time, within this process; between processes
// the store's unique index decides. mu guards open, which holds the requests in progress; a
// channel is closed when its request ends.
type keyLocks struct {
	mu   sync.Mutex
	open map[string]chan struct{}
}

// newKeyLocks returns locks of which none is held.
func newKeyLocks() *keyLocks { return &keyLocks{open: map[string]chan struct{}{}} }

// lock waits until no other request with the key is in progress; leave has to be called once and
// admits the next one, in no particular order. It gives up after keyWait, or when ctx ends, with
// fault.Conflict idempotency_in_progress.
func (f *keyLocks) lock(ctx context.Context, key string) (leave func(), err error) {
	ctx, cancel := context.WithTimeout(ctx, keyWait)
	defer cancel()
	for {
		mine := make(chan struct{})
		f.mu.Lock()
		other, busy := f.open[key]
		if !busy {
			f.open[key] = mine
		}
		f.mu.Unlock()
		if !busy {
			return func() { f.unlock(key, mine) }, nil
		}
		select {
		case <-other:
		case <-ctx.Done():
			return nil, errInProgress()
		}
	}
}

// unlock ends the turn of the request that lock entered with mine, and wakes those that wait.
func (f *keyLocks) unlock(key string, mine chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.open, key)
	close(mine)
}
