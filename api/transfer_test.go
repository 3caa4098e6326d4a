package api_test

import (
	"fmt"
	"heddle/store/storetest"
	"io"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"
)

// oneLine is a workflow as an import takes it, the least that it needs.
const oneLine = `{"format":1,"slug":"arrived","status":"active","trigger_type":"manual","tags":[],"active_version":1,` +
	`"created_at":"2026-01-01T00:00:00.000Z","updated_at":"2026-01-02T00:00:00.000Z","versions":[` +
	`{"version":1,"change_summary":"first","created_by":"somebody","created_at":"2026-01-01T00:00:00.000Z","definition":` + trivial + `}]}`

// ownAuthor is the key of this database that made a version.
var ownAuthor = regexp.MustCompile(`"created_by_id":"[^"]*","actor":\{[^}]*\},`)

// ownPublisher is when and by whom it was published here.
var ownPublisher = regexp.MustCompile(`"published_at":"[^"]*"(,"published_by":\{[^}]*\})?`)

// onBoth runs a test on both databases; open makes further stacks, each on a
// database of its own.
func onBoth(t *testing.T, test func(t *testing.T, open func() *stack)) {
	t.Run("sqlite", func(t *testing.T) { test(t, func() *stack { return newStack(t) }) })
	t.Run("postgres", func(t *testing.T) { test(t, func() *stack { return newStackOn(t, storetest.Postgres(t)) }) })
}

// library makes workflows with histories of every kind.
func (s *stack) library() {
	s.t.Helper()
	wf := s.history()
	s.do(request{method: "PATCH", path: wf + "/versions/1", body: `{"label":"v1.0"}`}).want(s.t, http.StatusOK)
	s.post(wf+"/versions/1/publish", "").want(s.t, http.StatusOK)
	s.post(wf+"/rollback", `{"version":1,"change_summary":"<b> & \"quotes\" \u2028 ünï 💥"}`).want(s.t, http.StatusOK)
	s.do(request{method: "PUT", path: wf, body: `{"definition":` + trivial + `,"publish":false}`}).want(s.t, http.StatusOK)
	s.create(`{"name":"Exact","description":"9007199254740993","output":{"n":9007199254740993,"e":1e400,"s":"<&>\u2028"},"steps":[{"id":"a","type":"condition","config":{"expression":"true"}}]}`,
		`"tags":["b","a"],"status":"draft","trigger_type":"api","slug":"exact"`)
	s.create(parked, `"status":"archived"`)
	s.create(trivial, "")
	many := "/api/workflows/" + s.create(definition("V1"), `"slug":"many"`)
	for i := 2; i <= 20; i++ {
		s.do(request{method: "PUT", path: many, body: `{"definition":` + definition(fmt.Sprint("V", i)) + `}`}).want(s.t, http.StatusOK)
	}
}

func (s *stack) export(query string) string {
	s.t.Helper()
	return s.get("/api/workflows/export"+query).want(s.t, http.StatusOK).body
}

func (s *stack) imports(query, lines string) response {
	s.t.Helper()
	return s.do(request{method: "POST", path: "/api/workflows/import" + query, body: lines, header: map[string]string{"Content-Type": "application/x-ndjson"}})
}

func TestExportAndImportGoRound(t *testing.T) {
	onBoth(t, func(t *testing.T, open func() *stack) {
		s := open()
		s.library()
		text, withIDs := s.export(""), s.export("?ids=true")
		if strings.Count(text, "\n") != 5 || strings.Contains(text, `"id":"wf_`) || strings.Count(withIDs, `"id":"wf_`) != 5 {
			t.Fatalf("exported:\n%s", text)
		}
		other := *s
		other.admin = s.tenant("other")
		if got := other.imports("", text).want(t, http.StatusOK); len(got.field(t, "imported").([]any)) != 5 {
			t.Error(got.body)
		}
		if got := other.export(""); got != text {
			t.Errorf("another tenant exports\n%s\nnot\n%s", got, text)
		}
		far := open()
		far.imports("", withIDs).want(t, http.StatusOK)
		if got := far.export("?ids=true"); got != withIDs {
			t.Errorf("another database exports\n%s\nnot\n%s", got, withIDs)
		}
		for _, path := range []string{"/flow", "/flow/versions", "/flow/versions/v1.0", "/exact", "/many?version=7", "/flow/diff?v1=1&v2=4"} {
			want, got := s.get("/api/workflows"+path), far.get("/api/workflows"+path).want(t, http.StatusOK)
			// An author's name travels; who that was here means nothing there.
			if want := ownPublisher.ReplaceAllString(ownAuthor.ReplaceAllString(want.body, ""), `"published_at":null`); want != got.body {
				t.Errorf("%s: %s\nnot\n%s", path, got.body, want)
			}
		}
		run := far.start("flow", `{"version":"v1.0"}`)
		if got := far.get("/api/workflows/runs/"+run).want(t, http.StatusOK); got.field(t, "run", "version") != jsonNumber(1) {
			t.Error(got.body)
		}
	})
}

