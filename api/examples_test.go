package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"heddle/api"
	"heddle/executor"
	"heddle/system"
	"maps"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// examplesFile holds the examples of the OpenAPI document, recorded from the
// requests of TestExamplesAreRecorded and embedded by package api.
const examplesFile = "openapi/examples.json"

// example is what was sent to an operation and what it answered, by status.
type example struct {
	Request any            `json:"request,omitempty"`
	Answers map[string]any `json:"answers,omitempty"`
}

// examples records what operations are sent and answer. What differs from run to
// run is replaced by a value of the same form, ids by the same one everywhere.
type examples struct {
	*stack
	byOperation map[string]*example
	ids         map[string]string
}

// show sends a request of that operation and records it with its answer, which
// must be a success.
func (x *examples) show(operation string, r request) response {
	x.t.Helper()
	got := x.do(r)
	if got.status >= 300 {
		x.t.Fatalf("%s: %d %s", operation, got.status, got.body)
	}
	_, op, _ := x.doc.find(r)
	if op.OperationID != operation {
		x.t.Fatalf("%s %s is %s, not %s", r.method, r.path, op.OperationID, operation)
	}
	if r.body != "" {
		x.of(operation).Request = x.stable(operation, r.body)
	}
	body := got.body
	if strings.HasPrefix(got.header.Get("Content-Type"), "text/event-stream") {
		body = lastFrame(body)
	}
	if body != "" {
		x.of(operation).Answers[fmt.Sprint(got.status)] = x.stable(operation, body)
	}
	return got
}

func (x *examples) of(operation string) *example {
	if x.byOperation[operation] == nil {
		x.byOperation[operation] = &example{Answers: map[string]any{}}
	}
	return x.byOperation[operation]
}

func (x *examples) gets(operation, path string) response {
	return x.show(operation, request{method: http.MethodGet, path: path})
}

func (x *examples) posts(operation, path, body string) response {
	return x.show(operation, request{method: http.MethodPost, path: path, body: body})
}

func (x *examples) puts(operation, path, body string) response {
	return x.show(operation, request{method: http.MethodPut, path: path, body: body})
}

func (x *examples) patches(operation, path, body string) response {
	return x.show(operation, request{method: http.MethodPatch, path: path, body: body})
}

func (x *examples) deletes(operation, path string) {
	x.show(operation, request{method: http.MethodDelete, path: path, body: `{"reason":"No longer used."}`})
}

// lastFrame is the data of the last frame that has an output or a node, which
// says most of a stream.
func lastFrame(stream string) string {
	last := ""
	for line := range strings.Lines(stream) {
		if data, ok := strings.CutPrefix(line, "data: "); ok && (last == "" || strings.Contains(data, `"step_id"`) || strings.Contains(data, `"node"`)) {
			last = data
		}
	}
	return last
}

var (
	idHex      = regexp.MustCompile(`[0-9a-f]{24,}`) // and no longer
	anInstant  = regexp.MustCompile(`^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$`)
	aLiveKey   = regexp.MustCompile(`iw_live_[0-9A-Za-z]+`)
	longText   = 120
	exampleDay = time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)
)

// stable reads a body as JSON, its first line where it is lines, or as text.
func (x *examples) stable(operation, body string) any {
	dec := json.NewDecoder(strings.NewReader(body))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		line, _, _ := strings.Cut(body, "\n")
		return line
	}
	if object, ok := v.(map[string]any); ok && (operation == "getOpenAPI" || operation == "getDefinitionSchema") {
		maps.DeleteFunc(object, func(_ string, v any) bool { _, text := v.(string); return !text })
	}
	return x.value(operation, "", v)
}

func (x *examples) value(operation, name string, v any) any {
	switch v := v.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) { // in one order, or ids would change places
			v[key] = x.value(operation, key, v[key])
		}
	case []any:
		for i := range v {
			v[i] = x.value(operation, name, v[i])
		}
	case string:
		return x.text(operation, name, v)
	case json.Number:
		switch name {
		case "duration_seconds":
			return json.Number("1.25")
		case "latency_ms":
			return json.Number("1250")
		case "schema":
			return json.Number("36")
		case "size_bytes":
			return json.Number("4194304")
		case "used", "queued", "woken", "runs", "steps":
			if operation == "getSystem" {
				return json.Number("2")
			}
		case "timestamp": // of the turns dialect: Unix seconds
			return json.Number(fmt.Sprint(exampleDay.Unix()) + ".25")
		}
	}
	return v
}

