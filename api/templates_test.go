package api_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
)

const templatesPath = "/api/workflows/templates"

// napping is a template of one step; a second version may have more.
func napping(seconds string, more string) string {
	return `"parameters":{"type":"object","additionalProperties":false,"properties":{"n":{"type":"number","minimum":1,"default":5},"title":{"type":"string","examples":["T"],"default":"Nap"}}},` +
		`"definition":{"name":"${{ params.title }}","steps":[{"id":"nap","type":"wait","config":{"seconds":` + seconds + `}}` + more + `]}`
}

const second = `,{"id":"two","type":"condition","config":{"expression":"${{ params.n }} > 3"},"depends_on":["nap"]}`

func (s *stack) template(body string) string {
	s.t.Helper()
	return s.post(templatesPath, `{"name":"Nap",`+body+`}`).want(s.t, http.StatusCreated).text(s.t, "template_id")
}

func (s *stack) install(template, body string) string {
	s.t.Helper()
	return s.post(templatesPath+"/"+template+"/install", body).want(s.t, http.StatusCreated).text(s.t, "workflow_id")
}

func (s *stack) put(path, body string) response {
	s.t.Helper()
	return s.do(request{method: http.MethodPut, path: path, body: body})
}

func (s *stack) update(workflow, query, body string) response {
	s.t.Helper()
	return s.post("/api/workflows/"+workflow+"/template-update"+query, body)
}

func TestTemplatesAreListedBuiltinFirst(t *testing.T) {
	s := newStack(t)
	for range 3 {
		s.template(napping("1", ""))
	}
	all := s.get(templatesPath).want(t, http.StatusOK)
	list, _ := all.field(t, "templates").([]any)
	if all.field(t, "total") != jsonNumber(len(list)) || len(list) < 13 || all.field(t, "templates", 0, "is_builtin") != true ||
		all.field(t, "templates", len(list)-1, "is_builtin") != false || all.field(t, "templates", 0, "created_at") != nil {
		t.Errorf("listed %s", all.body)
	}
	builtins := s.get(templatesPath+"?is_builtin=true").field(t, "total")
	own := s.get(templatesPath+"?is_builtin=false").want(t, http.StatusOK)
	if own.field(t, "total") != jsonNumber(3) || builtins != jsonNumber(len(list)-3) {
		t.Errorf("own %s, built in %v", own.body, builtins)
	}
	if got := s.get(templatesPath+"?category=custom").field(t, "total"); got != jsonNumber(3) {
		t.Errorf("category: %v", got)
	}
	if got := s.templatesByPage("?is_builtin=true&limit=4"); len(got) != len(list)-3 {
		t.Errorf("the built-in ones by 4: %v", got)
	}
	for _, limit := range []string{"1", "4", "11", "12", "200"} {
		var ids, want []string
		for _, item := range list {
			want = append(want, item.(map[string]any)["id"].(string)) //nolint:errcheck // as documented
		}
		for page := s.get(templatesPath + "?limit=" + limit); ; page = s.get(templatesPath + "?limit=" + limit + "&cursor=" + page.text(t, "next_cursor")) {
			items, _ := page.field(t, "templates").([]any)
			for _, item := range items {
				ids = append(ids, item.(map[string]any)["id"].(string)) //nolint:errcheck // as documented
			}
			if page.field(t, "next_cursor") == nil {
				break
			}
		}
		if strings.Join(ids, " ") != strings.Join(want, " ") {
			t.Errorf("by %s: %v", limit, ids)
		}
		for offset := range len(list) {
			page := s.get(templatesPath + "?limit=1&offset=" + jsonNumber(offset).String())
			if page.text(t, "templates", 0, "id") != want[offset] {
				t.Errorf("offset %d: %s", offset, page.body)
			}
		}
	}
}

// templatesByPage follows the cursors of a list and returns the ids.
func (s *stack) templatesByPage(query string) (ids []any) {
	s.t.Helper()
	for page := s.get(templatesPath + query); ; page = s.get(templatesPath + query + "&cursor=" + page.text(s.t, "next_cursor")) {
		items, _ := page.want(s.t, http.StatusOK).field(s.t, "templates").([]any)
		for i := range items {
			ids = append(ids, page.field(s.t, "templates", i, "id"))
		}
		if page.field(s.t, "next_cursor") == nil || len(ids) > 100 {
			return ids
		}
	}
}

