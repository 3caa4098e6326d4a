package client_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"heddle/client"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// transport answers requests by itself, so that no test waits for a network or a clock.
type transport func(*http.Request) (*http.Response, error)

func (t transport) RoundTrip(r *http.Request) (*http.Response, error) { return t(r) }

func answer(status int, body string, header ...string) *http.Response {
	h := http.Header{}
	for i := 0; i+1 < len(header); i += 2 {
		h.Set(header[i], header[i+1])
	}
	return &http.Response{StatusCode: status, Header: h, Body: io.NopCloser(strings.NewReader(body))}
}

func envelope(code string) string {
	return fmt.Sprintf(`{"error":{"code":%q,"message":"No.","request_id":"req_1"}}`, code)
}

func over(f transport, opts ...client.Option) *client.Client {
	return client.New("http://heddle.example/", "key", append(opts, client.WithHTTPClient(&http.Client{Transport: f}))...)
}

func TestRefusal(t *testing.T) {
	c := over(func(r *http.Request) (*http.Response, error) {
		if r.Header.Get("Authorization") != "Bearer key" || r.URL.String() != "http://heddle.example/api/workflows/a%2Fb" {
			t.Errorf("%s with %q", r.URL, r.Header.Get("Authorization"))
		}
		return answer(404, `{"error":{"code":"workflow_not_found","message":"No.","request_id":"req_1"},"diagnostics":[{"code":"x","line":3}]}`), nil
	})
	_, err := c.Workflows.Get(t.Context(), "a/b")
	var refused *client.Error
	if !errors.As(err, &refused) {
		t.Fatalf("error %v", err)
	}
	if refused.Code != "workflow_not_found" || refused.Message != "No." || refused.RequestID != "req_1" || len(refused.Diagnostics) != 1 || !client.IsNotFound(err) || client.CodeOf(err) != refused.Code {
		t.Errorf("refused: %+v", refused)
	}
}

// What may have happened is repeated only where that is safe, and never before Retry-After.
func TestRetries(t *testing.T) {
	read := func(ctx context.Context, c *client.Client) error { _, err := c.Runs.Get(ctx, "r"); return err }
	start := func(ctx context.Context, c *client.Client) error {
		_, err := c.Runs.Start(ctx, "w", client.StartRun{})
		return err
	}
	cancel := func(ctx context.Context, c *client.Client) error { _, err := c.Runs.Cancel(ctx, "r", ""); return err }
	validate := func(ctx context.Context, c *client.Client) error {
		_, err := c.Workflows.Validate(ctx, client.DefinitionPart{})
		return err
	}
	cut := func() (*http.Response, error) { return nil, io.ErrUnexpectedEOF }
	refusing := func(status int, code, after string) func() (*http.Response, error) {
		return func() (*http.Response, error) { return answer(status, envelope(code), "Retry-After", after), nil }
	}
	for _, test := range []struct {
		name  string
		call  func(context.Context, *client.Client) error
		fail  func() (*http.Response, error)
		tries int
		waits time.Duration // at least, in all
	}{
		{"a read that was cut", read, cut, 4, 700 * time.Millisecond},
		{"a start that was cut, which has a key", start, cut, 4, 0},
		{"a command that was cut", cancel, cut, 1, 0},
		{"a check that was cut", validate, cut, 4, 0},
		{"a command of which the outcome is unknown", cancel, refusing(503, "outcome_unknown", "1"), 1, 0},
		{"a start of which the outcome is unknown", start, refusing(503, "outcome_unknown", "1"), 4, 3 * time.Second},
		{"a command too many", cancel, refusing(429, "rate_limited", "7"), 4, 21 * time.Second},
		{"a quota", start, refusing(429, "quota_exceeded", "1"), 1, 0},
		{"a server that is away for long", read, refusing(503, "store_unavailable", "60"), 1, 0},
		{"a request that is wrong", read, refusing(400, "invalid_request", ""), 1, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tries, keys := 0, map[string]bool{}
				c := over(func(r *http.Request) (*http.Response, error) {
					tries++
					keys[r.Header.Get("Idempotency-Key")] = true
					return test.fail()
				})
				began := time.Now()
				if err := test.call(t.Context(), c); err == nil {
					t.Error("no error")
				}
				if waited := time.Since(began); tries != test.tries || waited < test.waits || len(keys) != 1 {
					t.Errorf("%d tries in %s with the keys %v", tries, waited, keys)
				}
			})
		})
	}
}