// keptTimes are the operations whose times do not depend on when they are asked.
var keptTimes = []string{"previewSchedule", "previewExpression", "backfillSchedule", "getWorkflowUsage", "getAgentUsage"}

func (x *examples) text(operation, name, s string) string {
	s = aLiveKey.ReplaceAllString(s, "iw_live_"+strings.Repeat("x", 36))
	s = idHex.ReplaceAllStringFunc(s, func(id string) string {
		if len(id) > 24 {
			return id // a hash
		}
		if x.ids[id] == "" {
			x.ids[id] = fmt.Sprintf("019cad%018x", len(x.ids)+1)
		}
		return x.ids[id]
	})
	switch {
	case name == "last4":
		return "xxxx"
	case operation == "getSystem" && name == "go":
		return "go1.26.0"
	case operation == "getSystem" && name == "platform":
		return "linux/amd64"
	case name == "next_run_local":
		return instantOf("next_run_at").In(time.FixedZone("", 3600)).Format(time.RFC3339)
	case strings.HasSuffix(strings.ToLower(name), "cursor"):
		return "bmV4dCBwYWdl"
	case anInstant.MatchString(s) && (!slices.Contains(keptTimes, operation) || strings.HasSuffix(name, "_at")):
		return instantOf(name).Format("2006-01-02T15:04:05.000Z")
	case len(s) > longText:
		return strings.ToValidUTF8(s[:longText], "") + "…"
	}
	return s
}

// instantOf is the time that stands in a field of that name.
func instantOf(name string) time.Time {
	after := map[string]time.Duration{
		"started_at": 250 * time.Millisecond, "startedAt": 250 * time.Millisecond, "updated_at": 1500 * time.Millisecond, "updatedAt": 1500 * time.Millisecond,
		"completed_at": 1500 * time.Millisecond, "completedAt": 1500 * time.Millisecond, "finished_at": 1500 * time.Millisecond, "next_run_at": 17 * time.Hour,
	}
	return exampleDay.Add(after[name])
}

// documentedMetric stands for package metrics, which api does not know: it says
// the first metric that the operators' page describes.
func documentedMetric(t *testing.T) http.Handler {
	page, err := os.ReadFile("../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile("(?m)^\\| `(heddle_[a-z_]+)` \\| gauge \\| ([^|]+) \\|$").FindSubmatch(page)
	if found == nil {
		t.Fatal("docs/operations.md describes no gauge")
	}
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
		fmt.Fprintf(w, "# HELP %[1]s %[2]s\n# TYPE %[1]s gauge\n%[1]s 1\n", found[1], found[2])
	})
}

// TestExamplesAreRecorded makes one good request to every operation. What is
// recorded of it is what the document shows, unless -update writes it anew.
func TestExamplesAreRecorded(t *testing.T) {
	t.Parallel()
	x := &examples{stack: newStack(t, func(a *api.Config, e *executor.Config) {
		a.Metrics, e.Runner = documentedMetric(t), exporter{}
	}), byOperation: map[string]*example{}, ids: map[string]string{}}
	x.site()
	x.workflows()
	x.runs()
	x.runsDialect()
	x.turns()
	x.instances()
	x.schedulesShown()
	x.templatesShown()
	x.administration()
	ticking := &examples{stack: newStack(t, func(a *api.Config, e *executor.Config) { a.RunnerTick, e.HoldNamed = true, true }), byOperation: x.byOperation, ids: x.ids}
	ticking.posts("tickRunner", "/api/workflows/_runner/tick", `{"maxInstances":10}`)
	ticking.posts("tickRunnerOfInstances", "/api/workflows/workflows/_runner/tick", `{"maxInstances":10}`)

	var text bytes.Buffer
	enc := json.NewEncoder(&text)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", " ")
	if err := enc.Encode(x.byOperation); err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(examplesFile, text.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	have, err := os.ReadFile(examplesFile)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(have, text.Bytes()) {
		t.Errorf("the answers are not as in %s any more (-update rewrites it): %s", examplesFile, firstDifference(string(have), text.String()))
	}
}

// firstDifference shows where two texts part.
func firstDifference(want, got string) string {
	a, b := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			from := max(0, i-3)
			return fmt.Sprintf("line %d\nwant %s\ngot  %s", i+1, strings.Join(a[from:i+1], "\n"), strings.Join(b[from:i+1], "\n"))
		}
	}
	return "one is longer"
}

