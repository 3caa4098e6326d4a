package api

import (
	"heddle/executor/machine"
	"slices"
)

// words is one state in the four dialects. Each state has exactly one word in
// each.
type words struct {
	workflows, runs, turns, instances string
}

// wordsOf translates a state. The turns dialect says aborted_looping_risk of a
// run that failed with the code looping_risk: see turnsWord.
func wordsOf(s machine.State) words {
	switch s {
	case machine.Queued:
		return words{"queued", "queued", "not_started", "queued"}
	case machine.Running, machine.Cancelling, machine.Compensating:
		return words{"running", "running", "running", "running"}
	case machine.Backoff:
		return words{"running", "retrying", "running", "waiting"}
	case machine.WaitingTimer:
		return words{"waiting", "running", "running", "waiting"}
	case machine.WaitingSignal:
		return words{"waiting", "running", "waiting_for_user_input", "waiting"}
	case machine.Pausing:
		return words{"running", "running", "running", "waitingForPause"}
	case machine.Paused:
		return words{"paused", "running", "paused", "paused"}
	case machine.Completed:
		return words{"completed", "succeeded", "completed", "complete"}
	case machine.Failed:
		return words{"failed", "failed", "failed", "errored"}
	case machine.Cancelled:
		return words{"cancelled", "cancelled", "cancelled", "terminated"}
	}
	return words{}
}

// turnsWord is the turns dialect's word, which knows why a run failed.
func turnsWord(s machine.State, errorCode string) string {
	if s == machine.Failed && errorCode == "looping_risk" {
		return "aborted_looping_risk"
	}
	return wordsOf(s).turns
}

// statesOf lists the states that a dialect prints as word; none: it is no word
// of that dialect.
func statesOf(word string, dialect func(words) string) []machine.State {
	var states []machine.State
	for _, s := range machine.States {
		if word != "" && dialect(wordsOf(s)) == word {
			states = append(states, s)
		}
	}
	return states
}

// vocabulary lists a dialect's words, each once.
func vocabulary(dialect func(words) string) []string {
	var list []string
	for _, s := range machine.States {
		if w := dialect(wordsOf(s)); !slices.Contains(list, w) {
			list = append(list, w)
		}
	}
	return list
}

func inWorkflows(w words) string { return w.workflows }

func inRuns(w words) string { return w.runs }

func inInstances(w words) string { return w.instances }

func inTurns(w words) string { return w.turns }

// dialectNamed is the dialect that a field's tag words names.
func dialectNamed(tag string) func(words) string {
	switch tag {
	case "runs":
		return inRuns
	case "turns":
		return inTurns
	case "instances":
		return inInstances
	}
	return inWorkflows
}
