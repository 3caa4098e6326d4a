package api_test

import (
	"heddle/api"
	"heddle/executor"
	"heddle/executor/machine"
	"net/http"
)

// instancesDialect speaks of a run as an instance: its name where it has one.
func instancesDialect() dialect {
	does := func(rest, body string) verb {
		return func(s *stack, id string) request {
			return request{method: http.MethodPost, path: s.instancePath(id) + rest, body: body}
		}
	}
	return dialect{
		name:   "instances",
		wanted: func(state machine.State) string { _, _, _, word := api.Wanted(state); return word },
		read: func(s *stack, id string) string {
			return s.get(s.instancePath(id)).want(s.t, 200).text(s.t, "details", "status")
		},
		listed: func(s *stack, id, word string) bool {
			named := s.named(id)
			return s.get("/api/workflows/workflows/"+named.WorkflowID+"/instances?status="+word).want(s.t, 200).holds(s.t, "instances", "id", named.Name)
		},
		start: func(s *stack, workflow string) string {
			in := s.instantiate(workflow, `{}`)
			return s.latest(workflow, in).RunID
		},
		pause: does("/pause", ""), resume: does("/resume", ""), terminate: does("/terminate", ""),
		signal: does("/events", `{"type":"approve","payload":{"approved":true}}`),
	}
}

// instantiate creates an instance and returns its id.
func (s *stack) instantiate(workflow, body string) string {
	s.t.Helper()
	return s.post("/api/workflows/workflows/"+workflow+"/instances", body).want(s.t, http.StatusOK).text(s.t, "id")
}

// latest is the run that an instance stands for.
func (s *stack) latest(workflow, instance string) executor.NamedRun {
	s.t.Helper()
	w, err := s.db.Workflow(s.t.Context(), s.tenantID(), workflow)
	if err != nil {
		s.t.Fatal(err)
	}
	r, err := s.db.Named(s.t.Context(), w.TenantID, w.ID, instance, executor.Latest)
	if err != nil {
		s.t.Fatal(err)
	}
	return r
}

// tenantID is the id of the tenant default.
func (s *stack) tenantID() string {
	s.t.Helper()
	t, err := s.db.TenantBySlug(s.t.Context(), "default")
	if err != nil {
		s.t.Fatal(err)
	}
	return t.ID
}

// named finds a run among its workflow's instances.
func (s *stack) named(runID string) executor.NamedRun {
	s.t.Helper()
	row := s.row(runID)
	q := executor.NamedQuery{TenantID: row.TenantID, WorkflowID: row.WorkflowID, Limit: 100}
	for {
		page, err := s.db.NamedRuns(s.t.Context(), q)
		if err != nil {
			s.t.Fatal(err)
		}
		for _, r := range page.Runs {
			if r.RunID == runID {
				return r
			}
		}
		if q.Cursor = page.Next; q.Cursor == "" {
			s.t.Fatalf("no instance stands for %s", runID)
		}
	}
}

func (s *stack) instancePath(runID string) string {
	r := s.named(runID)
	return "/api/workflows/workflows/" + r.WorkflowID + "/instances/" + r.Name
}