func (x *examples) site() {
	x.gets("front", "/")
	x.gets("docs", "/docs")
	x.gets("getOpenAPI", "/openapi.json")
	x.gets("getDefinitionSchema", "/schemas/definition.json")
	x.gets("healthz", "/healthz")
	x.gets("readyz", "/readyz")
	x.gets("metrics", "/metrics")
	x.gets("getInfo", "/v1/info")
}

const (
	// exported is a definition with input and steps of three types; %s is a field
	// more of the first.
	exported = `{"name":"Nightly export","input":{"type":"object","properties":{"dataset":{"type":"string"}},"required":["dataset"]},"steps":[` +
		`{"id":"fetch","type":"http_request",%s"config":{"url":"https://data.example/{{ input.dataset }}"}},` +
		`{"id":"count","type":"script","depends_on":["fetch"],"config":{"script":"wc -l","stdin":"{{ steps.fetch.output.body }}"}},` +
		`{"id":"enough","type":"condition","depends_on":["count"],"config":{"expression":"steps.count.output.result > 100"}}]}`
	// asks waits for an answer.
	asks = `{"name":"Release","steps":[{"id":"ask","type":"wait","config":{"signal":{"name":"approve","prompt":"Ship it?",` +
		`"schema":{"type":"object","required":["approved"],"properties":{"approved":{"type":"boolean"}}}}}}]}`
	// halfBroken is a loop of which one iteration fails.
	halfBroken = `{"name":"Import rows","steps":[{"id":"each","type":"loop","config":{"items":"[1, 0, 3]","collect":"item * 2","steps":[` +
		`{"id":"row","type":"condition","config":{"expression":"12 % item == 0"}}]}}]}`
)

// exporter performs the steps of exported as if there were such a server.
type exporter struct{}

func (exporter) Run(_ context.Context, call executor.Call) (executor.Result, error) {
	if call.StepID == "fetch" {
		return executor.Result{Output: json.RawMessage(`{"status_code":200,"headers":{"Content-Type":"text/csv"},"body":"id,total\n4711,12.50\n"}`)}, nil
	}
	fmt.Fprintln(call.Logs.Stream(executor.LogInfo, "stdout"), "120")
	return executor.Result{Output: json.RawMessage(`{"exit_code":0,"stdout":"120\n","stderr":"","result":120}`)}, nil
}

func (x *examples) workflows() {
	first, second := fmt.Sprintf(exported, ""), fmt.Sprintf(exported, `"timeout_seconds":60,`)
	const one = "/api/workflows/nightly-export"
	x.posts("validateDefinition", "/api/workflows/validate", `{"definition":{"name":"Nightly export","steps":[{"id":"fetch","type":"http_request","dependson":[],"config":{"url":"https://data.example/"}}]}}`)
	x.posts("createWorkflow", "/api/workflows", `{"definition":`+first+`,"slug":"nightly-export","tags":["data"],"change_summary":"First version"}`)
	x.gets("getWorkflow", one)
	x.puts("updateWorkflow", one, `{"definition":`+second+`,"change_summary":"A minute for the fetch"}`)
	x.gets("listVersions", one+"/versions?limit=1")
	x.gets("getVersion", one+"/versions/2")
	x.patches("labelVersion", one+"/versions/1", `{"label":"first","reason":"The one that was audited."}`)
	x.gets("diffVersions", one+"/diff?v1=1&v2=2")
	x.posts("diffDraft", one+"/diff", `{"definition":`+first+`}`)
	x.posts("diffDefinitions", "/api/workflows/diff", `{"before":{"definition":`+first+`},"after":{"definition":`+second+`}}`)
	x.posts("dryRunDefinition", "/api/workflows/dry-run", `{"source":{"format":"yaml","text":"name: Try\nsteps:\n  - {id: heavy, type: condition, config: {expression: \"input.weight > 20\"}}\n"},"input_data":{"weight":21}}`)
	x.puts("putDraft", one+"/draft", `{"source":{"format":"yaml","text":"# Not finished.\nname: Nightly export\n"},"note":"steps are missing"}`)
	x.gets("getDraft", one+"/draft")
	x.deletes("deleteDraft", one+"/draft")
	draft := x.posts("createDraft", "/api/workflows/drafts", `{"source":{"format":"yaml","text":"name: Weekly export\n"}}`).header.Get("Location")
	x.gets("listDrafts", "/api/workflows/drafts")
	x.gets("getOwnDraft", draft)
	x.puts("putOwnDraft", draft, `{"source":{"format":"yaml","text":"name: Weekly export\nsteps: []\n"}}`)
	x.deletes("deleteOwnDraft", draft)
	x.posts("publishVersion", one+"/versions/1/publish", `{"reason":"Version 2 is too slow."}`)
	x.posts("rollbackWorkflow", one+"/rollback", `{"version":2,"reason":"It was not."}`)
	x.patches("setWorkflowStatus", one+"/status", `{"status":"active","reason":"Reviewed."}`)
	x.gets("listWorkflows", "/api/workflows?limit=1")
	lines := x.gets("exportWorkflows", "/api/workflows/export?id=nightly-export").body
	x.show("importWorkflows", request{method: http.MethodPost, path: "/api/workflows/import?on_conflict=rename", body: lines, header: map[string]string{"Content-Type": "application/x-ndjson"}})
	x.deletes("deleteWorkflow", "/api/workflows/"+x.create(trivial, ""))
}

