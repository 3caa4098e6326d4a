package api_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// place is what the requests of the route tests are made on.
type place struct{ workflow, slug, run, finished, loop, large, calls, key, template, made, schedule, approval, session, user, job string }

func (s *stack) place() place {
	s.t.Helper()
	p := place{slug: "checkout-flow"}
	p.workflow = s.create(parked, `"slug":"checkout-flow"`)
	p.run = s.start(p.workflow, "")
	p.finished = s.start(s.create(trivial, `"slug":"trivial"`), "")
	s.until(p.finished, "completed")
	p.calls = s.create(order, `"slug":"calls"`)
	p.loop = s.start(s.create(brokenLoop, `"slug":"broken"`), "")
	s.until(p.loop, "failed")
	large := s.start(s.create(largeLoop, `"slug":"large"`), largeText)
	p.large = large + "/blobs/" + s.until(large, "completed").text(s.t, "run", "output", "$blob")
	p.key = s.get("/v1/keys").want(s.t, http.StatusOK).text(s.t, "keys", 0, "id")
	p.user = s.browser().person("ada", "staff").get("/v1/session").want(s.t, http.StatusOK).text(s.t, "principal", "id")
	s.post("/v1/session", `{"key":"`+s.admin+`"}`).want(s.t, http.StatusNoContent)
	p.session = s.get("/v1/sessions").want(s.t, http.StatusOK).text(s.t, "sessions", 0, "id")
	p.template = s.post("/api/workflows/templates", `{"name":"Mine","definition":`+trivial+`}`).want(s.t, http.StatusCreated).text(s.t, "template_id")
	p.made = s.post("/api/workflows/templates/"+p.template+"/install", `{"slug":"made"}`).want(s.t, http.StatusCreated).text(s.t, "workflow_id")
	p.schedule = s.post("/api/workflows/"+p.workflow+"/schedules", `{"cron_expression":"0 2 * * *"}`).want(s.t, http.StatusCreated).text(s.t, "schedule_id")
	s.start(s.create(asks, `"slug":"asking"`), "")
	s.eventually("an approval is open", func() bool {
		list := s.get("/api/workflows/approvals?status=open").want(s.t, http.StatusOK)
		if len(list.field(s.t, "approvals").([]any)) > 0 {
			p.approval = list.text(s.t, "approvals", 0, "id")
		}
		return p.approval != ""
	})
	p.job = s.post("/api/workflows/runs/bulk", `{"action":"cancel","run_ids":["`+p.finished+`"]}`).want(s.t, http.StatusAccepted).text(s.t, "job_id")
	return p
}

// call is one route with a request that succeeds for who may make it.
type call struct {
	id     string // operationId
	action string
	method string
	path   func(p place) string
	body   func(p place) string
	// object is what a denial names; "" when every key may ask.
	object string
	status int
}

func at(path string) func(place) string {
	return func(p place) string {
		return strings.NewReplacer("{wf}", p.workflow, "{run}", p.run, "{done}", p.finished, "{loop}", p.loop, "{large}", p.large, "{calls}", p.calls, "{key}", p.key,
			"{tpl}", p.template, "{made}", p.made, "{sched}", p.schedule, "{approval}", p.approval, "{session}", p.session, "{user}", p.user, "{job}", p.job).Replace(path)
	}
}

