package machine_test

import (
	"encoding/json"
	"heddle/audit"
	"heddle/executor/machine"
	"testing"
	"time"
)

// What a change says of input requests: opened with all that an approver is shown, answered by
// whichever signal, expired, and cancelled with the run.
func TestChangesOfInputRequests(t *testing.T) {
	t.Parallel()
	const ask = `{"id":"ask","name":"Ask","type":"wait","config":{"timeout_seconds":60,"on_timeout":"continue","signal":{"name":"ok","prompt":"{{ input.n }}?","choices":["yes","no"],` +
		`"context":{"n":"{{ input.n }}","big":"{{ input.n }} of {{ run.id }}"},"assignees":["ann","{{ input.more }}"]}}}`
	by := machine.Attribution{Actor: audit.Actor{Type: audit.Key, ID: "key_1", Name: "ann"}, Reason: "Fine."}
	begin := func(t *testing.T) (*machine.Run, machine.RequestChange) {
		t.Helper()
		c := started(t, `{"name":"w","steps":[`+ask+`]}`, `{"n":9007199254740993,"more":["bob","ann"]}`)
		if len(c.Requests) != 1 || c.Requests[0].Opened == nil {
			t.Fatalf("the begin says %+v", c.Requests)
		}
		return c.Run, c.Requests[0]
	}
	run, first := begin(t)
	o := first.Opened
	if string(o.Context) != `{"big":"9007199254740993 of `+run.RunID+`","n":9007199254740993}` || string(o.Choices) != `["yes","no"]` || len(o.Assignees) != 2 || o.Assignees[1] != "bob" ||
		o.StepName != "Ask" || o.OnTimeout != "continue" || o.ExpiresAt.IsZero() || o.Prompt != "9007199254740993?" || string(o.Schema) != `{"enum":["yes","no"]}` {
		t.Errorf("opened %+v, context %s", o, o.Context)
	}
	answer := func(id string) machine.Signal {
		return machine.Signal{Name: "ok", RequestID: id, Payload: json.RawMessage(`"yes"`), By: by, Key: "k"}
	}
	for name, tt := range map[string]struct {
		inputs []machine.Input
		end    machine.RequestEnd
		id     string
	}{
		"by its id":          {[]machine.Input{answer(first.ID)}, machine.RequestAnswered, first.ID},
		"by its name":        {[]machine.Input{answer("")}, machine.RequestAnswered, first.ID},
		"while it is paused": {[]machine.Input{machine.Pause{}, answer(first.ID)}, machine.RequestAnswered, first.ID},
		"after a pause":      {[]machine.Input{machine.Pause{}, answer("x"), machine.Resume{}, machine.Begin{}}, machine.RequestAnswered, first.ID},
		"in time":            {[]machine.Input{machine.Tick{}}, machine.RequestExpired, first.ID},
		"with the run":       {[]machine.Input{machine.Cancel{}}, machine.RequestCancelled, first.ID},
		"at once":            {[]machine.Input{machine.Terminate{}}, machine.RequestCancelled, ""},
	} {
		run, _ := begin(t)
		var got []machine.RequestChange
		for _, in := range tt.inputs {
			c, err := machine.Apply(run, in, later)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			run, got = c.Run, append(got, c.Requests...)
		}
		if len(got) == 0 || got[0].End != tt.end || got[0].ID != tt.id && got[0].ID != first.ID {
			t.Errorf("%s: %+v", name, got)
			continue
		}
		if tt.end == machine.RequestAnswered && (got[0].By != by || got[0].Key != "k" || string(got[0].Payload) != `"yes"`) {
			t.Errorf("%s: answered %+v", name, got[0])
		}
	}
}

// later is after the timeout of the wait of TestChangesOfInputRequests.
var later = time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)

// Assignees that are no texts fail the step, as a prompt that cannot be rendered does.
func TestAssigneesThatAreNoTexts(t *testing.T) {
	t.Parallel()
	c := started(t, `{"name":"w","steps":[{"id":"ask","type":"wait","config":{"signal":{"name":"ok","assignees":["{{ input.n }}"]}}}]}`, `{"n":5}`)
	if c.Run.State != machine.Failed || len(c.Requests) != 0 {
		t.Errorf("the run is %s with %+v", c.Run.State, c.Requests)
	}
}

// started creates a run of a definition with an input and begins it; the change is the begin's.
func started(t *testing.T, definition, input string) machine.Change {
	t.Helper()
	created := machine.New(compilePlan(t, definition), machine.Header{RunID: "run_1", TenantID: "t1", WorkflowID: "wf_1", Input: json.RawMessage(input)}, later.AddDate(-1, 0, 0))
	c, err := machine.Apply(created.Run, machine.Begin{}, later.AddDate(-1, 0, 0))
	if err != nil {
		t.Fatal(err)
	}
	return c
}
