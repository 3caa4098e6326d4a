package api_test

import (
	"context"
	"encoding/json"
	"fmt"
	"heddle/api"
	"heddle/executor"
	"strings"
	"testing"
)

// talker is a runner whose steps log three lines and succeed.
type talker struct{}

func (talker) Run(_ context.Context, call executor.Call) (executor.Result, error) {
	fmt.Fprintf(call.Logs.Stream(executor.LogInfo, "stdout"), "%s one\n%s two\n", call.StepID, call.StepID)
	call.Logs.Line(executor.LogWarn, "agent", call.StepID+" three", json.RawMessage(`{"n":3}`))
	return executor.Result{Output: json.RawMessage("1")}, nil
}

func TestLogsOfARunAreListed(t *testing.T) {
	s := newStack(t, func(_ *api.Config, c *executor.Config) { c.Runner = talker{} })
	id := s.start(s.create(`{"name":"Talk","steps":[{"id":"a","type":"script","config":{"script":"x"}},`+
		`{"id":"each","type":"loop","depends_on":["a"],"config":{"items":"2","steps":[{"id":"b","type":"script","config":{"script":"x"}}]}}]}`, ""), "")
	s.until(id, "completed")
	base := "/api/workflows/runs/" + id + "/logs"
	all := "a one,a two,a three,b one,b two,b three,b one,b two,b three"
	for filter, want := range map[string]string{
		"":                                     all,
		"step_id=a&":                           "a one,a two,a three",
		"iteration=each[1]&":                   "b one,b two,b three",
		"level=warn&":                          "a three,b three,b three",
		"category=agent&step_id=b&order=desc&": "b three,b three",
		"step_id=a&order=desc&":                "a three,a two,a one",
		"attempt=1&":                           all,
		"attempt=2&":                           "",
		"step_id=none&":                        "",
		"q=B%20T&":                             "b two,b three,b two,b three",
	} {
		for _, limit := range []int{1, 2, 50} {
			var got []string
			for cursor := ""; ; {
				page := s.get(fmt.Sprintf("%s?%slimit=%d%s", base, filter, limit, cursor)).want(t, 200)
				list, _ := page.field(t, "logs").([]any)
				for i := range list {
					got = append(got, page.text(t, "logs", i, "message"))
				}
				if page.field(t, "next_cursor") == nil {
					break
				}
				cursor = "&cursor=" + page.text(t, "next_cursor")
			}
			if strings.Join(got, ",") != want {
				t.Errorf("%s limit %d: %s, want %s", filter, limit, got, want)
			}
		}
	}
	line := s.get(base+"?step_id=b&category=agent&limit=1").want(t, 200)
	if line.text(t, "logs", 0, "iteration") != "each[0]" || line.text(t, "logs", 0, "level") != "warn" || line.field(t, "logs", 0, "data", "n") != jsonNumber(3) {
		t.Errorf("line %s", line.body)
	}
	for _, wrong := range []string{
		"level=loud", "order=up", "attempt=0", "attempt=x", "limit=1001", "cursor=x", "level=info&level=warn",
		"from=begin", "format=xml", "tail=yes", "from=end&order=desc", "tail=true&order=desc", "format=text&limit=5", "format=text&tail=true",
	} {
		s.get(base+"?"+wrong).wantCode(t, 400, "invalid_request")
	}
	s.get("/api/workflows/runs/run_unknown/logs").wantCode(t, 404, "run_not_found")
	s.admin = s.tenant("other")
	s.get(base).wantCode(t, 404, "run_not_found")
}

