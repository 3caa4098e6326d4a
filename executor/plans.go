package executor

import (
	"container/list"
	"context"
	"encoding/json"
	"fmt"
	"heddle/definitions"
	"heddle/definitions/parser"
	"heddle/definitions/source"
	"heddle/definitions/validation"
	"heddle/executor/machine"
	"heddle/fault"
	"sync"
)

// planCache keeps compiled definitions by their hash, and drops the one that was used
// longest ago when it is full. A plan never changes, so there is nothing to invalidate. It
// is safe for concurrent use; two callers that miss at the same time both compile.
type planCache struct {
	store  Store
	traits func(stepType string) definitions.Traits
	max    int // plans at most

	// mu guards byKey and order.
	mu    sync.Mutex
	byKey map[string]*list.Element // by hash; the values are *compiled
	order *list.List               // front: used last
}

// compiled is a definition ready to run, with the hash of its canonical text.
type compiled struct {
	hash string
	plan *machine.Plan
}

// newPlanCache makes a cache of at most size plans. traits returns what step types
// declare about themselves.
func newPlanCache(store Store, traits func(stepType string) definitions.Traits, size int) *planCache {
	return &planCache{store: store, traits: traits, max: size, byKey: make(map[string]*list.Element), order: list.New()}
}

// get returns the plan of a stored version, from the cache or compiled. Errors:
// fault.NotFound from the store, those of compilePlan, and fault.Internal
// definition_hash_mismatch: the stored text is not the one that the run was created with.
func (c *planCache) get(ctx context.Context, workflowID string, version int, hash string) (*compiled, error) {
	if p := c.cached(hash); p != nil {
		return p, nil
	}
	text, err := c.store.Definition(ctx, workflowID, version)
	if err != nil {
		return nil, err
	}
	p, err := compilePlan(text, c.traits)
	if err != nil {
		return nil, fmt.Errorf("compile version %d of %s: %w", version, workflowID, err)
	}
	if p.hash != hash {
		return nil, fault.New(fault.Internal, "definition_hash_mismatch",
			"Version %d of workflow %s does not have the hash that was recorded for it.", version, workflowID)
	}
	c.keep(p)
	return p, nil
}

// compilePlan compiles a stored definition. Errors: fault.Internal
// definition_unreadable, and those of machine.Compile.
func compilePlan(text json.RawMessage, traits func(stepType string) definitions.Traits) (*compiled, error) {
	doc, problems := parser.Parse(text, source.JSON)
	if doc == nil || !validation.Valid(problems) {
		return nil, fault.New(fault.Internal, "definition_unreadable", "The stored definition cannot be read.")
	}
	plan, err := machine.Compile(doc.Definition, traits)
	if err != nil {
		return nil, err
	}
	return &compiled{hash: doc.Hash, plan: plan}, nil
}

// cached returns the plan with that hash, and marks it as used; nil: it is not
// cached.
func (c *planCache) cached(hash string) *compiled {
	c.mu.Lock()
	defer c.mu.Unlock()
	el := c.byKey[hash]
	if el == nil {
		return nil
	}
	c.order.MoveToFront(el)
	p, _ := el.Value.(*compiled)
	return p
}

// keep adds a plan, and drops the one that was used longest ago beyond the limit.
func (c *planCache) keep(p *compiled) {
	c.mu.Lock()
	defer c.mu.Unlock()
	// Another caller compiled the same text meanwhile.
	if c.byKey[p.hash] != nil {
		return
	}
	c.byKey[p.hash] = c.order.PushFront(p)
	for c.order.Len() > c.max {
		last := c.order.Back()
		old, _ := c.order.Remove(last).(*compiled)
		delete(c.byKey, old.hash)
	}
}

// restore folds a run from its journal, on the plans of all versions that it was on, and
// returns its row and what it owes to the next snapshot. It costs the newest snapshot and
// the events after it. Errors: fault.NotFound run_not_found, those of get, and a journal
// that does not fit its plans.
func (c *planCache) restore(ctx context.Context, runID string) (*machine.Run, Record, snapshotDebt, error) {
	j, err := c.store.Journal(ctx, runID)
	if err != nil {
		return nil, Record{}, snapshotDebt{}, err
	}
	run, err := machine.RestoreAcross(c.of(ctx, j.Row.WorkflowID), j.Row.Header, j.Snapshot, j.Events)
	return run, j.Row, debtOf(j), err
}

// of returns the function that finds the plans of a workflow's versions.
func (c *planCache) of(ctx context.Context, workflowID string) func(machine.VersionSpan) (*machine.Plan, error) {
	return func(v machine.VersionSpan) (*machine.Plan, error) {
		p, err := c.get(ctx, workflowID, v.Version, v.Hash)
		if err != nil {
			return nil, err
		}
		return p.plan, nil
	}
}
