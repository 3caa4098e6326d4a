package machine_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"heddle/audit"
	"heddle/events"
	"heddle/executor/machine"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// drawSteps makes a random list of steps in YAML flow style: any mix of types,
// guards, failure policies and dependencies on earlier steps.
func drawSteps(t *rapid.T, prefix string, depth int) []string {
	n := rapid.IntRange(1, 5-depth).Draw(t, "steps")
	var steps, plain []string
	for i := range n {
		id := fmt.Sprintf("%s%d", prefix, i)
		var deps []string
		for _, d := range plain {
			if rapid.IntRange(0, 2).Draw(t, "dep") == 0 {
				deps = append(deps, d)
			}
		}
		step, more := drawStep(t, id, deps, depth)
		steps = append(append(steps, step), more...)
		plain = append(plain, id)
	}
	return steps
}

func drawStep(t *rapid.T, id string, deps []string, depth int) (step string, more []string) {
	kinds := []string{"http_request", "http_request", "condition", "wait", "loop", "webhook"}
	kind := rapid.SampledFrom(kinds).Draw(t, "type")
	if kind == "loop" && depth > 1 {
		kind = "http_request"
	}
	extra := rapid.SampledFrom([]string{"", "", "", ", if: \"false\"", ", if: \"input.flag\"", ", enabled: false", ", on_interrupt: fail"}).Draw(t, "extra")
	if rapid.IntRange(0, 3).Draw(t, "undo") == 0 {
		extra += ", compensate: {type: http_request, config: {url: u}}"
	}
	extra += rapid.SampledFrom([]string{"", ", retry: {max_attempts: 2, delay_seconds: 1}", ", timeout_seconds: 30"}).Draw(t, "retry")
	switch rapid.IntRange(0, 5).Draw(t, "on_error") {
	case 0:
		extra += ", on_error: continue"
	case 1:
		extra += ", on_error: fallback, fallback_step: " + id + "fb"
		more = append(more, fmt.Sprintf("{id: %sfb, type: http_request, config: {url: f}}", id))
	case 2:
		extra += ", on_error: retry"
	}
	if len(deps) > 0 {
		extra += ", depends_on: [" + strings.Join(deps, ", ") + "]"
	}
	var config string
	switch kind {
	case "condition":
		branch := id + "yes"
		config = fmt.Sprintf("{expression: %q, then: [%s]}", rapid.SampledFrom([]string{"true", "false", "input.flag", "input.missing.x"}).Draw(t, "expression"), branch)
		more = append(more, fmt.Sprintf("{id: %s, type: http_request, depends_on: [%s], config: {url: y}}", branch, id))
	case "wait":
		config = rapid.SampledFrom([]string{
			"{seconds: 5}", "{seconds: 0}", "{signal: {name: go, schema: {type: integer}}, timeout_seconds: 20}", "{signal: {name: go}, timeout_seconds: 9, on_timeout: continue}",
			"{condition: \"signals.go != nil\", timeout_seconds: 15}", "{condition: \"probe.ok\", probe: {type: http_request, config: {url: p}}, poll_seconds: 3, timeout_seconds: 10}",
		}).Draw(t, "wait")
	case "loop":
		head := rapid.SampledFrom([]string{"items: \"3\"", "items: \"input.list\", concurrency: 2, collect: \"item\"", "items: \"4\", tolerate_failures: 1, concurrency: 3", "while: \"index < 2\"", "items: \"0\"", "items: \"4\", tolerate_failures: \"50%\""}).Draw(t, "loop")
		config = "{" + head + ", steps: [" + strings.Join(drawSteps(t, id+"_", depth+1), ", ") + "]}"
	default:
		config = "{url: u}"
	}
	return fmt.Sprintf("{id: %s, type: %s, config: %s%s}", id, kind, config, extra), more
}

// world answers the effects of one random run and checks what must always
// hold.
type world struct {
	t       *rapid.T
	plan    *machine.Plan
	header  machine.Header
	run     *machine.Run
	now     time.Time
	journal []events.Event
	snaps   map[int64][]byte
	acting  []machine.Execute
	asked   map[string]bool
	resumed bool // a run was resumed that had ended, or from a step
	effects map[machine.Ref]*effect
}

