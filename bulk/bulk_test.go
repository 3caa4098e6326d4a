package bulk_test

import (
	"heddle/access"
	"heddle/bulk"
	"heddle/events"
	"heddle/executor"
	"heddle/executor/machine"
	"heddle/fault"
	"heddle/idempotency"
	"sync"
	"testing"
)

func byFilter(a bulk.Action, workflow string) bulk.Request {
	return bulk.Request{Kind: bulk.Runs, Action: a, Runs: executor.RunQuery{Workflows: []string{workflow}}}
}

// redriven counts the redrives of a run, cancelled its ends by a cancel.
func (s *stack) redriven(run string) int {
	return s.count(run, func(_ events.Event, d machine.Detail) bool { return d.Redrive != "" })
}

func (s *stack) cancelled(run string) int {
	return s.count(run, func(e events.Event, d machine.Detail) bool {
		return e.Kind == events.RunCancelled && d.Actor == s.admin.Actor && d.Reason == "a test"
	})
}

// A job cancels what matched when it was accepted, in several batches and chunks; a run that
// comes later goes on, and one that ends meanwhile is skipped.
func TestAJobIsAboutWhatMatchedWhenItWasAccepted(t *testing.T) {
	t.Parallel()
	onBothStores(t, func(t *testing.T, s *stack) {
		w := s.workflow(parked)
		list := s.start(w, 60, machine.WaitingSignal)
		s.start(s.workflow(quick), 1, machine.Completed)
		job := s.accept(byFilter(bulk.Cancel, w))
		later := s.start(w, 1, machine.WaitingSignal)[0]
		if _, err := s.exec.Signal(t.Context(), tenant, list[0], machine.Signal{Name: "go"}); err != nil {
			t.Fatal(err)
		}
		s.until(list[0], machine.Completed)
		got := s.finish(s.jobs, job.ID)
		if got.State != bulk.Completed || got.Total != 60 || got.Progress != (bulk.Progress{Done: 59, Skipped: 1}) || got.EndedAt.IsZero() {
			t.Errorf("the job is %+v", got)
		}
		for _, id := range list[1:] {
			if n := s.cancelled(id); n != 1 {
				t.Errorf("%s was cancelled %d times", id, n)
			}
		}
		if s.run(later).State != machine.WaitingSignal {
			t.Error("a run that came later was cancelled")
		}
		page, err := s.jobs.Failures(t.Context(), s.admin, bulk.FailureQuery{JobID: job.ID, Limit: 10})
		if err != nil || len(page.Items) != 1 || page.Items[0].ObjectID != list[0] || page.Items[0].Code != "run_finished" {
			t.Errorf("failures %+v, %v", page, err)
		}
	})
}

// Where a process dies after commands and before their outcomes, the next one finds what was
// done: nothing happens twice, although each run could be redriven, or started, again.
func TestWhatWasDoneBeforeAKillIsNotDoneAgain(t *testing.T) {
	t.Parallel()
	onBothStores(t, func(t *testing.T, s *stack) {
		w := s.workflow(broken)
		list := s.start(w, 5, machine.Failed)
		redrive := byFilter(bulk.Redrive, w)
		redrive.Settings.StepID = "each"
		for _, r := range []bulk.Request{redrive, byFilter(bulk.Restart, w), byFilter(bulk.Delete, w)} {
			job := s.accept(r)
			s.db.dying.Store(true)
			s.jobs.RunBatch(t.Context())
			s.db.dying.Store(false)
			if r.Action == bulk.Redrive {
				for _, id := range list {
					s.until(id, machine.Failed)
					if n := s.redriven(id); n != 1 {
						t.Fatalf("%s was redriven %d times before the kill", id, n)
					}
				}
			}
			got := s.finish(s.node(), job.ID)
			if got.Done != got.Total {
				t.Errorf("%s: %+v", r.Action, got)
			}
			switch r.Action {
			case bulk.Redrive:
				for _, id := range list {
					if n := s.redriven(id); n != 1 {
						t.Errorf("%s was redriven %d times", id, n)
					}
				}
			case bulk.Restart:
				page, err := s.exec.Runs(t.Context(), executor.RunQuery{TenantID: tenant, Workflows: []string{w}, Limit: 100})
				if err != nil || len(page.Runs) != 10 {
					t.Errorf("%d runs, %v", len(page.Runs), err)
				}
				for _, run := range page.Runs {
					s.until(run.RunID, machine.Failed)
				}
			case bulk.Delete:
				page, err := s.exec.Runs(t.Context(), executor.RunQuery{TenantID: tenant, Workflows: []string{w}, Limit: 100})
				if err != nil || len(page.Runs) != 0 {
					t.Errorf("%d runs, %v", len(page.Runs), err)
				}
			}
		}
	})
}

