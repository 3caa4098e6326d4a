package api_test

import (
	"context"
	"fmt"
	"heddle/api"
	"heddle/deadline"
	"heddle/executor"
	"heddle/internal/await"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// streamsOf are the paths of a run's streams, by dialect.
func streamsOf(run string) map[string]string {
	return map[string]string{"workflows": "/api/workflows/runs/" + run + "/stream", "runs": "/v1/runs/" + run + "/events"}
}

// as follows with another key.
func (s *stack) as(key, path string) *reader {
	admin := s.admin
	defer func() { s.admin = admin }()
	s.admin = key
	return s.followAt(path, "")
}

func TestStreamsAreClosedToThoseWhoMayNot(t *testing.T) {
	s := newStack(t)
	wf := s.create(parked, `"slug":"shop"`)
	run := s.start(wf, "")
	none, viewer, elsewhere := s.post("/v1/keys", `{"name":"ci","role":"none"}`).want(t, http.StatusCreated), s.key("viewer"), s.tenant("elsewhere")
	for dialect, path := range streamsOf(run) {
		get := func(key string) response { return s.do(request{method: "GET", path: path, key: key}) }
		denied := get(none.text(t, "key")).wantCode(t, http.StatusForbidden, "acl_denied")
		if m := denied.text(t, "message"); m != "Principal lacks view on workflow:shop." {
			t.Errorf("%s: %s", dialect, m)
		}
		get(elsewhere).wantCode(t, http.StatusNotFound, "run_not_found")
		get("iw_live_unknown").want(t, http.StatusUnauthorized)
		if f, ok := s.as(viewer, path).next(); !ok || f.id == 0 {
			t.Errorf("%s: a viewer gets %+v", dialect, f)
		}
	}
	s.do(request{method: "PUT", path: "/v1/grants", body: `{"key_id":"` + none.text(t, "id") + `","workflow":"shop","actions":["view"]}`}).want(t, 200)
	for dialect, path := range streamsOf(run) {
		if f, ok := s.as(none.text(t, "key"), path).next(); !ok || f.id == 0 {
			t.Errorf("%s: a key with a grant gets %+v", dialect, f)
		}
	}
}

// patientStore notes the reads of runs that would wait for the database without end.
// Another node leads, so that streams read what they show.
type patientStore struct {
	executor.Store
	watched atomic.Bool
	endless atomic.Int64
	reads   atomic.Int64
}

func (p *patientStore) AcquireLease(context.Context, string, time.Time, time.Duration) (int64, error) {
	return 0, executor.ErrLeaseHeld
}

func (p *patientStore) Run(ctx context.Context, tenantID, runID string) (executor.Record, error) {
	if p.watched.Load() {
		p.reads.Add(1)
		inner, call := deadline.Begin(ctx)
		if _, bounded := inner.Deadline(); !bounded {
			p.endless.Add(1)
		}
		call.End()
	}
	return p.Store.Run(ctx, tenantID, runID)
}

// An open stream waits for the database as long as any other request, also once
// it has its connection for itself.
func TestAStreamsReadsHaveADeadline(t *testing.T) {
	p := &patientStore{}
	s := newStack(t, func(_ *api.Config, e *executor.Config) {
		p.Store, e.Store, e.Heartbeat = e.Store, p, 20*time.Millisecond
	})
	run := s.start(s.create(parked, ""), "")
	p.watched.Store(true)
	for dialect, path := range streamsOf(run) {
		before := p.reads.Load()
		// The run is queued and has no event that shows in every dialect.
		if f, ok := s.followAt(path, "").next(); !ok {
			t.Fatalf("%s: %+v", dialect, f)
		}
		// One read is the request's, one the first of the stream, one of a heartbeat.
		await.True(t, dialect+": the stream reads its run", func() bool { return p.reads.Load() >= before+3 })
	}
	if n := p.endless.Load(); n > 0 {
		t.Errorf("%d of %d reads have no deadline", n, p.reads.Load())
	}
}

// TestAStreamEndsWithTheRightToIt: revoked is revoked, also for what is open.
func TestAStreamEndsWithTheRightToIt(t *testing.T) {
	s := newStack(t, func(_ *api.Config, e *executor.Config) { e.Heartbeat = 20 * time.Millisecond })
	run := s.start(s.create(parked, `"slug":"shop"`), "")
	made := s.post("/v1/keys", `{"name":"ci","role":"viewer"}`).want(t, http.StatusCreated)
	granted := s.post("/v1/keys", `{"name":"ci","role":"none"}`).want(t, http.StatusCreated)
	s.do(request{method: "PUT", path: "/v1/grants", body: `{"key_id":"` + granted.text(t, "id") + `","workflow":"shop","actions":["view"]}`}).want(t, 200)
	var open []*reader
	for _, path := range streamsOf(run) {
		open = append(open, s.as(made.text(t, "key"), path), s.as(granted.text(t, "key"), path))
	}
	stays := s.follow(run, "")
	for _, r := range append(open, stays) {
		r.next()
	}
	s.do(request{method: "DELETE", path: "/v1/keys/" + made.text(t, "id")}).want(t, http.StatusNoContent)
	s.do(request{method: "DELETE", path: "/v1/grants?key_id=" + granted.text(t, "id") + "&workflow=shop"}).want(t, http.StatusNoContent)
	for i, r := range open {
		if words := eventsOf(r.rest()); strings.Contains(words, "cancelled") {
			t.Errorf("stream %d ends with %s", i, words)
		}
	}
	s.post("/api/workflows/runs/"+run+"/cancel", "").want(t, http.StatusOK)
	if words := eventsOf(stays.rest()); !strings.HasSuffix(words, "run_cancelled") {
		t.Errorf("the stream of another key ends with %s", words)
	}
}

func TestWhereAStreamBegins(t *testing.T) {
	s := newStack(t)
	done := s.start(s.create(trivial, ""), "")
	s.until(done, "completed")
	open := s.start(s.create(parked, ""), "")
	for dialect, path := range streamsOf(done) {
		all := s.followAt(path, "").rest()
		last := fmt.Sprint(all[len(all)-1].id)
		for _, c := range []struct {
			id     string
			status int
		}{
			{"0", 200},
			{"", 200},
			{last, 204},
			{fmt.Sprint(all[len(all)-1].id + 1), 400},
			{"99999999999999999999", 400},
			{"-1", 400},
			{"+1", 400},
			{"1.5", 400},
			{"0x1", 400},
			{" ", 200},
			{"one", 400},
			{"１", 400},
		} {
			for _, method := range []string{"GET", "HEAD"} {
				r := request{method: method, path: path, header: map[string]string{"Last-Event-ID": c.id}}
				got := s.do(r)
				if got.status != c.status {
					t.Errorf("%s: %s after %q: %d, want %d", dialect, method, c.id, got.status, c.status)
				}
				if c.status == 400 && method == "GET" {
					got.wantCode(t, http.StatusBadRequest, "invalid_last_event_id")
				}
			}
		}
	}
	for dialect, path := range streamsOf(open) {
		got := s.do(request{method: "HEAD", path: path}).want(t, http.StatusOK)
		if got.header.Get("Content-Type") != "text/event-stream" || got.body != "" {
			t.Errorf("%s: HEAD gives %v %q", dialect, got.header, got.body)
		}
		s.do(request{method: "GET", path: path, header: map[string]string{"Last-Event-ID": "10000"}}).wantCode(t, http.StatusBadRequest, "invalid_last_event_id")
	}
}

// TestAStreamOfADeletedRunEnds: the reader is behind when the journal goes.
func TestAStreamOfADeletedRunEnds(t *testing.T) {
	s := newStack(t, func(_ *api.Config, e *executor.Config) { e.Heartbeat = 20 * time.Millisecond })
	s.serveNarrowly()
	run := s.start(s.create(`{"name":"Long","steps":[{"id":"each","type":"loop","config":{"items":"1000","steps":[{"id":"c","type":"condition","config":{"expression":"true"}}]}}]}`, ""), "")
	s.until(run, "completed")
	for dialect, path := range streamsOf(run) {
		if n := len(s.followAt(path, "").rest()); n < 2000 {
			t.Fatalf("%s: the run has %d frames only", dialect, n)
		}
	}
	behind := make(map[string]*reader)
	for dialect, path := range streamsOf(run) {
		behind[dialect] = s.followAt(path, "")
		behind[dialect].next()
	}
	s.do(request{method: "DELETE", path: "/api/workflows/runs/" + run}).want(t, http.StatusNoContent)
	for dialect, r := range behind {
		if words := eventsOf(r.rest()); strings.HasSuffix(words, " run_completed") || strings.HasSuffix(words, " completed") {
			t.Errorf("%s: the stream of a deleted run is told to its end", dialect)
		}
	}
	for _, path := range streamsOf(run) {
		s.get(path).wantCode(t, http.StatusNotFound, "run_not_found")
	}
}

// TestTenantsStreamsStayApart: each tenant is sent the events of its own runs and
// of no other, all at once.
func TestTenantsStreamsStayApart(t *testing.T) {
	const tenants = 8
	s := newStack(t)
	admin := s.admin
	type theirs struct {
		key, run string
		streams  []*reader
	}
	var all []theirs
	for i := range tenants {
		s.admin = admin
		key := s.tenant(fmt.Sprintf("tenant-%d", i))
		s.admin = key
		their := theirs{key: key, run: s.start(s.create(parked, `"slug":"same"`), "")}
		for _, path := range streamsOf(their.run) {
			their.streams = append(their.streams, s.followAt(path, ""))
		}
		all = append(all, their)
	}
	for i, their := range all {
		s.admin = their.key
		s.post("/v1/runs/"+their.run+"/signals/other", fmt.Sprintf(`{"request_id":"same","payload":"of-%d-"}`, i)).want(t, http.StatusAccepted)
		s.post("/api/workflows/runs/"+their.run+"/cancel", "").want(t, http.StatusOK)
		other := all[(i+1)%tenants]
		for _, path := range streamsOf(other.run) {
			s.get(path).wantCode(t, http.StatusNotFound, "run_not_found")
		}
	}
	s.admin = admin
	var wg sync.WaitGroup
	for i, their := range all {
		for _, r := range their.streams {
			wg.Go(func() {
				heard := false
				for _, f := range r.rest() {
					heard = heard || strings.Contains(f.data, fmt.Sprintf(`"of-%d-"`, i))
					if !strings.Contains(f.data, their.run) || strings.Contains(f.data, `"of-`) && !strings.Contains(f.data, fmt.Sprintf(`"of-%d-"`, i)) {
						t.Errorf("tenant %d hears %s", i, f.data)
					}
				}
				if !heard {
					t.Errorf("tenant %d did not hear its signal", i)
				}
			})
		}
	}
	wg.Wait()
}