func (x *examples) runs() {
	const flow, runs = "/api/workflows/nightly-export", "/api/workflows/runs/"
	id := x.posts("runWorkflow", flow+"/run", `{"input_data":{"dataset":"orders"},"trigger":"manual"}`).text(x.t, "run_id")
	x.until(id, "completed")
	x.gets("getRun", runs+id)
	x.gets("listSteps", runs+id+"/steps?output=head&limit=2")
	x.gets("getStep", runs+id+"/steps/count")
	x.gets("getRunDefinition", runs+id+"/definition")
	x.gets("streamRun", runs+id+"/stream")
	x.gets("listRuns", flow+"/runs?limit=1")
	x.gets("listTenantRuns", runs[:len(runs)-1]+"?workflow=nightly-export&status=completed&limit=1")
	x.eventually("the logs are kept", func() bool {
		return len(x.get(runs+id+"/logs").want(x.t, http.StatusOK).field(x.t, "logs").([]any)) == 1
	})
	x.gets("listRunLogs", runs+id+"/logs?limit=1")
	x.gets("streamRunLogs", runs+id+"/logs/stream")
	x.gets("getWorkflowUsage", flow+"/usage?from=2026-03-01T00:00:00Z&to=2026-03-02T00:00:00Z")
	x.gets("getRunStats", "/api/workflows/runs/stats?bucket=1d&from=2026-03-01T00:00:00Z&to=2026-03-03T00:00:00Z")
	x.posts("dryRunWorkflow", flow+"/dry-run", `{"input_data":{"dataset":"orders"},"mocks":{"fetch":{"output":{"status_code":200,"headers":{},"body":"id"}},"count":{"output":{"exit_code":0,"stdout":"7","stderr":"","result":7}}}}`)
	x.posts("testStep", flow+"/steps/fetch/test", `{"input_data":{"dataset":"orders"}}`)

	x.create(asks, `"slug":"release"`)
	waiting := func() string {
		id := x.start("release", "")
		x.until(id, "waiting")
		return id
	}
	const approvals = "/api/workflows/approvals"
	x.approval(waiting(), "open")
	x.gets("countApprovals", approvals+"/count")
	approval := x.gets("listApprovals", approvals+"?status=open&mine=true&limit=1").text(x.t, "approvals", 0, "id")
	x.gets("getApproval", approvals+"/"+approval)
	x.posts("answerApproval", approvals+"/"+approval+"/answer", `{"payload":{"approved":true},"comment":"The tests are green."}`)
	x.liveShown()
	id = waiting()
	x.posts("pauseRun", runs+id+"/pause", `{"reason":"The receiver is being moved."}`)
	x.until(id, "paused")
	x.show("resumeRun", request{method: http.MethodPost, path: runs + id + "/resume?dry_run=true", body: `{}`})
	x.posts("resumeRun", runs+id+"/resume", `{"reason":"It is back."}`)
	x.until(id, "waiting")
	x.posts("restartRun", runs+id+"/restart", `{"reason":"With the newest version."}`)
	restarted := id
	id = waiting()
	x.posts("terminateRun", runs+id+"/terminate", `{"reason":"It hangs."}`)
	x.until(id, "cancelled")
	x.until(restarted, "cancelled")
	x.gets("compareRuns", runs+"compare?a="+restarted+"&b="+id)
	x.posts("cancelRun", runs+id+"/cancel", `{"reason":"The order was withdrawn."}`)
	x.deletes("deleteRun", runs+id)

	x.bulkShown()

	loop := x.start(x.create(halfBroken, `"slug":"import-rows"`), "")
	x.until(loop, "failed")
	x.gets("listIterations", runs+loop+"/steps/each/iterations?limit=1")
	x.posts("redriveRun", runs+loop+"/redrive", `{"step_id":"each","reason":"The rows were mended."}`)
	x.create(largeLoop, `"slug":"large"`)
	large := x.start("large", largeText)
	x.gets("getBlob", runs+large+"/blobs/"+x.until(large, "completed").text(x.t, "run", "output", "$blob"))
}