// calls has every route that needs a key, in an order in which each works.
func calls() []call {
	const flow = "workflow:checkout-flow"
	body := at(`{"definition":` + trivial + `}`)
	return []call{
		{"getInfo", "view", "GET", at("/v1/info"), nil, "", 200},
		{"listWorkflows", "view", "GET", at("/api/workflows"), nil, "", 200},
		{"validateDefinition", "view", "POST", at("/api/workflows/validate"), body, "", 200},
		{"exportWorkflows", "view", "GET", at("/api/workflows/export"), nil, "", 200},
		{"importWorkflows", "edit", "POST", at("/api/workflows/import?on_conflict=rename"), at(oneLine), "workflow:*", 200},
		{"getWorkflow", "view", "GET", at("/api/workflows/{wf}"), nil, flow, 200},
		{"listVersions", "view", "GET", at("/api/workflows/{wf}/versions"), nil, flow, 200},
		{"getVersion", "view", "GET", at("/api/workflows/{wf}/versions/1"), nil, flow, 200},
		{"diffVersions", "view", "GET", at("/api/workflows/{wf}/diff?v1=1&v2=1"), nil, flow, 200},
		{"diffDraft", "view", "POST", at("/api/workflows/{wf}/diff"), body, flow, 200},
		{"listRuns", "view", "GET", at("/api/workflows/{wf}/runs"), nil, flow, 200},
		{"listTenantRuns", "view", "GET", at("/api/workflows/runs"), nil, "", 200},
		{"changeRuns", "execute", "POST", at("/api/workflows/runs/bulk"), at(`{"action":"cancel","filter":{"workflow":"{wf}"},"dry_run":true}`), "workflow:*", 200},
		{"changeSchedules", "edit", "POST", at("/api/workflows/schedules/bulk"), at(`{"action":"pause","filter":{},"dry_run":true}`), "workflow:*", 200},
		{"changeWorkflows", "edit", "POST", at("/api/workflows/bulk"), at(`{"action":"status","status":"active","workflow_ids":["{wf}"]}`), "workflow:*", 202},
		{"listJobs", "view", "GET", at("/api/workflows/jobs"), nil, "", 200},
		{"getJob", "view", "GET", at("/api/workflows/jobs/{job}"), nil, "workflow:*", 200},
		{"listJobFailures", "view", "GET", at("/api/workflows/jobs/{job}/failures"), nil, "workflow:*", 200},
		{"stopJob", "operate", "POST", at("/api/workflows/jobs/{job}/stop"), nil, "workflow:*", 200},
		{"compareRuns", "view", "GET", at("/api/workflows/runs/compare?a={run}&b={done}"), nil, flow, 200},
		{"getRunStats", "view", "GET", at("/api/workflows/runs/stats"), nil, "", 200},
		{"getRun", "view", "GET", at("/api/workflows/runs/{run}"), nil, flow, 200},
		{"listSteps", "view", "GET", at("/api/workflows/runs/{run}/steps"), nil, flow, 200},
		{"getStep", "view", "GET", at("/api/workflows/runs/{loop}/steps/each"), nil, "workflow:broken", 200},
		{"getRunDefinition", "view", "GET", at("/api/workflows/runs/{run}/definition"), nil, flow, 200},
		{"streamRun", "view", "HEAD", at("/api/workflows/runs/{run}/stream"), nil, flow, 200},
		{"createWorkflow", "edit", "POST", at("/api/workflows"), body, "workflow:*", 201},
		{"updateWorkflow", "edit", "PUT", at("/api/workflows/{wf}"), at(`{"tags":["a"]}`), flow, 200},
		{"labelVersion", "edit", "PATCH", at("/api/workflows/{wf}/versions/1"), at(`{"label":"first"}`), flow, 200},
		{"publishVersion", "edit", "POST", at("/api/workflows/{wf}/versions/1/publish"), nil, flow, 200},
		{"rollbackWorkflow", "edit", "POST", at("/api/workflows/{wf}/rollback"), at(`{"version":1}`), flow, 200},
		{"setWorkflowStatus", "edit", "PATCH", at("/api/workflows/{wf}/status"), at(`{"status":"active"}`), flow, 200},
		{"putDraft", "edit", "PUT", at("/api/workflows/{wf}/draft"), at(`{"source":{"format":"yaml","text":"name: Half"}}`), flow, 200},
		{"getDraft", "view", "GET", at("/api/workflows/{wf}/draft?of=all"), nil, flow, 200},
		{"deleteDraft", "edit", "DELETE", at("/api/workflows/{wf}/draft"), nil, flow, 204},
		{"createDraft", "edit", "POST", at("/api/workflows/drafts"), at(`{"source":{"format":"yaml","text":"name: Half"}}`), "workflow:*", 201},
		{"listDrafts", "view", "GET", at("/api/workflows/drafts"), nil, "", 200},
		{"getOwnDraft", "view", "GET", at("/api/workflows/drafts/draft_unknown"), nil, "", 404},
		{"putOwnDraft", "edit", "PUT", at("/api/workflows/drafts/draft_unknown"), at(`{"source":{"format":"yaml","text":"name: Half"}}`), "workflow:*", 404},
		{"deleteOwnDraft", "edit", "DELETE", at("/api/workflows/drafts/draft_unknown"), nil, "workflow:*", 404},
		{"diffDefinitions", "view", "POST", at("/api/workflows/diff"), at(`{"before":{"definition":` + trivial + `},"after":{"definition":` + trivial + `}}`), "", 200},
		{"dryRunDefinition", "execute", "POST", at("/api/workflows/dry-run"), body, "workflow:*", 200},
		{"listTemplates", "view", "GET", at("/api/workflows/templates"), nil, "workflow:*", 200},
		{"listTemplateVersions", "view", "GET", at("/api/workflows/templates/{tpl}/versions"), nil, "workflow:*", 200},
		{"diffTemplateVersions", "view", "GET", at("/api/workflows/templates/{tpl}/diff?v1=1&v2=1"), nil, "workflow:*", 200},
		{"listInstalledWorkflows", "view", "GET", at("/api/workflows/templates/{tpl}/workflows"), nil, "workflow:*", 200},
		{"getTemplate", "view", "GET", at("/api/workflows/templates/{tpl}"), nil, "workflow:*", 200},
		{"createTemplate", "edit", "POST", at("/api/workflows/templates"), at(`{"name":"T","definition":` + trivial + `}`), "workflow:*", 201},
		{"installWorkflow", "edit", "POST", at("/api/workflows/templates/{tpl}/install"), nil, "workflow:*", 201},
		{"updateTemplate", "edit", "PUT", at("/api/workflows/templates/{tpl}"), at(`{"description":"Other"}`), "workflow:*", 200},
		{"mergeWorkflowTemplate", "edit", "POST", at("/api/workflows/{made}/template-update"), nil, "workflow:made", 200},
		{"deleteTemplate", "edit", "DELETE", at("/api/workflows/templates/{tpl}"), nil, "workflow:*", 204},
		{"listSchedules", "view", "GET", at("/api/workflows/schedules"), nil, "", 200},
		{"getScheduleCalendar", "view", "GET", at("/api/workflows/schedules/calendar?from=2026-01-01&to=2026-01-31"), nil, "", 200},
		{"previewExpression", "view", "POST", at("/api/workflows/schedules/preview"), at(`{"cron_expression":"0 2 * * *"}`), "", 200},
		{"listWorkflowSchedules", "view", "GET", at("/api/workflows/{wf}/schedules"), nil, flow, 200},
		{"createSchedule", "edit", "POST", at("/api/workflows/{wf}/schedules"), at(`{"cron_expression":"@daily"}`), flow, 201},
		{"getSchedule", "view", "GET", at("/api/workflows/schedules/{sched}"), nil, flow, 200},
		{"updateSchedule", "edit", "PATCH", at("/api/workflows/schedules/{sched}"), at(`{"status":"paused"}`), flow, 200},
		{"previewSchedule", "view", "GET", at("/api/workflows/schedules/{sched}/preview"), nil, flow, 200},
		{"listSlots", "view", "GET", at("/api/workflows/schedules/{sched}/slots"), nil, flow, 200},
		{"triggerSchedule", "execute", "POST", at("/api/workflows/schedules/{sched}/trigger"), nil, flow, 202},
		{"backfillSchedule", "operate", "POST", at("/api/workflows/schedules/{sched}/backfill"), at(`{"from":"2026-01-01T00:00:00Z","to":"2026-01-03T00:00:00Z"}`), flow, 202},
		{"deleteSchedule", "edit", "DELETE", at("/api/workflows/schedules/{sched}"), nil, flow, 204},
		{"runWorkflow", "execute", "POST", at("/api/workflows/{wf}/run"), nil, flow, 202},
		{"pauseRun", "execute", "POST", at("/api/workflows/runs/{run}/pause"), nil, flow, 202},
		{"resumeRun", "execute", "POST", at("/api/workflows/runs/{run}/resume"), nil, flow, 202},
		{"getWorkflowUsage", "view", "GET", at("/api/workflows/{wf}/usage"), nil, flow, 200},
		{"streamRunLogs", "view", "HEAD", at("/api/workflows/runs/{run}/logs/stream"), nil, flow, 200},
		{"listRunLogs", "view", "GET", at("/api/workflows/runs/{run}/logs"), nil, flow, 200},
		{"getBlob", "view", "GET", at("/api/workflows/runs/{large}"), nil, "workflow:large", 200},
		{"listIterations", "view", "GET", at("/api/workflows/runs/{loop}/steps/each/iterations"), nil, "workflow:broken", 200},
		{"executeWorkflow", "execute", "POST", at("/v1/workflows/{wf}/execute"), at(`{"run_id":"{run}","run_input":{"command":"pause"}}`), flow, 200},
		{"createRun", "execute", "POST", at("/v1/runs"), at(`{"workflow_id":"{wf}"}`), flow, 201},
		{"listAllRuns", "view", "GET", at("/v1/runs"), nil, "", 200},
		{"inspectRun", "view", "GET", at("/v1/runs/{run}"), nil, flow, 200},
		{"getRunHistory", "view", "GET", at("/v1/runs/{run}/history"), nil, flow, 200},
		{"followRun", "view", "HEAD", at("/v1/runs/{run}/events"), nil, flow, 200},
		{"getRunResult", "view", "GET", at("/v1/runs/{done}/result"), nil, "workflow:trivial", 200},
		{"signalRun", "execute", "POST", at("/v1/runs/{run}/signals/go"), nil, flow, 202},
		{"cancelV1Run", "execute", "POST", at("/v1/runs/{done}/cancel"), nil, "workflow:trivial", 200},
		{"terminateV1Run", "operate", "POST", at("/v1/runs/{done}/terminate"), nil, "workflow:trivial", 200},
		{"listWorkflowNames", "view", "GET", at("/api/workflows/workflows"), nil, "", 200},
		{"listInstances", "view", "GET", at("/api/workflows/workflows/{wf}/instances"), nil, flow, 200},
		{"createInstance", "execute", "POST", at("/api/workflows/workflows/{wf}/instances"), at(`{}`), flow, 200},
		{"createInstances", "execute", "POST", at("/api/workflows/workflows/{wf}/instances/batch"), at(`{"instances":[{"id":"i1"}]}`), flow, 200},
		{"getInstance", "view", "GET", at("/api/workflows/workflows/{wf}/instances/{run}"), nil, flow, 200},
		{"getInstanceHistory", "view", "GET", at("/api/workflows/workflows/{wf}/instances/{run}/history"), nil, flow, 200},
		{"pauseInstance", "execute", "POST", at("/api/workflows/workflows/{wf}/instances/{run}/pause"), nil, flow, 200},
		{"resumeInstance", "execute", "POST", at("/api/workflows/workflows/{wf}/instances/{run}/resume"), nil, flow, 200},
		{"sendInstanceEvent", "execute", "POST", at("/api/workflows/workflows/{wf}/instances/{run}/events"), at(`{"type":"go"}`), flow, 200},
		{"restartInstance", "operate", "POST", at("/api/workflows/workflows/trivial/instances/{done}/restart"), nil, "workflow:trivial", 200},
		{"terminateInstance", "operate", "POST", at("/api/workflows/workflows/{wf}/instances/{run}/terminate"), nil, flow, 200},
		{"tickRunnerOfInstances", "operate", "POST", at("/api/workflows/workflows/_runner/tick"), nil, "workflow:*", 403},
		{"tickRunner", "operate", "POST", at("/api/workflows/_runner/tick"), nil, "workflow:*", 403},
		{"dryRunWorkflow", "execute", "POST", at("/api/workflows/{wf}/dry-run"), nil, flow, 200},
		{"testStep", "execute", "POST", at("/api/workflows/{calls}/steps/fetch/test"), nil, "workflow:calls", 200},
		{"restartRun", "operate", "POST", at("/api/workflows/runs/{done}/restart"), nil, "workflow:trivial", 202},
		{"redriveRun", "operate", "POST", at("/api/workflows/runs/{loop}/redrive"), at(`{"step_id":"each"}`), "workflow:broken", 202},
		{"terminateRun", "operate", "POST", at("/api/workflows/runs/{done}/terminate"), nil, "workflow:trivial", 200},
		{"cancelRun", "execute", "POST", at("/api/workflows/runs/{run}/cancel"), nil, flow, 200},
		{"listApprovals", "view", "GET", at("/api/workflows/approvals"), nil, "", 200},
		{"countApprovals", "view", "GET", at("/api/workflows/approvals/count"), nil, "", 200},
		{"getApproval", "view", "GET", at("/api/workflows/approvals/{approval}"), nil, "workflow:asking", 200},
		{"answerApproval", "answer", "POST", at("/api/workflows/approvals/{approval}/answer"), at(`{"payload":{"approved":true}}`), "workflow:asking", 200},
		{"streamEvents", "view", "HEAD", at("/v1/events"), nil, "", 200},
		{"searchEverything", "view", "GET", at("/v1/search?q=trivial"), nil, "", 200},
		{"getSession", "view", "GET", at("/v1/session"), nil, "", 200},
		{"deleteSession", "view", "DELETE", at("/v1/session"), nil, "", 204},
		{"listSessions", "admin", "GET", at("/v1/sessions"), nil, "workflow:*", 200},
		{"endSession", "admin", "DELETE", at("/v1/sessions/{session}"), nil, "workflow:*", 204},
		{"listUsers", "admin", "GET", at("/v1/users"), nil, "workflow:*", 200},
		{"updateUser", "admin", "PATCH", at("/v1/users/{user}"), at(`{"disabled":true}`), "workflow:*", 200},
		{"createTenant", "admin", "POST", at("/v1/tenants"), at(`{"slug":"new","name":"New"}`), "workflow:*", 201},
		{"getTenantQuotas", "admin", "GET", at("/v1/tenants/default/quotas"), nil, "workflow:*", 200},
		{"putTenantQuotas", "admin", "PUT", at("/v1/tenants/default/quotas"), at(`{"streams":1000}`), "workflow:*", 200},
		{"createKey", "admin", "POST", at("/v1/keys"), at(`{"name":"k","role":"none"}`), "workflow:*", 201},
		{"listKeys", "admin", "GET", at("/v1/keys"), nil, "workflow:*", 200},
		{"getKey", "admin", "GET", at("/v1/keys/{key}"), nil, "workflow:*", 200},
		{"updateKey", "admin", "PATCH", at("/v1/keys/{key}"), at(`{"name":"renamed"}`), "workflow:*", 200},
		{"rotateKey", "admin", "POST", at("/v1/keys/{key}/rotate"), at(`{"grace_seconds":3600}`), "workflow:*", 200},
		{"putGrant", "admin", "PUT", at("/v1/grants"), at(`{"key_id":"{key}","workflow":"{wf}","actions":["view"]}`), "workflow:*", 200},
		{"listGrants", "admin", "GET", at("/v1/grants?key_id={key}"), nil, "workflow:*", 200},
		{"deleteGrant", "admin", "DELETE", at("/v1/grants?key_id={key}&workflow={wf}"), nil, "workflow:*", 204},
		{"getSystem", "admin", "GET", at("/v1/system"), nil, "workflow:*", 200},
		{"listAudit", "admin", "GET", at("/v1/audit"), nil, "workflow:*", 200},
		{"putAgent", "admin", "PUT", at("/v1/agents/writer"), at(`{"provider":"openai","base_url":"https://example.com/v1","model":"m"}`), "workflow:*", 200},
		{"listAgents", "admin", "GET", at("/v1/agents"), nil, "workflow:*", 200},
		{"getAgent", "admin", "GET", at("/v1/agents/writer"), nil, "workflow:*", 200},
		{"getAgentUsage", "admin", "GET", at("/v1/agents/writer/usage"), nil, "workflow:*", 200},
		{"testAgent", "admin", "POST", at("/v1/agents/writer/test"), nil, "workflow:*", 200},
		{"deleteAgent", "admin", "DELETE", at("/v1/agents/writer"), nil, "workflow:*", 204},
		{"putSecret", "admin", "PUT", at("/v1/secrets/TOKEN"), at(`{"value":"a value of a secret"}`), "secret:TOKEN", 204},
		{"listSecrets", "admin", "GET", at("/v1/secrets"), nil, "workflow:*", 200},
		{"deleteSecret", "admin", "DELETE", at("/v1/secrets/TOKEN"), nil, "secret:TOKEN", 204},
		{"deleteRun", "operate", "DELETE", at("/api/workflows/runs/{run}"), nil, flow, 204},
		{"deleteWorkflow", "edit", "DELETE", at("/api/workflows/{wf}?force=true"), nil, flow, 204},
		{"revokeKey", "admin", "DELETE", at("/v1/keys/{key}"), nil, "workflow:*", 204},
	}
}

