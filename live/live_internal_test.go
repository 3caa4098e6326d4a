package live

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"heddle/approvals"
	"heddle/definitions/workflows"
	"heddle/executor"
	"heddle/executor/machine"
	"heddle/schedules"
	"strings"
	"testing"
	"time"
)

// tapped is a hub of one tap.
type tapped struct{ f func(string) }

func (h *tapped) Tap(f func(string)) { h.f = f }

// rows is a source whose runs are all of tenant t1.
type rows struct {
	err       error
	reads     int
	asked     []approvals.Approval
	workflows []Workflow
	change    int64
	schedules []Schedule
	open      map[string]map[machine.State]int
}

func (r *rows) ChangedRuns(_ context.Context, ids []string) ([]executor.Record, error) {
	r.reads++
	var list []executor.Record
	for _, id := range ids {
		list = append(list, executor.Record{Header: machine.Header{RunID: id, TenantID: "t1", WorkflowID: "wf_1"}})
	}
	return list, r.err
}

func (r *rows) ChangedApprovals(context.Context, []string, time.Time, int) ([]approvals.Approval, error) {
	return r.asked, nil
}

func (r *rows) ChangedWorkflows(_ context.Context, _ string, after int64, _ int) ([]Workflow, int64, error) {
	if after < 0 || after >= r.change {
		return nil, r.change, nil
	}
	return r.workflows, r.change, nil
}

func (r *rows) ChangedSchedules(context.Context, []string) ([]Schedule, error) {
	return r.schedules, nil
}

func (r *rows) OpenByWorkflow(context.Context, string, []string) (map[string]map[machine.State]int, error) {
	return r.open, nil
}

// quiet returns a service whose own rounds are too rare to come, with its hub and rows.
func quiet() (*Service, *tapped, *rows) {
	hub, source := &tapped{}, &rows{}
	encode := func(Change) (json.RawMessage, error) { return json.RawMessage("{}"), nil }
	return New(Config{Source: source, Hub: hub, Encode: encode, Now: time.Now, Interval: time.Hour}), hub, source
}

func listen(t *testing.T, s *Service, tenant string, after int64) (*Listener, bool) {
	t.Helper()
	l, resumed, err := s.Listen(t.Context(), tenant, after)
	if err != nil {
		t.Fatal(err)
	}
	return l, resumed
}

// names returns the frames of a listener as events and objects.
func names(l *Listener) string {
	text := ""
	for _, f := range l.Frames() {
		text += fmt.Sprintf("%s %s;", f.Event, f.ObjectID)
	}
	return text
}

// round is one round apart from the service's own.
func round(s *Service, p *pumped) { s.runOnce(p, 0) }

func told() *pumped { return newPumped(time.Time{}) }

// A listener that reads nothing costs nobody anything: what changes is noted and read for the
// others, and it is told that it missed frames.
func TestAStalledListenerDelaysNothing(t *testing.T) {
	t.Parallel()
	s, hub, _ := quiet()
	stalled, _ := listen(t, s, "t1", 0)
	defer stalled.Close()
	other, _ := listen(t, s, "t1", 0)
	defer other.Close()
	p, heard := told(), 0
	for n := range ringSize + 10 {
		hub.f(fmt.Sprintf("run_%d", n))
		hub.f(fmt.Sprintf("run_%d", n)) // coalesced
		round(s, p)
		heard += strings.Count(names(other), RunChanged)
	}
	if heard != ringSize+10 {
		t.Errorf("the other listener heard %d frames", heard)
	}
	if got := names(stalled); got != "reset ;" {
		t.Errorf("the stalled one has %s", got)
	}
	hub.f("run_x")
	round(s, p)
	if got := names(stalled); got != "run_changed run_x;stats wf_1;" {
		t.Errorf("after the reset it has %s", got)
	}
}

// What cannot be noted or read is a reset for everybody, and no other tenant hears of a run.
func TestWhatIsLostIsAReset(t *testing.T) {
	t.Parallel()
	s, hub, source := quiet()
	mine, _ := listen(t, s, "t1", 0)
	defer mine.Close()
	others, _ := listen(t, s, "t2", 0)
	defer others.Close()
	p := told()
	hub.f("run_1")
	round(s, p)
	if a, b := names(mine), names(others); a != "run_changed run_1;stats wf_1;" || b != "" {
		t.Errorf("%q and %q", a, b)
	}
	for n := range maxDirty + 1 {
		hub.f(fmt.Sprint(n))
	}
	if _, lost := s.take(); !lost {
		t.Error("more runs than are noted are not lost")
	}
	hub.f("")
	round(s, p)
	source.err = errors.New("away")
	hub.f("run_2")
	round(s, p)
	if a, b := names(mine), names(others); a != "reset ;reset ;" || b != "reset ;reset ;" {
		t.Errorf("%q and %q", a, b)
	}
}