// With one attempt the client repeats nothing and makes no keys.
func TestOneAttempt(t *testing.T) {
	c := over(func(r *http.Request) (*http.Response, error) {
		if r.Header.Get("Idempotency-Key") != "" {
			t.Error("it made a key")
		}
		return answer(503, envelope("store_unavailable"), "Retry-After", "1"), nil
	}, client.WithAttempts(1))
	if _, err := c.Runs.Start(t.Context(), "w", client.StartRun{}); client.CodeOf(err) != "store_unavailable" {
		t.Errorf("error %v", err)
	}
}

// A wait ends with its context.
func TestAWaitEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithTimeout(t.Context(), time.Second)
		defer stop()
		c := over(func(*http.Request) (*http.Response, error) {
			return answer(429, envelope("rate_limited"), "Retry-After", "20"), nil
		})
		if _, err := c.Runs.Get(ctx, "r"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v", err)
		}
	})
}

func TestStreamGoesOnWhereItWas(t *testing.T) {
	var asked []string
	c := over(func(r *http.Request) (*http.Response, error) {
		asked = append(asked, r.Header.Get("Last-Event-ID"))
		switch len(asked) {
		case 1:
			return answer(200, ": ping\n\nid: 3\nevent: run_started\ndata: {\"seq\":3}\n\nid: 4\nevent: cut"), nil
		case 2:
			return nil, io.ErrUnexpectedEOF
		case 3:
			return answer(200, "id: 5\nevent: step_completed\ndata: {\"step_id\":\"a\"}\n\nid: 6\nevent: run_completed\ndata: {}\n\n"), nil
		}
		t.Errorf("it asked again: %v", asked)
		return answer(204, ""), nil
	})
	var got []string
	for f, err := range c.Runs.Stream(t.Context(), "run_1", 0) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, f.Event)
	}
	if strings.Join(got, " ") != "run_started step_completed run_completed" || strings.Join(asked, ",") != ",3,3" {
		t.Errorf("frames %v, asked behind %v", got, asked)
	}
}

func TestFollow(t *testing.T) {
	c := over(func(r *http.Request) (*http.Response, error) {
		switch r.Header.Get("Last-Event-ID") {
		case "":
			return answer(200, "id: 3\nevent: run_started\ndata: {\"seq\":3}\n\nid: 5\nevent: run_completed\ndata: {}\n\nid: 6\nevent: cut"), nil
		case "5":
			return answer(204, ""), nil
		}
		return answer(400, envelope("invalid_last_event_id")), nil
	})
	var got []client.Frame
	keep := func(f client.Frame) error { got = append(got, f); return nil }
	if err := c.Runs.Follow(t.Context(), "run_1", 0, keep); err != nil {
		t.Fatal(err)
	}
	if len(got) != 2 || got[0].ID != 3 || string(got[0].Data) != `{"seq":3}` || got[0].Terminal() || !got[1].Terminal() {
		t.Errorf("frames %+v", got)
	}
	if err := c.Runs.Follow(t.Context(), "run_1", 5, keep); !errors.Is(err, client.ErrFinished) {
		t.Errorf("at the end: %v", err)
	}
	if err := c.Runs.Follow(t.Context(), "run_1", 9, keep); err == nil {
		t.Error("a refused stream gave no error")
	}
}

func TestPages(t *testing.T) {
	requests := 0
	c := over(func(r *http.Request) (*http.Response, error) {
		requests++
		if q := r.URL.Query(); q.Get("status") != "failed,cancelled" || q.Get("label.team") != "a" || q.Get("limit") != "2" || q.Has("workflow") {
			t.Errorf("query %s", r.URL.RawQuery)
		}
		if r.URL.Query().Get("cursor") == "" {
			return answer(200, `{"runs":[{"id":"run_1"},{"id":"run_2"}],"total":3,"next_cursor":"next"}`), nil
		}
		return answer(200, `{"runs":[{"id":"run_3"}],"next_cursor":null}`), nil
	})
	// An empty list selects nothing less than no list does.
	q := client.RunQuery{Workflows: []string{}, RunFilter: client.RunFilter{Status: []string{"failed", "cancelled"}, Labels: map[string]string{"team": "a"}}}
	q.Limit = 2
	var ids []string
	for run, err := range c.Runs.All(t.Context(), q) {
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, run.ID)
	}
	if strings.Join(ids, " ") != "run_1 run_2 run_3" || requests != 2 {
		t.Errorf("%v in %d requests", ids, requests)
	}
	requests = 0
	for range c.Runs.All(t.Context(), q) {
		break
	}
	if page, err := c.Runs.List(t.Context(), q); err != nil || requests != 2 || *page.Total != 3 || page.Next != "next" {
		t.Errorf("after %d requests %+v: %v", requests, page, err)
	}
}