// Two nodes that both take themselves for the leader carry the same job out, each item once.
func TestTwoNodesDoEachItemOnce(t *testing.T) {
	t.Parallel()
	onBothStores(t, func(t *testing.T, s *stack) {
		w := s.workflow(broken)
		list := s.start(w, 30, machine.Failed)
		redrive := byFilter(bulk.Redrive, w)
		redrive.Settings.StepID = "each"
		job := s.accept(redrive)
		var both sync.WaitGroup
		for range 2 {
			node := s.node()
			both.Go(func() {
				for range 4 {
					node.RunBatch(t.Context())
				}
			})
		}
		both.Wait()
		got := s.finish(s.jobs, job.ID)
		if got.Done+got.Skipped != 30 || got.Failed != 0 {
			t.Errorf("the job is %+v", got)
		}
		for _, id := range list {
			if n := s.redriven(id); n != 1 {
				t.Errorf("%s was redriven %d times", id, n)
			}
		}
	})
}

// A stop leaves what has not begun; a revoked key ends its job, and a right that is taken away
// fails the items that need it.
func TestAJobEndsEarly(t *testing.T) {
	t.Parallel()
	onBothStores(t, func(t *testing.T, s *stack) {
		w := s.workflow(parked)
		list := s.start(w, 40, machine.WaitingSignal)
		job := s.accept(byFilter(bulk.Cancel, w))
		s.jobs.RunBatch(t.Context())
		stopped, err := s.jobs.StopJob(t.Context(), s.admin, job.ID)
		if err != nil || stopped.State != bulk.Stopped || stopped.Stop.Code != "requested" || stopped.Stop.By != s.admin.Actor || stopped.Done != 25 {
			t.Errorf("%+v, %v", stopped, err)
		}
		if s.jobs.RunBatch(t.Context()) {
			t.Error("a stopped job goes on")
		}
		if again, err := s.jobs.StopJob(t.Context(), s.admin, job.ID); err != nil || again.EndedAt != stopped.EndedAt {
			t.Errorf("%+v, %v", again, err)
		}
		open := 0
		for _, id := range list {
			if s.run(id).State == machine.WaitingSignal {
				open++
			}
		}
		if open != 15 {
			t.Errorf("%d runs are open", open)
		}

		s.rights.set(&access.Principal{Actor: s.admin.Actor, TenantID: tenant, Role: access.RoleViewer})
		job = s.accept(byFilter(bulk.Cancel, w))
		if got := s.finish(s.jobs, job.ID); got.Progress != (bulk.Progress{Failed: 15}) {
			t.Errorf("%+v", got)
		}
		s.rights.set(nil)
		job = s.accept(byFilter(bulk.Cancel, w))
		if got := s.finish(s.jobs, job.ID); got.State != bulk.Stopped || got.Stop.Code != "access_ended" || got.Done+got.Failed != 0 {
			t.Errorf("%+v", got)
		}
	})
}

// Who has grants acts on those workflows alone, and the others are not counted; a count that is
// not the expected one is refused.
func TestOnlyWhatTheCallerMayDoCounts(t *testing.T) {
	t.Parallel()
	onBothStores(t, func(t *testing.T, s *stack) {
		mine, other := s.workflow(parked), s.workflow(parked)
		first := s.start(mine, 3, machine.WaitingSignal)
		theirs := s.start(other, 2, machine.WaitingSignal)
		s.start(s.workflow(quick), 1, machine.Completed)
		p := access.Principal{Actor: s.admin.Actor, TenantID: tenant, Role: access.RoleNone, Grants: []access.Grant{
			{WorkflowID: mine, Actions: []access.Action{access.View, access.Execute}}, {WorkflowID: other, Actions: []access.Action{access.View}},
		}}
		all := bulk.Request{Kind: bulk.Runs, Action: bulk.Cancel}
		named := bulk.Request{Kind: bulk.Runs, Action: bulk.Cancel, IDs: append(append(theirs, first...), first[0], "run_nothing")}
		for _, r := range []bulk.Request{all, named} {
			got, err := s.jobs.Preview(t.Context(), p, r)
			if err != nil || got.Matched != 3 || got.Allowed != 3 || len(got.Skipped) != 0 || len(got.Sample) != 3 {
				t.Errorf("%+v, %v", got, err)
			}
		}
		if got, err := s.jobs.Preview(t.Context(), s.admin, all); err != nil || got.Matched != 6 || got.Allowed != 5 || got.Skipped[0] != (bulk.Skip{Reason: "run_finished", Count: 1}) {
			t.Errorf("%+v, %v", got, err)
		}
		all.Action = bulk.Terminate
		if _, err := s.jobs.Preview(t.Context(), p, all); fault.CodeOf(err) != "acl_denied" {
			t.Error(err)
		}
		all.Action = bulk.Cancel
		for expected, code := range map[int]string{6: "", 5: "count_changed", 8: "count_changed"} {
			all.Expected = &expected
			_, _, err := s.jobs.Accept(t.Context(), s.admin, all, func(bulk.Job, bulk.Preview) *idempotency.Answer { return nil })
			if fault.CodeOf(err) != code && (err != nil || code != "") {
				t.Errorf("%d expected: %v", expected, err)
			}
		}
	})
}