func TestAWorkflowWithoutASlugKeepsItsAddress(t *testing.T) {
	s := newStack(t)
	id := s.create(trivial, "")
	text := s.export("?id=" + id)
	far := newStack(t)
	far.imports("", text).want(t, http.StatusOK)
	if got := far.get("/api/workflows/"+id).want(t, http.StatusOK).text(t, "workflow", "id"); got != id {
		t.Errorf("the id became %s", got)
	}
	s.admin = s.tenant("other")
	s.imports("", text).want(t, http.StatusOK)
	got := s.get("/api/workflows/"+id).want(t, http.StatusOK)
	if got.text(t, "workflow", "id") == id || got.text(t, "workflow", "slug") != id {
		t.Error(got.body)
	}
	renamed := s.imports("?on_conflict=rename", text).want(t, http.StatusOK)
	if slug := renamed.text(t, "imported", 0, "slug"); slug == id || slug != renamed.text(t, "imported", 0, "id") {
		t.Error(renamed.body)
	}
}

func TestWhatIsExportedIsChosen(t *testing.T) {
	s := newStack(t)
	s.library()
	if got := s.export("?id=many,exact"); strings.Count(got, "\n") != 2 || !strings.HasPrefix(got, `{"format":1,"slug":"exact"`) {
		t.Errorf("two by slug:\n%s", got)
	}
	if got := s.export("?id=" + s.get("/api/workflows/many").text(t, "workflow", "id")); strings.Count(got, "\n") != 1 || strings.Count(got, `"definition"`) != 20 {
		t.Errorf("one by id:\n%s", got)
	}
	s.get("/api/workflows/export?id=many,nobody").wantCode(t, http.StatusNotFound, "workflow_not_found")
	s.get("/api/workflows/export?id=").wantCode(t, http.StatusNotFound, "workflow_not_found")
	s.get("/api/workflows/export?ids=2").wantCode(t, http.StatusBadRequest, "invalid_request")
	made := s.post("/v1/keys", `{"name":"ci","role":"none"}`).want(t, http.StatusCreated)
	s.do(request{method: "PUT", path: "/v1/grants", body: `{"key_id":"` + made.text(t, "id") + `","workflow":"many","actions":["view","edit"]}`}).want(t, 200)
	key := made.text(t, "key")
	if got := s.do(request{method: "GET", path: "/api/workflows/export", key: key}); strings.Count(got.body, "\n") != 1 || !strings.Contains(got.body, `"slug":"many"`) {
		t.Errorf("a key with one grant exports\n%s", got.body)
	}
	s.do(request{method: "GET", path: "/api/workflows/export?id=flow", key: key}).wantCode(t, http.StatusForbidden, "acl_denied")
	s.do(request{method: "POST", path: "/api/workflows/import", body: oneLine, key: key}).wantCode(t, http.StatusForbidden, "acl_denied")
	s.admin = s.tenant("empty")
	if got := s.export(""); got != "" {
		t.Errorf("an empty tenant exports %s", got)
	}
	s.get("/api/workflows/export?id=many").wantCode(t, http.StatusNotFound, "workflow_not_found")
}

func TestAConflictEndsSkipsOrRenames(t *testing.T) {
	s := newStack(t)
	two := oneLine + "\n\n" + strings.Replace(oneLine, `"arrived"`, `"second"`, 1)
	s.create(trivial, `"slug":"second"`)
	end := s.imports("", two).wantCode(t, http.StatusConflict, "slug_taken")
	if !strings.HasPrefix(end.text(t, "message"), "Line 3: ") || end.text(t, "imported", 0, "slug") != "arrived" || end.field(t, "line") != jsonNumber(3) {
		t.Error(end.body)
	}
	skip := s.imports("?on_conflict=skip", two).want(t, http.StatusOK)
	if skip.body != `{"imported":[],"skipped":[{"line":1,"slug":"arrived"},{"line":3,"slug":"second"}]}`+"\n" {
		t.Error(skip.body)
	}
	for _, want := range []string{"arrived-2 second-2", "arrived-3 second-3"} {
		got := s.imports("?on_conflict=rename", two).want(t, http.StatusOK)
		if slugs := got.text(t, "imported", 0, "slug") + " " + got.text(t, "imported", 1, "slug"); slugs != want {
			t.Errorf("%s, want %s", slugs, want)
		}
	}
	long := strings.Replace(oneLine, `"arrived"`, `"`+strings.Repeat("x", 64)+`"`, 1)
	s.imports("", long).want(t, http.StatusOK)
	if got := s.imports("?on_conflict=rename", long).text(t, "imported", 0, "slug"); got != strings.Repeat("x", 62)+"-2" {
		t.Error(got)
	}
	s.imports("?on_conflict=replace", two).wantCode(t, http.StatusBadRequest, "invalid_request")
}

