package api

import (
	"heddle/api/core"
	"heddle/executor/machine"
	"os"
	"regexp"
	"strings"
	"testing"
)

// wanted is the table of the semantics, line by line: workflows, runs, turns,
// instances.
func wanted() map[machine.State]core.Words {
	return map[machine.State]core.Words{
		machine.Queued:        {Workflows: "queued", Runs: "queued", Turns: "not_started", Instances: "queued"},
		machine.Running:       {Workflows: "running", Runs: "running", Turns: "running", Instances: "running"},
		machine.Backoff:       {Workflows: "running", Runs: "retrying", Turns: "running", Instances: "waiting"},
		machine.WaitingTimer:  {Workflows: "waiting", Runs: "running", Turns: "running", Instances: "waiting"},
		machine.WaitingSignal: {Workflows: "waiting", Runs: "running", Turns: "waiting_for_user_input", Instances: "waiting"},
		machine.Pausing:       {Workflows: "running", Runs: "running", Turns: "running", Instances: "waitingForPause"},
		machine.Paused:        {Workflows: "paused", Runs: "running", Turns: "paused", Instances: "paused"},
		machine.Cancelling:    {Workflows: "running", Runs: "running", Turns: "running", Instances: "running"},
		machine.Compensating:  {Workflows: "running", Runs: "running", Turns: "running", Instances: "running"},
		machine.Completed:     {Workflows: "completed", Runs: "succeeded", Turns: "completed", Instances: "complete"},
		machine.Failed:        {Workflows: "failed", Runs: "failed", Turns: "failed", Instances: "errored"},
		machine.Cancelled:     {Workflows: "cancelled", Runs: "cancelled", Turns: "cancelled", Instances: "terminated"},
	}
}

// Wanted returns a line of that table, for tests of the package from outside.
func Wanted(s machine.State) (workflows, runs, turns, instances string) {
	w := wanted()[s]
	return w.Workflows, w.Runs, w.Turns, w.Instances
}

func TestEachStateHasItsWordInEachDialect(t *testing.T) {
	want := wanted()
	for _, s := range machine.States {
		if got := core.WordsOf(s); got != want[s] || got == (core.Words{}) {
			t.Errorf("%s: %+v, want %+v", s, got, want[s])
		}
	}
	if len(want) != len(machine.States) {
		t.Errorf("%d states, %d in the table", len(machine.States), len(want))
	}
}

func TestLoopingRiskHasItsOwnWordInTurns(t *testing.T) {
	for _, c := range []struct {
		state machine.State
		code  string
		want  string
	}{
		{machine.Failed, "looping_risk", "aborted_looping_risk"},
		{machine.Failed, "step_failed", "failed"},
		{machine.Running, "looping_risk", "running"},
	} {
		if got := core.TurnsWord(c.state, c.code); got != c.want {
			t.Errorf("%s/%s: %q, want %q", c.state, c.code, got, c.want)
		}
	}
}

func TestFiltersMatchThePrintedWord(t *testing.T) {
	for _, dialect := range []func(core.Words) string{
		core.InWorkflows,
		func(w core.Words) string { return w.Runs },
		func(w core.Words) string { return w.Turns },
		func(w core.Words) string { return w.Instances },
	} {
		seen := map[machine.State]bool{}
		for _, word := range core.Vocabulary(dialect) {
			for _, s := range core.StatesOf(word, dialect) {
				if seen[s] || dialect(core.WordsOf(s)) != word {
					t.Errorf("state %s under %q", s, word)
				}
				seen[s] = true
			}
		}
		if len(seen) != len(machine.States) {
			t.Errorf("%d states are found by a filter of %d", len(seen), len(machine.States))
		}
	}
	for _, junk := range []string{"", "succeeded", "Running", "queued "} {
		if got := core.StatesOf(junk, core.InWorkflows); got != nil {
			t.Errorf("%q is not a word: %v", junk, got)
		}
	}
}

// What docs/runs.md says of the states is this table too.
func TestThePageOfTheStatesIsTheTable(t *testing.T) {
	text, err := os.ReadFile("../docs/runs.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range machine.States {
		w := core.WordsOf(s)
		line := regexp.MustCompile(`(?m)^\| ` + string(s) + `(:[^|]*)? \| ` + strings.Join([]string{w.Workflows, w.Runs, w.Turns, w.Instances}, ` \| `) + ` \|$`)
		if !line.Match(text) {
			t.Errorf("docs/runs.md has no line %s", line)
		}
	}
}