// bulkShown records a job about one run of two: the other has ended.
func (x *examples) bulkShown() {
	const jobs = "/api/workflows/jobs"
	id := x.posts("changeRuns", "/api/workflows/runs/bulk", `{"action":"cancel","filter":{"workflow":"release","status":["waiting","cancelled"]},"expected":3,"reason":"The release was called off."}`).text(x.t, "job_id")
	x.ended(id)
	x.gets("listJobs", jobs+"?limit=1")
	x.gets("getJob", jobs+"/"+id)
	x.gets("listJobFailures", jobs+"/"+id+"/failures")
	x.posts("stopJob", jobs+"/"+id+"/stop", `{"reason":"Some of them are needed."}`)
	x.show("changeSchedules", request{method: http.MethodPost, path: "/api/workflows/schedules/bulk", body: `{"action":"pause","filter":{"workflow":"release"},"dry_run":true}`})
	// What changed last is the first of lists.
	x.ended(x.posts("changeWorkflows", "/api/workflows/bulk", `{"action":"tags","workflow_ids":["release"],"add_tags":["manual"],"remove_tags":["draft"]}`).text(x.t, "job_id"))
}

// liveShown records one frame: a stream has no end.
func (x *examples) liveShown() {
	e := x.listen(x.t, x.admin, "?topics=runs", "")
	x.start("release", "")
	for {
		if _, _, data := e.next(); strings.Contains(data, `"status":"waiting"`) {
			x.of("streamEvents").Answers["200"] = x.stable("streamEvents", data)
			return
		}
	}
}

func (x *examples) runsDialect() {
	const runs = "/v1/runs/"
	id := x.posts("createRun", "/v1/runs", `{"workflow_id":"release","input":{}}`).text(x.t, "run_id")
	x.until(id, "waiting")
	x.gets("inspectRun", runs+id)
	x.posts("signalRun", runs+id+"/signals/approve", `{"request_id":"order-4711","payload":{"approved":true},"reason":"All checks are green."}`)
	x.until(id, "completed")
	x.gets("getRunResult", runs+id+"/result")
	x.gets("getRunHistory", runs+id+"/history")
	x.gets("followRun", runs+id+"/events")
	x.gets("listAllRuns", "/v1/runs?limit=1")
	x.posts("cancelV1Run", runs+id+"/cancel", `{"reason":"The order was withdrawn."}`)
	x.posts("terminateV1Run", runs+id+"/terminate", `{"reason":"It hangs."}`)
}

func (x *examples) turns() {
	x.posts("executeWorkflow", "/v1/workflows/release/execute", `{"run_input":{"command":"start","dynamic_variables":{}}}`)
}

func (x *examples) instances() {
	const all = "/api/workflows/workflows/release/instances"
	one := all + "/order-4711"
	x.posts("createInstance", all, `{"id":"order-4711","params":{}}`)
	x.posts("createInstances", all+"/batch", `{"instances":[{"id":"order-4712"},{"id":"order-4713"}]}`)
	state := func(word string) {
		x.eventually("the instance is "+word, func() bool {
			return x.get(one).want(x.t, http.StatusOK).text(x.t, "details", "status") == word
		})
	}
	state("waiting")
	x.gets("getInstance", one)
	x.posts("pauseInstance", one+"/pause", `{"reason":"The receiver is being moved."}`)
	state("paused")
	x.posts("resumeInstance", one+"/resume", `{"reason":"It is back."}`)
	state("waiting")
	x.posts("sendInstanceEvent", one+"/events", `{"type":"approve","payload":{"approved":true},"reason":"All checks are green."}`)
	state("complete")
	x.gets("getInstanceHistory", one+"/history?pageSize=1")
	x.posts("restartInstance", one+"/restart", `{"reason":"Once more."}`)
	state("waiting")
	x.posts("terminateInstance", one+"/terminate", `{"reason":"It hangs."}`)
	x.eventually("the others wait", func() bool {
		return len(x.get(all+"?status=waiting").want(x.t, http.StatusOK).field(x.t, "instances").([]any)) >= 2
	})
	x.gets("listInstances", all+"?pageSize=1")
	x.gets("listWorkflowNames", "/api/workflows/workflows")
}

