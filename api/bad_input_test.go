package api_test

import (
	"net/http"
	"strings"
	"testing"
)

func TestBadInputHasItsStatusAndCode(t *testing.T) {
	s := newStack(t)
	p := s.place()
	wf, run := "/api/workflows/"+p.workflow, "/api/workflows/runs/"+p.run
	deep := strings.Repeat(`[`, 65) + strings.Repeat(`]`, 65)
	deeper := strings.Repeat(`[`, 20000) + strings.Repeat(`]`, 20000)
	for name, c := range map[string]struct {
		r      request
		status int
		code   string
		says   string // part of the message
	}{
		"unknown route":             {request{method: "GET", path: "/api/nothing"}, 404, "route_not_found", "/api/nothing"},
		"odd path":                  {request{method: "GET", path: "/api/workflows/%00%ff"}, 404, "workflow_not_found", ""},
		"odd run":                   {request{method: "GET", path: "/api/workflows/runs/a%2Fb"}, 404, "run_not_found", ""},
		"odd version":               {request{method: "GET", path: wf + "/versions/%27"}, 404, "version_not_found", ""},
		"wrong method":              {request{method: "PATCH", path: "/api/workflows"}, 405, "method_not_allowed", "PATCH"},
		"unknown method":            {request{method: "BREW", path: "/api/workflows"}, 405, "method_not_allowed", "BREW"},
		"no body":                   {request{method: "POST", path: "/api/workflows"}, 400, "invalid_request", "body"},
		"broken JSON":               {request{method: "POST", path: "/api/workflows", body: `{"definition":`}, 400, "invalid_request", "line 1"},
		"two values":                {request{method: "POST", path: wf + "/run", body: `{} {}`}, 400, "invalid_request", ""},
		"a list":                    {request{method: "POST", path: wf + "/run", body: `[]`}, 400, "invalid_request", "object"},
		"null":                      {request{method: "POST", path: wf + "/run", body: `null`}, 400, "invalid_request", "object"},
		"no definition":             {request{method: "POST", path: "/api/workflows", body: `{}`}, 400, "invalid_request", "definition"},
		"validate without":          {request{method: "POST", path: "/api/workflows/validate", body: `{}`}, 400, "invalid_request", "definition"},
		"validate no JSON":          {request{method: "POST", path: "/api/workflows/validate", body: `definition`}, 400, "invalid_request", ""},
		"unknown field":             {request{method: "POST", path: wf + "/run", body: `{"input":{}}`}, 400, "invalid_request", `"input"`},
		"other case":                {request{method: "POST", path: wf + "/run", body: `{"Trigger":"api"}`}, 400, "invalid_request", `"Trigger"`},
		"unknown beside definition": {request{method: "POST", path: "/api/workflows", body: `{"definition":` + trivial + `,"nme":1}`}, 400, "invalid_request", `"nme"`},
		"unknown field of nothing":  {request{method: "POST", path: run + "/cancel", body: `{"why":1}`}, 400, "invalid_request", `"why"`},
		"duplicate key":             {request{method: "POST", path: wf + "/run", body: `{"trigger":"api","trigger":"api"}`}, 400, "invalid_request", "trigger"},
		"duplicate inside":          {request{method: "POST", path: wf + "/run", body: `{"input_data":{"a":1,"a":1}}`}, 400, "invalid_request", "/input_data/a"},
		"NUL":                       {request{method: "POST", path: wf + "/run", body: `{"input_data":"\u0000"}`}, 400, "invalid_request", "/input_data"},
		"bad UTF-8":                 {request{method: "POST", path: wf + "/run", body: "{\"input_data\":\"\xff\"}"}, 400, "invalid_request", ""},
		"lone surrogate":            {request{method: "POST", path: wf + "/run", body: `{"input_data":"\ud800"}`}, 400, "invalid_request", ""},
		"depth":                     {request{method: "POST", path: wf + "/run", body: `{"input_data":` + deep + `}`}, 400, "invalid_request", "64"},
		"great depth":               {request{method: "POST", path: wf + "/run", body: `{"input_data":` + deeper + `}`}, 400, "invalid_request", "64"},
		"absurd number":             {request{method: "POST", path: wf + "/run", body: `{"input_data":1e9999999}`}, 400, "invalid_request", ""},
		"wrong type":                {request{method: "POST", path: wf + "/run", body: `{"trigger":5}`}, 400, "invalid_request", "trigger must be a string"},
		"tags no list":              {request{method: "PUT", path: wf, body: `{"tags":"a"}`}, 400, "invalid_request", "tags must be a list"},
		"publish no bool":           {request{method: "PUT", path: wf, body: `{"publish":"yes"}`}, 400, "invalid_request", "publish must be true or false"},
		"version object":            {request{method: "POST", path: wf + "/run", body: `{"version":{}}`}, 400, "invalid_request", "version"},
		"version fraction":          {request{method: "POST", path: wf + "/run", body: `{"version":1.5}`}, 400, "invalid_request", "version"},
		"version true":              {request{method: "POST", path: wf + "/run", body: `{"version":true}`}, 400, "invalid_request", "version"},
		"version negative":          {request{method: "POST", path: wf + "/run", body: `{"version":-1}`}, 400, "invalid_request", "version"},
		"version unknown":           {request{method: "POST", path: wf + "/run", body: `{"version":99}`}, 404, "version_not_found", "99"},
		"version zero":              {request{method: "POST", path: wf + "/run", body: `{"version":0}`}, 404, "version_not_found", ""},
		"version huge":              {request{method: "POST", path: wf + "/run", body: `{"version":99999999999999999999}`}, 404, "version_not_found", ""},
		"trigger":                   {request{method: "POST", path: wf + "/run", body: `{"trigger":"cron"}`}, 422, "invalid_trigger", "cron"},
		"run unknown workflow":      {request{method: "POST", path: "/api/workflows/nope/run"}, 404, "workflow_not_found", "nope"},
		"form":                      {request{method: "POST", path: wf + "/run", body: "a=b", header: map[string]string{"Content-Type": "application/x-www-form-urlencoded"}}, 415, "unsupported_media_type", "application/json"},
		"latin-1":                   {request{method: "POST", path: wf + "/run", body: "{}", header: map[string]string{"Content-Type": "application/json; charset=latin1"}}, 415, "unsupported_media_type", ""},
		"yaml run":                  {request{method: "POST", path: wf + "/run", body: "a: b", header: map[string]string{"Content-Type": "application/yaml"}}, 415, "unsupported_media_type", ""},
		"large":                     {request{method: "POST", path: wf + "/run", body: `{"input_data":"` + strings.Repeat("x", 1<<20) + `"}`}, 413, "body_too_large", "1048576"},
		"large definition":          {request{method: "POST", path: "/api/workflows", body: `{"definition":"` + strings.Repeat("x", 4<<20) + `"}`}, 413, "body_too_large", "4194304"},
		"limit 0":                   {request{method: "GET", path: "/api/workflows?limit=0"}, 400, "invalid_request", "limit"},
		"limit 201":                 {request{method: "GET", path: "/api/workflows?limit=201"}, 400, "invalid_request", "limit"},
		"limit junk":                {request{method: "GET", path: "/api/workflows?limit=ten"}, 400, "invalid_request", "limit"},
		"limit empty":               {request{method: "GET", path: "/api/workflows?limit="}, 400, "invalid_request", "limit"},
		"limit plus":                {request{method: "GET", path: "/api/workflows?limit=%2B5"}, 400, "invalid_request", "limit"},
		"limit twice":               {request{method: "GET", path: "/api/workflows?limit=5&limit=6"}, 400, "invalid_request", "limit"},
		"offset negative":           {request{method: "GET", path: "/api/workflows?offset=-1"}, 400, "invalid_request", "offset"},
		"offset huge":               {request{method: "GET", path: "/api/workflows?offset=99999999999999999999"}, 400, "invalid_request", "offset"},
		"cursor junk":               {request{method: "GET", path: "/api/workflows?cursor=junk"}, 400, "invalid_request", "cursor"},
		"cursor of runs":            {request{method: "GET", path: wf + "/runs?cursor=%00"}, 400, "invalid_request", "cursor"},
		"cursor of versions":        {request{method: "GET", path: wf + "/versions?cursor=3"}, 400, "invalid_request", "cursor"},
		"cursor of keys":            {request{method: "GET", path: "/v1/keys?cursor=e30"}, 400, "invalid_request", "cursor"},
		"cursor and offset":         {request{method: "GET", path: "/api/workflows?cursor=x&offset=1"}, 400, "invalid_request", "cursor"},
		"status":                    {request{method: "GET", path: "/api/workflows?status=on"}, 400, "invalid_request", "status"},
		"trigger type":              {request{method: "GET", path: "/api/workflows?trigger_type=cron"}, 400, "invalid_request", "trigger_type"},
		"run status":                {request{method: "GET", path: wf + "/runs?status=succeeded"}, 400, "invalid_request", "status"},
		"query escapes":             {request{method: "GET", path: "/api/workflows?tag=%zz"}, 400, "invalid_request", "query"},
		"tag NUL":                   {request{method: "GET", path: "/api/workflows?tag=%00"}, 400, "invalid_request", "tag"},
		"q bad UTF-8":               {request{method: "GET", path: "/api/workflows?q=%ff"}, 400, "invalid_request", "q"},
		"force":                     {request{method: "DELETE", path: wf + "?force=1"}, 400, "invalid_request", "force"},
		"version query":             {request{method: "GET", path: wf + "?version=%27"}, 404, "version_not_found", ""},
		"status body":               {request{method: "PATCH", path: wf + "/status", body: `{"status":"on"}`}, 422, "invalid_status", "on"},
		"status missing":            {request{method: "PATCH", path: wf + "/status", body: `{}`}, 400, "invalid_request", "status"},
		"create status":             {request{method: "POST", path: "/api/workflows", body: `{"definition":` + trivial + `,"status":"on"}`}, 422, "invalid_status", ""},
		"create trigger":            {request{method: "POST", path: "/api/workflows", body: `{"definition":` + trivial + `,"trigger_type":"cron"}`}, 422, "invalid_trigger_type", ""},
		"create tag":                {request{method: "POST", path: "/api/workflows", body: `{"definition":` + trivial + `,"tags":[""]}`}, 422, "invalid_tags", ""},
		"slug taken":                {request{method: "POST", path: "/api/workflows", body: `{"definition":` + trivial + `,"slug":"checkout-flow"}`}, 409, "slug_taken", "checkout-flow"},
		"definition":                {request{method: "POST", path: "/api/workflows", body: `{"definition":{"name":"x","steps":[]}}`}, 422, "invalid_definition", ""},
		"definition null":           {request{method: "POST", path: "/api/workflows", body: `{"definition":null}`}, 422, "invalid_definition", ""},
		"delete with open runs":     {request{method: "DELETE", path: wf}, 409, "workflow_has_open_runs", "force"},
		"delete open run":           {request{method: "DELETE", path: run}, 409, "run_open", ""},
		"pause finished":            {request{method: "POST", path: "/api/workflows/runs/" + p.finished + "/pause"}, 409, "run_finished", ""},
		"resume waiting":            {request{method: "POST", path: run + "/resume"}, 409, "run_not_resumable", ""},
		"resume completed":          {request{method: "POST", path: "/api/workflows/runs/" + p.finished + "/resume"}, 409, "run_not_resumable", ""},
		"event id junk":             {request{method: "GET", path: run + "/stream", header: map[string]string{"Last-Event-ID": "one"}}, 400, "invalid_last_event_id", "one"},
		"event id beyond":           {request{method: "GET", path: run + "/stream", header: map[string]string{"Last-Event-ID": "9000"}}, 400, "invalid_last_event_id", "9000"},
		"event id negative":         {request{method: "GET", path: run + "/stream", header: map[string]string{"Last-Event-ID": "-1"}}, 400, "invalid_last_event_id", ""},
		"event id huge":             {request{method: "GET", path: run + "/stream", header: map[string]string{"Last-Event-ID": "99999999999999999999"}}, 400, "invalid_last_event_id", ""},
		"if-match unquoted":         {request{method: "DELETE", path: wf, header: map[string]string{"If-Match": "r1"}}, 400, "invalid_request", "If-Match"},
		"idempotency key long":      {request{method: "POST", path: wf + "/run", header: map[string]string{"Idempotency-Key": strings.Repeat("k", 256)}}, 400, "invalid_request", "Idempotency-Key"},
		"idempotency key not ASCII": {request{method: "POST", path: wf + "/run", header: map[string]string{"Idempotency-Key": "schlüssel"}}, 400, "invalid_request", "Idempotency-Key"},
		"key role":                  {request{method: "POST", path: "/v1/keys", body: `{"name":"k","role":"owner"}`}, 422, "invalid_role", "owner"},
		"key name":                  {request{method: "POST", path: "/v1/keys", body: `{"name":" ","role":"viewer"}`}, 422, "invalid_name", ""},
		"key expiry":                {request{method: "POST", path: "/v1/keys", body: `{"name":"k","role":"viewer","expires_at":"2001-01-01T00:00:00Z"}`}, 422, "invalid_expires_at", ""},
		"key expiry junk":           {request{method: "POST", path: "/v1/keys", body: `{"name":"k","role":"viewer","expires_at":"soon"}`}, 400, "invalid_request", "expires_at"},
		"tenant slug":               {request{method: "POST", path: "/v1/tenants", body: `{"slug":"A","name":"n"}`}, 422, "invalid_slug", ""},
		"tenant taken":              {request{method: "POST", path: "/v1/tenants", body: `{"slug":"default","name":"n"}`}, 409, "slug_taken", ""},
		"grant admin":               {request{method: "PUT", path: "/v1/grants", body: `{"key_id":"` + p.key + `","workflow":"` + p.workflow + `","actions":["admin"]}`}, 422, "invalid_actions", "admin"},
		"grant nothing":             {request{method: "PUT", path: "/v1/grants", body: `{"key_id":"` + p.key + `","workflow":"` + p.workflow + `","actions":[]}`}, 422, "invalid_actions", ""},
		"grant odd key":             {request{method: "PUT", path: "/v1/grants", body: `{"key_id":"\u0001","workflow":"` + p.workflow + `","actions":["view"]}`}, 404, "key_not_found", ""},
		"grants of nobody":          {request{method: "GET", path: "/v1/grants?key_id="}, 400, "invalid_request", "key_id"},
		"revoke unknown":            {request{method: "DELETE", path: "/v1/keys/nope"}, 404, "key_not_found", ""},
	} {
		t.Run(name, func(t *testing.T) {
			got := s.do(c.r).wantCode(t, c.status, c.code)
			if !strings.Contains(got.text(t, "message"), c.says) {
				t.Errorf("the message does not say %q: %s", c.says, got.text(t, "message"))
			}
			if got.text(t, "error", "request_id") != got.header.Get("X-Request-Id") {
				t.Errorf("request ids differ: %s", got.body)
			}
		})
	}
	if log := s.log.String(); strings.Contains(log, "level=ERROR") {
		t.Errorf("bad input was logged as an error of ours:\n%s", log)
	}
}

