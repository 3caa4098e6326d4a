package executor_test

import (
	"context"
	"encoding/json"
	"fmt"
	"heddle/audit"
	"heddle/executor"
	"heddle/executor/machine"
	"heddle/fault"
	"heddle/quota"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// batchOf starts runs named after what is listed, one character each, with that
// as the input's k.
func (s *stack) batchOf(workflow, names string) ([]bool, error) {
	ctx := audit.WithTrail(context.Background(), audit.NewTrail(audit.Entry{TenantID: tenant, ActorType: audit.Key, ActorID: "key_1", Action: "run.start"},
		time.Now, func(prefix string) string { return fmt.Sprintf("%s%024x", prefix, s.ids.Add(1)) }))
	var list []executor.StartRequest
	for name := range strings.SplitSeq(names, "") {
		list = append(list, executor.StartRequest{TenantID: tenant, Workflow: workflow, Trigger: "api", Name: name, Input: json.RawMessage(`{"k":1}`)})
	}
	return s.svc.StartNamed(ctx, list)
}

// wantOpen fails the test unless that many runs are open.
func (s *stack) wantOpen(workflow string, runs int) {
	s.t.Helper()
	open, err := s.db.OpenRuns(s.t.Context(), tenant, workflow)
	if err != nil || len(open) != runs {
		s.t.Errorf("%d open runs instead of %d, %v", len(open), runs, err)
	}
}

// trailing is a store that counts the audit lines of batches that it stored.
type trailing struct {
	executor.Store
	lines *atomic.Int64
}

func (s trailing) StartAll(ctx context.Context, epoch int64, runs []executor.Commit) ([]bool, error) {
	taken, err := s.Store.StartAll(ctx, epoch, runs)
	for i, r := range runs {
		if err == nil && !taken[i] {
			s.lines.Add(int64(len(r.Audit)))
		}
	}
	return taken, err
}

// What the store refuses in the middle of a batch leaves none of it.
func TestSeriesOfABatchAreStartedTogetherOrNotAtAll(t *testing.T) {
	onBothStores(t, func(t *testing.T, url string) {
		var lines atomic.Int64
		var clash atomic.Int64 // the new run whose id is there already
		var there atomic.Value
		s := stackOn(t, openDB(t, url), new(atomic.Int64), neverRun, func(c *executor.Config) {
			c.Store = trailing{c.Store, &lines}
			fresh := c.NewID
			c.NewID = func(prefix string) string {
				if prefix == "run_" && clash.Add(-1) == 0 {
					return there.Load().(string) //nolint:forcetypeassert // nothing else is stored in it
				}
				return fresh(prefix)
			}
		})
		other, wf := s.workflow(oneWait), s.workflow(oneWait)
		there.Store(s.start(other, `{}`).RunID)
		for nth := range 3 {
			clash.Store(int64(nth + 1))
			if _, err := s.batchOf(wf, "abc"); err == nil {
				t.Error("a run was stored under an id that is another's")
			}
			clash.Store(0)
			s.wantOpen(wf, 0)
		}
		stored, err := s.batchOf(wf, "abab")
		if err != nil || !slices.Equal(stored, []bool{true, true, false, false}) {
			t.Errorf("%v %v", stored, err)
		}
		stored, err = s.batchOf(wf, "bca")
		if err != nil || !slices.Equal(stored, []bool{false, true, false}) {
			t.Errorf("%v %v", stored, err)
		}
		s.wantOpen(wf, 3)
		if lines.Load() != 3 {
			t.Errorf("%d audit lines of 3 runs", lines.Load())
		}
		for _, name := range []string{"a", "b", "c"} {
			if got := s.latest(wf, name); got.State != machine.WaitingSignal {
				t.Errorf("%s is %s", name, got.State)
			}
		}
		// Saved meanwhile: it is decided anew, for all.
		s.revise(wf, strings.Replace(oneWait, "name: go", "name: on", 1))
		if _, err := s.batchOf(wf, "de"); err != nil || s.latest(wf, "d").Version != 2 || s.latest(wf, "e").Version != 2 {
			t.Errorf("after a save: %v", err)
		}
	})
}

// Runs of a batch that is beyond the limit are all refused, whichever node counts.
func TestLimitsCountABatchAsAWhole(t *testing.T) {
	check := func(t *testing.T, s *stack) {
		wf := s.workflow(strings.Replace(limited(3, "reject"), `"{{ input.k }}"`, `"k{{ input.k }}"`, 1))
		for _, step := range []struct {
			names   string
			refused bool
			runs    int
		}{{"abcd", true, 0}, {"ab", false, 2}, {"cd", true, 2}, {"abcab", false, 3}, {"abc", false, 3}, {"d", true, 3}} {
			_, err := s.batchOf(wf, step.names)
			if step.refused != (fault.CodeOf(err) == "concurrency_limit") || !step.refused && err != nil {
				t.Errorf("%s: %v", step.names, err)
			}
			s.wantOpen(wf, step.runs)
		}
	}
	block := func(ctx context.Context, _ executor.Call) (executor.Result, error) {
		<-ctx.Done()
		return executor.Result{}, ctx.Err()
	}
	t.Run("leader", func(t *testing.T) { check(t, newStack(t, block)) })
	t.Run("held", func(t *testing.T) { check(t, newStack(t, block, func(c *executor.Config) { c.HoldNamed = true })) })
	t.Run("standby", func(t *testing.T) {
		onBothStores(t, func(t *testing.T, url string) { check(t, newPair(t, url, block).standby) })
	})
}

// Runs of a batch that have to wait for room begin one after another; the
// oldest make room where the workflow says so.
func TestLimitsLetABatchWait(t *testing.T) {
	h := newHolder()
	s := newStack(t, h.run)
	wf := s.workflow(limited(2, "queue"))
	if _, err := s.batchOf(wf, "abcde"); err != nil {
		t.Fatal(err)
	}
	close(h.release)
	for _, name := range []string{"a", "b", "c", "d", "e"} {
		s.waitState(s.latest(wf, name).RunID, machine.Completed)
	}
	if h.most["1"] > 2 {
		t.Errorf("%d in flight", h.most["1"])
	}
	s = newStack(t, newHolder().run)
	wf = s.workflow(limited(2, "cancel_oldest"))
	if _, err := s.batchOf(wf, "abcd"); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"a", "b"} {
		s.waitState(s.latest(wf, name).RunID, machine.Cancelled)
	}
	s.wantOpen(wf, 2)
}

func TestLimitsOfATenantHoldForABatchAsAWhole(t *testing.T) {
	s := newStack(t, neverRun, func(c *executor.Config) {
		db := c.Store.(interface { //nolint:forcetypeassert // it is the database
			CountOpenRuns(context.Context, string, int) (int, error)
		})
		c.Quota = &quota.Gate{Name: "open_runs", Now: time.Now, Count: db.CountOpenRuns, Limit: func(context.Context, string) (int, error) { return 3, nil }}
	})
	wf := s.workflow(oneWait)
	for _, step := range []struct {
		names   string
		refused bool
		runs    int
	}{{"abcd", true, 0}, {"ab", false, 2}, {"cd", true, 2}, {"abcab", false, 3}, {"abc", false, 3}} {
		_, err := s.batchOf(wf, step.names)
		if step.refused != (fault.CodeOf(err) == "quota_exceeded") || !step.refused && err != nil {
			t.Errorf("%s: %v", step.names, err)
		}
		s.wantOpen(wf, step.runs)
	}
}