// effect is what the journal and the executes say of a step's effect at one position.
type effect struct {
	key   string
	since time.Time
	ended bool // it has an end in the journal since it last began
	// unknown: its last attempt was cut off and failed so, by on_interrupt
	unknown bool
	again   bool // and a resume came after that
	named   bool // the caller named it, or the loop around it, in from_step
}

func (w *world) apply(in machine.Input) bool {
	before := snapshot(w.t, w.run)
	c, err := machine.Apply(w.run, in, w.now)
	if !bytes.Equal(before, snapshot(w.t, w.run)) {
		w.t.Fatalf("%T changed the run that it was given", in)
	}
	if err != nil {
		return false
	}
	terminal := w.run.State.Terminal()
	r, resume := in.(machine.Resume)
	w.resumed = w.resumed || (terminal || r.FromStep != "") && len(c.Events) > 0
	if terminal && len(c.Events) > 0 && !resume {
		w.t.Fatalf("%T moved a %s run", in, w.run.State)
	}
	w.take(c)
	for c.More {
		if c, err = machine.Apply(w.run, machine.Continue{}, w.now); err != nil {
			w.t.Fatal(err)
		}
		w.take(c)
	}
	return true
}

func (w *world) take(c machine.Change) {
	w.run = c.Run
	w.checkCounts()
	for _, ev := range c.Events {
		w.journal = append(w.journal, ev)
		w.observe(ev)
		if ev.Seq != int64(len(w.journal)) {
			w.t.Fatalf("seq %d after %d", ev.Seq, len(w.journal)-1)
		}
	}
	for _, e := range c.Effects {
		x, ok := e.(machine.Execute)
		if !ok {
			continue
		}
		key := fmt.Sprintf("%v#%d", x.Ref, x.Attempt)
		if w.asked[key] {
			w.t.Fatalf("%s is executed twice", key)
		}
		w.asked[key] = true
		w.checkKey(x)
		if _, err := x.Config.Render(x.Scope); err != nil {
			w.t.Fatalf("%s: %v", key, err)
		}
		w.acting = append(w.acting, x)
	}
	if w.run.State.Terminal() {
		w.acting = nil
	}
	if got := w.run.InFlight(); got > len(w.acting) {
		w.t.Fatalf("%d in flight, %d executes are open", got, len(w.acting))
	}
	w.snaps[w.run.Seq] = snapshot(w.t, w.run)
}

// observe notes what an event says of a step's effect.
// checkCounts holds the kept counts against the steps.
func (w *world) checkCounts() {
	var walked, kept machine.StepCounts
	for _, s := range w.run.StepRuns() {
		switch s.Status {
		case machine.StepRunning, machine.StepRetrying:
			walked.Running++
		case machine.StepWaiting:
			walked.Waiting++
		case machine.StepCompleted:
			walked.Completed++
		case machine.StepFailed:
			walked.Failed++
		case machine.StepSkipped:
			walked.Skipped++
		case machine.StepCancelled:
			walked.Cancelled++
		default:
		}
	}
	kept = w.run.StepCounts()
	kept.Total, kept.Pending = 0, 0
	if kept != walked {
		w.t.Fatalf("the counts are %+v, the steps %+v", kept, walked)
	}
}

func (w *world) observe(ev events.Event) {
	d, err := machine.ReadDetail(ev)
	if err != nil {
		w.t.Fatal(err)
	}
	ref := machine.Ref{StepID: ev.StepID, Iteration: ev.Iteration}
	switch e := w.effects[ref]; {
	case ev.Kind == events.StateChanged && d.KeepKeys && (d.From.Terminal() || d.FromStep != ""):
		for ref, e := range w.effects {
			e.again = e.again || e.ended
			e.named = e.named || d.FromStep != "" && (ref.StepID == d.FromStep || strings.HasPrefix(ref.Iteration, d.FromStep+"["))
		}
	case e == nil:
	case ev.Kind == events.StepRetrying:
		e.unknown = d.Error.Code == "interrupted"
	case ev.Kind == events.StepCompleted, ev.Kind == events.StepFailed:
		if d.Fallback == "" {
			e.unknown = d.Error != nil && d.Error.Code == "interrupted"
		} // else: how the fallback ended says nothing about the step's own effect
		e.ended = !e.unknown
	case ev.Kind == events.StepStarted:
		e.ended, e.unknown = false, false
	}
}

