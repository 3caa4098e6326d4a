package api

import (
	"net/http"
	"strings"
	"testing"
)

// withoutKey lists every POST that takes no Idempotency-Key, and why none is
// needed.
func withoutKey() map[string]string {
	const (
		looks   = "creates nothing"
		steers  = "a repeat finds the run as the first left it, and changes nothing or is refused"
		version = "If-Match refuses the repeat"
		secret  = "the answer shows a key that is stored nowhere, so it cannot be kept"
	)
	return map[string]string{
		"validateDefinition": looks, "diffDraft": looks, "previewExpression": looks, "dryRunWorkflow": looks,
		"diffDefinitions": looks, "dryRunDefinition": looks,
		"testStep":  "stores nothing",
		"cancelRun": steers, "pauseRun": steers, "resumeRun": steers, "redriveRun": steers, "terminateRun": steers,
		"cancelV1Run": steers, "terminateV1Run": steers,
		"pauseInstance": steers, "resumeInstance": steers, "terminateInstance": steers,
		"createInstances":   "ids that exist are left out",
		"sendInstanceEvent": "each event is new, as its document says",
		"tickRunner":        "moves what is there already", "tickRunnerOfInstances": "moves what is there already",
		"stopJob":        "a job that has ended stays as it is",
		"signalRun":      "request_id in the body makes a repeat a duplicate",
		"publishVersion": version, "rollbackWorkflow": version, "mergeWorkflowTemplate": version,
		"createTenant": secret, "createKey": secret, "createSession": secret, "rotateKey": secret,
		"testAgent": "stores nothing but its line in the audit trail",
	}
}

// TestEveryCreatingPostTakesAnIdempotencyKey: a POST takes one, or stands in
// the list with its reason.
func TestEveryCreatingPostTakesAnIdempotencyKey(t *testing.T) {
	why := withoutKey()
	for _, r := range routesAlone() {
		if r.Method != http.MethodPost {
			if r.Idempotent {
				t.Errorf("%s is a %s and takes a key", r.ID, r.Method)
			}
			continue
		}
		reason, listed := why[r.ID]
		delete(why, r.ID)
		switch {
		case r.Idempotent == listed:
			t.Errorf("%s %s takes a key: %v; is listed as needing none: %v", r.ID, r.Path, r.Idempotent, listed)
		case listed && strings.HasPrefix(reason, "If-Match") && !r.Conditional:
			t.Errorf("%s does not honour If-Match", r.ID)
		case r.Idempotent:
			for _, a := range r.Answers {
				if a.Status == http.StatusCreated && len(a.Headers) == 0 {
					t.Errorf("%s creates and names no header", r.ID)
				}
			}
		}
	}
	for id := range why {
		t.Errorf("%s is listed and is not a POST", id)
	}
}
