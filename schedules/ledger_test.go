package schedules_test

import (
	"fmt"
	"heddle/definitions/parser"
	"heddle/definitions/source"
	"heddle/definitions/workflows"
	"heddle/executor/machine"
	"heddle/schedules"
	"heddle/store"
	"testing"
	"time"
)

// A due time is late when its run was started more than a second after it and
// the jitter.
func TestLateIsNamed(t *testing.T) {
	eachStore(t, "", func(t *testing.T, db *store.DB) {
		n := newNode(t, db, &clock{at: noon}, false)
		w := n.workflow(quick)
		plain := n.create(w, schedules.Schedule{Expression: "* * * * *", Overlap: schedules.OverlapAllow})
		shaken := n.create(w, schedules.Schedule{Expression: "0 * * * *", Overlap: schedules.OverlapAllow, Jitter: 20 * time.Minute})
		n.tick(minutes(1).Add(time.Second))
		n.tick(minutes(2).Add(1001 * time.Millisecond))
		wantLedger(t, n, plain.ID, "12:01 fired", "12:02 late")
		n.tick(minutes(60).Add(shaken.Delay() + time.Second))
		n.tick(minutes(120).Add(shaken.Delay() + 1001*time.Millisecond))
		wantLedger(t, n, shaken.ID, "13:00 fired", "14:00 late")
	})
}

// Without a version a schedule follows the active one at each due time; with
// one it stays, by number or by label.
func TestVersionsPinnedAndActive(t *testing.T) {
	eachStore(t, "", func(t *testing.T, db *store.DB) {
		n := newNode(t, db, &clock{at: noon}, false)
		w := n.workflow(quick)
		follows := n.create(w, schedules.Schedule{Expression: "* * * * *", Overlap: schedules.OverlapAllow})
		pinned := n.create(w, schedules.Schedule{Expression: "* * * * *", Overlap: schedules.OverlapAllow, Version: "v1"})
		n.tick(minutes(1))
		n.publish(w, 2, parked)
		n.tick(minutes(2))
		for id, want := range map[string]string{follows.ID: "[1 2]", pinned.ID: "[1 1]"} {
			var versions []int
			for _, slot := range n.slots(id) {
				run, err := n.exec.Run(t.Context(), tenant, slot.RunID)
				if err != nil {
					t.Fatal(err)
				}
				versions = append(versions, run.Version)
			}
			if fmt.Sprint(versions) != want {
				t.Errorf("versions %v, want %s", versions, want)
			}
		}
	})
}

// publish stores the next version of a workflow and activates it.
func (n *node) publish(workflow string, number int, text string) {
	n.t.Helper()
	doc, _ := parser.Parse([]byte(text), source.JSON)
	_, err := n.db.Change(n.t.Context(), tenant, workflow, func(c workflows.Current) (workflows.Revision, error) {
		c.Workflow.ActiveVersion, c.Workflow.LatestVersion = number, number
		c.Workflow.Revision++
		return workflows.Revision{Workflow: c.Workflow, Version: &workflows.NewVersion{Number: number, Definition: doc.Canonical, Hash: doc.Hash, CreatedAt: noon}}, nil
	})
	if err != nil {
		n.t.Fatal(err)
	}
}

// The jitter's delay belongs to the schedule: the same in every process and
// after every edit, spread over schedules.
func TestJitterIsTheSchedulesOwn(t *testing.T) {
	eachStore(t, "", func(t *testing.T, db *store.DB) {
		n := newNode(t, db, &clock{at: noon}, false)
		w := n.workflow(quick)
		early, late := 0, 0
		for range 40 {
			s := n.create(w, schedules.Schedule{Expression: "@daily", Jitter: time.Hour})
			expression := "0 3 * * *"
			edited, err := n.svc.Update(t.Context(), tenant, s.ID, schedules.Patch{Expression: &expression}, nil)
			if err != nil {
				t.Fatal(err)
			}
			if d := s.Delay(); d < 0 || d > time.Hour || edited.Delay() != d {
				t.Errorf("%s, after an edit %s", d, edited.Delay())
			} else if d < 30*time.Minute {
				early++
			} else {
				late++
			}
		}
		if early < 8 || late < 8 {
			t.Errorf("%d delays in the first half of the hour, %d in the second", early, late)
		}
	})
}

// A parked run counts as running for every rule, however long it waits.
func TestAParkedRunIsOpen(t *testing.T) {
	eachStore(t, "", func(t *testing.T, db *store.DB) {
		n := newNode(t, db, &clock{at: noon}, true)
		w := n.workflow(parked)
		s := n.create(w, schedules.Schedule{Expression: "0 * * * *"})
		n.tick(minutes(60))
		// The clock's jump may cost the node its lease for a moment; then the run is
		// queued first.
		eventually(t, "the run is parked", func() bool { return n.runs(w)[0].State == machine.WaitingSignal })
		n.tick(minutes(120))
		n.tick(minutes(180))
		n.finish(w)
		n.tick(minutes(240))
		wantLedger(t, n, s.ID, "13:00 fired", "14:00 skipped overlap", "15:00 skipped overlap", "16:00 fired")
	})
}