func TestMethodsThatARouteAnswersAreNamed(t *testing.T) {
	s := newStack(t)
	got := s.do(request{method: "PATCH", path: "/api/workflows"})
	for _, m := range []string{"GET", "POST"} {
		if !strings.Contains(got.header.Get("Allow"), m) {
			t.Errorf("Allow is %q", got.header.Get("Allow"))
		}
	}
}

func TestWhatIsTolerated(t *testing.T) {
	s := newStack(t)
	p := s.place()
	wf := "/api/workflows/" + p.workflow
	for name, c := range map[string]struct {
		r      request
		status int
	}{
		"trailing slash":       {request{method: "GET", path: "/api/workflows/"}, 200},
		"slash after an id":    {request{method: "GET", path: wf + "/"}, 200},
		"by slug":              {request{method: "GET", path: "/api/workflows/checkout-flow"}, 200},
		"head":                 {request{method: "HEAD", path: wf}, 200},
		"unknown parameter":    {request{method: "GET", path: "/api/workflows/workflows?colour=red&colour=blue"}, 200},
		"empty filter":         {request{method: "GET", path: "/api/workflows?status="}, 200},
		"limit 200":            {request{method: "GET", path: "/api/workflows?limit=200&offset=0"}, 200},
		"offset beyond":        {request{method: "GET", path: wf + "/versions?offset=5"}, 200},
		"version by number":    {request{method: "GET", path: wf + "?version=v1"}, 200},
		"no media type":        {request{method: "POST", path: wf + "/run", body: "{}", header: map[string]string{"Content-Type": ""}}, 202},
		"charset":              {request{method: "POST", path: wf + "/run", body: "{}", header: map[string]string{"Content-Type": "application/json; charset=UTF-8"}}, 202},
		"empty body of a type": {request{method: "POST", path: wf + "/run", header: map[string]string{"Content-Type": "text/plain"}}, 202},
		"nulls":                {request{method: "POST", path: wf + "/run", body: `{"trigger":null,"version":null,"input_data":null}`}, 202},
		"version text":         {request{method: "POST", path: wf + "/run", body: `{"version":"v1","trigger":"api"}`}, 202},
		"version number":       {request{method: "POST", path: wf + "/run", body: `{"version":1}`}, 202},
		"bad traceparent":      {request{method: "POST", path: wf + "/run", header: map[string]string{"Traceparent": "junk"}}, 202},
		"mark":                 {request{method: "POST", path: wf + "/run", body: "\xef\xbb\xbf{}"}, 202},
		"cancel with a body":   {request{method: "POST", path: "/api/workflows/runs/" + p.finished + "/cancel", body: `{}`}, 200},
	} {
		t.Run(name, func(t *testing.T) { s.do(c.r).want(t, c.status) })
	}
}