// Approvals and workflows are told once for each state, and with the last listener all ends.
func TestApprovalsAndWorkflowsAreTold(t *testing.T) {
	t.Parallel()
	s, hub, source := quiet()
	source.change = 5
	l, _ := listen(t, s, "t1", 0)
	p := told()
	source.asked = []approvals.Approval{{ID: "apr_1", TenantID: "t1", State: approvals.Open}}
	source.workflows, source.change = []Workflow{{Workflow: workflows.Workflow{ID: "wf_1"}}}, 6
	hub.f("run_1")
	round(s, p)
	hub.f("run_1")
	round(s, p)
	source.asked[0].State = approvals.Answered
	hub.f("run_1")
	round(s, p)
	want := "run_changed run_1;approval_opened apr_1;workflow_changed wf_1;stats wf_1;run_changed run_1;stats wf_1;run_changed run_1;approval_closed apr_1;stats wf_1;"
	if got := names(l); got != want {
		t.Errorf("told %s\nwant %s", got, want)
	}
	again, resumed := listen(t, s, "t1", 6)
	if got := names(again); !resumed || got != "run_changed run_1;approval_closed apr_1;stats wf_1;" {
		t.Errorf("resumed %t with %s", resumed, got)
	}
	l.Close()
	again.Close()
	if hub.f != nil || len(s.changes) != 0 {
		t.Error("something is noted though nobody listens")
	}
	reads := source.reads
	if _, resumed := listen(t, s, "t1", 4); resumed || source.reads != reads {
		t.Error("resumed over a time in which nothing was noted")
	}
}

// Schedules are told when they are changed, with another revision or a deletion, and when they
// decide; what was so before anybody listened is not news.
func TestSchedulesAreTold(t *testing.T) {
	t.Parallel()
	s, hub, source := quiet()
	l, _ := listen(t, s, "t1", 0)
	defer l.Close()
	begun := time.UnixMilli(1_700_000_000_000)
	p := newPumped(begun)
	tell := func(c Schedule) string {
		c.ID, c.TenantID, c.WorkflowID = "sched_1", "t1", "wf_1"
		source.schedules = []Schedule{c}
		hub.f("sched_1")
		round(s, p)
		return names(l)
	}
	at := func(seconds int, outcome schedules.Outcome) *schedules.Slot {
		return &schedules.Slot{Due: begun.Add(time.Duration(seconds) * time.Second), At: begun.Add(time.Duration(seconds) * time.Second), Outcome: outcome}
	}
	old := schedules.Schedule{Revision: 1, UpdatedAt: begun.Add(-time.Hour)}
	for i, step := range []struct {
		c    Schedule
		want string
	}{
		{Schedule{Schedule: old, Last: at(-60, schedules.Fired)}, ""},
		{Schedule{Schedule: old, Last: at(60, schedules.Waiting)}, "slot_decided sched_1;"},
		{Schedule{Schedule: old, Last: at(60, schedules.Late)}, "slot_decided sched_1;"},
		{Schedule{Schedule: old, Last: at(60, schedules.Late)}, ""},
		{Schedule{Schedule: schedules.Schedule{Revision: 2}, Last: at(60, schedules.Late)}, "schedule_changed sched_1;"},
		{Schedule{Schedule: schedules.Schedule{Revision: 3}, Last: at(120, schedules.Fired), Deleted: true}, "schedule_changed sched_1;slot_decided sched_1;"},
	} {
		if got := tell(step.c); got != step.want {
			t.Errorf("step %d: told %q, not %q", i, got, step.want)
		}
	}
	clear(p.schedules)
	if got := tell(Schedule{Schedule: schedules.Schedule{Revision: 1, UpdatedAt: begun}}); got != "schedule_changed sched_1;" {
		t.Errorf("of a new one it is told %q", got)
	}
}

// What a frame says is made once for all listeners of a kind, and anew for those of another; a
// listener's own frame, a reset, is not shared.
func TestAFrameIsRenderedOnceForThoseWhoAreAlike(t *testing.T) {
	t.Parallel()
	s, hub, _ := quiet()
	made := 0
	render := func(f *Frame, variant string) []byte {
		made++
		return []byte(f.ObjectID + " " + variant)
	}
	var listeners [3]*Listener
	for i := range listeners {
		listeners[i], _ = listen(t, s, "t1", 0)
		defer listeners[i].Close()
	}
	hub.f("run_1")
	round(s, told())
	for i, want := range []string{"run_1 all", "run_1 all", "run_1 some"} {
		if got := string(listeners[i].Frames()[0].Text(strings.TrimPrefix(want, "run_1 "), render)); got != want {
			t.Errorf("listener %d is told %s", i, got)
		}
	}
	if made != 2 {
		t.Errorf("rendered %d times", made)
	}
	if got := string((&Frame{Event: Reset, ObjectID: "x"}).Text("", render)); got != "x " {
		t.Errorf("a reset is %s", got)
	}
}