func TestTemplateListRefusesWhatItCannotRead(t *testing.T) {
	s := newStack(t)
	next := s.get(templatesPath+"?limit=1").text(t, "next_cursor")
	for _, query := range []string{"?limit=0", "?limit=201", "?is_builtin=maybe", "?is_builtin=", "?cursor=x", "?is_builtin=true&cursor=x", "?category=data&cursor=" + next, "?cursor=" + next + "&offset=1"} {
		if query == "?is_builtin=" {
			s.get(templatesPath+query).want(t, http.StatusOK)
			continue
		}
		s.get(templatesPath+query).wantCode(t, http.StatusBadRequest, "invalid_request")
	}
}

func TestTemplateIsSavedOfAWorkflowsVersion(t *testing.T) {
	s := newStack(t)
	w := s.create(parked, `"slug":"parked"`)
	s.put("/api/workflows/"+w, `{"definition":`+trivial+`}`).want(t, http.StatusOK)
	made := s.post(templatesPath, `{"name":"Old","workflow_id":"parked","version":1,"description":"About","category":"naps"}`).want(t, http.StatusCreated)
	if got := made.text(t, "template", "definition", "name"); got != "Parked" || made.header.Get("Location") != templatesPath+"/"+made.text(t, "template_id") {
		t.Errorf("made of %q: %v", got, made.header)
	}
	active := s.post(templatesPath, `{"name":"New","workflow_id":"`+w+`"}`).want(t, http.StatusCreated)
	if got := active.text(t, "template", "definition", "name"); got != "Trivial" {
		t.Errorf("made of %q", got)
	}
	id := made.text(t, "template_id")
	if got := s.get(templatesPath+"/"+id).want(t, http.StatusOK); got.header.Get("ETag") != `"r1"` || got.text(t, "template", "category") != "naps" {
		t.Errorf("read back %s", got.body)
	}
	fresh := request{method: http.MethodGet, path: templatesPath + "/" + id, header: map[string]string{"If-None-Match": `"r1"`}}
	s.do(fresh).want(t, http.StatusNotModified)
	next := s.put(templatesPath+"/"+id, `{"workflow_id":"`+w+`","version":"v2"}`).want(t, http.StatusOK)
	if next.field(t, "template", "version") != jsonNumber(2) || next.text(t, "template", "description") != "About" || next.header.Get("ETag") != `"r2"` {
		t.Errorf("changed %s", next.body)
	}
	same := s.put(templatesPath+"/"+id, `{"description":"About"}`).want(t, http.StatusOK)
	if same.field(t, "template", "version") != jsonNumber(2) {
		t.Errorf("no change made a version: %s", same.body)
	}
	s.do(request{method: "PUT", path: templatesPath + "/" + id, body: `{"name":"X"}`, header: map[string]string{"If-Match": `"r1"`}}).
		wantCode(t, http.StatusPreconditionFailed, "precondition_failed")
	s.do(request{method: "DELETE", path: templatesPath + "/" + id, header: map[string]string{"If-Match": `"r1"`}}).
		wantCode(t, http.StatusPreconditionFailed, "precondition_failed")
	s.do(request{method: "DELETE", path: templatesPath + "/" + id, header: map[string]string{"If-Match": `"r2"`}}).want(t, http.StatusNoContent)
	s.get(templatesPath+"/"+id).wantCode(t, http.StatusNotFound, "template_not_found")
}

