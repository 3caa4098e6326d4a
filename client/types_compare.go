package client

import (
	"encoding/json"
	"time"
)

// RunComparison is two runs side by side.
type RunComparison struct {
	A    ComparedRun `json:"a"`
	B    ComparedRun `json:"b"`
	Same SameInBoth  `json:"same"`
	// Those that began or were skipped in either run, in the order of A, and behind them those of B
	// alone: at most 1,000.
	Steps []StepOfBoth `json:"steps"`
	// StepsTotal counts those that are left out too.
	StepsTotal int `json:"steps_total"`
}

// ComparedRun is one of the two.
type ComparedRun struct {
	ListedRun
	Input  json.RawMessage `json:"input"`
	Output json.RawMessage `json:"output"`
	// All that the run ran on, oldest first.
	Versions []RanVersion `json:"versions"`
}

// SameInBoth says what the runs have in common.
type SameInBoth struct {
	Workflow bool `json:"workflow"`
	// By its hash.
	Definition bool `json:"definition"`
	Status     bool `json:"status"`
	// As a JSON value; of values above 1 MiB their references.
	Input  bool `json:"input"`
	Output bool `json:"output"`
}

// StepOfBoth is a step in both runs.
type StepOfBoth struct {
	StepID string `json:"step_id"`
	// Null where it did not begin.
	A          *StepOfOne `json:"a"`
	B          *StepOfOne `json:"b"`
	SameStatus bool       `json:"same_status"`
	SameOutput bool       `json:"same_output"`
}

// StepOfOne is a step in one run, without its output.
type StepOfOne struct {
	Type            string     `json:"type"`
	Status          string     `json:"status"`
	Attempt         int        `json:"attempt"`
	Error           *Failure   `json:"error"`
	StartedAt       *time.Time `json:"started_at"`
	CompletedAt     *time.Time `json:"completed_at"`
	DurationSeconds *float64   `json:"duration_seconds"`
}
