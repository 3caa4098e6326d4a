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

// TestLogsAreStreamed: as they come, by step and level, behind a line, and to the run's end.
func TestLogsAreStreamed(t *testing.T) {
	s := newStack(t, func(_ *api.Config, c *executor.Config) { c.Runner = talker{} })
	id := s.start(s.create(`{"name":"Talk","steps":[{"id":"a","type":"script","config":{"script":"x"}},`+
		`{"id":"go","type":"wait","depends_on":["a"],"config":{"signal":{"name":"go"}}},`+
		`{"id":"b","type":"script","depends_on":["go"],"config":{"script":"x"}}]}`, ""), "")
	s.until(id, "waiting")
	base := "/api/workflows/runs/" + id + "/logs/stream"
	open := s.followAt(base, "")
	said := func(n int) (text string) {
		for n > 0 && open.scan.Scan() {
			text += open.scan.Text() + "\n"
			n -= strings.Count(open.scan.Text(), "data: ")
		}
		return text
	}
	if got := said(3); !strings.Contains(got, `"message":"a three"`) || strings.Contains(got, `"b `) || strings.Contains(got, "event: end") {
		t.Errorf("while it waits: %s", got)
	}
	s.post("/v1/runs/"+id+"/signals/go", `{"payload":1}`).want(t, 202)
	s.until(id, "completed")
	rest := said(100)
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