func TestTemplatesThatCannotBeAreRefused(t *testing.T) {
	s := newStack(t)
	s.create(parked, `"slug":"parked"`)
	own := s.template(napping("1", ""))
	builtin := s.get(templatesPath).text(t, "templates", 0, "id")
	def := `"definition":` + trivial
	for name, c := range map[string]struct {
		method, path, body string
		status             int
		code               string
	}{
		"no source":             {"POST", "", `{"name":"T"}`, 400, "invalid_request"},
		"two sources":           {"POST", "", `{"name":"T","workflow_id":"parked",` + def + `}`, 400, "invalid_request"},
		"definition of version": {"POST", "", `{"name":"T","version":1,` + def + `}`, 400, "invalid_request"},
		"unknown field":         {"POST", "", `{"nmae":"T",` + def + `}`, 400, "invalid_request"},
		"unknown workflow":      {"POST", "", `{"name":"T","workflow_id":"nobody"}`, 404, "workflow_not_found"},
		"odd workflow":          {"POST", "", `{"name":"T","workflow_id":"a/b"}`, 404, "workflow_not_found"},
		"unknown version":       {"POST", "", `{"name":"T","workflow_id":"parked","version":9}`, 404, "version_not_found"},
		"no name":               {"POST", "", `{` + def + `}`, 422, "invalid_name"},
		"long name":             {"POST", "", `{"name":"` + strings.Repeat("x", 201) + `",` + def + `}`, 422, "invalid_name"},
		"long category":         {"POST", "", `{"name":"T","category":"` + strings.Repeat("x", 65) + `",` + def + `}`, 422, "invalid_template"},
		"broken schema":         {"POST", "", `{"name":"T","parameters":{"type":"objekt"},` + def + `}`, 422, "invalid_template"},
		"no schema":             {"POST", "", `{"name":"T","parameters":null,` + def + `}`, 422, "invalid_template"},
		"unsound":               {"POST", "", `{"name":"T","definition":{"name":"x","steps":[]}}`, 422, "invalid_template"},
		"no object":             {"POST", "", `{"name":"T","definition":7}`, 422, "invalid_template"},
		"key twice":             {"POST", "", `{"name":"T","definition":{"name":"x","name":"y","steps":[]}}`, 422, "invalid_template"},
		"undeclared parameter":  {"POST", "", `{"name":"T","definition":{"name":"${{ params.x }}","steps":[]}}`, 422, "invalid_template"},
		"change to unsound":     {"PUT", "/" + own, `{"parameters":{"type":"object"}}`, 422, "invalid_template"},
		"a version alone":       {"PUT", "/" + own, `{"version":"2"}`, 400, "invalid_request"},
		"change of built-in":    {"PUT", "/" + builtin, `{"name":"T"}`, 403, "template_builtin"},
		"removal of built-in":   {"DELETE", "/" + builtin, ``, 403, "template_builtin"},
		"change of unknown":     {"PUT", "/tpl_ffffffffffffffffffffffff", `{"name":"T"}`, 404, "template_not_found"},
		"install of odd":        {"POST", "/a%2Fb/install", ``, 404, "template_not_found"},
		"install with a typo":   {"POST", "/" + own + "/install", `{"parameters":{"m":1}}`, 422, "invalid_parameters"},
		"install with too few":  {"POST", "/" + builtin + "/install", ``, 422, "invalid_parameters"},
		"install of wrong type": {"POST", "/" + own + "/install", `{"parameters":{"n":0}}`, 422, "invalid_parameters"},
		"parameters no object":  {"POST", "/" + own + "/install", `{"parameters":[]}`, 422, "invalid_parameters"},
		"install under id":      {"POST", "/" + own + "/install", `{"slug":"runs"}`, 422, "invalid_slug"},
		"install on taken slug": {"POST", "/" + own + "/install", `{"slug":"parked"}`, 409, "slug_taken"},
		"long workflow name":    {"POST", "/" + own + "/install", `{"name":"` + strings.Repeat("x", 201) + `"}`, 422, "invalid_definition"},
	} {
		t.Run(name, func(t *testing.T) {
			s.do(request{method: c.method, path: templatesPath + c.path, body: c.body}).wantCode(t, c.status, c.code)
		})
	}
	if total := s.get("/api/workflows").field(t, "total"); total != jsonNumber(1) {
		t.Errorf("%v workflows", total)
	}
}

