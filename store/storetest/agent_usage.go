package storetest

import (
	"encoding/json"
	"heddle/agents"
	"heddle/events"
	"heddle/executor"
	"heddle/executor/machine"
	"heddle/store"
	"testing"
	"time"
)

// agentUsageTests hold what attempts charge to agents.
var agentUsageTests = map[string]func(*testing.T, *store.DB){
	"agents are charged by day, once for each attempt": testAgentUsage,
}

// charging is a commit of a run that has ended an attempt at a time, with what its event says.
func charging(c executor.Commit, ended time.Time, data string) executor.Commit {
	next := grow(c, machine.Running, 1)
	next.Row.Usage = machine.Usage{Tokens: 1}
	next.Events[0] = events.Event{RunID: c.Row.RunID, Seq: next.Row.Seq, Kind: events.StepCompleted, StepID: "a", At: ended, Data: json.RawMessage(data)}
	return next
}

// testAgentUsage: sums are by agent, tenant and day, of all members of a group; what loses its
// commit charges nothing, nor what says no agent; a deleted run stays charged.
func testAgentUsage(t *testing.T, db *store.DB) {
	day := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	w, other := create(t, db, revision("t1", "wf_1", "one", 1)), create(t, db, revision("t2", "wf_2", "two", 1))
	runs := []executor.Commit{newRun(w, "run_1", 1), newRun(w, "run_2", 1), newRun(other, "run_3", 1)}
	commit(t, db, runs...)
	writer := `{"output":"agent","tokens":100,"cost_micro_usd":7,"agent":"writer"}`
	first := []executor.Commit{
		charging(runs[0], day, writer), charging(runs[1], day.Add(24*time.Hour-time.Millisecond), writer), charging(runs[2], day, writer),
	}
	commit(t, db, first...)
	if err := db.Commit(ctx, 0, first[:1])[0]; err == nil {
		t.Fatal("the same commit was taken twice")
	}
	second := charging(first[0], day.Add(24*time.Hour), writer)
	second.Row.Seq++
	more := charging(second, day.Add(25*time.Hour), `{"error":{"code":"x","message":"y"},"tokens":1,"agent":"reader"}`)
	second.Events = append(second.Events, more.Events[0])
	second.Events[1].Seq = second.Row.Seq
	commit(t, db, second)
	silent := charging(second, day, `{"output":{"agent":"writer","tokens":5}}`)
	commit(t, db, silent)
	huge := charging(silent, day.Add(72*time.Hour), `{"tokens":9223372036854775807,"cost_micro_usd":-1,"agent":"writer"}`)
	commit(t, db, huge)
	commit(t, db, charging(huge, day.Add(72*time.Hour), `{"tokens":9223372036854775807,"agent":"writer"}`))
	for name, test := range map[string]struct {
		tenant, agent string
		days          int
		want          []agents.Day
	}{
		"two days":       {"t1", "writer", 2, []agents.Day{{At: day, Used: agents.Used{Attempts: 2, Tokens: 200, CostMicroUSD: 14}}, {At: day.Add(24 * time.Hour), Used: agents.Used{Attempts: 1, Tokens: 100, CostMicroUSD: 7}}}},
		"one day":        {"t1", "writer", 1, []agents.Day{{At: day, Used: agents.Used{Attempts: 2, Tokens: 200, CostMicroUSD: 14}}}},
		"another tenant": {"t2", "writer", 2, []agents.Day{{At: day, Used: agents.Used{Attempts: 1, Tokens: 100, CostMicroUSD: 7}}}},
		"another agent":  {"t1", "reader", 2, []agents.Day{{At: day.Add(24 * time.Hour), Used: agents.Used{Attempts: 1, Tokens: 1}}}},
		"none":           {"t1", "nobody", 2, []agents.Day{}},
	} {
		got, err := db.AgentUsage(ctx, test.tenant, test.agent, day, day.AddDate(0, 0, test.days))
		must(t, err)
		same(t, name, got, test.want)
	}
	got, err := db.AgentUsage(ctx, "t1", "writer", day.AddDate(0, 0, 3), day.AddDate(0, 0, 4))
	must(t, err)
	same(t, "bounded", got, []agents.Day{{At: day.AddDate(0, 0, 3), Used: agents.Used{Attempts: 2, Tokens: 2_000_000_000_000}}})
}
