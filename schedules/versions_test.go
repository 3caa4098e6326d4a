package schedules_test

import (
	"context"
	"fmt"
	"heddle/definitions/parser"
	"heddle/definitions/source"
	"heddle/definitions/validation"
	"heddle/definitions/workflows"
	"heddle/schedules"
	"heddle/store"
	"sync"
	"testing"
	"time"
)

// save stores a definition as the workflow's next version and makes it active.
func (n *node) save(workflow, text string) {
	n.t.Helper()
	doc, problems := parser.Parse([]byte(text), source.JSON)
	if doc == nil || !validation.Valid(problems) {
		n.t.Fatalf("definition: %v", problems)
	}
	_, err := n.db.Change(context.WithoutCancel(n.t.Context()), tenant, workflow, func(c workflows.Current) (workflows.Revision, error) {
		c.Workflow.LatestVersion++
		c.Workflow.ActiveVersion = c.Workflow.LatestVersion
		return workflows.Revision{Workflow: c.Workflow, Version: &workflows.NewVersion{
			Number: c.Workflow.LatestVersion, Definition: doc.Canonical, Hash: doc.Hash, CreatedAt: time.Now(),
		}}, nil
	})
	if err != nil {
		n.t.Fatal(err)
	}
}

// A due time and a trigger are judged by the version that they will run, not by
// one that a save has overtaken.
func TestTheLimitOfAnOvertakenVersionRefusesNothing(t *testing.T) {
	t.Parallel()
	eachStore(t, "", func(t *testing.T, db *store.DB) {
		n := newNode(t, db, &clock{at: noon}, true)
		limited := func(limit int) string {
			return fmt.Sprintf(`{"name":"L","concurrency":{"limit":%d,"on_limit":"reject"},"steps":[{"id":"a","type":"wait","config":{"signal":{"name":"go"}}}]}`, limit)
		}
		w := n.workflow(limited(1))
		s := n.create(w, schedules.Schedule{Expression: "* * * * *", Overlap: schedules.OverlapAllow})
		n.tick(minutes(1))
		eventually(t, "the first waits", func() bool { return len(n.runs(w)) == 1 && !n.runs(w)[0].StartedAt.IsZero() })
		n.tick(minutes(2))
		_, err := n.svc.Trigger(t.Context(), tenant, s.ID, noTrace, nil)
		wantCode(t, err, "concurrency_limit")
		n.save(w, limited(5))
		if _, err := n.svc.Trigger(t.Context(), tenant, s.ID, noTrace, nil); err != nil {
			t.Errorf("a trigger after the save: %v", err)
		}
		n.save(w, limited(6))
		n.tick(minutes(3))
		if got := fmt.Sprint(n.ledger(s.ID)); got != "[12:01 fired 12:02 skipped concurrency_limit 12:02 fired 12:03 fired]" {
			t.Errorf("ledger %s", got)
		}
	})
}

// No trigger is refused because the workflow or its schedule is being changed.
func TestTriggersBesideSaves(t *testing.T) {
	t.Parallel()
	eachStore(t, "", func(t *testing.T, db *store.DB) {
		n := newNode(t, db, &clock{}, true)
		w := n.workflow(quick)
		s := n.create(w, schedules.Schedule{Expression: "0 0 1 1 *"})
		done := make(chan struct{})
		var saving sync.WaitGroup
		for i := range 3 {
			saving.Go(func() {
				for k := 0; ; k++ {
					select {
					case <-done:
						return
					default:
						n.save(w, fmt.Sprintf(`{"description":"%d-%d",%s`, i, k, quick[1:]))
					}
				}
			})
		}
		var triggers sync.WaitGroup
		for range 8 {
			triggers.Go(func() {
				for range 5 {
					if _, err := n.svc.Trigger(t.Context(), tenant, s.ID, noTrace, nil); err != nil {
						t.Errorf("a trigger beside saves: %v", err)
					}
				}
			})
		}
		triggers.Wait()
		close(done)
		saving.Wait()
	})
}