// TestLogsAreFollowedAndDownloaded: the last lines, what comes behind them, and all as text.
func TestLogsAreFollowedAndDownloaded(t *testing.T) {
	s := newStack(t, func(_ *api.Config, c *executor.Config) { c.Runner = talker{} })
	id := s.start(s.create(`{"name":"Talk","steps":[{"id":"a","type":"script","config":{"script":"x"}},`+
		`{"id":"go","type":"wait","depends_on":["a"],"config":{"signal":{"name":"go"}}},`+
		`{"id":"each","type":"loop","depends_on":["go"],"config":{"items":"1","steps":[{"id":"b","type":"script","config":{"script":"x"}}]}}]}`, ""), "")
	s.until(id, "waiting")
	base := "/api/workflows/runs/" + id + "/logs"
	page := s.get(base+"?from=end&limit=2").want(t, 200)
	if got := page.text(t, "logs", 0, "message") + page.text(t, "logs", 1, "message"); got != "a twoa three" {
		t.Errorf("the last lines %s", got)
	}
	next := "?tail=true&cursor=" + page.text(t, "next_cursor")
	if list, _ := s.get(base+next).want(t, 200).field(t, "logs").([]any); len(list) != 0 {
		t.Errorf("behind the last lines: %v", list)
	}
	s.post("/v1/runs/"+id+"/signals/go", `{"payload":1}`).want(t, 202)
	s.until(id, "completed")
	if got := s.get(base+next).want(t, 200); got.text(t, "logs", 0, "message") != "b one" || got.text(t, "next_cursor") == "" {
		t.Errorf("what came: %s", got.body)
	}
	text := s.get(base+"?format=text&q=T").want(t, 200)
	lines := strings.Split(strings.TrimSuffix(text.body, "\n"), "\n")
	if len(lines) != 4 || !strings.HasSuffix(lines[0], "Z info  a#1 stdout: a two") || !strings.HasSuffix(lines[3], "Z warn  each[0].b#1 agent: b three") {
		t.Errorf("the download:\n%s", text.body)
	}
	if got := text.header.Get("Content-Type") + text.header.Get("Content-Disposition"); got != `text/plain; charset=utf-8attachment; filename="`+id+`.log"` {
		t.Errorf("its head: %s", got)
	}
	if got := s.get(base+"?format=text&step_id=none").want(t, 200).body; got != "" {
		t.Errorf("a download of nothing: %q", got)
	}
	s.get("/api/workflows/runs/run_unknown/logs?format=text").wantCode(t, 404, "run_not_found")
}

// talks says three lines, waits for the signal go and says three more.
const talks = `{"name":"Talk","steps":[{"id":"a","type":"script","config":{"script":"x"}},` +
	`{"id":"go","type":"wait","depends_on":["a"],"config":{"signal":{"name":"go"}}},` +
	`{"id":"b","type":"script","depends_on":["go"],"config":{"script":"x"}}]}`

// lines reads the stream up to the n-th frame with data, or to its end.
func (r *reader) lines(n int) (text string) {
	for n > 0 && r.scan.Scan() {
		text += r.scan.Text() + "\n"
		n -= strings.Count(r.scan.Text(), "data: ")
	}
	return text
}

// TestLogsAreStreamed: as they come, by step and level, behind a line, and to the run's end.
func TestLogsAreStreamed(t *testing.T) {
	s := newStack(t, func(_ *api.Config, c *executor.Config) { c.Runner = talker{} })
	id := s.start(s.create(talks, ""), "")
	s.until(id, "waiting")
	base := "/api/workflows/runs/" + id + "/logs/stream"
	open := s.followAt(base, "")
	if got := open.lines(3); !strings.Contains(got, `"message":"a three"`) || strings.Contains(got, `"b `) || strings.Contains(got, "event: end") {
		t.Errorf("while it waits: %s", got)
	}
	s.post("/v1/runs/"+id+"/signals/go", `{"payload":1}`).want(t, 202)
	s.until(id, "completed")
	rest := open.lines(100)
	if !strings.Contains(rest, `"message":"b three"`) || !strings.HasSuffix(rest, "event: end\ndata: {\"run_id\":\""+id+"\",\"status\":\"completed\"}\n\n") {
		t.Errorf("to the end: %s", rest)
	}
	whole := s.get(base).want(t, 200)
	if strings.Count(whole.body, "event: log\n") != 6 || whole.header.Get("Content-Type") != "text/event-stream" {
		t.Errorf("the whole: %s", whole.body)
	}
	if got := s.get(base+"?step_id=b&level=warn").want(t, 200).body; strings.Count(got, "event: log\n") != 1 || !strings.Contains(got, `"message":"b three"`) {
		t.Errorf("by step and level: %s", got)
	}
	var lineIDs []string
	for line := range strings.SplitSeq(whole.body, "\n") {
		if lineID, is := strings.CutPrefix(line, "id: "); is {
			lineIDs = append(lineIDs, lineID)
		}
	}
	if got := s.get(base+"?after="+lineIDs[3]).want(t, 200).body; strings.Count(got, "event: log\n") != 2 {
		t.Errorf("behind the fourth: %s", got)
	}
	last := func(lineID string) response {
		return s.do(request{method: "GET", path: base, header: map[string]string{"Last-Event-ID": lineID}})
	}
	last(lineIDs[len(lineIDs)-1]).want(t, 204)
	last("7").wantCode(t, 400, "invalid_last_event_id")
	for _, query := range []string{"after=x", "level=loud", "step=a"} {
		s.get(base+"?"+query).wantCode(t, 400, "invalid_request")
	}
	s.get("/api/workflows/runs/run_unknown/logs/stream").wantCode(t, 404, "run_not_found")
	s.admin = s.tenant("other")
	s.get(base).wantCode(t, 404, "run_not_found")
}