func TestAnInstalledWorkflowRemembersItsTemplate(t *testing.T) {
	s := newStack(t)
	tpl := s.template(napping(`"${{ params.n }}"`, ""))
	w := s.install(tpl, `{"name":"My nap","slug":"my-nap","parameters":{"n":2.50}}`)
	got := s.get("/api/workflows/my-nap").want(t, http.StatusOK)
	link, _ := json.Marshal(got.field(t, "workflow", "template"))
	if string(link) != `{"id":"`+tpl+`","parameters":{"n":2.50},"version":1}` || got.text(t, "workflow", "id") != w || got.text(t, "workflow", "name") != "My nap" {
		t.Errorf("template %s of %s", link, got.body)
	}
	if !strings.Contains(got.body, `"config":{"seconds":2.50}`) || strings.Contains(got.body, "update_available") {
		t.Errorf("installed %s", got.body)
	}
	plain := s.create(parked, "")
	if body := s.get("/api/workflows/" + plain).body; strings.Contains(body, `"template"`) {
		t.Errorf("made of none: %s", body)
	}
	s.put(templatesPath+"/"+tpl, `{"description":"Newer"}`).want(t, http.StatusOK)
	list := s.get("/api/workflows").want(t, http.StatusOK)
	if list.field(t, "workflows", 1, "update_available") != jsonNumber(2) || list.field(t, "workflows", 0, "template") != nil {
		t.Errorf("list %s", list.body)
	}
	// Something newer is told although the workflow has not changed.
	r := request{method: http.MethodGet, path: "/api/workflows/" + w, header: map[string]string{"If-None-Match": got.header.Get("ETag")}}
	if again := s.do(r).want(t, http.StatusOK); again.field(t, "workflow", "update_available") != jsonNumber(2) {
		t.Errorf("again %s", again.body)
	}
	s.do(request{method: http.MethodDelete, path: templatesPath + "/" + tpl}).want(t, http.StatusNoContent)
	if gone := s.get("/api/workflows/" + w); gone.text(t, "workflow", "template", "id") != tpl || strings.Contains(gone.body, "update_available") {
		t.Errorf("after the template is gone %s", gone.body)
	}
	s.update(w, "", "").wantCode(t, http.StatusNotFound, "template_not_found")
	s.update(plain, "", "").wantCode(t, http.StatusConflict, "workflow_has_no_template")
}

func TestInstallsHappenOncePerKey(t *testing.T) {
	s := newStack(t)
	tpl := s.template(napping("1", ""))
	first := s.do(keyed(templatesPath+"/"+tpl+"/install", `{"parameters":{"n":2}}`, "k")).want(t, http.StatusCreated)
	again := s.do(keyed(templatesPath+"/"+tpl+"/install", `{"parameters":{"n":2}}`, "k")).want(t, http.StatusCreated)
	if again.body != first.body || again.header.Get("Idempotency-Replayed") != "true" || again.header.Get("Location") != first.header.Get("Location") {
		t.Errorf("%s, then %s", first.body, again.body)
	}
	s.do(keyed(templatesPath+"/"+tpl+"/install", `{"parameters":{"n":3}}`, "k")).wantCode(t, http.StatusConflict, "idempotency_key_reused")
	make := `{"name":"T","definition":` + trivial + `}`
	one := s.do(keyed(templatesPath, make, "k")).want(t, http.StatusCreated)
	if two := s.do(keyed(templatesPath, make, "k")); two.body != one.body {
		t.Errorf("%s, then %s", one.body, two.body)
	}
}

func TestTemplateUpdateMergesThreeWays(t *testing.T) {
	s := newStack(t)
	tpl := s.template(napping(`"${{ params.n }}"`, ""))
	w := s.install(tpl, `{"parameters":{"n":2}}`)
	path := "/api/workflows/" + w
	s.put(path, `{"definition":{"name":"Mine","steps":[{"id":"nap","type":"wait","name":"Rest","config":{"seconds":2}}]}}`).want(t, http.StatusOK)
	nothing := s.update(w, "", "").want(t, http.StatusOK)
	if nothing.field(t, "version") != jsonNumber(2) || nothing.text(t, "summary") != "No changes" {
		t.Errorf("nothing newer: %s", nothing.body)
	}
	s.put(templatesPath+"/"+tpl, `{`+napping(`"${{ params.n }}"`, second)+`}`).want(t, http.StatusOK)
	dry := s.update(w, "?dry_run=true", "").want(t, http.StatusOK)
	if dry.field(t, "dry_run") != true || dry.field(t, "version") != jsonNumber(3) || s.get(path).field(t, "workflow", "latest_version") != jsonNumber(2) {
		t.Errorf("dry run %s", dry.body)
	}
	stale := request{method: "POST", path: path + "/template-update", header: map[string]string{"If-Match": `"r1"`}}
	s.do(stale).wantCode(t, http.StatusPreconditionFailed, "precondition_failed")
	done := s.update(w, "", "").want(t, http.StatusOK)
	if done.field(t, "version") != jsonNumber(3) || done.text(t, "changes", 0, "step_id") != "two" || done.text(t, "summary") != "Added 1 step" ||
		done.field(t, "template_version") != jsonNumber(2) || done.field(t, "previous_template_version") != jsonNumber(1) || !strings.Contains(done.body, `"conflicts":[]`) {
		t.Errorf("merged %s", done.body)
	}
	after := s.get(path).want(t, http.StatusOK)
	if after.field(t, "workflow", "version") != jsonNumber(2) || after.field(t, "workflow", "latest_version") != jsonNumber(3) ||
		after.field(t, "workflow", "template", "version") != jsonNumber(2) || strings.Contains(after.body, "update_available") || after.header.Get("ETag") != done.header.Get("ETag") {
		t.Errorf("after %s", after.body)
	}
	merged := s.get(path+"/versions/3").want(t, http.StatusOK)
	if !strings.Contains(merged.body, `"name":"Rest"`) || !strings.Contains(merged.body, `"2 > 3"`) || merged.text(t, "definition", "name") != "Mine" {
		t.Errorf("version 3: %s", merged.body)
	}
}