func (x *examples) schedulesShown() {
	const of, all = "/api/workflows/nightly-export/schedules", "/api/workflows/schedules"
	one := all + "/" + x.posts("createSchedule", of, `{"cron_expression":"0 2 * * *","timezone":"Europe/Berlin","input_data":{"dataset":"orders"},"overlap_policy":"queue"}`).text(x.t, "schedule_id")
	x.gets("getSchedule", one)
	x.patches("updateSchedule", one, `{"status":"paused","reason":"Holidays."}`)
	x.gets("listSchedules", all+"?limit=1")
	x.gets("listWorkflowSchedules", of+"?limit=1")
	x.gets("getScheduleCalendar", all+"/calendar?from=2026-01-01&to=2026-01-31&limit=1")
	x.posts("previewExpression", all+"/preview", `{"cron_expression":"30 2 * * *","timezone":"Europe/Berlin","from":"2026-03-27T00:00:00Z","count":3}`)
	x.gets("previewSchedule", one+"/preview?from=2026-03-27T00:00:00Z&count=2")
	run := x.posts("triggerSchedule", one+"/trigger", `{"reason":"The night's run was lost."}`).text(x.t, "run_id")
	x.until(run, "completed")
	x.gets("listSlots", one+"/slots?limit=1")
	x.posts("backfillSchedule", one+"/backfill", `{"from":"2026-01-01T00:00:00Z","to":"2026-01-03T00:00:00Z","reason":"The server was down."}`)
	x.deletes("deleteSchedule", one)
}

func (x *examples) templatesShown() {
	const all = "/api/workflows/templates"
	sleeps := func(seconds, more string) string {
		return `"parameters":{"type":"object","properties":{"seconds":{"type":"integer","default":60}}},` +
			`"definition":{"name":"Wait a while","steps":[{"id":"nap","type":"wait","config":{"seconds":"${{ params.seconds }}"}}` + more + `]}`
	}
	one := all + "/" + x.posts("createTemplate", all, `{"name":"Wait a while","category":"basics",`+sleeps("60", "")+`}`).text(x.t, "template_id")
	x.gets("listTemplates", all+"?is_builtin=false&limit=1")
	x.gets("getTemplate", one)
	x.posts("installWorkflow", one+"/install", `{"name":"Wait two minutes","slug":"two-minutes","parameters":{"seconds":120}}`)
	x.puts("updateTemplate", one, `{"description":"Waits, and says so.",`+sleeps("60", `,{"id":"over","type":"condition","depends_on":["nap"],"config":{"expression":"true"}}`)+`}`)
	x.gets("listTemplateVersions", one+"/versions?limit=1")
	x.gets("diffTemplateVersions", one+"/diff?v1=1&v2=2")
	x.gets("listInstalledWorkflows", one+"/workflows?limit=1")
	x.posts("mergeWorkflowTemplate", "/api/workflows/two-minutes/template-update", `{"reason":"The second step is wanted."}`)
	x.deletes("deleteTemplate", one)
}

