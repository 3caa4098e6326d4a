package storetest

import (
	"encoding/json"
	"fmt"
	"heddle/agents"
	"heddle/fault"
	"heddle/store"
	"testing"
)

// agentTests hold what agents promise.
var agentTests = map[string]func(*testing.T, *store.DB){
	"agents are kept, replaced, listed and removed": testAgents,
	"an agent is created once by many at once":      testAgentRace,
}

// testAgents: an agent is found by tenant and id, a replacement keeps its creation and
// has the next revision, and allow may refuse either change by the revision.
func testAgents(t *testing.T, db *store.DB) {
	any := func(int64) error { return nil }
	stale := func(int64) error { return fault.New(fault.Precondition, "precondition_failed", "changed") }
	make := func(tenant, id string, n int) agents.Agent {
		return agents.Agent{
			TenantID: tenant, ID: id, Provider: "openai", BaseURL: "https://example.com/v1", Model: "m", OutputMicroUSDPer1K: 5,
			Tools:     []agents.Tool{{Name: "t", URL: "https://example.com/t", Parameters: json.RawMessage(`{"type":"object"}`), Headers: map[string]string{"A": "b"}}},
			CreatedAt: at(n), UpdatedAt: at(n),
		}
	}
	// Put in another order than that of their ids, by which they are listed.
	for i, id := range []string{"b", "a", "c"} {
		kept, err := db.PutAgent(ctx, make("t1", id, i), any)
		must(t, err)
		same(t, "first revision", kept.Revision, int64(1))
	}
	// Another tenant may have the same id.
	_, err := db.PutAgent(ctx, make("t2", "a", 0), any)
	must(t, err)
	want := make("t1", "b", 0)
	// Replaced at 9, it is still as old as the first one.
	want.UpdatedAt, want.Revision, want.Model = at(9), 2, "other"
	change := make("t1", "b", 9)
	change.Model = "other"
	_, err = db.PutAgent(ctx, change, stale)
	wantFault(t, err, fault.Precondition, "precondition_failed")
	kept, err := db.PutAgent(ctx, change, any)
	must(t, err)
	same(t, "changed", kept, want)
	got, err := db.Agent(ctx, "t1", "b")
	must(t, err)
	same(t, "read", got, want)

	page, next, err := db.Agents(ctx, "t1", "", 2)
	must(t, err)
	same(t, "page", []string{page[0].ID, page[1].ID}, []string{"a", "b"})
	page, next, err = db.Agents(ctx, "t1", next, 2)
	must(t, err)
	same(t, "last page", page[0].ID+next, "c")

	wantFault(t, db.DeleteAgent(ctx, "t1", "b", stale), fault.Precondition, "precondition_failed")
	must(t, db.DeleteAgent(ctx, "t1", "b", any))
	wantFault(t, db.DeleteAgent(ctx, "t1", "b", any), fault.NotFound, "agent_not_found")
	_, err = db.Agent(ctx, "t1", "b")
	wantFault(t, err, fault.NotFound, "agent_not_found")
}

// testAgentRace: of creations at once that allow no replacement, one is stored.
func testAgentRace(t *testing.T, db *store.DB) {
	taken := fault.New(fault.Precondition, "precondition_failed", "exists")
	for round := range 10 {
		a := agents.Agent{TenantID: "t1", ID: fmt.Sprint("a", round), Provider: "openai", CreatedAt: at(1), UpdatedAt: at(1)}
		winners := race(8, func(int) error {
			_, err := db.PutAgent(ctx, a, func(revision int64) error {
				if revision > 0 {
					return taken
				}
				return nil
			})
			return err
		}, func(err error) { wantFault(t, err, fault.Precondition, "precondition_failed") })
		same(t, "winners", winners, 1)
		kept, err := db.Agent(ctx, "t1", a.ID)
		must(t, err)
		same(t, "revision", kept.Revision, int64(1))
	}
}
