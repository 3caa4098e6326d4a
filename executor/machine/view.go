package machine

import (
	"encoding/json"
	"heddle/expressions"
)

// view is what the expressions of one position can see: the run's state, the steps that are
// ancestors, the iterations around it. It reads an immutable run, so it may be used at any
// time and by any goroutine; one with blobs (WithBlobs) by one goroutine at a time.
type view struct {
	run          *Run
	position     position
	probe        json.RawMessage // output of the probe, for wait.condition
	seesItself   bool            // the step itself is visible: to its compensation
	upcomingLoop *loopState      // for loop.while: the loop about to start an iteration
}

var _ expressions.Scope = view{}

// null is the JSON value null. It is shared and must not be changed.
var null = json.RawMessage("null")

// Value returns input, run, probe and what the loops around the position introduce, the
// innermost first; false for any other name.
func (v view) Value(name string) (json.RawMessage, bool) {
	switch name {
	case "input":
		return orNull(v.run.EffectiveInput()), true
	case "run":
		return v.runValue(), true
	case "probe":
		return v.resolved(v.probe)
	}
	if v.upcomingLoop != nil {
		if value, ok := v.nextIterationValue(name); ok {
			return value, true
		}
	}
	for f := v.position.frame; f != nil; f = f.parent {
		if value, ok := v.iterationValue(f, name); ok {
			return value, true
		}
	}
	return nil, false
}

// nextIterationValue returns the values of the iteration that loop.while decides about,
// whose index is that of the next one to start.
func (v view) nextIterationValue(name string) (json.RawMessage, bool) {
	switch name {
	case "index", "item", v.run.node(v.position).loop.as:
		return appendInt(v.upcomingLoop.nextIndex), true
	case "last":
		return v.resolved(orNull(v.upcomingLoop.lastResult))
	}
	return nil, false
}

// iterationValue returns what the loop of f introduces in its body: index, last, and the
// item under its own name. The item of a while loop is its index.
func (v view) iterationValue(f *frame, name string) (json.RawMessage, bool) {
	plan := f.loop.loop
	switch name {
	case "index":
		return appendInt(f.index), true
	case "last":
		return v.resolved(orNull(v.run.stepAt(f.loopPosition()).loop.lastResult))
	case "item", plan.as:
		if name == "item" && plan.as != "item" {
			return nil, false
		}
		if plan.while != nil {
			return appendInt(f.index), true
		}
		return v.item(f), true
	}
	return nil, false
}

// resolved returns a value's content; false where there is none.
func (v view) resolved(value json.RawMessage) (json.RawMessage, bool) {
	content, err := v.run.content(value)
	return content, err == nil && content != nil
}

// runValue returns the value of run: id, workflow_id, version, trigger, started_at, and in
// handlers how it ends.
func (v view) runValue() json.RawMessage {
	r := v.run
	o := objectIn(make([]byte, 0, 192))
	o.text("id", r.RunID)
	o.text("workflow_id", r.WorkflowID)
	o.Int("version", int64(r.Version))
	o.text("trigger", r.Trigger)
	o.instant("started_at", r.StartedAt)
	v.appendEnding(&o)
	return o.End()
}

// Step returns an ancestor of the position, or of a loop around it. False: the definition
// has no such step, or it need not have finished when the reader runs. In the body of a
// loop the steps of the same iteration are meant; steps outside of the loop are the loop's
// ancestors.
func (v view) Step(id string) (expressions.StepValue, bool) {
	n := v.run.plan.index[id]
	if n == nil {
		return expressions.StepValue{}, false
	}
	f, step := v.position.frame, v.position.step
	// Outwards through the iterations, to the list that the step is in.
	for n.list != v.run.listOf(f) {
		if f == nil {
			return expressions.StepValue{}, false
		}
		f, step = f.parent, f.loop.index
	}
	if !v.sees(n, step, f == v.position.frame) {
		return expressions.StepValue{}, false
	}
	value := v.run.stepAt(position{f, n.index}).value()
	if _, apart := ParseReference(value.Output); apart && v.run.blobs != nil {
		// Read on demand: most expressions do not look at a large output.
		value.Load = func() (json.RawMessage, error) { return v.run.content(value.Output) }
	}
	return value, true
}

// sees reports whether the step at index from of the same list may read n. -1 stands for
// the list's end, which sees all main steps. own: the list is the reader's own one. Steps
// that an expression names with a constant were checked when the definition was validated,
// so only names that are computed cost a search of the graph.
func (v view) sees(n *node, from int32, own bool) bool {
	if from < 0 {
		return n.part == partMain
	}
	reader := n.list.nodes[from]
	if n == reader {
		return own && v.seesItself
	}
	if reader.part != n.part {
		return n.part == partMain // handlers see all main steps, and nothing else of another list
	}
	if reader.namedSteps[n.step.ID] || v.position.step >= 0 && v.run.node(v.position).namedSteps[n.step.ID] {
		return true
	}
	return n.list.ancestor(n.index, from)
}

// ancestor reports whether a is reached from b along its parents. O(ancestors of b).
func (l *list) ancestor(a, b int32) bool {
	found := false
	l.ancestors(b, l.nodes[a].depth, func(at int32) bool { found = at == a; return !found })
	return found
}

// ancestors visits the ancestors of a step of at least that depth, each once, until yield
// returns false. Their order is not defined.
func (l *list) ancestors(of, depth int32, yield func(int32) bool) {
	seen := map[int32]bool{}
	stack := append([]int32(nil), l.nodes[of].parents...)
	for len(stack) > 0 {
		at := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if seen[at] || l.nodes[at].depth < depth {
			continue
		}
		seen[at] = true
		if !yield(at) {
			return
		}
		stack = append(stack, l.nodes[at].parents...)
	}
}

// value returns what steps.<id> shows of a step. Under a running fallback it
// has failed.
func (s *stepState) value() expressions.StepValue {
	v := expressions.StepValue{Status: string(s.status), Output: orNull(s.output), Error: null}
	if s.fallbackRunning {
		v.Status = string(StepFailed)
	}
	if s.err != nil {
		v.Error = appendError(nil, s.err)
	}
	return v
}

// StepIDs returns the visible steps, inner lists first, in document order.
func (v view) StepIDs() []string {
	var ids []string
	f, step := v.position.frame, v.position.step
	for {
		l := v.run.listOf(f)
		visible := make([]bool, len(l.nodes))
		if step >= 0 {
			l.ancestors(step, 0, func(at int32) bool { visible[at] = true; return true })
			visible[step] = v.seesItself && f == v.position.frame
			// Handlers see all main steps.
			if l.nodes[step].part != partMain {
				for at, n := range l.nodes {
					visible[at] = visible[at] || n.part == partMain
				}
			}
		}
		for at, n := range l.nodes {
			if step < 0 && n.part == partMain || step >= 0 && visible[at] {
				ids = append(ids, n.step.ID)
			}
		}
		if f == nil {
			return ids
		}
		f, step = f.parent, f.loop.index
	}
}

// Signal returns the payload of the last signal of that name; false: none was received.
func (v view) Signal(name string) (json.RawMessage, bool) { return v.run.signals.latest.get(name) }

// SignalNames returns the names of the signals received so far, in order of first arrival.
// The list must not be changed.
func (v view) SignalNames() []string { return v.run.signals.names }

// Secret knows none: the performer wraps the scope with the tenant's secrets.
func (v view) Secret(string) (string, bool) { return "", false }

// orNull returns v, or null where it is empty.
func orNull(v json.RawMessage) json.RawMessage {
	if len(v) == 0 {
		return null
	}
	return v
}
