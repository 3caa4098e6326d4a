package api

import (
	"heddle/executor/machine"
	"os"
	"regexp"
	"strings"
	"testing"
)

// wanted is the table of the semantics, line by line: workflows, runs, turns,
// instances.
func wanted() map[machine.State]words {
	return map[machine.State]words{
		machine.Queued:        {"queued", "queued", "not_started", "queued"},
		machine.Running:       {"running", "running", "running", "running"},
		machine.Backoff:       {"running", "retrying", "running", "waiting"},
		machine.WaitingTimer:  {"waiting", "running", "running", "waiting"},
		machine.WaitingSignal: {"waiting", "running", "waiting_for_user_input", "waiting"},
		machine.Pausing:       {"running", "running", "running", "waitingForPause"},
		machine.Paused:        {"paused", "running", "paused", "paused"},
		machine.Cancelling:    {"running", "running", "running", "running"},
		machine.Compensating:  {"running", "running", "running", "running"},
		machine.Completed:     {"completed", "succeeded", "completed", "complete"},
		machine.Failed:        {"failed", "failed", "failed", "errored"},
		machine.Cancelled:     {"cancelled", "cancelled", "cancelled", "terminated"},
	}
}

// Wanted gives a line of that table to the tests from outside.
func Wanted(s machine.State) (workflows, runs, turns, instances string) {
	w := wanted()[s]
	return w.workflows, w.runs, w.turns, w.instances
}

func TestEachStateHasItsWordInEachDialect(t *testing.T) {
	want := wanted()
	for _, s := range machine.States {
		if got := wordsOf(s); got != want[s] || got == (words{}) {
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
		if got := turnsWord(c.state, c.code); got != c.want {
			t.Errorf("%s/%s: %q, want %q", c.state, c.code, got, c.want)
		}
	}
}

func TestFiltersMatchThePrintedWord(t *testing.T) {
	for _, dialect := range []func(words) string{
		inWorkflows,
		func(w words) string { return w.runs },
		func(w words) string { return w.turns },
		func(w words) string { return w.instances },
	} {
		seen := map[machine.State]bool{}
		for _, word := range vocabulary(dialect) {
			for _, s := range statesOf(word, dialect) {
				if seen[s] || dialect(wordsOf(s)) != word {
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
		if got := statesOf(junk, inWorkflows); got != nil {
			t.Errorf("%q is no word: %v", junk, got)
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
		w := wordsOf(s)
		line := regexp.MustCompile(`(?m)^\| ` + string(s) + `(:[^|]*)? \| ` + strings.Join([]string{w.workflows, w.runs, w.turns, w.instances}, ` \| `) + ` \|$`)
		if !line.Match(text) {
			t.Errorf("docs/runs.md has no line %s", line)
		}
	}
}