// TestStreamsOfLogsEndWithTheRightToThem: a key that is revoked or loses its grant reads no line
// that comes afterwards, and is not told how the run ended.
func TestStreamsOfLogsEndWithTheRightToThem(t *testing.T) {
	onBothStores(t, func(t *testing.T, s *stack) {
		wf := s.create(talks, `"slug":"talks"`)
		id := s.start(wf, "")
		s.until(id, "waiting")
		base := "/api/workflows/runs/" + id + "/logs/stream"
		key := s.post("/v1/keys", `{"name":"revoked","role":"viewer"}`).want(t, 201)
		revoked, ungranted, stays := s.as(key.text(t, "key"), base), s.as(s.grantee("ungranted", wf, `"view"`), base), s.as(s.key("viewer"), base)
		for _, r := range []*reader{revoked, ungranted, stays} {
			if got := r.lines(3); strings.Count(got, "event: log\n") != 3 {
				t.Fatalf("before: %s", got)
			}
		}
		s.do(request{method: "DELETE", path: "/v1/keys/" + key.text(t, "id")}).want(t, 204)
		granted := s.get("/v1/grants").want(t, 200).text(t, "grants", 0, "key_id")
		s.do(request{method: "DELETE", path: "/v1/grants?workflow=talks&key_id=" + granted}).want(t, 204)
		s.do(request{method: "GET", path: base, key: key.text(t, "key")}).want(t, 401)
		s.post("/v1/runs/"+id+"/signals/go", `{"payload":1}`).want(t, 202)
		for name, r := range map[string]*reader{"revoked": revoked, "ungranted": ungranted} {
			if got := r.lines(100); strings.Contains(got, "event:") {
				t.Errorf("%s, it still reads %s", name, got)
			}
		}
		if got := stays.lines(100); strings.Count(got, "event: log\n") != 3 || !strings.Contains(got, "event: end\n") {
			t.Errorf("another key reads %s", got)
		}
	}, func(_ *api.Config, c *executor.Config) { c.Runner = talker{} })
}

// TestStreamsOfLogsAreCountedAndRefused: within the tenant's quota of streams, by whoever holds
// them, and with what is not known named.
func TestStreamsOfLogsAreCountedAndRefused(t *testing.T) {
	s := newStack(t, func(_ *api.Config, c *executor.Config) { c.Runner = talker{} })
	id := s.start(s.create(talks, `"slug":"talks"`), "")
	s.until(id, "waiting")
	base := "/api/workflows/runs/" + id + "/logs/stream"
	s.limit("default", `{"streams":2}`)
	first, second := s.followAt(base, ""), s.followAt(base+"?step_id=none", "")
	if got := first.lines(3); strings.Count(got, "event: log\n") != 3 {
		t.Fatalf("within the quota: %s", got)
	}
	exceeded(t, s.get(base), "streams", 2)
	exceeded(t, s.get("/v1/runs/"+id+"/events"), "streams", 2)
	s.do(request{method: "HEAD", path: base}).want(t, 200) // holds nothing
	second.stop()
	s.eventually("there is room again", func() bool {
		again := s.followAt(base, "")
		return again.resp.StatusCode == 200 && strings.Contains(again.lines(1), "event: log\n")
	})
	s.post("/api/workflows/runs/"+id+"/cancel", "").want(t, 200)
	s.until(id, "cancelled")
	const zero = "log_000000000000000000000000"
	for _, query := range []string{
		"after=log_1", "after=" + strings.Repeat("0", 28), "after=log_00000000000000000000000G", "level=WARN", "level=info&level=warn", "step_id=a&step_id=b",
		"tail=true", "limit=5", "cursor=x", "format=text", "after=x&after=y",
	} {
		s.get(base+"?"+query).wantCode(t, 400, "invalid_request")
	}
	for _, last := range []string{"x", "log_1", "-1", "log_00000000000000000000000G", strings.Repeat("log_", 500)} {
		s.do(request{method: "GET", path: base, header: map[string]string{"Last-Event-ID": last}}).wantCode(t, 400, "invalid_last_event_id")
	}
	twice := s.dial()
	twice.send(s.head("GET", base, "", "Last-Event-ID: "+zero, "Last-Event-ID: "+zero))
	if line, err := twice.in.ReadString('\n'); err != nil || !strings.Contains(line, " 400 ") {
		t.Errorf("two Last-Event-ID are answered %q, %v", line, err)
	}
	s.do(request{method: "GET", path: base, key: "-"}).want(t, 401)
	s.do(request{method: "POST", path: base}).want(t, 405)
	none := s.post("/v1/keys", `{"name":"none","role":"none"}`).want(t, 201).text(t, "key")
	s.do(request{method: "GET", path: base, key: none}).wantCode(t, 403, "acl_denied")
	s.do(request{method: "GET", path: base, key: s.tenant("elsewhere")}).wantCode(t, 404, "run_not_found")
}