func (c call) request(p place) request {
	r := request{method: c.method, path: c.path(p)}
	if c.body != nil {
		r.body = c.body(p)
	}
	return r
}

func TestTheCallsCoverEveryRoute(t *testing.T) {
	s := newStack(t)
	have := map[string]bool{}
	for _, c := range calls() {
		have[c.id] = true
	}
	n := 0
	for path, methods := range s.doc.paths {
		for method, op := range methods {
			if len(op.Responses["401"].Content) == 0 || op.OperationID == "createSession" {
				continue // public; the latter reads the key in its body
			}
			n++
			if !have[op.OperationID] {
				t.Errorf("%s %s (%s) is not in the table of calls", method, path, op.OperationID)
			}
		}
	}
	if n != len(have) {
		t.Errorf("%d routes need a key, %d calls", n, len(have))
	}
}

func TestWithoutAKeyEveryRouteAnswersTheSame(t *testing.T) {
	s := newStack(t)
	p := s.place()
	revoked := s.key("admin")
	id := s.get("/v1/keys?limit=1").text(t, "keys", 0, "id")
	s.do(request{method: http.MethodDelete, path: "/v1/keys/" + id}).want(t, http.StatusNoContent)
	bad := map[string]map[string]string{
		"none":      {},
		"malformed": {"Authorization": "Bearer nonsense"},
		"scheme":    {"Authorization": "Basic " + bootstrapKey},
		"unknown":   {"Authorization": "Bearer iw_live_0000000000000000000000000000002C8GjS"},
		"revoked":   {"Authorization": "Bearer " + revoked},
		"empty":     {"Authorization": "Bearer "},
	}
	first := ""
	for _, c := range calls() {
		for name, header := range bad {
			r := c.request(p)
			r.key, r.header = "-", header
			got := s.do(r)
			if r.method == http.MethodHead {
				got.want(t, http.StatusUnauthorized)
				continue
			}
			got.wantCode(t, http.StatusUnauthorized, "unauthenticated")
			plain := strings.ReplaceAll(got.body, got.header.Get("X-Request-Id"), "")
			if first == "" {
				first = plain
			}
			if plain != first || got.header.Get("Www-Authenticate") != "Bearer" {
				t.Errorf("%s, %s: %s differs from %s", c.id, name, plain, first)
			}
		}
	}
}