func TestRequestIDs(t *testing.T) {
	s := newStack(t)
	for given, kept := range map[string]bool{
		"": false, "abc-1": true, strings.Repeat("x", 128): true, strings.Repeat("x", 129): false, "tab\there": false, "ümlaut": false,
	} {
		got := s.do(request{method: "GET", path: "/nowhere", header: map[string]string{"X-Request-Id": given}})
		id := got.header.Get("X-Request-Id")
		if (id == given) != kept || got.text(t, "error", "request_id") != id {
			t.Errorf("%q gave %q: %s", given, id, got.body)
		}
		if !kept && (len(id) != 28 || !strings.HasPrefix(id, "req_")) {
			t.Errorf("made id %q", id)
		}
	}
}

func TestDefinitionErrorsAreAllReported(t *testing.T) {
	s := newStack(t)
	body := `{"definition":{"name":"x","steps":[
		{"id":"step_a","type":"condition","config":{"expression":"true"},"depends_on":["step_b"]},
		{"id":"step_b","type":"condition","config":{"expression":"true"},"depends_on":["step_a"]},
		{"id":"notify","type":"condition","config":{"expression":"true"},"depends_on":["fetch"]}]}}`
	checked := s.post("/api/workflows/validate", body).want(t, http.StatusOK)
	saved := s.post("/api/workflows", body).wantCode(t, http.StatusUnprocessableEntity, "invalid_definition")
	for _, got := range []response{checked, saved} {
		errors := got.field(t, "errors").([]any)
		all := map[any]bool{}
		for _, e := range errors {
			all[e] = true
		}
		for _, want := range []string{
			"Step 'notify' depends on 'fetch' which doesn't exist",
			"Cycle detected: step_a → step_b → step_a",
		} {
			if !all[want] {
				t.Errorf("%q is not among %v", want, errors)
			}
		}
		if got.text(t, "diagnostics", 0, "pointer") == "" {
			t.Errorf("no pointer: %s", got.body)
		}
	}
	if checked.field(t, "valid") != false {
		t.Error(checked.body)
	}
	good := s.post("/api/workflows/validate", `{"definition":`+trivial+`}`).want(t, http.StatusOK)
	if good.body != `{"valid":true,"errors":[],"diagnostics":[]}`+"\n" {
		t.Errorf("good definition: %s", good.body)
	}
	for _, inside := range []string{
		`{"name":"x","name":"y","steps":[]}`, strings.Repeat("[", 70) + strings.Repeat("]", 70), `"\u0000"`, `5`, `null`, `{"name":"x","steps":[{"id":"a","type":"wait","config":{"seconds":1e9999999}}]}`,
		strings.Repeat("[", 20000) + strings.Repeat("]", 20000),
	} {
		got := s.post("/api/workflows/validate", `{"definition":`+inside+`}`).want(t, http.StatusOK)
		if got.field(t, "valid") != false {
			t.Errorf("%.40s is valid: %s", inside, got.body)
		}
	}
}

