package executor

import (
	"bytes"
	"context"
	"encoding/json"
	"heddle/executor/machine"
	"heddle/internal/exactjson"
)

// Comparison is two runs side by side.
type Comparison struct {
	A, B                  Summary
	SameInput, SameOutput bool
	// Steps are those that began or were skipped in either run, in the order of A and behind
	// them those of B alone: at most MaxCompared, of StepsTotal.
	Steps      []StepPair
	StepsTotal int
}

// StepPair is a step in two runs; nil where it did not begin.
type StepPair struct {
	A, B       *machine.StepRun
	SameOutput bool // neither has one, or both have the same value
}

// MaxCompared is how many steps a comparison has at most.
const MaxCompared = 1000

// Compare reads two runs with their steps. allow is called with the row of each before anything
// else of it is read; its error ends the comparison and is returned. Other errors:
// fault.NotFound run_not_found.
func (s *Reader) Compare(ctx context.Context, tenantID, a, b string, allow func(Record) error) (Comparison, error) {
	var c Comparison
	var steps [2][]machine.StepRun
	for i, id := range []string{a, b} {
		row, err := s.cfg.Store.Run(ctx, tenantID, id)
		if err == nil {
			err = allow(row)
		}
		if err != nil {
			return c, err
		}
		side := []*Summary{&c.A, &c.B}[i]
		if *side, err = s.Summary(ctx, tenantID, id); err != nil {
			return c, err
		}
		run, err := s.restored.get(ctx, side.Record)
		if err != nil {
			return c, err
		}
		side.Input, steps[i] = run.EffectiveInput(), run.StepRuns()
	}
	c.SameInput, c.SameOutput = sameJSON(c.A.Input, c.B.Input), sameJSON(c.A.Output, c.B.Output)
	c.Steps = pairSteps(steps[0], steps[1])
	c.StepsTotal = len(c.Steps)
	c.Steps = c.Steps[:min(len(c.Steps), MaxCompared)]
	for i := range c.Steps {
		p := &c.Steps[i]
		p.SameOutput = p.A != nil && p.B != nil && sameJSON(p.A.Output, p.B.Output)
	}
	return c, nil
}

// pairSteps pairs the steps of two runs by their ids.
func pairSteps(a, b []machine.StepRun) []StepPair {
	pairs := make([]StepPair, 0, max(len(a), len(b)))
	place := make(map[string]int, len(a))
	for i := range a {
		place[a[i].StepID] = i
		pairs = append(pairs, StepPair{A: &a[i]})
	}
	for i := range b {
		if at, both := place[b[i].StepID]; both {
			pairs[at].B = &b[i]
		} else {
			pairs = append(pairs, StepPair{B: &b[i]})
		}
	}
	return pairs
}

// sameJSON reports whether two values are the same JSON, whatever the order of members; nil is
// null. What is not JSON is the same as itself alone.
func sameJSON(a, b json.RawMessage) bool {
	if bytes.Equal(a, b) {
		return true
	}
	if len(a) == 0 {
		a = json.RawMessage("null")
	}
	if len(b) == 0 {
		b = json.RawMessage("null")
	}
	var x, y any
	return exactjson.Decode(a, &x) == nil && exactjson.Decode(b, &y) == nil && exactjson.Equal(x, y)
}
