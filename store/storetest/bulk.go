package storetest

import (
	"fmt"
	"heddle/audit"
	"heddle/bulk"
	"heddle/executor"
	"heddle/executor/machine"
	"heddle/fault"
	"heddle/idempotency"
	"heddle/store"
	"testing"
)

// bulkTests hold what jobs need.
var bulkTests = map[string]func(*testing.T, *store.DB){
	"bulk job shows once it is accepted": testBulkAccepted,
	"bulk items are claimed and settled": testBulkItems,
	"bulk jobs are listed and purged":    testBulkPurged,
	"bulk matches are what lists show":   testBulkMatches,
}

// bulkJob makes a job of n runs, created at(i).
func bulkJob(i, n int) bulk.Job {
	return bulk.Job{
		ID: fmt.Sprintf("job_%d", i), TenantID: "t1", Kind: bulk.Runs, Action: bulk.Cancel, Settings: bulk.Settings{AddTags: []string{"x"}},
		Selection: []byte(`{"filter":{}}`), By: audit.Actor{Type: audit.Key, ID: "key_1", Name: "ops"}, Reason: "why", State: bulk.Running,
		Matched: n, Total: n, CreatedAt: at(i), UpdatedAt: at(i),
	}
}

// bulkItems makes the items from..to of a job.
func bulkItems(job bulk.Job, from, to int) []bulk.Item {
	var list []bulk.Item
	for n := from; n < to; n++ {
		list = append(list, bulk.Item{JobID: job.ID, N: n, ObjectID: fmt.Sprintf("run_%d", n), WorkflowID: "wf_1"})
	}
	return list
}

// testBulkAccepted: a job in two parts shows, and is carried out, once the second is stored, and
// of two with one answer the first is.
func testBulkAccepted(t *testing.T, db *store.DB) {
	job := bulkJob(1, 3)
	must(t, db.AcceptBulkJob(ctx, bulk.Acceptance{Job: job, Items: bulkItems(job, 0, 2), First: true}))
	_, err := db.BulkJob(ctx, "t1", job.ID)
	wantFault(t, err, fault.NotFound, "job_not_found")
	_, there, err := db.RunningBulkJob(ctx, "")
	must(t, err)
	same(t, "is carried out", there, false)
	keep := &idempotency.Answer{TenantID: "t1", Scope: "POST /bulk", Key: "k", Status: 202, CreatedAt: at(1)}
	must(t, db.AcceptBulkJob(ctx, bulk.Acceptance{Job: job, Items: bulkItems(job, 2, 3), Last: true, Keep: keep}))
	got, err := db.BulkJob(ctx, "t1", job.ID)
	must(t, err)
	same(t, "job", got, job)
	_, err = db.BulkJob(ctx, "t2", job.ID)
	wantFault(t, err, fault.NotFound, "job_not_found")
	running, there, err := db.RunningBulkJob(ctx, job.ID)
	must(t, err)
	same(t, "running", running, job)
	same(t, "is carried out", there, true)
	items, err := db.OpenBulkItems(ctx, job.ID, 10)
	must(t, err)
	same(t, "items", items, bulkItems(job, 0, 3))
	second := bulkJob(2, 0)
	err = db.AcceptBulkJob(ctx, bulk.Acceptance{Job: second, First: true, Last: true, Keep: keep})
	wantFault(t, err, fault.Conflict, "idempotency_key_taken")
	_, err = db.BulkJob(ctx, "t1", second.ID)
	wantFault(t, err, fault.NotFound, "job_not_found")
}

