package machine_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"heddle/audit"
	"heddle/events"
	"heddle/executor/machine"
	"heddle/fault"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// Scenario scripts are testdata/*.txt. A file holds scenarios that begin with
// "== name", then the definition in YAML up to a line "--", then commands at
// the left margin. What follows a command, indented, is what it did; -update
// rewrites that part. See testdata/README.
var update = flag.Bool("update", false, "rewrite the expectations of the scenario scripts")

var epoch = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func TestScenarios(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no scenario scripts:", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) { runFile(t, file) })
	}
}

func runFile(t *testing.T, file string) {
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split("\n"+string(want), "\n== ")
	var got strings.Builder
	got.WriteString(strings.TrimPrefix(parts[0], "\n"))
	for i, part := range parts[1:] {
		if i > 0 || got.Len() > 0 {
			got.WriteString("\n")
		}
		name, _, _ := strings.Cut(part, "\n")
		before := got.Len()
		got.WriteString("== ")
		t.Run(name, func(t *testing.T) { got.WriteString(runScenario(t, part)) })
		if text := got.String()[before:]; text != "== "+part && !*update {
			t.Errorf("%s:\n%s\nwant:\n%s", name, text, part)
		}
	}
	if *update && got.String() != string(want) {
		if err := os.WriteFile(file, []byte(got.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// player drives one scenario.
type player struct {
	t       *testing.T
	plan    *machine.Plan
	plans   map[int]*machine.Plan // by version
	header  machine.Header
	by      machine.Attribution // of the inputs to come
	now     time.Time
	run     *machine.Run
	journal []events.Event
	middle  []byte // a snapshot of an earlier run
	midSeq  int64
	keys    map[string]int // idempotency keys by first appearance; nil: not printed
	out     strings.Builder
}

func runScenario(t *testing.T, text string) string {
	head, script, ok := strings.Cut(text, "\n--\n")
	if !ok {
		t.Fatal("no line --")
	}
	_, source, _ := strings.Cut(head, "\n")
	p := &player{t: t, plans: map[int]*machine.Plan{}, now: epoch}
	for i, version := range strings.Split(source, "\n-- then\n") {
		p.plans[i+1] = compilePlan(t, version)
	}
	p.plan = p.plans[1]
	p.header = machine.Header{RunID: "run_1", TenantID: "t", WorkflowID: "wf_1", Slug: "wf", Version: 1, Trigger: "api", Input: json.RawMessage("null"), CreatedAt: epoch}
	p.out.WriteString(head + "\n--\n")
	for line := range strings.SplitSeq(strings.TrimRight(script, "\n"), "\n") {
		switch {
		case strings.HasPrefix(line, " "):
		case line == "" || strings.HasPrefix(line, "#"):
			p.out.WriteString(line + "\n")
		default:
			p.out.WriteString(line + "\n")
			p.command(line)
		}
	}
	return p.out.String()
}

func (p *player) printf(format string, args ...any) {
	fmt.Fprintf(&p.out, "    "+format+"\n", args...)
}

func (p *player) command(line string) {
	if rest, ok := strings.CutPrefix(line, "+"); ok {
		wait, after, _ := strings.Cut(rest, " ")
		d, err := time.ParseDuration(wait)
		if err != nil {
			p.t.Fatal(err)
		}
		p.now, line = p.now.Add(d), after
	}
	if p.run == nil {
		if input, ok := strings.CutPrefix(line, "input "); ok {
			p.header.Input = json.RawMessage(input)
			return
		}
		if name, ok := strings.CutPrefix(line, "started by "); ok {
			p.header.StartedBy = audit.Actor{Type: audit.Key, ID: "key_" + name, Name: name}
			return
		}
		p.absorb(machine.New(p.plan, p.header, p.now))
	}
	word, rest, _ := strings.Cut(line, " ")
	switch word {
	case "steps":
		p.steps()
		return
	case "waits":
		for _, w := range p.run.Waits() {
			p.printf("%s %s name=%q request=%s prompt=%q until=%s timeout=%s", ref(w.Ref.StepID, w.Ref.Iteration, 0), w.Kind, w.Name, w.RequestID, w.Prompt, p.offset(w.Until), p.offset(w.TimeoutAt))
		}
		return
	case "preview":
		p.preview(p.resume(rest))
		return
	case "keys":
		p.keys = map[string]int{}
		return
	case "quarantine":
		p.quarantine()
		return
	case "by":
		name, reason, _ := strings.Cut(rest, " ")
		p.by = machine.Attribution{Actor: audit.Actor{Type: audit.Key, ID: "key_" + name, Name: name}, Reason: reason}
		return
	case "":
		return
	}
	before := snapshot(p.t, p.run)
	change, err := machine.Apply(p.run, steeredBy(p.input(word, rest), p.by), p.now)
	if !bytes.Equal(before, snapshot(p.t, p.run)) {
		p.t.Errorf("%s: Apply changed its argument", line)
	}
	if err != nil {
		p.printf("! %s %s", fault.CodeOf(err), err.Error())
		return
	}
	p.absorb(change)
}

// steeredBy returns a steering input with its author.
func steeredBy(in machine.Input, by machine.Attribution) machine.Input {
	switch in := in.(type) {
	case machine.Cancel:
		in.By = by
		return in
	case machine.Terminate:
		in.By = by
		return in
	case machine.Pause:
		in.By = by
		return in
	case machine.Resume:
		in.By = by
		return in
	case machine.Signal:
		in.By = by
		return in
	}
	return in
}

func (p *player) input(word, rest string) machine.Input {
	switch word {
	case "begin":
		return machine.Begin{}
	case "continue":
		return machine.Continue{}
	case "tick":
		return machine.Tick{}
	case "cancel":
		return machine.Cancel{Reason: rest}
	case "terminate":
		return machine.Terminate{Reason: rest}
	case "pause":
		return machine.Pause{}
	case "resume":
		return p.resume(rest)
	case "redrive":
		return machine.Resume{Redrive: rest}
	case "recover":
		return machine.Recover{}
	case "signal":
		name, rest, _ := strings.Cut(rest, " ")
		id, payload, _ := strings.Cut(rest, " ")
		return machine.Signal{Name: name, RequestID: id, Payload: json.RawMessage(payload)}
	case "done":
		place, output, _ := strings.Cut(rest, " ")
		in := ended(p.t, place)
		if output != "" {
			in.Output = json.RawMessage(output)
		}
		return in
	case "fail":
		words := strings.Fields(rest)
		in := ended(p.t, words[0])
		in.Failure = &machine.Failure{Error: machine.Error{Code: words[1], Message: "It failed."}}
		for _, w := range words[2:] {
			name, number, _ := strings.Cut(w, "=")
			if n, err := strconv.Atoi(number); err == nil {
				in.Failure.Details = map[string]any{name: n}
			} else if w == "permanent" {
				in.Failure.Permanent = true
			} else if d, err := time.ParseDuration(w); err == nil {
				in.Failure.RetryAfter = d
			}
		}
		return in
	}
	p.t.Fatalf("unknown command %q", word)
	return nil
}

// resume reads "from=STEP" and "version=N".
func (p *player) resume(words string) machine.Resume {
	var in machine.Resume
	for word := range strings.FieldsSeq(words) {
		name, value, _ := strings.Cut(word, "=")
		switch name {
		case "from":
			in.FromStep = value
		case "version":
			n, err := strconv.Atoi(value)
			if err != nil || p.plans[n] == nil {
				p.t.Fatalf("no version %q", value)
			}
			in.Version, in.Hash, in.Plan = n, "hash"+value, p.plans[n]
		default:
			p.t.Fatalf("unknown word %q", word)
		}
	}
	return in
}

func (p *player) preview(in machine.Resume) {
	list, err := machine.PreviewResume(p.run, in)
	if err != nil {
		p.printf("! %s %s", fault.CodeOf(err), err.Error())
		return
	}
	for _, v := range list {
		word := "again"
		if v.Reused {
			word = "reuse"
		}
		p.printf("%s %s: %s", word, v.StepID, v.Reason)
	}
}

// ended reads "step#2" or "step@each[0]#2"; without a number it is 1.
func ended(t *testing.T, place string) machine.StepEnded {
	place, number, found := strings.Cut(place, "#")
	in := machine.StepEnded{Attempt: 1, Output: json.RawMessage("null")}
	if found {
		n, err := strconv.Atoi(number)
		if err != nil {
			t.Fatal(err)
		}
		in.Attempt = n
	}
	in.Ref.StepID, in.Ref.Iteration, _ = strings.Cut(place, "@")
	return in
}

func ref(step, iteration string, attempt int) string {
	if iteration != "" {
		step += "@" + iteration
	}
	if attempt > 0 {
		step += "#" + strconv.Itoa(attempt)
	}
	return step
}

// absorb prints a change and checks that the journal restores the same run, from its start
// and from a snapshot of an earlier run.
func (p *player) absorb(c machine.Change) {
	p.run, p.header = c.Run, c.Run.Header
	for _, ev := range c.Events {
		p.journal = append(p.journal, ev)
		line := strconv.FormatInt(ev.Seq, 10) + " " + string(ev.Kind)
		if ev.StepID != "" {
			line += " " + ref(ev.StepID, ev.Iteration, ev.Attempt)
		}
		p.printf("%s", strings.TrimRight(line+" "+string(ev.Data), " "))
		if ev.Seq != int64(len(p.journal)) {
			p.t.Errorf("seq %d is not dense", ev.Seq)
		}
		if len(ev.Data) > 0 && !json.Valid(ev.Data) {
			p.t.Errorf("event %d: data is no JSON: %s", ev.Seq, ev.Data)
		}
	}
	for _, e := range c.Effects {
		p.effect(e)
	}
	due := ""
	if at, ok := p.run.Due(); ok {
		due = " due=" + p.offset(at)
	}
	more := ""
	if c.More {
		more = " more"
	}
	if n := p.run.InFlight(); n > 0 {
		due = fmt.Sprintf(" acting=%d", n) + due
	}
	p.printf("= %s%s%s", p.run.State, due, more)
	p.checkRestore()
}

// quarantine fails the run as the executor does without applying an input.
func (p *player) quarantine() {
	evs := machine.FailUnloaded(p.header.RunID, p.run.State, p.run.Seq, p.run.StartedAt, p.now, &machine.Error{Code: "run_quarantined", Message: "It crashes the process."})
	plans := func(s machine.VersionSpan) (*machine.Plan, error) { return p.plans[s.Version], nil }
	run, err := machine.RestoreAcross(plans, p.header, nil, append(slices.Clip(p.journal), evs...))
	if err != nil {
		p.t.Fatal(err)
	}
	p.absorb(machine.Change{Run: run, Events: evs})
}

func (p *player) offset(at time.Time) string {
	if at.IsZero() {
		return "-"
	}
	return "+" + at.Sub(epoch).String()
}

func (p *player) effect(e machine.Effect) {
	switch e := e.(type) {
	case machine.Execute:
		config, err := e.Config.Render(e.Scope)
		if err != nil {
			config = json.RawMessage("! " + err.Error())
		}
		role := ""
		if e.Role != "" {
			role = " " + e.Role
		}
		if p.keys != nil {
			if p.keys[e.IdempotencyKey] == 0 {
				p.keys[e.IdempotencyKey] = len(p.keys) + 1
			}
			role += fmt.Sprintf(" key=%d", p.keys[e.IdempotencyKey])
		}
		if e.Type == "webhook" && !e.KeyFirstUsedAt.Equal(p.now) {
			role += " since=" + p.offset(e.KeyFirstUsedAt)
		}
		p.printf("-> %s %s%s %s", ref(e.Ref.StepID, e.Ref.Iteration, e.Attempt), e.Type, role, config)
	case machine.Stop:
		p.printf("-> stop %s", ref(e.Ref.StepID, e.Ref.Iteration, e.Attempt))
	}
}

func (p *player) steps() {
	for _, s := range p.run.StepRuns() {
		line := fmt.Sprintf("%s %s attempt=%d", s.StepID, s.Status, s.Attempt)
		if s.Output != nil {
			line += " output=" + string(s.Output)
		}
		if s.Error != nil {
			line += " error=" + s.Error.Code
		}
		if s.Handler != "" {
			line += " of " + s.Handler
		}
		if s.Fallback != "" {
			line += " fallback=" + s.Fallback
		}
		if s.Iterations != nil {
			line += fmt.Sprintf(" iterations=%+v", *s.Iterations)
		}
		p.printf("%s %s..%s", line, p.offset(s.StartedAt), p.offset(s.CompletedAt))
	}
	p.printf("%+v", p.run.StepCounts())
}

func (p *player) checkRestore() {
	want := snapshot(p.t, p.run)
	plans := func(s machine.VersionSpan) (*machine.Plan, error) { return p.plans[s.Version], nil }
	same(p.t, "the whole journal", p.run, want, plans, p.header, nil, p.journal)
	if p.middle != nil {
		same(p.t, fmt.Sprintf("the snapshot at %d", p.midSeq), p.run, want, plans, p.header, p.middle, p.journal[p.midSeq:])
	}
	same(p.t, "its snapshot", p.run, want, plans, p.header, want, nil)
	p.middle, p.midSeq = want, p.run.Seq
}

// same restores a run and compares everything that can be seen of it.
func same(t tester, from string, run *machine.Run, want []byte, plans func(machine.VersionSpan) (*machine.Plan, error), h machine.Header, snap []byte, journal []events.Event) {
	t.Helper()
	r, err := machine.RestoreAcross(plans, h, snap, journal)
	if err != nil {
		t.Fatalf("restore from %s: %v", from, err)
	}
	if got := snapshot(t, r); !bytes.Equal(got, want) {
		t.Fatalf("restored from %s:\n%s\nwant:\n%s", from, got, want)
	}
	gotDue, gotOK := r.Due()
	wantDue, wantOK := run.Due()
	if !gotDue.Equal(wantDue) || gotOK != wantOK || r.InFlight() != run.InFlight() || r.StepCounts() != run.StepCounts() {
		t.Fatalf("restored from %s: due %v %v, %d in flight, %+v; want due %v %v, %d in flight, %+v",
			from, gotDue, gotOK, r.InFlight(), r.StepCounts(), wantDue, wantOK, run.InFlight(), run.StepCounts())
	}
	if got, want := fmt.Sprintf("%+v", r.Waits()), fmt.Sprintf("%+v", run.Waits()); got != want {
		t.Fatalf("restored from %s: waits %s; want %s", from, got, want)
	}
}

func snapshot(t tester, r *machine.Run) []byte {
	t.Helper()
	s, err := r.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	return s
}