func TestTemplateUpdateTellsConflictsAndKeepsEdits(t *testing.T) {
	s := newStack(t)
	tpl := s.template(napping(`10`, ""))
	w := s.install(tpl, "")
	s.put("/api/workflows/"+w, `{"definition":{"name":"Nap","steps":[{"id":"nap","type":"wait","config":{"seconds":11}}]}}`).want(t, http.StatusOK)
	s.put(templatesPath+"/"+tpl, `{`+napping(`12`, "")+`}`).want(t, http.StatusOK)
	got := s.update(w, "", "").want(t, http.StatusOK)
	conflicts, _ := json.Marshal(got.field(t, "conflicts"))
	if string(conflicts) != `[{"edited":11,"installed":10,"new":12,"path":"/config/seconds","step_id":"nap"}]` || got.field(t, "version") != jsonNumber(2) {
		t.Errorf("conflicts %s of %s", conflicts, got.body)
	}
	// The edit is settled: the same update has nothing more to say.
	if again := s.update(w, "", "").want(t, http.StatusOK); !strings.Contains(again.body, `"conflicts":[]`) {
		t.Errorf("again %s", again.body)
	}
}

func TestTemplateUpdateWithOtherParameters(t *testing.T) {
	s := newStack(t)
	tpl := s.template(napping(`"${{ params.n }}"`, ""))
	w := s.install(tpl, `{"parameters":{"n":2}}`)
	s.put(templatesPath+"/"+tpl, `{"parameters":{"type":"object","required":["n","m"],"properties":{"n":{"type":"number","maximum":1,"examples":[1]},"m":{"type":"number","default":1}}},`+
		`"definition":{"name":"Nap","steps":[{"id":"nap","type":"wait","config":{"seconds":"${{ params.n }}"}}]}}`).want(t, http.StatusOK)
	s.update(w, "", "").wantCode(t, http.StatusUnprocessableEntity, "invalid_parameters")
	got := s.update(w, "", `{"parameters":{"n":0.5}}`).want(t, http.StatusOK)
	if got.field(t, "version") != jsonNumber(2) {
		t.Errorf("merged %s", got.body)
	}
	link, _ := json.Marshal(s.get("/api/workflows/"+w).field(t, "workflow", "template"))
	if string(link) != `{"id":"`+tpl+`","parameters":{"n":0.5},"version":2}` {
		t.Errorf("template %s", link)
	}
}

func TestTemplateUpdateThatIsNotSoundStoresNothing(t *testing.T) {
	s := newStack(t)
	tpl := s.template(napping(`1`, second))
	w := s.install(tpl, "")
	s.put("/api/workflows/"+w, `{"definition":{"name":"Nap","steps":[{"id":"nap","type":"wait","config":{"seconds":1}},`+
		`{"id":"two","type":"condition","config":{"expression":"5 > 3"},"depends_on":["nap"]},`+
		`{"id":"mine","type":"condition","config":{"expression":"true"},"depends_on":["two"]}]}}`).want(t, http.StatusOK)
	s.put(templatesPath+"/"+tpl, `{`+napping(`1`, "")+`}`).want(t, http.StatusOK)
	for _, query := range []string{"?dry_run=true", ""} {
		got := s.update(w, query, "").wantCode(t, http.StatusUnprocessableEntity, "invalid_definition")
		if got.text(t, "diagnostics", 0, "code") != "unknown_dependency" {
			t.Errorf("refused with %s", got.body)
		}
	}
	after := s.get("/api/workflows/" + w)
	if after.field(t, "workflow", "latest_version") != jsonNumber(2) || after.field(t, "workflow", "template", "version") != jsonNumber(1) {
		t.Errorf("after %s", after.body)
	}
	s.do(request{method: http.MethodPatch, path: "/api/workflows/" + w + "/status", body: `{"status":"archived"}`}).want(t, http.StatusOK)
	s.update(w, "", "").wantCode(t, http.StatusConflict, "workflow_archived")
}