// checkKey: an effect has a new key exactly when a resume runs it again that
// had ended, or that the caller named; under one key it is of one moment.
func (w *world) checkKey(x machine.Execute) {
	if x.Role != "" {
		return
	}
	e := w.effects[x.Ref]
	if e == nil {
		w.effects[x.Ref] = &effect{key: x.IdempotencyKey, since: x.KeyFirstUsedAt}
		return
	}
	if same := e.key == x.IdempotencyKey; same == (e.again || e.named) {
		w.t.Fatalf("%v: same key %v; ended before a resume %v, named %v", x.Ref, same, e.again, e.named)
	}
	if e.key == x.IdempotencyKey && !e.since.Equal(x.KeyFirstUsedAt) {
		w.t.Fatalf("%v: one key since %v, then since %v", x.Ref, e.since, x.KeyFirstUsedAt)
	}
	*e = effect{key: x.IdempotencyKey, since: x.KeyFirstUsedAt}
}

func (w *world) answer() {
	at := rapid.IntRange(0, len(w.acting)-1).Draw(w.t, "which")
	x := w.acting[at]
	w.acting = append(w.acting[:at:at], w.acting[at+1:]...)
	in := machine.StepEnded{Ref: x.Ref, Attempt: x.Attempt, Output: json.RawMessage(`{"ok":true}`), Usage: machine.Usage{Tokens: 3}}
	switch rapid.IntRange(0, 5).Draw(w.t, "outcome") {
	case 0:
		in.Failure = &machine.Failure{Error: machine.Error{Code: "boom", Message: "bad \xff bytes", Details: map[string]any{"n": 9007199254740993}}}
	case 1:
		in.Failure = &machine.Failure{Error: machine.Error{Code: "no", Message: "No."}, Permanent: true}
	}
	w.apply(in)
}

func (w *world) disturb() {
	switch rapid.IntRange(0, 11).Draw(w.t, "disturb") {
	case 0:
		w.apply(steeredBy(machine.Cancel{}, w.author()))
	case 1:
		w.apply(steeredBy(machine.Pause{}, w.author()))
	case 2, 3:
		in := machine.Resume{}
		if rapid.IntRange(0, 3).Draw(w.t, "from") == 0 {
			in.FromStep = fmt.Sprintf("s%d", rapid.IntRange(0, 3).Draw(w.t, "step"))
		}
		if w.apply(steeredBy(in, w.author())) {
			w.apply(machine.Begin{})
		}
	case 4:
		w.acting = nil
		w.apply(machine.Recover{})
	case 5, 6:
		w.apply(machine.Signal{Name: "go", RequestID: rapid.StringMatching("[a-c]?").Draw(w.t, "id"), Payload: json.RawMessage(rapid.SampledFrom([]string{"1", `"x"`}).Draw(w.t, "payload"))})
	case 7:
		for _, wait := range w.run.Waits() {
			if wait.RequestID != "" {
				w.apply(machine.Signal{Name: wait.Name, RequestID: wait.RequestID, Payload: json.RawMessage("2")})
				break
			}
		}
	case 8:
		if rapid.IntRange(0, 3).Draw(w.t, "terminate") == 0 {
			w.apply(steeredBy(machine.Terminate{}, w.author()))
		}
	default:
		w.now = w.now.Add(time.Duration(rapid.IntRange(0, 4000).Draw(w.t, "pass")) * time.Millisecond)
		w.apply(machine.Tick{})
	}
}

// author draws who steers: an unknown or a known actor.
func (w *world) author() machine.Attribution {
	return rapid.SampledFrom([]machine.Attribution{
		{}, {Reason: "why \"not\""}, {Actor: audit.Actor{Type: audit.Key, ID: "key_1", Name: "ü"}, Reason: "because"}, {Actor: audit.Actor{Type: audit.System}},
	}).Draw(w.t, "by")
}

// settle answers every effect, resumes the run and lets time pass, until the run has ended.
func (w *world) settle() {
	for range 2000 {
		if w.run.State.Terminal() {
			return
		}
		switch w.run.State {
		case machine.Paused:
			w.apply(machine.Resume{})
			continue
		case machine.Queued:
			w.apply(machine.Begin{})
			continue
		}
		if len(w.acting) > 0 {
			w.answer()
			continue
		}
		if due, ok := w.run.Due(); ok {
			w.now = addDuration(w.now, due)
			seq := w.run.Seq
			w.apply(machine.Tick{})
			if w.run.Seq == seq {
				w.t.Fatalf("due at %v, but a tick at %v did nothing", due, w.now)
			}
			continue
		}
		if !w.apply(machine.Signal{Name: "go", Payload: json.RawMessage("1")}) {
			w.t.Fatal("stuck")
		}
	}
	w.t.Fatalf("the run does not end: %s, %+v", w.run.State, w.run.StepCounts())
}