func TestOptional(t *testing.T) {
	at := time.Date(2026, 3, 1, 2, 3, 4, 0, time.UTC)
	for want, in := range map[string]client.UpdateKey{
		`{}`:                                    {},
		`{"expires_at":null}`:                   {ExpiresAt: client.Null[time.Time]()},
		`{"expires_at":"2026-03-01T02:03:04Z"}`: {ExpiresAt: client.Set(at)},
	} {
		if got, err := json.Marshal(in); err != nil || string(got) != want {
			t.Errorf("%s and not %s: %v", got, want, err)
		}
	}
}

func TestNoOneAnswers(t *testing.T) {
	srv := httptest.NewServer(http.NotFoundHandler())
	srv.Close()
	_, err := client.New(srv.URL, "key", client.WithAttempts(1)).System.Info(t.Context())
	if _, ok := errors.AsType[*client.UnreachableError](err); !ok {
		t.Errorf("error %v", err)
	}
}

// The examples' server: it has one workflow, and one run that completes.
func exampleServer() *httptest.Server {
	var started atomic.Int64
	return httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasSuffix(r.URL.Path, "/run"):
			started.Add(1)
			fmt.Fprint(w, `{"run_id":"run_019cad000000000000000006"}`)
		case strings.HasSuffix(r.URL.Path, "/stream"):
			fmt.Fprint(w, "id: 1\nevent: run_started\ndata: {}\n\nid: 2\nevent: step_completed\ndata: {\"step_id\":\"count\"}\n\nid: 3\nevent: run_completed\ndata: {\"output\":{\"lines\":120}}\n\n")
		case strings.HasSuffix(r.URL.Path, "/runs"):
			fmt.Fprint(w, `{"runs":[{"id":"run_019cad000000000000000006","status":"failed","error":{"code":"timeout","message":"The step took too long."}}],"next_cursor":null}`)
		default:
			w.WriteHeader(http.StatusNotFound)
			fmt.Fprint(w, `{"error":{"code":"workflow_not_found","message":"There is no workflow \"nightly\".","request_id":"req_1"}}`)
		}
	}))
}

// A run is started, once however often the request is repeated, and followed to its end.
func ExampleRunService_Stream() {
	srv := exampleServer()
	defer srv.Close()
	ctx, c := context.Background(), client.New(srv.URL, "iw_live_…")
	id, err := c.Runs.Start(ctx, "nightly-export", client.StartRun{InputData: json.RawMessage(`{"dataset":"orders"}`)}, client.IdempotencyKey("orders-2026-03-01"))
	if err != nil {
		fmt.Println(err)
		return
	}
	for frame, err := range c.Runs.Stream(ctx, id, 0) {
		if err != nil {
			fmt.Println(err)
			return
		}
		event, _ := frame.Decode() // an event that cannot be decoded has no step
		fmt.Println(strings.TrimSpace(frame.Event + " " + event.StepID))
	}
	// Output:
	// run_started
	// step_completed count
	// run_completed
}

// All failed runs of a workflow, page by page.
func ExampleRunService_All() {
	srv := exampleServer()
	defer srv.Close()
	c := client.New(srv.URL, "iw_live_…")
	for run, err := range c.Runs.All(context.Background(), client.RunQuery{RunFilter: client.RunFilter{Status: []string{"failed"}}}) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(run.ID, run.Error.Code)
	}
	// Output: run_019cad000000000000000006 timeout
}

// A refusal has a stable code, and what finds the request in the server's log.
func ExampleError() {
	srv := exampleServer()
	defer srv.Close()
	_, err := client.New(srv.URL, "iw_live_…").Workflows.Get(context.Background(), "nightly")
	if e, ok := errors.AsType[*client.Error](err); ok {
		fmt.Println(e.Code, e.RequestID)
	}
	// Output: workflow_not_found req_1
}