func TestYAMLDefinitions(t *testing.T) {
	s := newStack(t)
	yaml := map[string]string{"Content-Type": "application/yaml"}
	bare := "name: From YAML\nsteps:\n  - id: a\n    type: condition\n    config: {expression: 'true'}\n"
	made := s.do(request{method: "POST", path: "/api/workflows", body: bare, header: yaml}).want(t, http.StatusCreated)
	if got := made.text(t, "workflow", "name"); got != "From YAML" {
		t.Errorf("name %q", got)
	}
	whole := "slug: yaml-flow\ntags: [a, b]\ndefinition:\n  name: Whole\n  steps:\n    - {id: a, type: condition, config: {expression: 'true'}}\n"
	made = s.do(request{method: "POST", path: "/api/workflows", body: whole, header: yaml}).want(t, http.StatusCreated)
	if made.text(t, "workflow", "slug") != "yaml-flow" || made.text(t, "workflow", "tags", 1) != "b" {
		t.Error(made.body)
	}
	bad := s.do(request{method: "POST", path: "/api/workflows", body: "name: x\nsteps:\n  - {id: a, type: nope}\n", header: yaml}).
		wantCode(t, http.StatusUnprocessableEntity, "invalid_definition")
	if line := bad.field(t, "diagnostics", 0, "line"); line != jsonNumber(3) {
		t.Errorf("line %v: %s", line, bad.body)
	}
	s.do(request{method: "POST", path: "/api/workflows", body: "a: [", header: yaml}).wantCode(t, http.StatusBadRequest, "invalid_request")
}