func addDuration(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

// TestRandomRuns checks the machine's promises on random definitions under
// random inputs.
func TestRandomRuns(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		source := "name: random\n" + rapid.SampledFrom([]string{"", "timeout_seconds: 40\n", "output: \"{{ input.flag }}\"\n"}).Draw(t, "head") +
			"steps: [" + strings.Join(drawSteps(t, "s", 0), ",\n ") + "]\n"
		for _, list := range [][2]string{{"on_failure", "f"}, {"finally", "z"}} {
			field, prefix := list[0], list[1]
			if rapid.Bool().Draw(t, field) {
				source += field + ": [" + strings.Join(drawSteps(t, prefix, 1), ",\n ") + "]\n"
			}
		}
		w := &world{t: t, plan: compilePlan(t, source), now: epoch, snaps: map[int64][]byte{}, asked: map[string]bool{}, effects: map[machine.Ref]*effect{}}
		w.header = machine.Header{
			RunID: "run_p", TenantID: "t", WorkflowID: "wf", Version: 1, Trigger: "api", CreatedAt: epoch,
			Input: json.RawMessage(fmt.Sprintf(`{"flag":%v,"list":[1, "two", {"a": [3]}]}`, rapid.Bool().Draw(t, "flag"))),
		}
		w.take(machine.New(w.plan, w.header, w.now))
		w.apply(machine.Begin{})
		for range rapid.IntRange(0, 40).Draw(t, "moves") {
			w.now = w.now.Add(time.Duration(rapid.IntRange(0, 700).Draw(t, "ms")) * time.Millisecond)
			if len(w.acting) > 0 && rapid.IntRange(0, 2).Draw(t, "answer") > 0 {
				w.answer()
			} else {
				w.disturb()
			}
		}
		w.settle()
		w.checkOrder()
		w.checkJournal()
	})
}

// checkOrder: within a generation, no step starts before its parents are
// finished.
func (w *world) checkOrder() {
	type key struct{ step, iteration string }
	finished := map[key]bool{}
	notBefore := map[key]time.Time{}
	for _, ev := range w.journal {
		k := key{ev.StepID, ev.Iteration}
		switch ev.Kind {
		case events.StepCancelled:
			delete(notBefore, k) // the loop around it may start anew at any time
		case events.StepCompleted, events.StepFailed, events.StepSkipped:
			finished[k] = true
		case events.StepRetrying:
			d, err := machine.ReadDetail(ev)
			if err != nil {
				w.t.Fatal(err)
			}
			notBefore[k] = d.NextAttemptAt
		case events.StepStarted:
			if ev.At.Before(notBefore[k]) && !w.resumed {
				w.t.Fatalf("%s %s starts at %d, before its next attempt is due", ev.StepID, ev.Iteration, ev.Seq)
			}
			for _, parent := range parents(w.plan, ev.StepID) {
				if !finished[key{parent, ev.Iteration}] {
					w.t.Fatalf("%s %s starts at %d, before %s is finished", ev.StepID, ev.Iteration, ev.Seq, parent)
				}
			}
		}
	}
}

// checkJournal: the journal restores the same run, from its start and from any snapshot on
// the way.
func (w *world) checkJournal() {
	want := w.snaps[w.run.Seq]
	plans := func(machine.VersionSpan) (*machine.Plan, error) { return w.plan, nil }
	same(w.t, "the start", w.run, want, plans, w.header, nil, w.journal)
	for seq, snap := range w.snaps {
		same(w.t, fmt.Sprintf("the snapshot at %d", seq), w.run, want, plans, w.header, snap, w.journal[seq:])
	}
	for seq, snap := range w.snaps {
		r, err := machine.Restore(w.plan, w.header, nil, w.journal[:seq])
		if err != nil {
			w.t.Fatal(err)
		}
		if got := snapshot(w.t, r); !bytes.Equal(got, snap) {
			w.t.Fatalf("the first %d events give\n%s\nwant\n%s", seq, got, snap)
		}
	}
}
