package core

import (
	"heddle/executor/machine"
	"slices"
)

// Words is one state in the words of the four dialects. Each state has exactly one word in each;
// a word may stand for several states.
type Words struct {
	Workflows, Runs, Turns, Instances string
}

// WordsOf translates a state; the zero Words for what is not a state. It is the one table of the
// dialects' words: filters, enums of the document and answers are all made of it. The turns
// dialect says aborted_looping_risk of a run that failed with the code looping_risk: see
// TurnsWord.
func WordsOf(s machine.State) Words {
	switch s {
	case machine.Queued:
		return Words{"queued", "queued", "not_started", "queued"}
	case machine.Running, machine.Cancelling, machine.Compensating:
		return Words{"running", "running", "running", "running"}
	case machine.Backoff:
		return Words{"running", "retrying", "running", "waiting"}
	case machine.WaitingTimer:
		return Words{"waiting", "running", "running", "waiting"}
	case machine.WaitingSignal:
		return Words{"waiting", "running", "waiting_for_user_input", "waiting"}
	case machine.Pausing:
		return Words{"running", "running", "running", "waitingForPause"}
	case machine.Paused:
		return Words{"paused", "running", "paused", "paused"}
	case machine.Completed:
		return Words{"completed", "succeeded", "completed", "complete"}
	case machine.Failed:
		return Words{"failed", "failed", "failed", "errored"}
	case machine.Cancelled:
		return Words{"cancelled", "cancelled", "cancelled", "terminated"}
	}
	return Words{}
}

// TurnsWord returns the turns dialect's word, which depends on why a run failed; errorCode is ""
// for any other state.
func TurnsWord(s machine.State, errorCode string) string {
	if s == machine.Failed && errorCode == "looping_risk" {
		return "aborted_looping_risk"
	}
	return WordsOf(s).Turns
}

// StatesOf lists the states that a dialect prints as word, for a filter; nil: it is not a word of
// that dialect.
func StatesOf(word string, dialect func(Words) string) []machine.State {
	var states []machine.State
	for _, s := range machine.States {
		if word != "" && dialect(WordsOf(s)) == word {
			states = append(states, s)
		}
	}
	return states
}

// Vocabulary lists a dialect's words, each once, in the order of machine.States.
func Vocabulary(dialect func(Words) string) []string {
	var list []string
	for _, s := range machine.States {
		if w := dialect(WordsOf(s)); !slices.Contains(list, w) {
			list = append(list, w)
		}
	}
	return list
}

// InWorkflows is the word of the workflows dialect.
func InWorkflows(w Words) string { return w.Workflows }

// InRuns is the word of the runs dialect.
func InRuns(w Words) string { return w.Runs }

// InInstances is the word of the instances dialect.
func InInstances(w Words) string { return w.Instances }

// InTurns is the word of the turns dialect; see TurnsWord.
func InTurns(w Words) string { return w.Turns }

// DialectNamed returns the dialect that a field's tag words names; the workflows dialect for any
// other name.
func DialectNamed(tag string) func(Words) string {
	switch tag {
	case "runs":
		return InRuns
	case "turns":
		return InTurns
	case "instances":
		return InInstances
	}
	return InWorkflows
}
