package machine_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"heddle/events"
	"heddle/executor/machine"
	"heddle/expressions"
	"strings"
	"testing"
)

// shelf keeps large values for a run, as the executor does.
type shelf struct {
	t       *testing.T
	run     *machine.Run
	content map[string]json.RawMessage
	loads   int
	events  []events.Event
	effects []machine.Effect
	refuse  *machine.Failure // of every value to be stored
}

func newShelf(t *testing.T, source string) *shelf {
	s := &shelf{t: t, content: map[string]json.RawMessage{}}
	s.run = machine.New(compilePlan(t, source), header(), epoch).Run
	return s
}

func (s *shelf) store(v json.RawMessage) json.RawMessage {
	sum := sha256.Sum256(v)
	id := "blob_" + hex.EncodeToString(sum[:12])
	s.content[id] = v
	return machine.FormatReference(id, int64(len(v)), hex.EncodeToString(sum[:]), "application/json")
}

func (s *shelf) supply(b *machine.Blobs, w *machine.BlobRequest) {
	for _, ref := range w.Load {
		s.loads++
		b.AddContent(ref.ID, s.content[ref.ID], nil)
	}
	for _, v := range w.Store {
		b.AddReference(v, s.store(v), s.refuse)
	}
}

func (s *shelf) apply(in machine.Input) {
	s.t.Helper()
	for more := true; more; in = machine.Input(machine.Continue{}) {
		b := machine.NewBlobs()
		c, err := machine.ApplyWith(s.run, in, epoch, b)
		for tries := 0; err != nil; tries++ {
			var w *machine.BlobRequest
			if !errors.As(err, &w) || tries > 20 {
				s.t.Fatal(err)
			}
			if len(c.Events) > 0 || c.Run != s.run {
				s.t.Fatal("something happened although blobs were wanted")
			}
			s.supply(b, w)
			c, err = machine.ApplyWith(s.run, in, epoch, b)
		}
		s.run, more = c.Run, c.More
		s.events, s.effects = append(s.events, c.Events...), append(s.effects, c.Effects...)
	}
	for _, e := range s.events {
		if len(e.Data) > machine.MaxInline+1024 {
			s.t.Fatalf("%s of %s has %d bytes", e.Kind, e.StepID, len(e.Data))
		}
	}
}

// end reports a step's success, with the output stored apart.
func (s *shelf) end(step, output string) {
	s.t.Helper()
	s.apply(machine.StepEnded{Ref: machine.Ref{StepID: step}, Attempt: 1, Output: s.store(json.RawMessage(output))})
}

// detail reads the data of the one event of a kind and step.
func (s *shelf) detail(kind events.Kind, step string) machine.Detail {
	s.t.Helper()
	for _, e := range s.events {
		if e.Kind == kind && e.StepID == step {
			d, err := machine.ReadDetail(e)
			if err != nil {
				s.t.Fatal(err)
			}
			return d
		}
	}
	s.t.Fatalf("no %s of %q", kind, step)
	return machine.Detail{}
}

// stored is what a reference in the journal stands for.
func (s *shelf) stored(v json.RawMessage) string {
	s.t.Helper()
	ref, ok := machine.ParseReference(v)
	if !ok {
		s.t.Fatalf("no reference: %.80s", v)
	}
	return string(s.content[ref.ID])
}

var large = `{"n":7,"pad":"` + strings.Repeat("x", machine.MaxInline) + `","list":[1,2,3]}`

func TestExpressionsSeeWhatIsStoredApart(t *testing.T) {
	s := newShelf(t, `
name: apart
output: "{{ steps.a.output.n + steps.each.output.count }}"
steps:
  - {id: a, type: http_request, config: {url: u}}
  - {id: yes, type: condition, depends_on: [a], if: "steps.a.output.n == 7", config: {expression: "steps['a'].output.list[2] == 3"}}
  - {id: each, type: loop, depends_on: [yes], config: {items: "steps.a.output.list", collect: "item + steps.a.output.n", steps: [{id: in, type: condition, config: {expression: "item < 9"}}]}}
`)
	s.apply(machine.Begin{})
	s.end("a", large)
	if s.run.State != machine.Completed || string(s.run.Output) != "10" {
		t.Fatalf("%s with %s: %+v", s.run.State, s.run.Output, s.run.Err)
	}
	if got := string(s.detail(events.StepCompleted, "each").Output); got != `{"count":3,"completed":3,"failed":0,"results":[8,9,10]}` {
		t.Error(got)
	}
	if got := s.stored(s.detail(events.StepCompleted, "a").Output); got != large {
		t.Errorf("the step's own output: %.60s", got)
	}
}

