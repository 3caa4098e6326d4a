package api

import (
	"slices"
	"testing"
)

// storesNothing are the operations that change something and are not held to the quota of stored
// bytes, with the reason.
var storesNothing = map[string]string{
	"deleteSchedule": "frees", "deleteAgent": "frees", "deleteSecret": "frees", "deleteRun": "frees", "deleteTemplate": "frees", "deleteWorkflow": "frees",
	"cancelRun": "ends a run, once", "terminateRun": "ends a run, once", "cancelV1Run": "ends a run, once", "terminateV1Run": "ends a run, once",
	"terminateInstance": "ends a run, once",
	// Who may do what has to be changeable whatever is stored, and is not counted.
	"createTenant": "access", "putTenantQuotas": "access", "createKey": "access", "revokeKey": "access", "updateKey": "access", "rotateKey": "access", "putGrant": "access", "deleteGrant": "access",
	"changeRuns": "ids, for 30 days", "changeSchedules": "ids, for 30 days", "changeWorkflows": "ids, for 30 days", "stopJob": "ends a job, once",
	"deleteDraft": "deletes", "deleteOwnDraft": "deletes",
	"testAgent": "stores nothing", "deleteSession": "access", "endSession": "access", "updateUser": "access",
	"publishVersion": "moves a pointer", "setWorkflowStatus": "one of four words",
	"backfillSchedule": "due times; each start is held to the quotas", "tickRunner": "no text", "tickRunnerOfInstances": "no text",
}

// Every operation that changes something is held to the quota of stored bytes, or is known to
// store nothing of the caller's.
func TestEveryWriteIsHeldToTheQuotaOfStoredBytes(t *testing.T) {
	t.Parallel()
	known := 0
	for _, r := range routesAlone() {
		if !r.Changes() {
			continue
		}
		_, exempt := storesNothing[r.ID]
		if exempt {
			known++
		}
		if held := r.Keeps || slices.Contains(r.Codes, "quota_exceeded"); held == exempt {
			t.Errorf("%s: held to the quota %t, exempt %t", r.ID, held, exempt)
		}
	}
	if known != len(storesNothing) {
		t.Errorf("%d of %d exempt operations are there", known, len(storesNothing))
	}
}