// testBulkItems: of two claims one holds, an outcome is stored and counted once, and the last one
// ends the job.
func testBulkItems(t *testing.T, db *store.DB) {
	job := bulkJob(1, 3)
	must(t, db.AcceptBulkJob(ctx, bulk.Acceptance{Job: job, Items: bulkItems(job, 0, 3), First: true, Last: true}))
	was := bulkItems(job, 0, 3)
	claims := bulkItems(job, 0, 3)
	for i := range claims {
		claims[i].State, claims[i].Seq = bulk.ItemBegun, int64(5+i)
	}
	for _, want := range []int{2, 1} {
		claimed, err := db.ClaimBulkItems(ctx, claims[:4-want], was[:4-want])
		must(t, err)
		same(t, "claimed", len(claimed), want)
	}
	open, err := db.OpenBulkItems(ctx, job.ID, 10)
	must(t, err)
	same(t, "open", open, claims)
	settle := func(state bulk.ItemState, n int, code string) bulk.Job {
		it := claims[n]
		it.State, it.Code, it.Message, it.ResultID = state, code, "m", "run_new"
		got, err := db.SettleBulkItems(ctx, job.ID, []bulk.Item{it}, at(9))
		must(t, err)
		return got
	}
	settle(bulk.ItemDone, 0, "")
	settle(bulk.ItemFailed, 0, "late")
	settle(bulk.ItemFailed, 1, "bad")
	got := settle(bulk.ItemSkipped, 2, "gone")
	same(t, "progress", got.Progress, bulk.Progress{Done: 1, Failed: 1, Skipped: 1})
	same(t, "state", got.State, bulk.Completed)
	same(t, "end", got.EndedAt, at(9))
	q := bulk.FailureQuery{JobID: job.ID, Limit: 1}
	first, err := db.BulkFailures(ctx, q)
	must(t, err)
	q.Cursor = first.Next
	second, err := db.BulkFailures(ctx, q)
	must(t, err)
	same(t, "codes", []string{first.Items[0].Code, second.Items[0].Code, second.Next}, []string{"bad", "gone", ""})
	same(t, "result", first.Items[0].ResultID, "run_new")
	stopped, err := db.StopBulkJob(ctx, "t1", job.ID, bulk.Stop{Code: "requested"}, at(10))
	must(t, err)
	same(t, "state", stopped.State, bulk.Completed)
}

// testBulkPurged: jobs are listed newest first, by who asked; those that ended, or were left
// half accepted, long ago go with their items.
func testBulkPurged(t *testing.T, db *store.DB) {
	for i := 1; i <= 4; i++ {
		job := bulkJob(i, 2000)
		if i == 4 {
			job.By.ID = "key_2"
		}
		must(t, db.AcceptBulkJob(ctx, bulk.Acceptance{Job: job, Items: bulkItems(job, 0, 1200), First: true, Last: i != 2}))
	}
	ids := func(q bulk.JobQuery) (list []string) {
		t.Helper()
		q.TenantID = "t1"
		for {
			page, err := db.BulkJobs(ctx, q)
			must(t, err)
			for _, j := range page.Jobs {
				list = append(list, j.ID)
			}
			if q.Cursor = page.Next; q.Cursor == "" {
				return list
			}
		}
	}
	same(t, "jobs", ids(bulk.JobQuery{Limit: 1}), []string{"job_4", "job_3", "job_1"})
	same(t, "own", ids(bulk.JobQuery{Limit: 9, ActorID: "key_2"}), []string{"job_4"})
	for _, id := range []string{"job_1", "job_3"} {
		_, err := db.StopBulkJob(ctx, "t1", id, bulk.Stop{Code: "requested", By: audit.Actor{Type: audit.System}}, at(len(id)*100+int(id[4])))
		must(t, err)
	}
	must(t, db.PurgeBulkJobs(ctx, at(500+'2'), at(3)))
	same(t, "jobs", ids(bulk.JobQuery{Limit: 9}), []string{"job_4", "job_3"})
	for id, want := range map[string]int{"job_1": 0, "job_2": 0, "job_3": 1200} {
		items, err := db.OpenBulkItems(ctx, id, 5000)
		must(t, err)
		same(t, id, len(items), want)
	}
}

// testBulkMatches: matches are the runs of the list of runs, page by page, and those of ids are
// the tenant's.
func testBulkMatches(t *testing.T, db *store.DB) {
	w := create(t, db, revision("t1", "wf_1", "one", 1))
	other := create(t, db, revision("t1", "wf_2", "two", 2))
	for i := range 5 {
		of := w
		if i == 3 {
			of = other
		}
		commit(t, db, newRun(of, fmt.Sprintf("run_%d", i), i))
	}
	commit(t, db, grow(newRun(w, "run_0", 0), machine.Failed, 9))
	q := executor.RunQuery{TenantID: "t1", Workflows: []string{"wf_1"}, CreatedBefore: at(4), Limit: 2}
	first, err := db.RunMatches(ctx, q)
	must(t, err)
	q.Cursor = first.Next
	second, err := db.RunMatches(ctx, q)
	must(t, err)
	same(t, "matches", append(first.Matches, second.Matches...), []bulk.Match{
		{ID: "run_2", WorkflowID: "wf_1", Slug: "one", State: "queued"},
		{ID: "run_1", WorkflowID: "wf_1", Slug: "one", State: "queued"},
		{ID: "run_0", WorkflowID: "wf_1", Slug: "one", State: "failed"},
	})
	same(t, "next", second.Next, "")
	for tenant, want := range map[string]int{"t1": 1, "t2": 0} {
		named, err := db.RunMatchesByID(ctx, tenant, []string{"wf_1"}, []string{"run_3", "run_2", "run_9"})
		must(t, err)
		same(t, tenant, len(named), want)
	}
}