func TestAnotherTenantsObjectsAreUnknown(t *testing.T) {
	s := newStack(t)
	p := s.place()
	other := s.tenant("other")
	for _, c := range calls() {
		r := c.request(p)
		if !strings.ContainsAny(c.path(place{"\x01", "\x01", "\x01", "\x01", "\x01", "\x01", "\x01", "\x01", "\x01", "\x01", "\x01", "\x01", "\x01", "\x01", "\x01"}), "\x01") && c.id != "putGrant" {
			continue // names no object
		}
		r.key = other
		theirs := s.do(r)
		if theirs.status != http.StatusNotFound && theirs.body != `{"grants":[],"next_cursor":null}`+"\n" {
			t.Errorf("%s: another tenant's object: %d %s", c.id, theirs.status, theirs.body)
			continue
		}
		// The same with ids that exist nowhere.
		unknown := c.request(place{
			workflow: "wf_ffffffffffffffffffffffff", run: "run_ffffffffffffffffffffffff",
			finished: "run_ffffffffffffffffffffffff", loop: "run_ffffffffffffffffffffffff", large: "run_ffffffffffffffffffffffff/blobs/blob_ffffffffffffffffffffffff", calls: "wf_ffffffffffffffffffffffff", key: "key_ffffffffffffffffffffffff",
			template: "tpl_ffffffffffffffffffffffff", made: "wf_ffffffffffffffffffffffff", schedule: "sched_ffffffffffffffffffffffff", approval: "apr_ffffffffffffffffffffffff", session: "ses_ffffffffffffffffffffffff", user: "user_ffffffffffffffffffffffff", job: "job_ffffffffffffffffffffffff",
		})
		unknown.key = other
		none := s.do(unknown)
		if none.status != theirs.status || none.status == http.StatusNotFound && r.method != http.MethodHead && none.text(t, "code") != theirs.text(t, "code") {
			t.Errorf("%s: known elsewhere %s, unknown %s", c.id, theirs.body, none.body)
		}
	}
	s.get("/api/workflows/"+p.workflow).want(t, http.StatusOK)
}