func TestAnImportTakesNothingHalf(t *testing.T) {
	s := newStack(t)
	edit := func(old, young string) string {
		if !strings.Contains(oneLine, old) {
			t.Fatalf("%s is not in the line", old)
		}
		return strings.Replace(oneLine, old, young, 1)
	}
	second := `,{"version":2,"label":"a","change_summary":"","created_by":"","created_at":"2026-01-01T00:00:00Z","definition":` + trivial + `}]}`
	for name, c := range map[string]struct {
		line   string
		status int
		code   string
	}{
		"no JSON":            {`{"format":`, 400, "invalid_request"},
		"a list":             {`[]`, 400, "invalid_request"},
		"null":               {`null`, 400, "invalid_request"},
		"unknown field":      {edit(`"tags":[]`, `"tags":[],"more":1`), 400, "invalid_request"},
		"other case":         {edit(`"tags":[]`, `"Tags":[]`), 400, "invalid_request"},
		"twice":              {edit(`"tags":[]`, `"tags":[],"tags":[]`), 400, "invalid_request"},
		"missing":            {edit(`"tags":[],`, ``), 400, "invalid_request"},
		"null tags":          {edit(`"tags":[]`, `"tags":null`), 400, "invalid_request"},
		"type":               {edit(`"tags":[]`, `"tags":{}`), 400, "invalid_request"},
		"tag":                {edit(`"tags":[]`, `"tags":[""]`), 422, "invalid_tags"},
		"format":             {edit(`"format":1`, `"format":2`), 422, "invalid_line"},
		"slug":               {edit(`"arrived"`, `"Arrived"`), 422, "invalid_slug"},
		"reserved slug":      {edit(`"arrived"`, `"runs"`), 422, "invalid_slug"},
		"run's id as slug":   {edit(`"arrived"`, `"run_0123456789abcdef01234567"`), 422, "invalid_slug"},
		"id":                 {edit(`"arrived"`, `"arrived","id":"x"`), 422, "invalid_line"},
		"status":             {edit(`"active",`, `"gone",`), 422, "invalid_status"},
		"trigger":            {edit(`"manual"`, `"never"`), 422, "invalid_trigger_type"},
		"active version":     {edit(`"active_version":1`, `"active_version":2`), 422, "invalid_line"},
		"no active version":  {edit(`"active_version":1`, `"active_version":0`), 422, "invalid_line"},
		"time":               {edit(`"2026-01-02T00:00:00.000Z"`, `"yesterday"`), 422, "invalid_line"},
		"no versions":        {oneLine[:strings.Index(oneLine, `"versions":`)] + `"versions":[]}`, 422, "invalid_line"},
		"gap":                {edit(`"version":1,`, `"version":2,`), 422, "invalid_line"},
		"version's field":    {edit(`"version":1,`, `"version":1,"x":1,`), 400, "invalid_request"},
		"version's time":     {edit(`"2026-01-01T00:00:00.000Z","definition"`, `"0001-01-01T00:00:00Z","definition"`), 422, "invalid_line"},
		"summary":            {edit(`"first"`, `"`+strings.Repeat("x", 2001)+`"`), 422, "invalid_change_summary"},
		"author":             {edit(`"somebody"`, `"`+strings.Repeat("x", 201)+`"`), 422, "invalid_line"},
		"NUL":                {edit(`"somebody"`, `"\u0000"`), 400, "invalid_request"},
		"label":              {edit(`"version":1,`, `"version":1,"label":"v1",`), 422, "invalid_label"},
		"label twice":        {twoVersions(`"label":"a",`, second), 422, "invalid_line"},
		"hash":               {edit(`"version":1,`, `"version":1,"definition_hash":"sha256:0",`), 422, "invalid_line"},
		"definition":         {edit(`"depends_on":["a"]`, `"depends_on":["nobody"]`), 422, "invalid_definition"},
		"definition's key":   {edit(`"name":"Trivial"`, `"name":"Trivial","name":"T"`), 422, "invalid_definition"},
		"second is not good": {twoVersions("", strings.Replace(second, `"type":"condition"`, `"type":"nonsense"`, 1)), 422, "invalid_definition"},
	} {
		got := s.imports("", "\n"+c.line+"\n"+oneLine)
		if got.status != c.status || got.text(t, "code") != c.code || !strings.HasPrefix(got.text(t, "message"), "Line 2") ||
			len(got.field(t, "imported").([]any)) != 0 {
			t.Errorf("%s: %s", name, got.body)
		}
	}
	second = strings.Replace(second, `"type":"condition"`, `"type":"nonsense"`, 1)
	bad := s.imports("", twoVersions("", second)).wantCode(t, http.StatusUnprocessableEntity, "invalid_definition")
	if bad.text(t, "diagnostics", 0, "pointer") != "/versions/1/definition/steps/0/type" || !strings.HasPrefix(bad.text(t, "message"), "Line 1, version 2: ") {
		t.Error(bad.body)
	}
	if got := s.export(""); got != "" {
		t.Errorf("something was kept: %s", got)
	}
	s.do(request{method: "POST", path: "/api/workflows/import", body: oneLine, header: map[string]string{"Content-Type": "text/csv"}}).
		wantCode(t, http.StatusUnsupportedMediaType, "unsupported_media_type")
	if got := s.imports("", "\n \n").want(t, http.StatusOK); got.body != `{"imported":[],"skipped":[]}`+"\n" {
		t.Error(got.body)
	}
}