func (x *examples) administration() {
	x.posts("createTenant", "/v1/tenants", `{"slug":"acme","name":"Acme Ltd"}`)
	x.gets("getTenantQuotas", "/v1/tenants/acme/quotas")
	x.puts("putTenantQuotas", "/v1/tenants/acme/quotas", `{"open_runs":1000}`)
	key := x.posts("createKey", "/v1/keys", `{"name":"ci","role":"none"}`).text(x.t, "id")
	x.gets("listKeys", "/v1/keys?limit=1")
	x.gets("getKey", "/v1/keys/"+key)
	x.patches("updateKey", "/v1/keys/"+key, `{"role":"viewer","expires_at":"2100-01-01T00:00:00Z","reason":"It reads only."}`)
	x.posts("rotateKey", "/v1/keys/"+key+"/rotate", `{"grace_seconds":3600,"reason":"The yearly change."}`)
	x.puts("putGrant", "/v1/grants", `{"key_id":"`+key+`","workflow":"nightly-export","actions":["view","execute"]}`)
	x.gets("listGrants", "/v1/grants?key_id="+key)
	x.deletes("deleteGrant", "/v1/grants?key_id="+key+"&workflow=nightly-export")
	x.posts("createSession", "/v1/session", `{"key":"`+bootstrapKey+`"}`)
	x.gets("getSession", "/v1/session")
	session := x.gets("listSessions", "/v1/sessions?limit=1").text(x.t, "sessions", 0, "id")
	x.deletes("endSession", "/v1/sessions/"+session)
	x.deletes("deleteSession", "/v1/session")
	x.gets("getSignInMethods", "/v1/session/methods")
	x.browser().person("ada", "staff")
	user := x.gets("listUsers", "/v1/users?limit=1").text(x.t, "users", 0, "id")
	x.patches("updateUser", "/v1/users/"+user, `{"role":"operator","reason":"On call from now on."}`)
	x.gets("searchEverything", "/v1/search?q=nightly&types=workflow,schedule")
	x.gets("listAudit", "/v1/audit?limit=1")
	if err := x.db.NoteNode(x.t.Context(), system.Node{ID: x.node, Host: "heddle-1", Version: "test", StartedAt: exampleDay, SeenAt: time.Now()}, exampleDay); err != nil {
		x.t.Fatal(err)
	}
	x.gets("getSystem", "/v1/system")
	x.deletes("revokeKey", "/v1/keys/"+key)
	x.puts("putSecret", "/v1/secrets/API_TOKEN", `{"value":"the token, as the provider shows it"}`)
	x.gets("listSecrets", "/v1/secrets?limit=1")
	x.puts("putAgent", "/v1/agents/writer", `{"provider":"openai","base_url":"https://models.example/v1","model":"small","system_prompt":"Be brief.","api_key_secret":"API_TOKEN"}`)
	x.gets("listAgents", "/v1/agents?limit=1")
	x.gets("getAgent", "/v1/agents/writer")
	x.gets("getAgentUsage", "/v1/agents/writer/usage?from=2026-03-01T00:00:00Z&to=2026-03-03T00:00:00Z")
	x.posts("testAgent", "/v1/agents/writer/test", `{"goal":"Say hello."}`)
	x.deletes("deleteAgent", "/v1/agents/writer")
	x.deletes("deleteSecret", "/v1/secrets/API_TOKEN")
}

// TestTheDocumentShowsEachOperation: every body that is taken and every kind of
// success that has a body has an example, which is what its schema says.
func TestTheDocumentShowsEachOperation(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	text := s.get("/openapi.json").want(t, http.StatusOK).body
	type content map[string]struct{ Example json.RawMessage }
	var doc struct {
		Paths map[string]map[string]struct {
			OperationID string
			RequestBody struct{ Content content }
			Responses   map[string]struct{ Content content }
		}
	}
	if err := json.Unmarshal([]byte(text), &doc); err != nil {
		t.Fatal(err)
	}
	shown := 0
	for path, item := range doc.Paths {
		for method, op := range item {
			place := "#/paths/" + token(path) + "/" + method
			each := func(what string, c content) (has, wanted bool) {
				for media, m := range c {
					if len(m.Example) > 0 {
						has = true
						shown++
						s.doc.validate(t, request{method: method, path: path}, place+what+token(media)+"/schema", string(m.Example))
					}
				}
				return has, len(c) > 0
			}
			if has, wanted := each("/requestBody/content/", op.RequestBody.Content); wanted && !has {
				t.Errorf("%s has no example of a request: make one in TestExamplesAreRecorded", op.OperationID)
			}
			some, wanted := false, false
			for status, r := range op.Responses {
				if status < "300" {
					has, body := each("/responses/"+status+"/content/", r.Content)
					some, wanted = some || has, wanted || body
				}
			}
			if wanted && !some {
				t.Errorf("%s has no example of an answer: make one in TestExamplesAreRecorded", op.OperationID)
			}
		}
	}
	t.Logf("%d examples, %d bytes", shown, len(text))
}