func TestListsShowTheTenantsOwn(t *testing.T) {
	s := newStack(t)
	s.place()
	s.admin = s.tenant("other")
	if got := s.get("/api/workflows").want(t, http.StatusOK); got.body != `{"workflows":[],"total":0,"next_cursor":null}`+"\n" {
		t.Errorf("another tenant sees %s", got.body)
	}
	if got := s.get("/v1/audit").want(t, http.StatusOK); got.body != `{"entries":[],"next_cursor":null}`+"\n" {
		t.Errorf("another tenant sees %s", got.body)
	}
	s.post("/v1/tenants", `{"slug":"third","name":"Third"}`).wantCode(t, http.StatusForbidden, "acl_denied")
}

func TestEachRoleDoesItsActionsAndNoOthers(t *testing.T) {
	allowed := map[string]string{
		"viewer": "view", "editor": "view edit execute answer", "operator": "view execute answer operate",
		"admin": "view edit execute answer operate admin", "none": "",
	}
	for role, actions := range allowed {
		t.Run(role, func(t *testing.T) {
			s := newStack(t)
			p, key := s.place(), s.key(role)
			for _, c := range calls() {
				r := c.request(p)
				r.key = key
				may := c.object == "" || strings.Contains(" "+actions+" ", " "+c.action+" ")
				if c.id == "deleteRun" {
					// Only a finished run goes; who may not run it gets 403 before that.
					s.post("/api/workflows/runs/"+p.run+"/cancel", "")
					s.until(p.run, "cancelled")
				}
				got := s.do(r)
				switch {
				case may:
					if got.status != c.status {
						t.Errorf("%s: %d, want %d: %s", c.id, got.status, c.status, got.body)
					}
				case r.method == http.MethodHead:
					got.want(t, http.StatusForbidden)
				default:
					got.wantCode(t, http.StatusForbidden, "acl_denied")
					if want := fmt.Sprintf("Principal lacks %s on %s.", c.action, c.object); got.text(t, "message") != want {
						t.Errorf("%s: %q, want %q", c.id, got.text(t, "message"), want)
					}
				}
			}
		})
	}
}