func TestTemplatesHoldNoSecrets(t *testing.T) {
	s := newStack(t)
	s.put("/v1/secrets/TOKEN", `{"value":"hunter2 and friends"}`).want(t, http.StatusNoContent)
	tpl := s.template(napping("1", ""))
	w := s.install(tpl, `{"parameters":{"title":"{{ secrets.TOKEN }}"}}`)
	for name, r := range map[string]request{
		"definition":        {method: "POST", path: templatesPath, body: `{"name":"T","definition":` + strings.Replace(trivial, "Trivial", "hunter2 and friends", 1) + `}`},
		"default":           {method: "POST", path: templatesPath, body: `{"name":"T","parameters":{"type":"object","properties":{"x":{"default":"hunter2 and friends"}}},"definition":` + trivial + `}`},
		"next version":      {method: "PUT", path: templatesPath + "/" + tpl, body: `{"definition":` + strings.Replace(trivial, "Trivial", "hunter2 and friends", 1) + `}`},
		"parameter":         {method: "POST", path: templatesPath + "/" + tpl + "/install", body: `{"name":"Other","parameters":{"title":"hunter2 and friends"}}`},
		"updated parameter": {method: "POST", path: "/api/workflows/" + w + "/template-update", body: `{"parameters":{"title":"hunter2 and friends"}}`},
	} {
		t.Run(name, func(t *testing.T) {
			got := s.do(r).wantCode(t, http.StatusUnprocessableEntity, "secret_in_definition")
			if strings.Contains(got.body, "hunter2") {
				t.Errorf("the refusal shows it: %s", got.body)
			}
		})
	}
}

// The shortest install that the document shows: a name and nothing else.
func TestATemplateInstallsFromANameAlone(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	got := s.post("/api/workflows/templates/tpl_00000000000000000000000c/install", `{"name":"Mine"}`).want(t, http.StatusCreated)
	id := got.text(t, "workflow_id")
	s.get("/api/workflows/"+id).want(t, http.StatusOK)
	run := s.start(id, `{}`)
	done := s.until(run, "completed")
	if !strings.Contains(done.body, `"greetings":["Hello, world!"]`) {
		t.Errorf("the run gives %s", done.body)
	}
}