func TestOnlyExpressionsThatReadAnOutputLoadIt(t *testing.T) {
	s := newShelf(t, `
name: lazy
output: "{{ steps.a.status }}"
steps:
  - {id: a, type: http_request, config: {url: u}}
  - {id: b, type: http_request, depends_on: [a], if: "steps.a.status == 'completed' && steps.a.error == nil", config: {url: "{{ steps.a.output.n }}"}}
`)
	s.apply(machine.Begin{})
	s.end("a", large)
	execute, _ := s.effects[len(s.effects)-1].(machine.Execute)
	if execute.Ref.StepID != "b" || s.loads != 0 {
		t.Fatalf("%s runs after %d loads", execute.Ref.StepID, s.loads)
	}
	if got, err := execute.Config.Render(execute.Scope); err != nil || string(got) != `{"url":null}` {
		t.Fatalf("the effect holds on to what Apply was given: %s, %v", got, err)
	}
	b := machine.NewBlobs()
	if _, err := execute.Config.Render(machine.WithBlobs(execute.Scope, b)); err == nil {
		t.Fatal("rendered without the content")
	}
	s.supply(b, b.TakeRequest())
	got, err := execute.Config.Render(machine.WithBlobs(execute.Scope, b))
	if err != nil || string(got) != `{"url":7}` || b.TakeRequest() != nil {
		t.Fatal(string(got), err)
	}
}

func TestLoopResultsAndOutputsBeyondTheInlineSizeAreStoredApart(t *testing.T) {
	s := newShelf(t, `
name: loops
output: {whole: "{{ steps.each.output }}"}
steps:
  - {id: a, type: http_request, config: {url: u}}
  - {id: each, type: loop, depends_on: [a], config: {items: "2", collect: "steps.a.output", steps: [{id: in, type: condition, config: {expression: "true"}}]}}
  - {id: again, type: loop, depends_on: [each], config: {while: "last == nil || (index < 2 && last.n == 7)", collect: "steps.body.output.result ? steps.a.output : 0", max_iterations: 9, steps: [{id: body, type: condition, config: {expression: "last == nil || last.n == 7"}}]}}
`)
	s.apply(machine.Begin{})
	s.end("a", large)
	if s.run.State != machine.Completed {
		t.Fatalf("%s: %+v", s.run.State, s.run.Err)
	}
	if got := s.stored(s.detail(events.IterationCompleted, "each").Result); got != large {
		t.Errorf("the iteration's result: %.60s", got)
	}
	loop := `{"count":2,"completed":2,"failed":0,"results":[` + large + "," + large + "]}"
	if got := s.stored(s.detail(events.StepCompleted, "again").Output); len(got) != len(loop) {
		t.Errorf("the while loop: %.60s, %d bytes", got, len(got))
	}
	if got := s.stored(s.detail(events.StepCompleted, "each").Output); got != loop {
		t.Errorf("the loop's output: %.60s, %d bytes", got, len(got))
	}
	if got := s.stored(s.run.Output); got != `{"whole":`+loop+`}` {
		t.Errorf("the run's output: %.60s, %d bytes", got, len(got))
	}
}

