package storetest

import (
	"heddle/store"
	"maps"
	"slices"
	"testing"
)

// Run checks that a database keeps every promise of the Store interfaces. open
// returns an empty, migrated database, closed when the test ends. It is called once
// for each test, so that none sees what another stored. Tests run in parallel, as many at
// once as -parallel says.
func Run(t *testing.T, open func(t *testing.T) *store.DB) {
	for _, group := range []map[string]func(*testing.T, *store.DB){
		workflowTests, versionTests, commitTests, runTests, listTests, queueTests, leaseTests, accessTests, answerTests, scheduleTests, scheduleListTests, templateTests, transferTests,
		secretTests, sessionTests, agentTests, blobTests, logTests, usageTests, agentUsageTests, statsTests, seriesTests, keyTests, usesTests, stepSearchTests, systemTests,
		inboxTests,
		crashTests, auditTests, turnTests, approvalTests, draftTests, renderedTests, bulkTests,
	} {
		for _, name := range slices.Sorted(maps.Keys(group)) {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				db := open(t)
				group[name](t, db)
				checkCounts(t, db)
			})
		}
	}
}

// checkCounts fails where the counters of runs do not say what the rows do, whatever
// the test did to them.
func checkCounts(t *testing.T, db *store.DB) {
	t.Helper()
	wrong, err := db.RecountRuns(ctx)
	must(t, err)
	if wrong > 0 {
		t.Errorf("%d counters of runs were wrong", wrong)
	}
	wrong, err = db.WrongApprovalCounts(ctx)
	must(t, err)
	if wrong > 0 {
		t.Errorf("%d counters of approvals are wrong", wrong)
	}
}
