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

const (
	HeaderKey      = "Idempotency-Key"
	HeaderReplayed = "Idempotency-Replayed"
	// keyWait is how long a second request waits for the first one with the
	// same key in this process.
	keyWait = 10 * time.Second
)

// Key is what identifies a request that carries an Idempotency-Key.
type Key struct {
	tenantID, Scope, Key, bodyHash string
}

// Creation is one creation. Its method Answer makes the answer before the object is
// stored, so that both are stored in the same transaction: a crash between them
// would let a repeated request create a second object.
type Creation struct {
	c      *Call
	key    *Key // nil: the caller sent none
	result *idempotency.Answer
	err    error
}

// Answer makes the answer, and returns it if it is to be stored: nil where the
// request carries no key.
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

// Idempotent performs create at most once per Idempotency-Key and sends the answer
// that create made with Creation.Answer, or the one that was stored before.
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
	if err == nil {
		err = o.err
	}
	if err != nil {
		return err
	}
	return send(o.result)
}

// keyOf reads the Idempotency-Key; nil without one.
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

// replay sends the answer that is stored under the key, if there is one.
func replay(c *Call, k *Key, send func(*idempotency.Answer) error) (done bool, err error) {
	kept, err := c.server.cfg.Answers.Answer(c.Ctx(), k.tenantID, k.Scope, k.Key)
	if err != nil || kept == nil {
		return false, err
	}
	return true, sendKept(c, k, kept, send)
}

func sendKept(c *Call, k *Key, kept *idempotency.Answer, send func(*idempotency.Answer) error) error {
	if kept.BodyHash != k.bodyHash {
		return fault.New(fault.Conflict, "idempotency_key_reused",
			"This %s was used with another body; use a new key for a new request.", HeaderKey)
	}
	c.Writer.Header().Set(HeaderReplayed, "true")
	return send(kept)
}

func (c *Call) sendAnswer(a *idempotency.Answer) error {
	for name, value := range a.Header {
		c.Writer.Header().Set(name, value)
	}
	return c.Send(a.Status, "application/json", a.Response)
}

func errInProgress() *fault.Error {
	return fault.New(fault.Conflict, "idempotency_in_progress",
		"A request with this %s is under way; repeat this one in a moment.", HeaderKey)
}

// keyLocks lets requests with one key through one at a time, within this process.
// mu guards open; a channel is closed when its request ends.
type keyLocks struct {
	mu   sync.Mutex
	open map[string]chan struct{}
}

func newKeyLocks() *keyLocks { return &keyLocks{open: map[string]chan struct{}{}} }

// lock waits until no other request with the key is in progress; unlock lets the
// next one in. It gives up after keyWait with fault.Conflict
// idempotency_in_progress.
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

func (f *keyLocks) unlock(key string, mine chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.open, key)
	close(mine)
}