// twoVersions adds to the first version of oneLine, and a second one.
func twoVersions(more, second string) string {
	line := strings.Replace(oneLine, `"version":1,`, `"version":1,`+more, 1)
	return strings.TrimSuffix(line, "]}") + second
}

func TestALineThatIsTooLong(t *testing.T) {
	s := newStack(t)
	body := io.MultiReader(strings.NewReader(oneLine+"\n"), io.LimitReader(spaces{}, 64<<20+2))
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+"/api/workflows/import", body)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+s.admin)
	resp, err := s.client.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	got := response{resp.StatusCode, resp.Header, string(text)}.wantCode(t, http.StatusRequestEntityTooLarge, "body_too_large")
	if !strings.HasPrefix(got.text(t, "message"), "Line 2: ") || got.text(t, "imported", 0, "slug") != "arrived" {
		t.Error(got.body)
	}
}

// spaces is white space without end.
type spaces struct{}

func (spaces) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}

func TestFiftyWritersLoseNoEdit(t *testing.T) {
	onBoth(t, func(t *testing.T, open func() *stack) {
		s := open()
		s.doc = nil // its cache is for one goroutine
		wf := "/api/workflows/" + s.create(definition("start"), "")
		const writers, each = 50, 2
		var mu sync.Mutex
		won := map[string]string{} // the name that was written, by the tag that it was based on
		var all sync.WaitGroup
		for n := range writers {
			all.Go(func() {
				for done := 0; done < each; {
					base := s.get(wf).header.Get("ETag")
					name := fmt.Sprintf("%d-%d", n, done)
					got := s.do(request{method: "PUT", path: wf, body: `{"definition":` + definition(name) + `}`, header: map[string]string{"If-Match": base}})
					if got.status == http.StatusPreconditionFailed {
						continue
					}
					mu.Lock()
					if other, taken := won[base]; taken || got.status != http.StatusOK {
						t.Errorf("on %s: %s after %s: %s", base, name, other, got.body)
					}
					won[base] = name
					mu.Unlock()
					done++
				}
			})
		}
		all.Wait()
		names := map[string]bool{}
		for i := range s.get(wf+"/versions?limit=200").field(t, "versions").([]any) {
			names[s.get(wf+"/versions/"+string(jsonNumber(i+1))).text(t, "definition", "name")] = true
		}
		if len(won) != writers*each || len(names) != writers*each+1 {
			t.Errorf("%d base versions, %d definitions of %d edits", len(won), len(names), writers*each)
		}
		last := s.get(wf)
		if last.field(t, "workflow", "latest_version") != jsonNumber(writers*each+1) || last.header.Get("ETag") != fmt.Sprintf(`"r%d"`, writers*each+1) {
			t.Error(last.body)
		}
	})
}