// An installation is previewed without being made; a template shows its versions, their
// difference and what was made of it.
func TestTemplatesShowTheirVersionsAndWhatWasMadeOfThem(t *testing.T) {
	t.Parallel()
	onBothStores(t, func(t *testing.T, s *stack) {
		nap := func(seconds string) string {
			return `"parameters":{"type":"object","properties":{"seconds":{"type":"integer","default":5}}},"definition":{"name":"Nap","steps":[{"id":"nap","type":"wait","name":"` + seconds + `","config":{"seconds":"${{ params.seconds }}"}}]}`
		}
		id := s.post("/api/workflows/templates", `{"name":"Nap",`+nap("one")+`}`).want(t, http.StatusCreated).text(t, "template_id")
		one := "/api/workflows/templates/" + id
		p := s.post(one+"/install?dry_run=true", `{"name":"Mine","parameters":{"seconds":7}}`).want(t, http.StatusOK)
		if p.text(t, "definition", "name") != "Mine" || p.field(t, "definition", "steps", 0, "config", "seconds") != jsonNumber(7) || p.field(t, "valid") != true || p.field(t, "dry_run") != true {
			t.Errorf("%s", p.body)
		}
		s.post(one+"/install?dry_run=true", `{"parameters":{"seconds":"x"}}`).wantCode(t, http.StatusUnprocessableEntity, "invalid_parameters")
		if list := s.get("/api/workflows").want(t, http.StatusOK); list.field(t, "total") != jsonNumber(0) {
			t.Errorf("a preview made a workflow: %s", list.body)
		}
		for _, slug := range []string{"first", "second"} {
			s.post(one+"/install", `{"slug":"`+slug+`"}`).want(t, http.StatusCreated)
		}
		s.do(request{method: http.MethodPut, path: one, body: `{` + nap("two") + `}`}).want(t, http.StatusOK)
		s.post("/api/workflows/second/template-update", "{}").want(t, http.StatusOK)
		page := s.get(one+"/versions?limit=1").want(t, http.StatusOK)
		last := s.get(one+"/versions?limit=1&cursor="+page.text(t, "next_cursor")).want(t, http.StatusOK)
		if page.field(t, "versions", 0, "version") != jsonNumber(2) || last.field(t, "versions", 0, "version") != jsonNumber(1) || last.field(t, "next_cursor") != nil {
			t.Errorf("%s %s", page.body, last.body)
		}
		if d := s.get(one+"/diff?v1=1&v2=2").want(t, http.StatusOK); d.text(t, "changes", 0, "step_id") != "nap" || d.field(t, "v2") != jsonNumber(2) {
			t.Errorf("%s", d.body)
		}
		s.get(one+"/diff?v1=1&v2=3").wantCode(t, http.StatusNotFound, "version_not_found")
		s.get(one+"/diff?v1=1").wantCode(t, http.StatusBadRequest, "invalid_request")
		made := map[string]any{}
		for path := one + "/workflows?limit=1"; path != ""; {
			page := s.get(path).want(t, http.StatusOK)
			made[page.text(t, "installed", 0, "slug")] = page.field(t, "installed", 0, "template_version")
			path = ""
			if next, ok := page.field(t, "next_cursor").(string); ok {
				path = one + "/workflows?limit=1&cursor=" + next
			}
		}
		if len(made) != 2 || made["first"] != jsonNumber(1) || made["second"] != jsonNumber(2) {
			t.Errorf("%v", made)
		}
		builtin := s.get("/api/workflows/templates?is_builtin=true&limit=1").want(t, http.StatusOK).text(t, "templates", 0, "id")
		if v := s.get("/api/workflows/templates/"+builtin+"/versions").want(t, http.StatusOK); len(v.field(t, "versions").([]any)) != 1 {
			t.Errorf("%s", v.body)
		}
	})
}

// A conflict of an update is decided by a resolution, in the dry run as in the update.
func TestAnUpdatesConflictsAreResolved(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	wait := func(seconds string) string {
		return `"definition":{"name":"Nap","steps":[{"id":"nap","type":"wait","config":{"seconds":` + seconds + `}}]}`
	}
	id := s.post("/api/workflows/templates", `{"name":"Nap",`+wait("1")+`}`).want(t, http.StatusCreated).text(t, "template_id")
	s.post("/api/workflows/templates/"+id+"/install", `{"slug":"nap"}`).want(t, http.StatusCreated)
	s.do(request{method: http.MethodPut, path: "/api/workflows/nap", body: `{` + wait("2") + `}`}).want(t, http.StatusOK)
	s.do(request{method: http.MethodPut, path: "/api/workflows/templates/" + id, body: `{` + wait("3") + `}`}).want(t, http.StatusOK)
	update := "/api/workflows/nap/template-update"
	dry := s.post(update+"?dry_run=true", "{}").want(t, http.StatusOK)
	if dry.text(t, "conflicts", 0, "path") != "/config/seconds" || dry.field(t, "definition", "steps", 0, "config", "seconds") != jsonNumber(2) {
		t.Fatalf("%s", dry.body)
	}
	decided := func(take string) string {
		return `{"resolutions":[{"step_id":"nap","path":"/config/seconds",` + take + `}]}`
	}
	for take, want := range map[string]int{`"take":"edited"`: 2, `"take":"new"`: 3, `"take":"value","value":4`: 4} {
		got := s.post(update+"?dry_run=true", decided(take)).want(t, http.StatusOK)
		if len(got.field(t, "conflicts").([]any)) != 0 || got.field(t, "definition", "steps", 0, "config", "seconds") != jsonNumber(want) {
			t.Errorf("%s: %s", take, got.body)
		}
	}
	s.post(update, `{"resolutions":[{"step_id":"nap","path":"/name","take":"new"}]}`).wantCode(t, http.StatusUnprocessableEntity, "invalid_resolution")
	s.post(update, decided(`"take":"value","value":"soon"`)).wantCode(t, http.StatusUnprocessableEntity, "invalid_definition")
	s.post(update, decided(`"take":"value","value":4`)).want(t, http.StatusOK)
	if got := s.get("/api/workflows/nap/versions/3").want(t, http.StatusOK); !strings.Contains(got.body, `"seconds":4`) {
		t.Errorf("%s", got.body)
	}
}