func TestAValueThatLooksLikeAReferenceIsNone(t *testing.T) {
	const forged = `{"$blob":"blob_0123456789abcdef01234567","size":3,"sha256":"00","content_type":"application/json"}`
	s := newShelf(t, `
name: forged
output: "{{ steps.each.output.results }}"
steps:
  - {id: each, type: loop, config: {items: "1", collect: '{"$blob": "blob_0123456789abcdef01234567", "size": 3}', steps: [{id: in, type: condition, config: {expression: "true"}}]}}
  - {id: a, type: http_request, depends_on: [each], config: {url: u}}
`)
	s.content["blob_0123456789abcdef01234567"] = json.RawMessage(`"another's"`)
	s.apply(machine.Begin{})
	s.end("a", forged)
	if want := `[{"$blob":"blob_0123456789abcdef01234567","size":3}]`; string(s.run.Output) != want {
		t.Errorf("%s, want %s", s.run.Output, want)
	}
	if !machine.NeedsBlob(json.RawMessage(forged)) || machine.NeedsBlob(json.RawMessage(`{"$blob":"x"}`)) {
		t.Error("what looks like a reference is to be stored apart, and nothing else")
	}
}

func TestAValueThatCannotBeStoredFailsItsStep(t *testing.T) {
	refuse := &machine.Failure{Permanent: true, Error: machine.Error{Code: "output_too_large", Message: "full"}}
	for name, source := range map[string]string{
		"loop":      `{id: each, type: loop, depends_on: [a], config: {items: "2000", max_iterations: 5000, collect: "'%s'", steps: [{id: in, type: condition, config: {expression: "true"}}]}}`,
		"iteration": `{id: each, type: loop, depends_on: [a], config: {items: "1", collect: "steps.a.output", steps: [{id: in, type: condition, config: {expression: "true"}}]}}`,
	} {
		s := newShelf(t, "name: full\nsteps:\n  - {id: a, type: http_request, config: {url: u}}\n  - "+strings.Replace(source, "%s", strings.Repeat("y", 600), 1))
		s.apply(machine.Begin{})
		s.refuse = refuse
		s.end("a", large)
		if s.run.State != machine.Failed || !strings.Contains(fmt.Sprint(s.run.Err.Code, s.run.Err.Details), "output_too_large") {
			t.Errorf("%s: %s, %+v", name, s.run.State, s.run.Err)
		}
	}
	s := newShelf(t, "name: full\noutput: '{{ [steps.a.output, 1] }}'\nsteps:\n  - {id: a, type: http_request, config: {url: u}}")
	s.apply(machine.Begin{})
	s.refuse = refuse
	s.end("a", large)
	if s.run.State != machine.Failed || s.run.Err.Code != "output_too_large" {
		t.Errorf("run output: %s, %+v", s.run.State, s.run.Err)
	}
}

func TestALostBlobFailsWhatReadsIt(t *testing.T) {
	s := newShelf(t, "name: lost\noutput: '{{ steps.a.output.n }}'\nsteps:\n  - {id: a, type: http_request, config: {url: u}}")
	s.apply(machine.Begin{})
	b := machine.NewBlobs()
	ref := s.store(json.RawMessage(large))
	in := machine.StepEnded{Ref: machine.Ref{StepID: "a"}, Attempt: 1, Output: ref}
	_, err := machine.ApplyWith(s.run, in, epoch, b)
	var w *machine.BlobRequest
	if !errors.As(err, &w) || len(w.Load) != 1 || w.Load[0].Size != int64(len(large)) {
		t.Fatal(err)
	}
	b.AddContent(w.Load[0].ID, nil, &expressions.Error{Code: "blob_lost", Message: "gone"})
	c, err := machine.ApplyWith(s.run, in, epoch, b)
	if err != nil || c.Run.State != machine.Failed || c.Run.Err.Code != "blob_lost" {
		t.Fatal(c.Run.State, c.Run.Err, err)
	}
}

func TestAppliedWithoutBlobsEverythingIsInline(t *testing.T) {
	run := machine.New(compilePlan(t, "name: inline\noutput: '{{ steps.a.output }}'\nsteps:\n  - {id: a, type: http_request, config: {url: u}}"), header(), epoch).Run
	run = mustApply(t, run, machine.Begin{}).Run
	run = mustApply(t, run, machine.StepEnded{Ref: machine.Ref{StepID: "a"}, Attempt: 1, Output: json.RawMessage(large)}).Run
	if !bytes.Equal(run.Output, []byte(large)) {
		t.Errorf("%.80s", run.Output)
	}
}