func TestGrantsOpenOneWorkflow(t *testing.T) {
	s := newStack(t)
	mine := s.create(parked, "")
	other := s.create(parked, `"slug":"other"`)
	made := s.post("/v1/keys", `{"name":"ci","role":"none"}`).want(t, http.StatusCreated)
	key := made.text(t, "key")
	as := func(method, path string) response { return s.do(request{method: method, path: path, key: key}) }
	as("GET", "/api/workflows/"+mine).wantCode(t, http.StatusForbidden, "acl_denied")
	s.do(request{method: "PUT", path: "/v1/grants", body: `{"key_id":"` + made.text(t, "id") + `","workflow":"` + mine + `","actions":["view","execute"]}`}).want(t, 200)
	as("GET", "/api/workflows/"+mine).want(t, http.StatusOK)
	as("GET", "/api/workflows/"+other).wantCode(t, http.StatusForbidden, "acl_denied")
	run := as("POST", "/api/workflows/"+mine+"/run").want(t, http.StatusAccepted).text(t, "run_id")
	as("GET", "/api/workflows/runs/"+run).want(t, http.StatusOK)
	as("DELETE", "/api/workflows/"+mine).wantCode(t, http.StatusForbidden, "acl_denied")
	list := as("GET", "/api/workflows").want(t, http.StatusOK)
	if list.field(t, "total") != jsonNumber(1) || list.text(t, "workflows", 0, "id") != mine {
		t.Errorf("a key with one grant lists %s", list.body)
	}
	s.do(request{method: "DELETE", path: "/v1/grants?key_id=" + made.text(t, "id") + "&workflow=" + mine}).want(t, http.StatusNoContent)
	as("GET", "/api/workflows/"+mine).wantCode(t, http.StatusForbidden, "acl_denied")
}
